//! How tasks are replaced and restarted: `UpdateConfig`, `RollbackConfig` and `RestartPolicy` of the Engine API.

use super::ports::one_of;
use crate::docker::{ServiceSpec, UpdateConfig};
use crate::terraform::{Duration, Model, Number, Plan, Value};

/// How the tasks of a service are replaced.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Rollout {
    /// `start-first`: the new task serves before the old one stops. `stop-first`: the old one makes room.
    #[tf(derived, check = order)]
    pub order: String,

    /// How many tasks are replaced at once; 0: all.
    #[tf(derived, check = count)]
    pub parallelism: i64,

    /// Pause between two replacements, such as `"10s"`.
    #[tf(derived)]
    pub delay: Duration,

    /// How long a new task is watched for a failure, such as `"30s"`.
    #[tf(derived, check = some_time)]
    pub monitor: Duration,

    /// What a failure leads to: `pause`, `continue` or, in an update, `rollback`. A rollback is never rolled back: there
    /// `rollback` means `pause`.
    #[tf(derived, check = failure_action)]
    pub failure_action: String,

    /// The part of the tasks, from 0 to 1, that may fail without counting as a failure.
    #[tf(derived, check = ratio, same = same_ratio)]
    pub max_failure_ratio: Number,
}

impl Rollout {
    /// What the Engine does where a service says nothing.
    pub fn engine_default() -> Self {
        Rollout {
            order: "stop-first".to_owned(),
            parallelism: 1,
            delay: Duration::from_secs(0),
            monitor: Duration::from_secs(5),
            failure_action: "pause".to_owned(),
            max_failure_ratio: Number::from(0_i64),
        }
    }

    /// Plans this at `path` where the configuration says nothing else; the order only when it can be told.
    pub fn derive(self, path: &str, order: Option<String>, plan: &mut Plan) {
        if let Some(order) = order {
            plan.derive(&format!("{path}.order"), order);
        }
        plan.derive(&format!("{path}.parallelism"), self.parallelism);
        plan.derive(&format!("{path}.delay"), self.delay);
        plan.derive(&format!("{path}.monitor"), self.monitor);
        plan.derive(&format!("{path}.failure_action"), self.failure_action);
        plan.derive(&format!("{path}.max_failure_ratio"), self.max_failure_ratio);
    }
}

fn order(order: &str) -> Result<(), String> {
    one_of(order, &["start-first", "stop-first"])
}

fn failure_action(action: &str) -> Result<(), String> {
    one_of(action, &["pause", "continue", "rollback"])
}

fn ratio(ratio: &Number) -> Result<(), String> {
    if (Number::from(0_i64)..=Number::from(1_i64)).contains(ratio) {
        Ok(())
    } else {
        Err("a ratio is a number from 0 to 1".to_owned())
    }
}

/// The Engine takes nought for "not said", so it would not come back.
fn some_time(duration: &Duration) -> Result<(), String> {
    if duration.nanos() > 0 {
        Ok(())
    } else {
        Err("more than nothing; the Engine watches for five seconds where it is told `0s`".to_owned())
    }
}

/// A ratio as the Engine keeps it, which rounds `1/3`.
fn rounded(ratio: &Number) -> Option<f32> {
    ratio.to_f64().map(|ratio| ratio as f32)
}

fn same_ratio(a: &Value, b: &Value) -> bool {
    let ratio = |value: &Value| match value {
        Value::Number(ratio) => rounded(ratio),
        _ => None,
    };
    ratio(a).is_some() && ratio(a) == ratio(b)
}

/// Refuses negative counts.
pub fn count(count: &i64) -> Result<(), String> {
    if *count >= 0 { Ok(()) } else { Err("a count is not negative".to_owned()) }
}

/// When a task that ended is started anew.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Restart {
    /// `any`, `on-failure` or `none`.
    #[tf(default = "any", check = condition)]
    pub condition: String,

    /// Pause before a restart, such as `"5s"`.
    #[tf(default = Duration::from_secs(5))]
    pub delay: Duration,

    /// How many restarts at most within `window`; 0: any number.
    #[tf(default = 0, check = count)]
    pub max_attempts: i64,

    /// The time over which `max_attempts` counts; 0: all the time.
    #[tf(default = Duration::from_secs(0))]
    pub window: Duration,
}

impl Default for Restart {
    /// What the Engine does where a service says nothing.
    fn default() -> Self {
        Restart {
            condition: "any".to_owned(),
            delay: Duration::from_secs(5),
            max_attempts: 0,
            window: Duration::from_secs(0),
        }
    }
}

fn condition(condition: &str) -> Result<(), String> {
    one_of(condition, &["any", "on-failure", "none"])
}

impl Rollout {
    /// What a specification says, or the Engine's defaults where it says nothing.
    pub fn read(config: Option<&UpdateConfig>) -> Self {
        let default = Rollout::engine_default();
        let Some(config) = config else { return default };
        let word = |word: &Option<String>, otherwise: String| {
            word.clone().filter(|word| !word.is_empty()).unwrap_or(otherwise)
        };
        Rollout {
            order: word(&config.order, default.order),
            parallelism: whole(config.parallelism.unwrap_or(1)),
            delay: Duration::from_nanos(config.delay.unwrap_or_default()),
            // The Engine takes nought for "not said".
            monitor: config.monitor.filter(|nanos| *nanos > 0).map_or(default.monitor, Duration::from_nanos),
            failure_action: word(&config.failure_action, default.failure_action),
            max_failure_ratio: config
                .max_failure_ratio
                .and_then(Number::from_f64)
                .unwrap_or(default.max_failure_ratio),
        }
    }

    /// Says this, unless it is what is said already.
    pub fn write(&self, config: &mut Option<UpdateConfig>) {
        let there = Self::read(config.as_ref());
        let is_ratio_met = rounded(&there.max_failure_ratio) == rounded(&self.max_failure_ratio);
        if is_ratio_met && *self == (Rollout { max_failure_ratio: self.max_failure_ratio.clone(), ..there }) {
            return;
        }
        let config = config.get_or_insert_default();
        config.order = Some(self.order.clone());
        config.parallelism = u64::try_from(self.parallelism).ok();
        config.delay = Some(self.delay.nanos());
        config.monitor = Some(self.monitor.nanos());
        config.failure_action = Some(self.failure_action.clone());
        config.max_failure_ratio = self.max_failure_ratio.to_f64();
    }
}

impl Restart {
    /// What a specification says, or the Engine's defaults where it says nothing.
    pub fn read(spec: &ServiceSpec) -> Self {
        let default = Restart::default();
        let Some(policy) = spec.task_template.as_ref().and_then(|task| task.restart_policy.as_ref()) else {
            return default;
        };
        Restart {
            condition: policy.condition.clone().filter(|word| !word.is_empty()).unwrap_or(default.condition),
            delay: policy.delay.map_or(default.delay, Duration::from_nanos),
            max_attempts: whole(policy.max_attempts.unwrap_or_default()),
            window: Duration::from_nanos(policy.window.unwrap_or_default()),
        }
    }

    /// Says this, unless it is what is said already: another spelling would restart the tasks.
    pub fn write(&self, spec: &mut ServiceSpec) {
        if Self::read(spec) == *self {
            return;
        }
        let policy = spec.task_template.get_or_insert_default().restart_policy.get_or_insert_default();
        policy.condition = Some(self.condition.clone());
        policy.delay = Some(self.delay.nanos());
        policy.max_attempts = u64::try_from(self.max_attempts).ok();
        policy.window = Some(self.window.nanos());
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prelude::*, sample::select};

    #[test]
    fn a_ratio_is_compared_as_the_engine_rounds_it() {
        let third: Number = "0.33333333333333333333".parse().unwrap();
        let wanted = Rollout { max_failure_ratio: third.clone(), ..Rollout::engine_default() };
        let mut config = None;
        wanted.write(&mut config);
        // What comes back of it.
        config.as_mut().unwrap().max_failure_ratio = Some(0.333_333_34);
        let before = config.clone();
        wanted.write(&mut config);
        assert_eq!(config, before);
        let found = Value::Number(Rollout::read(config.as_ref()).max_failure_ratio);
        assert!(same_ratio(&Value::Number(third), &found));
        assert!(
            !same_ratio(&Value::Number(Number::from(0_i64)), &found)
                && !same_ratio(&Value::Null, &Value::Null)
        );
    }

    #[test]
    fn a_new_task_is_watched_for_some_time() {
        assert!(some_time(&Duration::from_secs(0)).is_err() && some_time(&Duration::from_nanos(1)).is_ok());
    }

    fn rollout() -> impl Strategy<Value = Rollout> {
        let words =
            (select(vec!["start-first", "stop-first"]), select(vec!["pause", "continue", "rollback"]));
        (words, 0..i64::MAX, 0..i64::MAX, 1..i64::MAX, 0..=1000_i64).prop_map(
            |((order, failure_action), parallelism, delay, monitor, thousandths)| Rollout {
                order: order.to_owned(),
                parallelism,
                delay: Duration::from_nanos(delay),
                monitor: Duration::from_nanos(monitor),
                failure_action: failure_action.to_owned(),
                max_failure_ratio: format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
                    .parse()
                    .unwrap(),
            },
        )
    }

    fn restart() -> impl Strategy<Value = Restart> {
        (select(vec!["any", "on-failure", "none"]), 0..i64::MAX, 0..i64::MAX, 0..i64::MAX).prop_map(
            |(condition, delay, max_attempts, window)| Restart {
                condition: condition.to_owned(),
                delay: Duration::from_nanos(delay),
                max_attempts,
                window: Duration::from_nanos(window),
            },
        )
    }

    proptest! {
        #[test]
        fn a_rollout_that_is_written_is_read(before in rollout(), wanted in rollout()) {
            let mut config = None;
            before.write(&mut config);
            wanted.write(&mut config);
            // The Engine keeps the ratio in half as many bytes.
            if let Some(config) = &mut config {
                config.max_failure_ratio = config.max_failure_ratio.map(|ratio| f64::from(ratio as f32));
            }
            let read = Rollout::read(config.as_ref());
            let ratios = [&read, &wanted].map(|rollout| Value::Number(rollout.max_failure_ratio.clone()));
            prop_assert!(same_ratio(&ratios[0], &ratios[1]), "{:?}", ratios);
            let max_failure_ratio = wanted.max_failure_ratio.clone();
            prop_assert_eq!(Rollout { max_failure_ratio, ..read }, wanted.clone());
            let once = config.clone();
            wanted.write(&mut config);
            prop_assert_eq!(config, once, "the same is left alone");
        }

        #[test]
        fn a_restart_that_is_written_is_read(before in restart(), wanted in restart()) {
            let mut spec = ServiceSpec::default();
            before.write(&mut spec);
            wanted.write(&mut spec);
            prop_assert_eq!(Restart::read(&spec), wanted.clone());
            let once = spec.clone();
            wanted.write(&mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
