//! Secrets and configs in the tasks' files: `ContainerSpec.Secrets` and `ContainerSpec.Configs` of the Engine API.

use super::{container, container_mut};
use crate::docker::{ConfigReference, FileTarget, SecretReference, ServiceSpec};
use crate::terraform::Model;

/// A secret or a config that the tasks see as a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Model)]
pub struct Reference {
    /// ID or name of the object.
    pub source: String,

    /// Name of the file: for a secret beneath `/run/secrets`, for a config beneath `/`, or a full path. By default the
    /// object's own name.
    pub target: Option<String>,

    /// ID of the user that owns the file.
    #[tf(default = "0")]
    pub uid: String,

    /// ID of the group that owns the file.
    #[tf(default = "0")]
    pub gid: String,

    /// The file's mode, in octal.
    #[tf(default = "0444", check = mode)]
    pub mode: String,
}

impl Reference {
    /// The file's mode as the Engine counts it.
    pub fn mode_bits(&self) -> u32 {
        u32::from_str_radix(&self.mode, 8).unwrap_or(0o444)
    }

    /// A mode as it is written here: four octal digits.
    pub fn mode_text(bits: u32) -> String {
        format!("{bits:04o}")
    }
}

fn mode(mode: &str) -> Result<(), String> {
    match u32::from_str_radix(mode, 8) {
        Ok(bits) if bits <= 0o7777 && mode.len() == 4 => Ok(()),
        _ => Err("a mode is four octal digits, such as \"0400\"".to_owned()),
    }
}

/// A secret or a config that there is, by both of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A reference as the Engine has it, with the object's ID and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The object.
    pub object: Object,
    /// The file.
    pub file: Reference,
}

impl Reference {
    /// The secrets of a specification.
    pub fn secrets(spec: &ServiceSpec) -> Vec<Resolved> {
        let secrets = container(spec).into_iter().flat_map(|container| container.secrets.iter().flatten());
        secrets.map(|secret| resolved(&secret.secret_id, &secret.secret_name, secret.file.as_ref())).collect()
    }

    /// The configs of a specification that are files. What holds credentials is none.
    pub fn configs(spec: &ServiceSpec) -> Vec<Resolved> {
        let configs = container(spec).into_iter().flat_map(|container| container.configs.iter().flatten());
        let files = configs.filter(|config| config.runtime.is_none());
        files.map(|config| resolved(&config.config_id, &config.config_name, config.file.as_ref())).collect()
    }

    /// What a specification refers to, spelt as `spelt` spells it: by ID or by name, with or without a target that is
    /// the object's own name. An object that is another file now is the same object.
    pub fn read(found: &[Resolved], spelt: &[Self]) -> Vec<Self> {
        let mut references: Vec<Self> = found
            .iter()
            .map(|Resolved { object, file }| {
                let target = file.target.as_deref().unwrap_or(&object.name);
                let of_it =
                    || spelt.iter().filter(|own| own.source == object.id || own.source == object.name);
                let own = of_it().find(|own| own.target.as_deref().unwrap_or(&object.name) == target);
                Reference {
                    source: own.or(of_it().next()).map_or(&object.id, |spelt| &spelt.source).clone(),
                    target: match own {
                        Some(spelt) => spelt.target.clone(),
                        None => file.target.clone().filter(|target| *target != object.name),
                    },
                    ..file.clone()
                }
            })
            .collect();
        references.sort();
        references
    }

    /// This reference with the object that it means among those that there are.
    pub fn resolve(&self, known: &[Object]) -> Option<Resolved> {
        let object =
            known.iter().find(|object| object.id == self.source || object.name == self.source)?.clone();
        let target = self.target.clone().unwrap_or_else(|| object.name.clone());
        Some(Resolved {
            file: Reference { source: object.id.clone(), target: Some(target), ..self.clone() },
            object,
        })
    }

    /// Mounts these secrets and no others. What is mounted already stays as it is.
    pub fn write_secrets(wanted: &[Resolved], spec: &mut ServiceSpec) {
        if same(&Self::secrets(spec), wanted) {
            return;
        }
        let reference = |wanted: &Resolved| SecretReference {
            file: Some(wanted.file.file()),
            secret_id: Some(wanted.object.id.clone()),
            secret_name: Some(wanted.object.name.clone()),
            ..SecretReference::default()
        };
        container_mut(spec).secrets = Some(sorted(wanted).iter().map(reference).collect());
    }

    /// Mounts these configs and no others, and refers to the one that holds `credentials`. What is mounted already stays
    /// as it is.
    pub fn write_configs(wanted: &[Resolved], credentials: Option<Object>, spec: &mut ServiceSpec) {
        if same(&Self::configs(spec), wanted) && credentials_config(spec) == credentials {
            return;
        }
        let reference = |wanted: &Resolved| ConfigReference {
            file: Some(wanted.file.file()),
            config_id: Some(wanted.object.id.clone()),
            config_name: Some(wanted.object.name.clone()),
            ..ConfigReference::default()
        };
        let credentials = credentials.map(|config| ConfigReference {
            runtime: Some(serde_json::json!({})),
            config_id: Some(config.id),
            config_name: Some(config.name),
            ..ConfigReference::default()
        });
        container_mut(spec).configs = Some(sorted(wanted).iter().map(reference).chain(credentials).collect());
    }

    fn file(&self) -> FileTarget {
        FileTarget {
            name: self.target.clone(),
            uid: Some(self.uid.clone()),
            gid: Some(self.gid.clone()),
            mode: Some(self.mode_bits()),
            ..FileTarget::default()
        }
    }
}

/// The config that holds credentials, of which a service can have one.
pub(super) fn credentials_config(spec: &ServiceSpec) -> Option<Object> {
    let mut configs = container(spec)?.configs.iter().flatten();
    let config = configs.find(|config| config.runtime.is_some())?;
    Some(Object {
        id: config.config_id.clone().unwrap_or_default(),
        name: config.config_name.clone().unwrap_or_default(),
    })
}

fn resolved(id: &Option<String>, name: &Option<String>, file: Option<&FileTarget>) -> Resolved {
    let object = Object { id: id.clone().unwrap_or_default(), name: name.clone().unwrap_or_default() };
    let owner = |id: Option<&String>| id.filter(|id| !id.is_empty()).map_or("0", String::as_str).to_owned();
    let file = Reference {
        source: object.id.clone(),
        target: file.and_then(|file| file.name.clone()),
        uid: owner(file.and_then(|file| file.uid.as_ref())),
        gid: owner(file.and_then(|file| file.gid.as_ref())),
        mode: Reference::mode_text(file.and_then(|file| file.mode).unwrap_or_default()),
    };
    Resolved { object, file }
}

/// The order in which references are written: the same set makes the same bytes, since another order restarts tasks.
fn sorted(references: &[Resolved]) -> Vec<Resolved> {
    let mut sorted = references.to_vec();
    sorted.sort_by(|a, b| a.file.target.cmp(&b.file.target).then_with(|| a.object.id.cmp(&b.object.id)));
    sorted
}

fn same(a: &[Resolved], b: &[Resolved]) -> bool {
    sorted(a) == sorted(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::btree_map, option, prelude::*, sample::select};

    fn known() -> Vec<Object> {
        ["a", "b", "c"].map(|name| Object { id: format!("id-{name}"), name: name.to_owned() }).into()
    }

    /// References by name or by ID, one for each file.
    fn references() -> impl Strategy<Value = Vec<Reference>> {
        let source = (select(vec!["a", "b", "c"]), any::<bool>());
        let owner = ("[0-9]{1,4}", "[0-9]{1,4}", 0..=0o7777_u32);
        btree_map("[d-z/]{1,3}", (source, owner), 0..4).prop_map(|files| {
            let reference = |(target, ((name, by_id), (uid, gid, bits)))| Reference {
                source: if by_id { format!("id-{name}") } else { String::from(name) },
                target: Some(target),
                uid,
                gid,
                mode: Reference::mode_text(bits),
            };
            files.into_iter().map(reference).collect()
        })
    }

    #[test]
    fn what_is_another_file_now_is_spelt_as_before() {
        let file = |target: &str| Reference {
            source: "a".to_owned(),
            target: Some(target.to_owned()),
            uid: "0".to_owned(),
            gid: "0".to_owned(),
            mode: "0444".to_owned(),
        };
        let by_somebody_else = file("y").resolve(&known()).unwrap();
        assert_eq!(Reference::read(&[by_somebody_else], &[file("x")]), [file("y")]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            before in references(),
            wanted in references(),
            by_own_name in option::of(select(vec!["a", "b"])),
        ) {
            let mut wanted = wanted;
            // A file without a target has the object's own name, which none of the others has.
            wanted.extend(by_own_name.map(|name| Reference {
                source: name.to_owned(),
                target: None,
                uid: "0".to_owned(),
                gid: "0".to_owned(),
                mode: "0444".to_owned(),
            }));
            wanted.sort();
            let known = known();
            let resolve = |all: &[Reference]| -> Vec<Resolved> {
                all.iter().map(|one| one.resolve(&known).unwrap()).collect()
            };
            let credentials = Some(known[2].clone());
            let mut spec = ServiceSpec::default();
            Reference::write_secrets(&resolve(&before), &mut spec);
            Reference::write_configs(&resolve(&before), None, &mut spec);
            Reference::write_secrets(&resolve(&wanted), &mut spec);
            Reference::write_configs(&resolve(&wanted), credentials.clone(), &mut spec);
            prop_assert_eq!(Reference::read(&Reference::secrets(&spec), &wanted), wanted.clone());
            prop_assert_eq!(Reference::read(&Reference::configs(&spec), &wanted), wanted.clone());
            prop_assert_eq!(credentials_config(&spec), credentials.clone());
            let once = spec.clone();
            Reference::write_secrets(&resolve(&wanted), &mut spec);
            Reference::write_configs(&resolve(&wanted), credentials, &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
