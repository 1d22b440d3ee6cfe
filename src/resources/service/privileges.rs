//! Security options of the containers: `ContainerSpec.Privileges` of the Engine API.

use super::{Known, container, container_mut, not_empty, one_of};
use crate::docker::{self, ServiceSpec};
use crate::terraform::{Diagnostic, Model, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

/// Security options of the containers.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Privileges {
    /// Credentials of a managed service account, on Windows.
    pub credential_spec: Option<CredentialSpec>,

    /// Labels of SELinux.
    pub selinux: Option<Selinux>,

    /// Which system calls are allowed. Needs Engine 25 (API 1.44).
    pub seccomp: Option<Seccomp>,

    /// `default`: the Engine's own profile of AppArmor; `disabled`: none. Needs Engine 25 (API 1.44).
    #[tf(check = apparmor)]
    pub apparmor: Option<String>,

    /// Whether a process can gain no privileges that its parent has not. Needs Engine 25 (API 1.44).
    pub no_new_privileges: Option<bool>,
}

/// Where the credentials of a managed service account are: one of these.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct CredentialSpec {
    /// ID or name of a config that holds them. The service refers to it by itself: it need not be in `configs`.
    pub config: Option<String>,

    /// Name of a file in the folder `CredentialSpecs` of each node's Docker data.
    pub file: Option<String>,

    /// Name of a value in the registry of each node.
    pub registry: Option<String>,
}

/// Labels of SELinux.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Selinux {
    /// Whether the containers have none.
    #[tf(default = false)]
    pub disable: bool,

    /// The user.
    #[tf(check = not_empty)]
    pub user: Option<String>,

    /// The role.
    #[tf(check = not_empty)]
    pub role: Option<String>,

    /// The type.
    #[tf(check = not_empty)]
    pub r#type: Option<String>,

    /// The level.
    #[tf(check = not_empty)]
    pub level: Option<String>,
}

/// Which system calls are allowed.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Seccomp {
    /// `default`: those of the Engine's own profile; `unconfined`: all; `custom`: those of `profile`.
    #[tf(default = "default", check = seccomp)]
    pub mode: String,

    /// The profile of mode `custom`, as JSON text.
    pub profile: Option<String>,
}

fn apparmor(mode: &str) -> Result<(), String> {
    one_of(mode, &["default", "disabled"])
}

fn seccomp(mode: &str) -> Result<(), String> {
    one_of(mode, &["default", "unconfined", "custom"])
}

fn some(text: &serde_json::Value) -> Option<String> {
    text.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Privileges {
    /// The security options of a specification, if it has any. A config is spelt as `spelt` spells it, and what `spelt`
    /// says that means nothing to the Engine, it goes on to say.
    pub fn read(spec: &ServiceSpec, spelt: Option<&Self>) -> Option<Self> {
        let found = container(spec).and_then(|container| container.privileges.clone()).unwrap_or_default();
        let credential_spec = found.credential_spec.filter(|own| !own.is_null()).map(|own| CredentialSpec {
            config: some(&own["Config"]).map(|id| spelt_config(spec, id, spelt)),
            file: some(&own["File"]),
            registry: some(&own["Registry"]),
        });
        let selinux = found.selinux_context.filter(|own| !own.is_null()).map(|own| Selinux {
            disable: own["Disable"].as_bool().unwrap_or_default(),
            user: some(&own["User"]),
            role: some(&own["Role"]),
            r#type: some(&own["Type"]),
            level: some(&own["Level"]),
        });
        let seccomp = found.seccomp.map(|own| Seccomp {
            mode: own.mode.filter(|mode| !mode.is_empty()).unwrap_or_else(|| "default".to_owned()),
            profile: own.profile.filter(|profile| !profile.is_empty()).map(|profile| text(&profile)),
        });
        let apparmor = found.app_armor.and_then(|own| own.mode).filter(|mode| !mode.is_empty());
        let is_false = spelt.is_some_and(|spelt| spelt.no_new_privileges == Some(false));
        let read = Privileges {
            credential_spec,
            selinux,
            seccomp,
            apparmor,
            no_new_privileges: found
                .no_new_privileges
                .filter(|yes| *yes || is_false)
                .or(is_false.then_some(false)),
        };
        (read != Privileges::default()).then_some(read)
    }

    /// Sets these options and no others, unless they are set already.
    ///
    /// # Errors
    /// There is no config as the credentials' is called.
    pub fn write(wanted: Option<&Self>, spec: &mut ServiceSpec, known: &Known) -> Result<()> {
        let wanted = wanted.filter(|wanted| **wanted != Privileges::default());
        if Self::read(spec, wanted).as_ref() == wanted {
            return Ok(());
        }
        let Some(wanted) = wanted else {
            container_mut(spec).privileges = None;
            return Ok(());
        };
        let credential_spec = wanted.credential_spec.as_ref().map(|own| {
            let config = own.config.as_ref().map(|source| known.config(source).map(|config| config.id));
            let config = config.transpose()?.unwrap_or_default();
            let (file, registry) =
                (own.file.clone().unwrap_or_default(), own.registry.clone().unwrap_or_default());
            Ok(json!({ "Config": config, "File": file, "Registry": registry }))
        });
        let credential_spec = credential_spec
            .transpose()
            .map_err(|error: Diagnostic| error.at("privileges.credential_spec.config"))?;
        let privileges = &mut container_mut(spec).privileges;
        let before = privileges.take().unwrap_or_default();
        *privileges = Some(docker::Privileges {
            credential_spec,
            selinux_context: wanted.selinux.as_ref().map(Selinux::engine),
            seccomp: wanted.seccomp.as_ref().map(|own| docker::Seccomp {
                mode: Some(own.mode.clone()),
                profile: own.profile.as_ref().map(|profile| STANDARD.encode(profile)),
                ..docker::Seccomp::default()
            }),
            app_armor: wanted
                .apparmor
                .clone()
                .map(|mode| docker::AppArmor { mode: Some(mode), ..docker::AppArmor::default() }),
            no_new_privileges: wanted.no_new_privileges.filter(|yes| *yes),
            ..before
        });
        Ok(())
    }

    /// The config that holds the credentials, if one does.
    pub fn config(&self) -> Option<&str> {
        self.credential_spec.as_ref()?.config.as_deref()
    }
}

impl Selinux {
    fn engine(&self) -> serde_json::Value {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        json!({
            "Disable": self.disable,
            "User": text(&self.user),
            "Role": text(&self.role),
            "Type": text(&self.r#type),
            "Level": text(&self.level),
        })
    }
}

/// The ID of a config, or its name if that is how it is spelt.
fn spelt_config(spec: &ServiceSpec, id: String, spelt: Option<&Privileges>) -> String {
    let Some(spelt) = spelt.and_then(Privileges::config) else { return id };
    let configs = container(spec).into_iter().flat_map(|container| container.configs.iter().flatten());
    let name = configs.into_iter().find(|config| config.config_id.as_ref() == Some(&id));
    let is_named = name.and_then(|config| config.config_name.as_deref()) == Some(spelt);
    if is_named { spelt.to_owned() } else { id }
}

fn text(profile: &str) -> String {
    let decoded = STANDARD.decode(profile).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| profile.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{option, prelude::*, sample::select};

    fn credentials() -> impl Strategy<Value = CredentialSpec> {
        let text = || option::of("[a-z/]{1,4}");
        (text(), text()).prop_map(|(file, registry)| CredentialSpec { config: None, file, registry })
    }

    fn selinux() -> impl Strategy<Value = Selinux> {
        let text = || option::of("[a-z:]{1,4}");
        (any::<bool>(), text(), text(), text(), text())
            .prop_map(|(disable, user, role, r#type, level)| Selinux { disable, user, role, r#type, level })
    }

    fn seccomp() -> impl Strategy<Value = Seccomp> {
        (select(vec!["default", "unconfined", "custom"]), option::of("[{}\":é]{1,5}"))
            .prop_map(|(mode, profile)| Seccomp { mode: mode.to_owned(), profile })
    }

    fn privileges() -> impl Strategy<Value = Option<Privileges>> {
        let apparmor = option::of(select(vec!["default", "disabled"]).prop_map(str::to_owned));
        let parts = (option::of(credentials()), option::of(selinux()), option::of(seccomp()));
        let privileges = (parts, apparmor, option::of(any::<bool>())).prop_map(
            |((credential_spec, selinux, seccomp), apparmor, no_new_privileges)| Privileges {
                credential_spec,
                selinux,
                seccomp,
                apparmor,
                no_new_privileges,
            },
        );
        option::of(privileges)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(before in privileges(), wanted in privileges()) {
            let known = Known { secrets: vec![], configs: vec![], networks: vec![] };
            let mut spec = ServiceSpec::default();
            Privileges::write(before.as_ref(), &mut spec, &known).unwrap();
            Privileges::write(wanted.as_ref(), &mut spec, &known).unwrap();
            let meant = wanted.clone().filter(|wanted| *wanted != Privileges::default());
            prop_assert_eq!(Privileges::read(&spec, wanted.as_ref()), meant);
            let once = spec.clone();
            Privileges::write(wanted.as_ref(), &mut spec, &known).unwrap();
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
