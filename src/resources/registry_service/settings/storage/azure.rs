//! `storage.azure`: images in a container of Azure's blob storage.

use super::super::file::in_file;
use crate::{
    registry::{Dialect, configuration::Section},
    resources::service::not_empty,
    terraform::{Duration, Model, Sensitive, WriteOnly},
};

/// Images in a container of Azure's blob storage (`storage.azure`). One of `account_key`, `account_key_wo`,
/// `client_secret` and `default_credentials`.
#[derive(Clone, Debug, Model)]
pub struct Azure {
    /// Name of the storage account.
    #[tf(check = not_empty)]
    pub account_name: String,

    /// Name of the container. Distribution 2.8 makes one where there is none.
    #[tf(check = not_empty)]
    pub container: String,

    /// A key of the account (`accountkey`). It is kept in the state: better use `account_key_wo`.
    pub account_key: Option<Sensitive<String>>,

    /// A key of the account, kept in neither plan nor state.
    pub account_key_wo: WriteOnly<String>,

    /// Raise it to send `account_key_wo` again.
    pub account_key_wo_version: Option<i64>,

    /// An application that may use the container (`credentials` of the type `client_secret`). Needs Distribution 3.0.
    pub client_secret: Option<ClientSecret>,

    /// `true`: whatever Azure's library finds by itself, such as the identity of the machine (`credentials` of the type
    /// `default_credentials`). Needs Distribution 3.0.
    #[tf(check = only_true)]
    pub default_credentials: Option<bool>,

    /// End of the store's host name, such as `core.chinacloudapi.cn`. Without it `core.windows.net`.
    #[tf(check = not_empty)]
    pub realm: Option<String>,

    /// Address of a store that is not Azure's own (`serviceurl`). Needs Distribution 3.0.
    #[tf(check = super::super::web_address)]
    pub service_url: Option<String>,

    /// Prefix of all names (`rootdirectory`). Needs Distribution 3.0.
    #[tf(check = not_empty)]
    pub root_directory: Option<String>,

    /// How often it is asked whether a blob was copied (`max_retries`); -1 is once. Without it 5. Needs Distribution 3.0.
    #[tf(check = retries)]
    pub max_retries: Option<i64>,

    /// Pause before it is asked again, times the number of the try (`retry_delay`). Without it 100 ms. Needs
    /// Distribution 3.0.
    pub retry_delay: Option<Duration>,

    /// Whether any certificate of the store is good (`skipverify`). Needs Distribution 3.0.
    pub skip_verify: Option<bool>,
}

/// An application that may use the container.
#[derive(Clone, Debug, Model)]
pub struct ClientSecret {
    /// ID of the application (`credentials.clientid`).
    #[tf(check = not_empty)]
    pub client_id: String,

    /// ID of the tenant (`credentials.tenantid`).
    #[tf(check = not_empty)]
    pub tenant_id: String,

    /// The application's secret (`credentials.secret`). It is kept in the state: better use `secret_wo`.
    pub secret: Option<Sensitive<String>>,

    /// The application's secret, kept in neither plan nor state.
    pub secret_wo: WriteOnly<String>,

    /// Raise it to send `secret_wo` again.
    pub secret_wo_version: Option<i64>,
}

impl Azure {
    /// `storage.azure`
    pub(super) fn section(&self, dialect: Dialect) -> Section {
        let account_key = in_file(&self.account_key, &self.account_key_wo, self.account_key_wo_version);
        Section::new()
            .with("accountname", &self.account_name)
            .with("container", &self.container)
            .with("accountkey", account_key)
            // Without the type, which 2.8 does not know, 3 refuses to start (S14).
            .with("credentials", dialect.is_3().then(|| self.credentials()))
            .with("realm", &self.realm)
            .with("serviceurl", &self.service_url)
            .with("rootdirectory", &self.root_directory)
            .with("max_retries", self.max_retries)
            .with("retry_delay", self.retry_delay.as_ref().map(Duration::to_std))
            .with("skipverify", self.skip_verify)
    }

    fn credentials(&self) -> Section {
        let of = |kind: &str| Section::new().with("type", kind);
        match &self.client_secret {
            Some(application) => of("client_secret")
                .with("clientid", &application.client_id)
                .with("tenantid", &application.tenant_id)
                .with("secret", application.secret()),
            None if self.default_credentials == Some(true) => of("default_credentials"),
            None => of("shared_key"),
        }
    }
}

impl ClientSecret {
    fn secret(&self) -> Option<crate::registry::configuration::Hidden> {
        in_file(&self.secret, &self.secret_wo, self.secret_wo_version)
    }
}

fn only_true(value: &bool) -> Result<(), String> {
    if *value { Ok(()) } else { Err("it is true, or left out".to_owned()) }
}

fn retries(retries: &i64) -> Result<(), String> {
    if *retries == -1 || *retries >= 1 {
        Ok(())
    } else {
        Err("-1 for none, or at least 1: Distribution takes 0 for 5".to_owned())
    }
}
