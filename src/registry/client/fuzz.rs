//! What a hostile registry's answers meet first.

use super::{Digest, ImageConfig, MANIFESTS, Manifest, Parts, auth, lists, platforms, request, upload};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

/// Reads headers, one a line. Wherever they lead is a URL with a host.
pub fn headers(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    auth::challenge(&headers);
    upload::reached(&headers);
    let asked = Uri::from_static("https://hub.example.com/v2/team/app/blobs/uploads/1?state=a");
    let location = headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
    for link in location.map(str::to_owned).into_iter().chain(lists::following(&headers)) {
        if let Some(found) = request::resolve(&link, &asked) {
            assert!(found.scheme().is_some() && found.authority().is_some(), "{link:?} leads to {found:?}");
            auth::is_same_origin(&found, &asked);
        }
    }
}

/// Reads a manifest, of which the first byte says what it is said to be, or an image's configuration.
pub fn manifest(data: &[u8]) {
    let Some((&first, bytes)) = data.split_first() else { return };
    if let Ok(config) = ImageConfig::read(bytes) {
        config.labels();
    }
    let said = MANIFESTS.get(usize::from(first)).copied();
    let Ok(manifest) = Manifest::read(Bytes::copy_from_slice(bytes), said) else { return };
    assert!(manifest.digest.is_of(bytes) && manifest.digest.to_string().parse::<Digest>().is_ok());
    manifest.size();
    if let Parts::Index(manifests) = &manifest.parts {
        platforms(manifests);
    }
    let again = Manifest::read(manifest.bytes.clone(), Some(&manifest.media_type));
    assert!(
        again.is_ok_and(|again| again.digest == manifest.digest && again.media_type == manifest.media_type)
    );
}
