//! `swarm_registry_endpoint`: what a registry answers to whoever comes without a login.

use crate::{
    docker::Docker,
    registry::{
        certificate::Facts,
        probe::{Answer, Expectation},
    },
    resources::{RegistryAccess, sentence},
    terraform::{Computed, Context, Diagnostic, Duration, Model, Result, Source},
};

/// What a registry answers to whoever comes without a login: whether it serves, how it wants to be logged in to, and with
/// which certificate it serves.
///
/// The login of `registry` is not used. A certificate that is not trusted is an error; `insecure = true` looks at it all the
/// same.
#[derive(Debug, Model)]
pub struct SwarmRegistryEndpointData {
    /// The registry.
    registry: RegistryAccess,

    /// How long to wait until it serves, such as `"30s"`. By default it must answer at once.
    #[tf(default = Duration::from_secs(0))]
    wait: Duration,

    /// The HTTP status of `/v2/`: 200 where everybody may come in, 401 where a login is wanted.
    status: Computed<i64>,

    /// How it wants to be logged in to: `Basic` with a password, `Bearer` with a token; null where no login is wanted.
    auth_scheme: Computed<Option<String>>,

    /// What a client shows when it asks for the password, or the address of the server of tokens.
    realm: Computed<Option<String>>,

    /// What the server of tokens calls the registry.
    service: Computed<Option<String>>,

    /// The certificate with which it serves; null where it speaks HTTP.
    certificate: Computed<Option<ServedCertificate>>,
}

/// The certificate with which a registry serves.
#[derive(Debug, Model)]
pub struct ServedCertificate {
    /// For whom it was made, such as `CN=hub.example.com`.
    pub subject: String,

    /// Who made it.
    pub issuer: String,

    /// The names and addresses that it is for.
    pub names: Vec<String>,

    /// From when on it is valid, as `timecmp` reads it.
    pub not_before: String,

    /// Until when it is valid, as `timecmp` reads it.
    pub not_after: String,

    /// The SHA-256 of the whole, in hexadecimal digits.
    pub fingerprint: String,
}

impl Source for SwarmRegistryEndpointData {
    const TYPE: &'static str = "swarm_registry_endpoint";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let probe = self.registry.probe().map_err(|error| error.under("registry"))?;
        let stopping = context.client.stopping();
        let answer = probe.wait_until_serves(&Expectation::default(), self.wait.to_std(), &stopping).await;
        self.take(answer.map_err(|error| {
            let summary = format!("The registry does not serve at {}", self.registry.url);
            Diagnostic::error(summary, sentence(&error.to_string())).at("registry")
        })?)
    }
}

impl SwarmRegistryEndpointData {
    fn take(&mut self, answer: Answer) -> Result<()> {
        let challenges = answer.challenge.as_deref().map(http_auth::parse_challenges);
        let challenge = challenges.and_then(|read| read.ok()?.into_iter().next());
        let parameter = |wanted: &str| {
            let (_, value) =
                challenge.as_ref()?.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            Some(value.to_unescaped())
        };
        self.status = i64::from(answer.status).into();
        self.auth_scheme = challenge.as_ref().map(|challenge| challenge.scheme.to_owned()).into();
        self.realm = parameter("realm").into();
        self.service = parameter("service").into();
        let facts = answer.certificate.map(|der| {
            Facts::of(&der).ok_or_else(|| {
                Diagnostic::error("The registry's certificate cannot be read", "It is not X.509.")
                    .at("registry")
            })
        });
        self.certificate = facts.transpose()?.map(ServedCertificate::from).into();
        Ok(())
    }
}

impl From<Facts> for ServedCertificate {
    fn from(facts: Facts) -> Self {
        let Facts { subject, issuer, names, not_before, not_after, fingerprint } = facts;
        ServedCertificate { subject, issuer, names, not_before, not_after, fingerprint }
    }
}
