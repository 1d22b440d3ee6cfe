//! What an image in a registry is called: its ID here, and its name for whoever pulls it.

use crate::registry::image::Reference;

/// The ID and the name of the image with a digest in a repository of the registry at a URL.
pub fn of(url: &str, repository: &str, digest: &str) -> (String, String) {
    let (scheme, host) = url.split_once("://").unwrap_or(("https", url));
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let reference = format!("{host}/{repository}@{digest}");
    (format!("{scheme}://{reference}"), reference)
}

/// The URL of the registry, the repository, and the tag or digest, out of an ID to import by.
pub fn read(id: &str) -> Result<(String, String, String), String> {
    let (scheme, name) = id.split_once("://").unwrap_or(("https", id));
    if !matches!(scheme, "https" | "http") {
        return Err(format!("`{scheme}` is no way to ask a registry: it is `https` or `http`"));
    }
    let (host, _) = name.split_once('/').ok_or("it begins with the host of a registry")?;
    let reference: Reference = name.parse().map_err(|error| format!("{error}"))?;
    if reference.domain() != host {
        return Err("it begins with the host of a registry".to_owned());
    }
    let last = reference.digest().or(reference.effective_tag()).unwrap_or_default().to_owned();
    Ok((format!("{scheme}://{host}"), reference.path().to_owned(), last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_is_written() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for url in ["https://hub.example.com", "http://10.0.0.5:5000"] {
            let (id, reference) = of(url, "team/app", &digest);
            assert_eq!(id, format!("{url}/team/app@{digest}"));
            assert_eq!(reference, id.split_once("://").unwrap().1);
            assert_eq!(read(&id).unwrap(), (url.to_owned(), "team/app".to_owned(), digest.clone()));
        }
        assert_eq!(of("https://hub/", "a", "d").1, "hub/a@d");
        let tagged = read("hub:5000/a:1").unwrap();
        assert_eq!(tagged, ("https://hub:5000".to_owned(), "a".to_owned(), "1".to_owned()));
        for wrong in ["ftp://hub/a", "team/app:1", "alpine", "https://hub:5000", "hub.example.com/A:1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
