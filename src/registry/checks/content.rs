//! C15 to C18: what is served, to whom it is told, and what is refused.

use crate::registry::Finding;
use std::collections::BTreeMap;

/// C15: headers of each answer that browsers refuse together.
pub fn headers(headers: &BTreeMap<String, Vec<String>>) -> Option<Finding> {
    let has = |name: &str, value: &str| {
        headers.iter().any(|(own, values)| {
            own.eq_ignore_ascii_case(name) && values.iter().any(|own| own.trim().eq_ignore_ascii_case(value))
        })
    };
    if has("Access-Control-Allow-Origin", "*") && has("Access-Control-Allow-Credentials", "true") {
        let message = "Browsers refuse credentials where every origin is allowed. Name the origin of the user interface, such \
                       as https://ui.example.com, instead of *.";
        return Some(Finding::warning("C15", "http.headers", message));
    }
    let origins = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Access-Control-Allow-Origin"));
    if origins.is_some_and(|(_, values)| values.len() > 1) {
        let message =
            "Access-Control-Allow-Origin can name one origin, or *: browsers refuse an answer with several.";
        return Some(Finding::warning("C15", "http.headers", message));
    }
    None
}

/// C16: names of headers with which events are sent, for one endpoint. Distribution logs them at level info.
pub fn notification_headers<'h>(path: &str, headers: impl IntoIterator<Item = &'h str>) -> Option<Finding> {
    let is_secret = |name: &&str| {
        let name = name.to_ascii_lowercase();
        ["authorization", "token", "secret", "api-key", "apikey", "cookie"]
            .iter()
            .any(|word| name.contains(word))
    };
    let name = headers.into_iter().find(is_secret)?;
    let message = format!(
        "Distribution writes the header {name} with its value into its log at level \"info\". Set log.level to \"warn\" or \
         \"error\", or use an address that only the registry reaches."
    );
    Some(Finding::warning("C16", path, message))
}

/// C17: CloudFront signs addresses of S3's objects. With another storage Distribution serves on without it, and logs a warning
/// at each pull.
pub fn cloudfront(is_set: Option<bool>, has_s3: Option<bool>) -> Option<Finding> {
    (is_set? && !has_s3?).then(|| {
        let message = "CloudFront serves what is in S3; with another storage it has no effect but a warning in the log at each \
                       pull. Set storage.s3, or leave it out.";
        Finding::warning("C17", "middleware.cloudfront", message)
    })
}

/// C18: pushes are refused.
pub fn read_only(is_set: Option<bool>) -> Option<Finding> {
    is_set?.then(|| {
        let message =
            "Pushes and deletions are refused (405). Set it to false again once the maintenance is over.";
        Finding::warning("C18", "storage.read_only", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        headers.iter().map(|(name, values)| ((*name).to_owned(), texts(values))).collect()
    }

    #[test]
    fn c15_headers_that_browsers_refuse() {
        let credentials: (&str, &[&str]) = ("access-control-allow-credentials", &["true"]);
        let origin = |origins: &'static [&'static str]| ("Access-Control-Allow-Origin", origins);
        let code = |given: &[(&str, &[&str])]| headers(&map(given)).map(|finding| finding.code);
        assert_eq!(code(&[origin(&["*"]), credentials]), Some("C15"));
        assert_eq!(code(&[origin(&["https://a", "https://b"])]), Some("C15"));
        assert_eq!(code(&[origin(&["https://ui.example.com"]), credentials]), None);
        assert_eq!(code(&[origin(&["*"])]), None);
    }

    #[test]
    fn c16_headers_that_end_up_in_the_log() {
        let code = |names: &[&str]| {
            notification_headers("notifications", names.iter().copied()).map(|finding| finding.code)
        };
        assert_eq!(code(&["Authorization"]), Some("C16"));
        assert_eq!(code(&["Accept", "X-Api-Key"]), Some("C16"));
        assert_eq!(code(&["Accept"]), None);
    }

    #[test]
    fn c17_cloudfront_without_s3() {
        assert_eq!(cloudfront(Some(true), Some(false)).map(|finding| finding.code), Some("C17"));
        assert_eq!(cloudfront(Some(true), Some(true)), None);
        assert_eq!(cloudfront(Some(false), Some(false)), None);
        assert_eq!(cloudfront(Some(true), None), None);
    }

    #[test]
    fn c18_pushes_are_refused() {
        assert_eq!(
            read_only(Some(true)).map(|finding| (finding.is_error(), finding.code)),
            Some((false, "C18"))
        );
        assert_eq!(read_only(Some(false)), None);
        assert_eq!(read_only(None), None);
    }
}
