//! What an answer of the registry means.

use super::ProbeError;

/// What a registry answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub url: String,
    /// The HTTP status.
    pub status: u16,
    /// `Docker-Distribution-Api-Version`, which every registry sends.
    pub api_version: Option<String>,
    /// `WWW-Authenticate`, such as `Basic realm="Registry"`.
    pub challenge: Option<String>,
    /// The beginning of the body.
    pub body: String,
    /// The certificate with which the server came, in DER; none over HTTP.
    pub certificate: Option<Vec<u8>>,
}

/// Which answers count as success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Statuses that are right, 200 and 401 by default.
    pub statuses: Vec<u16>,
    /// Whether the registry must ask for credentials: then 200 means that it stands open.
    pub has_auth: bool,
}

impl Default for Expectation {
    fn default() -> Self {
        Self { statuses: vec![200, 401], has_auth: false }
    }
}

impl Answer {
    /// The answer itself if it is as expected.
    ///
    /// # Errors
    /// [`ProbeError`] with a sentence on what the answer means.
    pub fn judge(self, expected: &Expectation) -> Result<Self, ProbeError> {
        if self.status == 200 && expected.has_auth && self.api_version.is_some() {
            return Err(ProbeError::Open(self.url));
        }
        let is_expected = expected.statuses.contains(&self.status);
        match self.status {
            400 if self.body.contains("HTTP request to an HTTPS server") => {
                Err(ProbeError::TlsExpected(self.url))
            }
            200 | 401 if is_expected && self.api_version.is_none() => {
                Err(ProbeError::NotARegistry { url: self.url, status: self.status })
            }
            _ if is_expected => Ok(self),
            404 => Err(ProbeError::NotFound(self.url)),
            503 => Err(ProbeError::Unavailable(self.url)),
            status => {
                let expected = expected.statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
                Err(ProbeError::Status { url: self.url, status, expected })
            }
        }
    }
}
