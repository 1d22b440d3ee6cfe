//! `swarm_config`: a config that there is.

use super::{asked, id_or_name};
use crate::docker::{BlobKind, Docker};
use crate::resources::Doing;
use crate::terraform::{Computed, Config, Context, Diagnostics, Model, Result, Source};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;

/// A config of the swarm with its data, found by its ID or its name.
#[derive(Debug, Model)]
pub struct SwarmConfigData {
    /// ID of the config. Exactly one of `id` and `name` is set.
    #[tf(computed)]
    id: Option<String>,

    /// Name of the config.
    #[tf(computed)]
    name: Option<String>,

    /// The data, or null where it is no text.
    data: Computed<Option<String>>,

    /// The data in base64.
    data_base64: Computed<String>,

    /// Labels of the config.
    labels: Computed<BTreeMap<String, String>>,

    /// What fills in templates in the data, or null.
    template_driver: Computed<Option<String>>,

    /// When it was created, in RFC 3339.
    created_at: Computed<String>,

    /// When its labels were changed last, in RFC 3339.
    updated_at: Computed<String>,
}

impl Source for SwarmConfigData {
    const TYPE: &'static str = "swarm_config";
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        id_or_name(config)
    }

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let asked = asked(self.id.as_ref(), self.name.as_ref())?;
        let what = || format!("read config `{asked}`");
        context.client.require_manager().await.doing(what)?;
        let found = context.client.find_blob(BlobKind::Config, &asked).await.doing(what)?;
        self.data_base64 = STANDARD.encode(&found.data).into();
        self.data = String::from_utf8(found.data).ok().into();
        self.template_driver = found.templating.and_then(|driver| driver.name).into();
        self.labels = found.labels.into();
        self.created_at = found.created_at.into();
        self.updated_at = found.updated_at.into();
        (self.id, self.name) = (Some(found.id), Some(found.name));
        Ok(())
    }
}
