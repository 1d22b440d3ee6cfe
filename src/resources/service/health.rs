//! The health check of the container: `ContainerSpec.Healthcheck` of the Engine API.

use super::{container, container_mut};
use crate::docker::{self, ServiceSpec};
use crate::terraform::{Duration, Model};

/// How the Engine finds out whether a task is healthy. A task counts as running only once it is.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Healthcheck {
    /// The command, in Docker's form: `["CMD", "program", "argument"]`, `["CMD-SHELL", "script"]`, or `["NONE"]` for
    /// no check at all. Without it the image's command is run.
    pub command: Option<Vec<String>>,

    /// Pause between two checks, such as `"10s"`.
    #[tf(check = positive)]
    pub interval: Option<Duration>,

    /// How long a check may take, such as `"5s"`.
    #[tf(check = positive)]
    pub timeout: Option<Duration>,

    /// How many failures in a row make a task unhealthy.
    #[tf(check = some)]
    pub retries: Option<i64>,

    /// The time after the start during which failures do not count, such as `"15s"`.
    #[tf(check = positive)]
    pub start_period: Option<Duration>,

    /// Pause between two checks during `start_period`. Needs Engine 25 (API 1.44).
    #[tf(check = positive)]
    pub start_interval: Option<Duration>,
}

/// The Engine takes nought for "not said", so it would not come back.
fn positive(duration: &Duration) -> Result<(), String> {
    if duration.nanos() >= 1_000_000 {
        Ok(())
    } else {
        Err("at least 1ms; for the image's own, leave it out".to_owned())
    }
}

fn some(retries: &i64) -> Result<(), String> {
    if *retries > 0 { Ok(()) } else { Err("at least 1; for the image's own, leave it out".to_owned()) }
}

impl Healthcheck {
    /// The health check of a specification, if it has one.
    pub fn read(spec: &ServiceSpec) -> Option<Self> {
        let check = container(spec)?.healthcheck.as_ref()?;
        let time = |nanos: Option<i64>| nanos.filter(|nanos| *nanos != 0).map(Duration::from_nanos);
        Some(Healthcheck {
            command: check.test.clone().filter(|test| !test.is_empty()),
            interval: time(check.interval),
            timeout: time(check.timeout),
            retries: check.retries.filter(|retries| *retries != 0),
            start_period: time(check.start_period),
            start_interval: time(check.start_interval),
        })
    }

    /// Says this, unless it is what is said already.
    pub fn write(wanted: Option<&Self>, spec: &mut ServiceSpec) {
        if Self::read(spec).as_ref() == wanted {
            return;
        }
        let check = &mut container_mut(spec).healthcheck;
        let Some(wanted) = wanted else {
            *check = None;
            return;
        };
        let nanos = |duration: &Option<Duration>| duration.as_ref().map(Duration::nanos);
        *check = Some(docker::Healthcheck {
            test: wanted.command.clone(),
            interval: nanos(&wanted.interval),
            timeout: nanos(&wanted.timeout),
            retries: wanted.retries,
            start_period: nanos(&wanted.start_period),
            start_interval: nanos(&wanted.start_interval),
            ..check.take().unwrap_or_default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*};

    fn check() -> impl Strategy<Value = Option<Healthcheck>> {
        let time = || option::of((1_000_000..i64::MAX).prop_map(Duration::from_nanos));
        let times = (time(), time(), time(), time());
        let check = (option::of(vec("[A-Z -]{0,4}", 1..4)), option::of(1..i64::MAX), times).prop_map(
            |(command, retries, (interval, timeout, start_period, start_interval))| Healthcheck {
                command,
                interval,
                timeout,
                retries,
                start_period,
                start_interval,
            },
        );
        option::of(check)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(before in check(), wanted in check()) {
            let mut spec = ServiceSpec::default();
            Healthcheck::write(before.as_ref(), &mut spec);
            Healthcheck::write(wanted.as_ref(), &mut spec);
            prop_assert_eq!(Healthcheck::read(&spec), wanted.clone());
            let once = spec.clone();
            Healthcheck::write(wanted.as_ref(), &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
