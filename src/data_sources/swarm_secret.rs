//! `swarm_secret`: a secret that there is, but not what is in it.

use super::{asked, id_or_name};
use crate::docker::{BlobKind, Docker};
use crate::resources::Doing;
use crate::terraform::{Computed, Config, Context, Diagnostics, Model, Result, Source};
use std::collections::BTreeMap;

/// A secret of the swarm, found by its ID or its name. Docker never gives its data back.
#[derive(Debug, Model)]
pub struct SwarmSecretData {
    /// ID of the secret. Exactly one of `id` and `name` is set.
    #[tf(computed)]
    id: Option<String>,

    /// Name of the secret.
    #[tf(computed)]
    name: Option<String>,

    /// Labels of the secret.
    labels: Computed<BTreeMap<String, String>>,

    /// Name of the plugin that has the data, or null where the swarm has it.
    driver: Computed<Option<String>>,

    /// What fills in templates in the data, or null.
    template_driver: Computed<Option<String>>,

    /// When it was created, in RFC 3339.
    created_at: Computed<String>,

    /// When its labels were changed last, in RFC 3339.
    updated_at: Computed<String>,
}

impl Source for SwarmSecretData {
    const TYPE: &'static str = "swarm_secret";
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        id_or_name(config)
    }

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let asked = asked(self.id.as_ref(), self.name.as_ref())?;
        let what = || format!("read secret `{asked}`");
        context.client.require_manager().await.doing(what)?;
        let found = context.client.find_blob(BlobKind::Secret, &asked).await.doing(what)?;
        self.driver = found.driver.and_then(|driver| driver.name).into();
        self.template_driver = found.templating.and_then(|driver| driver.name).into();
        self.labels = found.labels.into();
        self.created_at = found.created_at.into();
        self.updated_at = found.updated_at.into();
        (self.id, self.name) = (Some(found.id), Some(found.name));
        Ok(())
    }
}
