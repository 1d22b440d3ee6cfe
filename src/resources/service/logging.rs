//! Where the output of the tasks goes: `TaskTemplate.LogDriver` of the Engine API.

use crate::docker::{Driver, ServiceSpec};
use crate::terraform::Model;
use std::collections::BTreeMap;

/// The log driver of the tasks.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Logging {
    /// Name of the driver, such as `json-file`, `local` or `journald`.
    pub driver: String,

    /// Options of the driver, such as `max-size`.
    #[tf(default = BTreeMap::new())]
    pub options: BTreeMap<String, String>,
}

impl Logging {
    /// The log driver of a specification, if it names one.
    pub fn read(spec: &ServiceSpec) -> Option<Self> {
        let driver = spec.task_template.as_ref()?.log_driver.as_ref()?;
        Some(Logging {
            driver: driver.name.clone().unwrap_or_default(),
            options: driver.options.clone().unwrap_or_default(),
        })
    }

    /// Names this one, unless it is named already.
    pub fn write(wanted: Option<&Self>, spec: &mut ServiceSpec) {
        if Self::read(spec).as_ref() == wanted {
            return;
        }
        let task = spec.task_template.get_or_insert_default();
        task.log_driver = wanted.map(|wanted| Driver {
            name: Some(wanted.driver.clone()),
            options: Some(wanted.options.clone()),
            ..task.log_driver.take().unwrap_or_default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::btree_map, option, prelude::*};

    fn logging() -> impl Strategy<Value = Option<Logging>> {
        let logging = ("[a-z-]{1,4}", btree_map("[a-z-]{1,3}", "[a-z0-9=]{0,3}", 0..3));
        option::of(logging.prop_map(|(driver, options)| Logging { driver, options }))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(before in logging(), wanted in logging()) {
            let mut spec = ServiceSpec::default();
            Logging::write(before.as_ref(), &mut spec);
            Logging::write(wanted.as_ref(), &mut spec);
            prop_assert_eq!(Logging::read(&spec), wanted.clone());
            let once = spec.clone();
            Logging::write(wanted.as_ref(), &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
