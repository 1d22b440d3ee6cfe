//! One connection, one request, one answer.

use super::{Answer, Probe, ProbeError};
use crate::registry::connect;
use bytes::Bytes;
use http::{HeaderName, Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// More than any answer to `/v2/` has.
const BODY_LIMIT: usize = 16 * 1024;

pub(super) async fn ask(probe: &Probe) -> Result<Answer, ProbeError> {
    let place = &probe.place;
    let address = probe.connect_to.clone().unwrap_or_else(|| place.address());
    let stream = connect::tcp(&address).await?;
    match &probe.tls {
        None => exchange(&place.url, stream).await,
        Some(config) => {
            let stream = connect::handshake(place, config, stream).await?;
            let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let certificate = certificate.map(|certificate| certificate.to_vec());
            Ok(Answer { certificate, ..exchange(&place.url, stream).await? })
        }
    }
}

async fn exchange<S>(asked: &Uri, stream: S) -> Result<Answer, ProbeError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let url = asked.to_string();
    let broken = |error: hyper::Error| ProbeError::Http { url: url.clone(), reason: error.to_string() };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(broken)?;
    let authority = asked.authority().map_or("", |authority| authority.as_str());
    let path = asked.path_and_query().map_or("/v2/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, concat!("terraform-provider-swarm/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| ProbeError::Http { url: url.clone(), reason: error.to_string() })?;

    // The connection is driven here and not in a task of its own, so that nothing outlives a deadline.
    let answer = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let header = |name: HeaderName| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (status, challenge) = (response.status().as_u16(), header(header::WWW_AUTHENTICATE));
        let api_version = header(HeaderName::from_static("docker-distribution-api-version"));
        // A body that is cut or too long doesn't change what the status says.
        let body = Limited::new(response.into_body(), BODY_LIMIT).collect().await;
        let body =
            body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
        Ok(Answer { url: url.clone(), status, api_version, challenge, body, certificate: None })
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection may end before the answer has been read to its end.
        _ = connection => answer.await,
    }
}
