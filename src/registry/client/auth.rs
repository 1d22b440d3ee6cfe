//! Who may do what: the registry's challenges, and the answers to them.
//!
//! A registry asks for a name and a password with each request (`Basic`), or sends its clients for a token (`Bearer`)
//! that allows one thing for some minutes.

use super::{Client, Error, Result, request};
use crate::registry::{Secret, connect::Place};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Request, Uri, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::fmt;

/// The longest answer with a token that is read.
const TOKEN_LIMIT: usize = 256 * 1024;

/// Who logs in.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A user with a password.
    Password {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token that stands for a user, as some registries give one.
    IdentityToken(Secret),
}

/// What is done, and so what is asked to be allowed. `Display` says it in words: "push to team/app".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// To be answered at all.
    Ping,
    /// To list the repositories.
    Catalog,
    /// To read of a repository.
    Pull(String),
    /// To write into a repository, and read of another what is taken over from there.
    Push {
        /// The repository.
        to: String,
        /// The other one.
        from: Option<String>,
    },
    /// To delete in a repository.
    Delete(String),
}

impl Scope {
    /// The scope in the words of the token's protocol.
    fn requests(&self) -> Vec<String> {
        match self {
            Self::Ping => vec![],
            Self::Catalog => vec!["registry:catalog:*".to_owned()],
            Self::Pull(name) => vec![format!("repository:{name}:pull")],
            Self::Push { to, from } => {
                let from = from.iter().map(|from| format!("repository:{from}:pull"));
                std::iter::once(format!("repository:{to}:pull,push")).chain(from).collect()
            }
            Self::Delete(name) => vec![format!("repository:{name}:pull,delete")],
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping => f.write_str("talk to it"),
            Self::Catalog => f.write_str("list the repositories"),
            Self::Pull(name) => write!(f, "pull from {name}"),
            Self::Push { to, from: None } => write!(f, "push to {to}"),
            Self::Push { to, from: Some(from) } => write!(f, "push to {to} (and pull from {from})"),
            Self::Delete(name) => write!(f, "delete in {name}"),
        }
    }
}

/// What a registry asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String> },
}

/// The token, under either of its two names.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Client {
    /// The header that answered the last challenge for this scope.
    pub(super) fn authorization(&self, scope: &Scope) -> Option<HeaderValue> {
        let known = self.0.authorizations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.get(&Some(scope.clone())).or_else(|| known.get(&None)).cloned()
    }

    /// Answers a 401: what it asks for is sent with every later request of the scope.
    ///
    /// # Errors
    /// There are no credentials, they are refused, or the token is given where they must not go.
    pub(super) async fn log_in(&self, answer: &HeaderMap, scope: &Scope) -> Result<()> {
        let unauthorized = || Error::Unauthorized {
            registry: self.registry().to_owned(),
            scope: scope.clone(),
            with_credentials: false,
        };
        let (whose, mut value) = match challenge(answer).ok_or_else(unauthorized)? {
            Challenge::Basic => match &self.0.credentials {
                Some(Credentials::Password { username, password }) => (None, basic(username, password)?),
                _ => return Err(unauthorized()),
            },
            Challenge::Bearer { realm, service } => {
                let token = self.token(&realm, service.as_deref(), scope).await?;
                let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
                let value = value.map_err(|_| malformed(&realm, "the token has characters that none has"))?;
                (Some(scope.clone()), value)
            }
        };
        value.set_sensitive(true);
        let mut known = self.0.authorizations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.insert(whose, value);
        Ok(())
    }

    async fn token(&self, realm: &str, service: Option<&str>, scope: &Scope) -> Result<Secret> {
        let refused = |reason| Error::Realm { realm: without_query(realm).to_owned(), reason };
        let place = Place::parse(realm).map_err(|_| refused("it is not a URL"))?;
        if self.is_https() && !place.is_https {
            return Err(refused(
                "the registry is asked over https, and the token would come over plain http",
            ));
        }
        let mut form: Vec<(&str, String)> =
            service.iter().map(|service| ("service", (*service).to_owned())).collect();
        let request = Request::builder();
        let request = match &self.0.credentials {
            Some(Credentials::IdentityToken(token)) => {
                form.push(("scope", scope.requests().join(" ")));
                form.push(("grant_type", "refresh_token".to_owned()));
                form.push(("client_id", "terraform-provider-swarm".to_owned()));
                form.push(("refresh_token", token.expose().to_owned()));
                let body = request::bytes(encoded(&form).into());
                request
                    .method("POST")
                    .uri(place.url.clone())
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(body)
            }
            credentials => {
                form.extend(scope.requests().into_iter().map(|scope| ("scope", scope)));
                let mut request = request.method("GET");
                if let Some(Credentials::Password { username, password }) = credentials {
                    form.push(("account", username.clone()));
                    request = request.header(header::AUTHORIZATION, basic(username, password)?);
                }
                let joint = if realm.contains('?') { '&' } else { '?' };
                request.uri(format!("{realm}{joint}{}", encoded(&form))).body(request::bytes(vec![].into()))
            }
        };
        let request = request.map_err(|_| refused("it is not a URL"))?;
        let what = || format!("give a token for {}", without_query(realm));
        let response = self.exchange(request, &what, None).await?;
        match response.status().as_u16() {
            200..=299 => {}
            401 | 403 => {
                return Err(Error::Unauthorized {
                    registry: self.registry().to_owned(),
                    scope: scope.clone(),
                    with_credentials: self.0.credentials.is_some(),
                });
            }
            _ => return Err(self.failure(response, scope, &what()).await),
        }
        let body = self.body(response, TOKEN_LIMIT, &what).await?;
        let token: Token =
            serde_json::from_slice(&body).map_err(|_| malformed(realm, "it is not the JSON that is due"))?;
        let token = token.token.or(token.access_token);
        token.map(Secret::from).ok_or_else(|| malformed(realm, "there is no token in it"))
    }
}

/// The answer of a token's server, of which nothing is repeated.
fn malformed(realm: &str, reason: &str) -> Error {
    Error::Malformed { what: format!("the answer of {}", without_query(realm)), reason: reason.to_owned() }
}

fn without_query(realm: &str) -> &str {
    realm.split('?').next().unwrap_or_default()
}

fn basic(username: &str, password: &Secret) -> Result<HeaderValue> {
    let login = zeroize::Zeroizing::new(format!("{username}:{}", password.expose()));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(login.as_bytes())))
        .map_err(|_| malformed("the login", "it cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn encoded(form: &[(&str, String)]) -> String {
    let pairs = form.iter().map(|(name, value)| format!("{name}={}", query(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A value in the query of a URL.
pub(super) fn query(value: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(value, NON_ALPHANUMERIC)
}

/// What a 401 asks for; a token where there is a choice.
pub(super) fn challenge(answer: &HeaderMap) -> Option<Challenge> {
    let mut found = None;
    for line in answer.get_all(header::WWW_AUTHENTICATE) {
        for challenge in http_auth::parse_challenges(line.to_str().ok()?).ok()? {
            let parameter = |wanted: &str| {
                let (_, value) =
                    challenge.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
                Some(value.to_unescaped())
            };
            if challenge.scheme.eq_ignore_ascii_case("bearer") {
                return Some(Challenge::Bearer { realm: parameter("realm")?, service: parameter("service") });
            }
            if challenge.scheme.eq_ignore_ascii_case("basic") {
                found = Some(Challenge::Basic);
            }
        }
    }
    found
}

/// Whether two URLs are of one server, which may see what the other does.
pub(super) fn is_same_origin(one: &Uri, other: &Uri) -> bool {
    let origin = |uri: &Uri| {
        let place = Place::parse(&uri.to_string()).ok()?;
        Some((place.is_https, place.host.to_ascii_lowercase(), place.port))
    };
    origin(one).is_some() && origin(one) == origin(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(lines: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(line));
        }
        challenge(&headers)
    }

    #[test]
    fn challenges_are_understood() {
        assert_eq!(asked(&["Basic realm=\"Registry\""]), Some(Challenge::Basic));
        let bearer = Challenge::Bearer { realm: "https://auth/token".into(), service: Some("hub, a".into()) };
        let line = "Bearer realm=\"https://auth/token\",service=\"hub, a\",scope=\"repository:a:pull,push\"";
        assert_eq!(asked(&["Basic realm=\"x\"", line]).as_ref(), Some(&bearer));
        assert_eq!(asked(&[line]), Some(bearer));
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&["Negotiate"]), None);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |one: &str, other: &str| is_same_origin(&one.parse().unwrap(), &other.parse().unwrap());
        assert!(same("https://hub/v2/", "https://HUB:443/x"));
        assert!(!same("https://hub/", "http://hub/") && !same("https://hub/", "https://hub.evil/"));
        assert!(!same("https://hub/", "https://hub:444/") && !same("/a", "/a"));
    }
}
