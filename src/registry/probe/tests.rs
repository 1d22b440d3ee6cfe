use super::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const SECOND: Duration = Duration::from_secs(1);
const REGISTRY: &str =
    "HTTP/1.1 200 OK\r\nDocker-Distribution-Api-Version: registry/2.0\r\nContent-Length: 2\r\n\r\n{}";
const LOCKED: &str = "HTTP/1.1 401 Unauthorized\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\
    WWW-Authenticate: Basic realm=\"Registry\"\r\nContent-Length: 0\r\n\r\n";
const SICK: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/// Whether the server speaks TLS, and with what.
type Certificate = Option<(Vec<u8>, Vec<u8>)>;

/// Answers one request after the other, the last answer for ever. Ends with the test's runtime.
async fn serve(answers: &[&'static str], certificate: Certificate) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut answers = answers.to_vec();
    let acceptor = certificate.map(|(certificate, key)| {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key).unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.into()], key).unwrap();
        tokio_rustls::TlsAcceptor::from(Arc::new(config))
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
            match &acceptor {
                None => drop(reply(&mut stream, answer).await),
                Some(acceptor) => {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        drop(reply(&mut stream, answer).await);
                    }
                }
            }
        }
    });
    address
}

async fn reply<S>(stream: &mut S, answer: &str) -> io::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut request = [0; 1024];
    let length = stream.read(&mut request).await?;
    if request[..length].starts_with(b"GET /v2/ HTTP/1.1\r\n") || answer.starts_with("HTTP/1.1 400") {
        stream.write_all(answer.as_bytes()).await?;
    }
    stream.shutdown().await
}

async fn ask(answer: &'static str, expected: &Expectation) -> Result<Answer, ProbeError> {
    let address = serve(&[answer], None).await;
    Probe::new(&format!("http://{address}"), Trust::System, None)?.ask(SECOND).await?.judge(expected)
}

fn locked() -> Expectation {
    Expectation { has_auth: true, ..Expectation::default() }
}

#[tokio::test]
async fn answers_are_told_apart() {
    let any = Expectation::default();
    assert_eq!(ask(REGISTRY, &any).await.unwrap().body, "{}");
    let answer = ask(LOCKED, &locked()).await.unwrap();
    assert_eq!(answer.challenge.as_deref(), Some("Basic realm=\"Registry\""));
    assert!(matches!(ask(REGISTRY, &locked()).await, Err(ProbeError::Open(_))));
    assert!(matches!(ask(SICK, &any).await, Err(ProbeError::Unavailable(_))));
    let other = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert!(matches!(ask(other, &any).await, Err(ProbeError::NotARegistry { status: 200, .. })));
    let nothing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    assert!(matches!(ask(nothing, &any).await, Err(ProbeError::NotFound(_))));
    let https = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    assert!(matches!(ask(https, &any).await, Err(ProbeError::TlsExpected(_))));
    let teapot = "HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n";
    let error = ask(teapot, &any).await.unwrap_err();
    assert!(error.to_string().ends_with("answers 418 where 200 or 401 is expected"), "{error}");
    assert!(matches!(ask("garbage\r\n\r\n", &any).await, Err(ProbeError::Http { .. })));
}

#[test]
fn urls_that_cannot_be_asked() {
    for url in ["hub", "ftp://hub/", "https://", "http://a b/", ""] {
        assert!(matches!(Probe::new(url, Trust::System, None), Err(ProbeError::Url { .. })), "{url}");
    }
    let error = Probe::new("https://me:hunter2@hub/", Trust::System, None).unwrap_err();
    assert!(!error.to_string().contains("hunter2"));
    assert!(matches!(
        Probe::new("https://hub", Trust::Authorities("x"), None),
        Err(ProbeError::Authority(_))
    ));
    assert_eq!(Probe::new("https://hub:444/x", Trust::Anybody, None).unwrap().place.url.path(), "/x");
}

fn pair(name: &str) -> (String, Certificate) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    (made.cert.pem(), Some((made.cert.der().to_vec(), made.signing_key.serialize_der())))
}

#[tokio::test]
async fn certificates_are_verified_for_the_urls_host_wherever_it_is() {
    let (ca, certificate) = pair("hub.docker.local");
    let address = serve(&[REGISTRY], certificate).await;
    let ask = async |host: &str, trust: Trust<'_>| {
        Probe::new(&format!("https://{host}/"), trust, Some(&address))?.ask(SECOND).await
    };
    assert_eq!(ask("hub.docker.local", Trust::Authorities(&ca)).await.unwrap().status, 200);
    assert_eq!(ask("other.local", Trust::Anybody).await.unwrap().status, 200);
    let error = ask("other.local", Trust::Authorities(&ca)).await.unwrap_err();
    assert!(
        matches!(&error, ProbeError::Certificate { reason, .. } if reason.contains("another host")),
        "{error}"
    );
    let (stranger, _) = pair("hub.docker.local");
    let error = ask("hub.docker.local", Trust::Authorities(&stranger)).await.unwrap_err();
    assert!(matches!(error, ProbeError::Certificate { .. }) && error.is_final());
}

#[tokio::test]
async fn https_asked_of_http_is_named() {
    let address = serve(&["HTTP/1.1 400 Bad Request\r\n\r\n"], None).await;
    let error = Probe::new(&format!("https://{address}"), Trust::Anybody, None)
        .unwrap()
        .ask(SECOND)
        .await
        .unwrap_err();
    assert!(matches!(error, ProbeError::NotTls(_)), "{error:?}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = Probe::new(&url, Trust::System, None).unwrap().ask(SECOND / 20).await.unwrap_err();
    assert!(
        matches!(error, ProbeError::TimedOut { .. }) && error.to_string().contains("within 50ms"),
        "{error}"
    );
}

#[tokio::test]
async fn waiting_goes_on_while_it_can_heal() {
    let never = CancellationToken::new();
    let address = serve(&[SICK, SICK, LOCKED], None).await;
    let probe = Probe::new(&format!("http://{address}"), Trust::System, None).unwrap();
    assert_eq!(probe.wait_until_serves(&locked(), SECOND * 5, &never).await.unwrap().status, 401);

    let open = serve(&[REGISTRY], None).await;
    let probe = Probe::new(&format!("http://{open}"), Trust::System, None).unwrap();
    let error = probe.wait_until_serves(&locked(), SECOND * 60, &never).await.unwrap_err();
    assert!(matches!(error, WaitError::Final(ProbeError::Open(_))));
}

#[tokio::test]
async fn waiting_ends_in_time_and_when_it_is_told_to() {
    // A port that was free a moment ago refuses connections.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let probe = Probe::new(&format!("http://{address}"), Trust::System, None).unwrap();
    let expected = Expectation::default();
    let token = CancellationToken::new();
    let error = probe.wait_until_serves(&expected, SECOND / 4, &token).await.unwrap_err();
    assert!(matches!(error, WaitError::TimedOut { last: ProbeError::Refused(_), .. }), "{error:?}");
    token.cancel();
    let error = probe.wait_until_serves(&expected, SECOND * 60, &token).await.unwrap_err();
    assert!(matches!(error, WaitError::Cancelled));
}
