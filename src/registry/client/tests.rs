use super::*;
use crate::registry::client::scripted::{Reply, Seen, Server};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::StreamExt;
use http::HeaderMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const IMAGE: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}"#;

fn manifest(_: &Seen, _: usize) -> Reply {
    Reply::status(200).header("Content-Type", MANIFESTS[2]).body(IMAGE)
}

fn login() -> String {
    format!("Basic {}", STANDARD.encode("ci:hunter2"))
}

#[tokio::test]
async fn a_password_is_sent_when_it_is_asked_for_and_told_to_nobody() {
    let server = Server::start(|seen, _| match seen.header("authorization") {
        "" => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"Registry\""),
        _ if seen.line.contains("forbidden") => Reply::status(403),
        _ if seen.line.contains("wrong") => {
            Reply::status(401).header("WWW-Authenticate", "Basic realm=\"R\"")
        }
        _ => manifest(seen, 0),
    })
    .await;
    let client = server.client_with_login();
    client.manifest("a", "1").await.unwrap();
    client.manifest("b", "1").await.unwrap();
    let sent: Vec<String> =
        server.seen().iter().map(|seen| seen.header("authorization").to_owned()).collect();
    assert_eq!(sent, ["".to_owned(), login(), login()], "it is asked for once");
    assert_eq!(server.seen()[1].header("accept").matches("application/").count(), 4);

    let refused = client.manifest("wrong", "1").await.unwrap_err();
    assert!(matches!(&refused, Error::Unauthorized { with_credentials: true, .. }), "{refused:?}");
    let forbidden = client.manifest("forbidden", "1").await.unwrap_err();
    assert!(forbidden.to_string().contains("does not let this user pull from forbidden"), "{forbidden}");
    let nobody = server.client().manifest("a", "1").await.unwrap_err();
    assert!(
        nobody.to_string().ends_with("asks for a login to pull from a, and there is none for it"),
        "{nobody}"
    );
    for text in [format!("{refused:?} {refused}"), format!("{forbidden:?}"), format!("{client:?}")] {
        assert!(!text.contains("hunter2") && !text.contains(&login()), "{text}");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_once_for_each_scope_and_again_when_it_has_expired() {
    let tokens = Server::start(|seen, number| match seen.header("authorization") {
        "" => Reply::status(401),
        _ => Reply::status(200).body(format!("{{\"access_token\":\"t{number}\"}}")),
    })
    .await;
    let realm = format!("Bearer realm=\"{}/token\",service=\"the hub\"", tokens.url());
    let server = Server::start(move |seen, number| match seen.header("authorization") {
        "" => Reply::status(401).header("WWW-Authenticate", &realm),
        // The first token does not live long.
        "Bearer t0" if number > 2 => Reply::status(401).header("WWW-Authenticate", &realm),
        _ => manifest(seen, number),
    })
    .await;
    let client = server.client_with_login();
    for _ in 0..3 {
        client.manifest("team/app", "1").await.unwrap();
    }
    let asked = tokens.seen();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0].line, "GET /token?service=the%20hub&scope=repository%3Ateam%2Fapp%3Apull&account=ci");
    assert_eq!(asked[0].header("authorization"), login());
    assert_eq!(server.seen().last().unwrap().header("authorization"), "Bearer t1");
    // One that has not logged in gets no token there.
    let error = server.client().manifest("team/app", "1").await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { with_credentials: false, .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_that_does_not_suffice_is_a_refusal() {
    let tokens = Server::start(|_, _| Reply::status(200).body("{\"token\":\"t\"}")).await;
    let realm = format!("Bearer realm=\"{}\",error=\"insufficient_scope\"", tokens.url());
    let server = Server::start(move |_, _| Reply::status(401).header("WWW-Authenticate", &realm)).await;
    let error = server.client_with_login().manifest("a", "1").await.unwrap_err();
    assert!(matches!(error, Error::Denied { with_credentials: true, .. }), "{error:?}");
}

#[tokio::test]
async fn a_password_does_not_leave_tls_for_a_token() {
    let login = Credentials::Password { username: "ci".into(), password: "hunter2".into() };
    let mut headers = HeaderMap::new();
    let challenge = "Bearer realm=\"http://hub/token\"";
    headers.insert(http::header::WWW_AUTHENTICATE, challenge.parse().unwrap());
    // The token is worth as much as the password, so that of nobody does not come that way either.
    for login in [Some(login), None] {
        let client = Client::new("https://hub", Trust::System, None, login).unwrap();
        let error = client.log_in(&headers, &Scope::Ping).await.unwrap_err();
        assert!(matches!(&error, Error::Realm { realm, .. } if realm == "http://hub/token"), "{error:?}");
    }
}

#[tokio::test]
async fn credentials_stay_with_the_registry_wherever_an_answer_leads() {
    let digest = Digest::of(b"layer");
    let elsewhere = Server::start(|seen, _| match seen.line.as_str() {
        "GET /signed?x=1" => Reply::status(200).body("layer"),
        _ => Reply::status(201),
    })
    .await;
    let (to, upload) = (format!("{}/signed?x=1", elsewhere.url()), format!("{}/up", elsewhere.url()));
    let server = Server::start(move |seen, _| match seen.line.split(' ').next().unwrap() {
        _ if seen.header("authorization").is_empty() => {
            Reply::status(401).header("WWW-Authenticate", "Basic realm=\"R\"")
        }
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("Location", &upload),
        _ => Reply::status(307).header("Location", &to),
    })
    .await;
    let client = server.client_with_login();
    let descriptor = descriptor(b"layer");
    assert_eq!(client.small_blob("a", &descriptor, 10).await.unwrap(), "layer");
    push(&client, b"layer", None).await.unwrap();
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].line.starts_with(&format!("PUT /up?digest=sha256%3A{}", digest.parts().1)), "{seen:?}");
    assert!(seen.iter().all(|seen| seen.header("authorization").is_empty()), "{seen:?}");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_told() {
    let server = Server::start(|seen, number| match number {
        0 => Reply::status(503),
        1 => Reply::status(429).header("Retry-After", "0"),
        2 => Reply::cut_after(0),
        _ => manifest(seen, number),
    })
    .await;
    server.client().manifest("a", "1").await.unwrap();
    assert_eq!(server.lines().len(), 4);

    let server = Server::start(|_, _| Reply::status(429).header("Retry-After", "3600")).await;
    let error = server.client().manifest("a", "1").await.unwrap_err();
    assert!(error.to_string().contains("asked again in 3600 s") && server.lines().len() == 1, "{error}");

    let body = "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"no\\nspace\"}]}";
    let server = Server::start(move |_, _| Reply::status(418).body(body)).await;
    let error = server.client().manifest("a", "1").await.unwrap_err();
    assert!(
        error.to_string().ends_with("answers 418 to: give the manifest a:1 (UNKNOWN: nospace)"),
        "{error}"
    );

    let server = Server::start(|_, _| Reply::status(405)).await;
    let error = server.client().delete_manifest("a", &Digest::of(b"")).await.unwrap_err();
    assert!(error.is_not_allowed() && error.to_string().contains("deleting is off"), "{error}");
    let error = push(&server.client(), b"x", None).await.unwrap_err();
    assert!(error.is_not_allowed() && error.to_string().contains("read-only"), "{error}");
}

#[tokio::test]
async fn what_is_read_is_what_its_digest_says() {
    let server = Server::start(|seen, _| match seen.line.rsplit('/').next().unwrap() {
        "named" => manifest(seen, 0).header("Docker-Content-Digest", Digest::of(b"other").as_str()),
        "long" => Reply::status(200).body(vec![b' '; 4 * 1024 * 1024 + 1]),
        "html" => Reply::status(200).header("Content-Type", "text/html").body("<html>"),
        _ => manifest(seen, 0),
    })
    .await;
    let client = server.client();
    let right = Digest::of(IMAGE.as_bytes());
    assert_eq!(client.manifest("a", right.as_str()).await.unwrap().digest, right);
    // A registry that says no digest is asked for the whole.
    assert_eq!(client.head("a", "1").await.unwrap().unwrap().digest, right);
    for reference in [Digest::of(b"x").as_str(), "named"] {
        let error = client.manifest("a", reference).await.unwrap_err();
        assert!(matches!(error, Error::Digest { .. }), "{error:?}");
    }
    let error = client.manifest("a", "long").await.unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }), "{error:?}");
    assert!(matches!(client.manifest("a", "html").await.unwrap_err(), Error::Malformed { .. }));
    let wrong = Descriptor { digest: Digest::of(b"x"), ..descriptor(b"layer") };
    assert!(matches!(client.small_blob("a", &wrong, 1000).await.unwrap_err(), Error::Digest { .. }));
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let server = Server::start(|seen, _| match seen.line.as_str() {
        "GET /v2/_catalog?n=1000" => Reply::status(400),
        "GET /v2/_catalog" => Reply::status(200)
            // Whatever server the link names, it is this registry that is asked.
            .header("Link", "<http://evil.invalid/v2/_catalog?n=2&last=b>; rel=\"next\"")
            .body("{\"repositories\":[\"a\",\"b\"]}"),
        "GET /v2/_catalog?n=2&last=b" => Reply::status(200).body("{\"repositories\":[\"c\"]}"),
        "GET /v2/a/tags/list" => Reply::status(200).body("{\"tags\":null}"),
        _ => Reply::status(200).header("Link", "</v2/b/tags/list>; rel=next").body("{\"tags\":[\"1\"]}"),
    })
    .await;
    assert_eq!(server.client().repositories().await.unwrap(), ["a", "b", "c"]);
    assert_eq!(server.client().tags("a").await.unwrap(), [""; 0]);
    let error = server.client().tags("b").await.unwrap_err();
    assert!(error.to_string().contains("the same again"), "{error}");
}

#[tokio::test]
async fn a_list_has_an_end() {
    let long = format!("{{\"tags\":[\"{}\"]}}", "a".repeat(9 * 1024 * 1024));
    let server = Server::start(move |_, number| {
        let link = format!("</v2/a/tags/list?last={number}>; rel=next");
        Reply::status(200).header("Link", &link).body(long.as_str())
    })
    .await;
    let error = server.client().tags("a").await.unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 8, "no page of it is too long, and eight of them are");
}

#[test]
fn an_upload_reaches_no_further_than_numbers_go() {
    let reached = |range: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::RANGE, range.parse().unwrap());
        upload::reached(&headers)
    };
    assert_eq!([reached("0-1023"), reached("bytes=0-0")], [Some(1024), Some(0)]);
    assert_eq!(reached(&format!("0-{}", u64::MAX)), None);
}

struct Slice(&'static [u8]);

#[async_trait]
impl Content for Slice {
    async fn open(&self, offset: u64) -> Result<ByteStream> {
        let rest = &self.0[usize::try_from(offset).unwrap()..];
        let pieces = rest.chunks(3).map(|piece| Ok(Bytes::from_static(piece))).collect::<Vec<_>>();
        Ok(Box::pin(futures_util::stream::iter(pieces)))
    }
}

fn descriptor(content: &[u8]) -> Descriptor {
    Descriptor {
        media_type: "application/octet-stream".into(),
        digest: Digest::of(content),
        size: content.len() as u64,
        platform: None,
        annotations: BTreeMap::new(),
        urls: vec![],
    }
}

async fn push(client: &Client, content: &'static [u8], mount_from: Option<&str>) -> Result<Pushed> {
    let descriptor = descriptor(content);
    let blob = Blob { descriptor: &descriptor, mount_from, content: &Slice(content) };
    client.push_blob("a", &blob, &Arc::new(AtomicU64::new(0))).await
}

/// A client that sends four bytes at a time.
fn in_pieces(server: &Server) -> Client {
    let Ok(mut inner) = Arc::try_unwrap(server.client().0) else { unreachable!("it has no clones") };
    inner.piece = 4;
    Client(Arc::new(inner))
}

#[tokio::test]
async fn an_upload_goes_on_where_the_registry_says_it_broke_off() {
    let cuts = AtomicUsize::new(0);
    let server = Server::start(move |seen, _| match seen.line.split(' ').next().unwrap() {
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("Location", "/up?state=0"),
        // Of the second piece two bytes arrive.
        "PATCH" if seen.header("content-range") == "4-7" && cuts.fetch_add(1, Ordering::Relaxed) == 0 => {
            Reply::cut_after(2)
        }
        "PATCH" => {
            Reply::status(202).header("Location", &format!("/up?state={}", seen.header("content-range")))
        }
        "GET" => Reply::status(204).header("Range", "0-5").header("Location", "/up?state=again"),
        _ => Reply::status(201),
    })
    .await;
    assert_eq!(push(&in_pieces(&server), b"0123456789", None).await.unwrap(), Pushed::Sent);
    let digest = format!("digest=sha256%3A{}", Digest::of(b"0123456789").parts().1);
    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().map(|seen| seen.line.as_str()).skip(1).collect();
    assert_eq!(
        lines,
        [
            "POST /v2/a/blobs/uploads/",
            "PATCH /up?state=0",
            "PATCH /up?state=0-3",
            "GET /up?state=0-3",
            "PATCH /up?state=again",
            &format!("PUT /up?state=6-9&{digest}"),
        ]
    );
    assert_eq!((seen[5].header("content-range"), &*seen[5].body), ("6-9", &b"6789"[..]));
}

#[tokio::test]
async fn an_upload_that_the_registry_has_forgotten_begins_anew() {
    let server = Server::start(|seen, number| match seen.line.split(' ').next().unwrap() {
        "HEAD" | "GET" => Reply::status(404),
        "POST" => Reply::status(202).header("Location", &format!("/up{number}")),
        "PATCH" if seen.line == "PATCH /up1" => Reply::cut_after(1),
        "PATCH" => Reply::status(202).header("Location", &seen.line["PATCH ".len()..]),
        _ => Reply::status(201),
    })
    .await;
    assert_eq!(push(&in_pieces(&server), b"01234", None).await.unwrap(), Pushed::Sent);
    let sent: Vec<u8> = server.seen().iter().skip(4).flat_map(|seen| seen.body.clone()).collect();
    assert_eq!(sent, b"01234");
}

#[tokio::test]
async fn content_that_is_not_what_it_should_be_is_not_stored_silently() {
    let server = Server::start(|seen, _| match seen.line.split(' ').next().unwrap() {
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("Location", "/up"),
        "PATCH" => Reply::status(202).header("Location", "/up"),
        _ => Reply::status(400),
    })
    .await;
    let wanted = Descriptor { size: 5, ..descriptor(b"right") };
    for (content, pieces) in [(&b"wrong"[..], false), (b"wrong", true), (b"tiny", false)] {
        let client = if pieces { in_pieces(&server) } else { server.client() };
        let blob = Blob { descriptor: &wanted, mount_from: None, content: &Slice(content) };
        let error = client.push_blob("a", &blob, &Arc::default()).await.unwrap_err();
        assert!(matches!(error, Error::Digest { .. } | Error::Malformed { .. }), "{content:?}: {error:?}");
    }
}

/// Content that comes to a standstill after its beginning when it is read for the first time.
struct Halting(AtomicUsize);

#[async_trait]
impl Content for Halting {
    async fn open(&self, offset: u64) -> Result<ByteStream> {
        let whole = Slice(b"0123456789").open(offset).await?;
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Box::pin(whole.take(1).chain(futures_util::stream::pending()))),
            _ => Ok(whole),
        }
    }
}

#[tokio::test]
async fn a_refusal_before_all_is_sent_says_itself_why() {
    let answer = |status: u16| {
        let answers = AtomicUsize::new(0);
        move |seen: &Seen, _: usize| match seen.line.split(' ').next().unwrap() {
            "HEAD" => Reply::status(404),
            "POST" => Reply::status(202).header("Location", "/up"),
            _ if answers.fetch_add(1, Ordering::Relaxed) == 0 => Reply::status(status).early(),
            _ => Reply::status(201),
        }
    };
    let push = async |status: u16| {
        let server = Server::start(answer(status)).await;
        let (content, descriptor) = (Halting(AtomicUsize::new(0)), descriptor(b"0123456789"));
        let blob = Blob { descriptor: &descriptor, mount_from: None, content: &content };
        server.client().push_blob("a", &blob, &Arc::default()).await
    };
    let error = push(413).await.unwrap_err();
    assert!(matches!(error, Error::Status { status: 413, .. }), "{error:?}");
    assert!(matches!(push(403).await.unwrap_err(), Error::Denied { .. }));
    assert!(push(405).await.unwrap_err().is_not_allowed());
    for passing in [429, 503] {
        assert_eq!(push(passing).await.unwrap(), Pushed::Sent, "{passing} passes");
    }
}

#[tokio::test]
async fn what_is_there_is_not_sent() {
    let server = Server::start(|_, _| Reply::status(200)).await;
    assert_eq!(push(&server.client(), b"x", None).await.unwrap(), Pushed::There);
    let server = Server::start(|seen, _| match seen.line.split(' ').next().unwrap() {
        "HEAD" => Reply::status(404),
        "POST" if seen.line.contains("from=base%2Fimage") => Reply::status(201),
        "POST" => Reply::status(202).header("Location", "/up"),
        _ => Reply::status(201),
    })
    .await;
    assert_eq!(push(&server.client(), b"x", Some("base/image")).await.unwrap(), Pushed::Mounted);
    assert_eq!(push(&server.client(), b"x", Some("other")).await.unwrap(), Pushed::Sent);
    // What cannot be taken over for want of a right is sent.
    let server = Server::start(|seen, _| match seen.line.split(' ').next().unwrap() {
        "HEAD" => Reply::status(404),
        "POST" if seen.line.contains("mount=") => Reply::status(403),
        "POST" => Reply::status(202).header("Location", "/up"),
        _ => Reply::status(201),
    })
    .await;
    assert_eq!(push(&server.client(), b"x", Some("secret")).await.unwrap(), Pushed::Sent);
}

#[tokio::test]
async fn blobs_are_read_from_anywhere_on_even_where_ranges_are_unknown() {
    let server = Server::start(|seen, _| match seen.line.contains(Digest::of(b"a").as_str()) {
        true => Reply::status(206).body("456789"),
        false => Reply::status(200).body("0123456789"),
    })
    .await;
    for digest in [Digest::of(b"a"), Digest::of(b"b")] {
        let stream = server.client().blob_from("a", &digest, 4).await.unwrap();
        let all: Vec<u8> = stream.map(|piece| piece.unwrap().to_vec()).concat().await;
        assert_eq!(all, b"456789");
    }
    assert_eq!(server.seen()[0].header("range"), "bytes=4-");
    let server = Server::start(|_, _| Reply::status(200).body("0123").missing(5)).await;
    let mut stream = server.client().blob_from("a", &Digest::of(b"a"), 0).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "0123");
    assert!(matches!(stream.next().await, Some(Err(Error::Broken { .. }))));
}

#[tokio::test]
async fn a_registry_that_is_being_started_is_waited_for() {
    let server = Server::start(|_, number| Reply::status(if number < 6 { 503 } else { 200 })).await;
    server.client().wait_until_serves(Duration::from_secs(30)).await.unwrap();
    // A port that was free a moment ago refuses connections.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = Client::new(&format!("http://{free}"), Trust::System, None, None).unwrap();
    let error = client.wait_until_serves(Duration::from_millis(300)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Reach(reason) if matches!(**reason, ProbeError::Refused(_))),
        "{error:?}"
    );
    let other = Server::start(|_, _| Reply::status(404)).await;
    let error = other.client().wait_until_serves(Duration::from_millis(300)).await.unwrap_err();
    assert!(error.to_string().contains("not a registry"), "{error}");
}

#[tokio::test]
async fn proxies_of_the_environment_are_on_the_way() {
    let proxy = Server::start(|seen, _| match seen.line.starts_with("CONNECT") {
        true => Reply::status(502),
        false => manifest(seen, 0),
    })
    .await;
    let through = |url: &str, connect_to: Option<&str>| {
        let proxies = Matcher::builder().all(format!("http://me:s3cret@{}", proxy.address)).build();
        Client::through(proxies, url, Trust::System, connect_to, None).unwrap()
    };
    through("http://hub.invalid", None).manifest("a", "1").await.unwrap();
    let seen = proxy.seen().remove(0);
    assert_eq!(seen.line, "GET http://hub.invalid/v2/a/manifests/1");
    let login = format!("Basic {}", STANDARD.encode("me:s3cret"));
    assert_eq!((seen.header("proxy-authorization"), seen.header("authorization")), (login.as_str(), ""));

    let error = through("https://hub.invalid", None).manifest("a", "1").await.unwrap_err();
    let seen = proxy.seen().remove(1);
    assert_eq!(
        (seen.line.as_str(), seen.header("proxy-authorization")),
        ("CONNECT hub.invalid:443", login.as_str())
    );
    assert!(error.to_string().contains(&format!("the proxy {} makes no tunnel", proxy.address)), "{error}");
    assert!(!error.to_string().contains("s3cret"));

    // An address that was given, and this machine, are reached without one.
    let server = Server::start(manifest).await;
    through("http://hub.invalid", Some(&server.address)).manifest("a", "1").await.unwrap();
    through(&server.url(), None).manifest("a", "1").await.unwrap();
    assert_eq!(server.lines().len(), 2);
}

#[test]
fn addresses_that_are_none_of_a_registry() {
    for url in ["hub", "https://hub/prefix", "ftp://hub", "https://hub/v2/?x=1"] {
        assert!(Client::new(url, Trust::System, None, None).is_err(), "{url}");
    }
    assert_eq!(
        Client::new("https://hub:5000/v2/", Trust::System, None, None).unwrap().registry(),
        "hub:5000"
    );
}
