//! Log lines on standard error, in the one form that Terraform reads: hclog's JSON.
//!
//! Terraform takes `@level`, `@message` and `@timestamp` from an object on a line of its own, and prints the
//! other keys as fields. It is unforgiving: a time without exactly six fractional digits turns the line into
//! raw text, and a value of another kind under an `@` key ends Terraform itself.

use std::fmt;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Where the level comes from, the most particular first.
const VARIABLES: [&str; 3] = ["TF_LOG_PROVIDER_SWARM", "TF_LOG_PROVIDER", "TF_LOG"];
/// Parts of this crate that have a level of their own, as in `TF_LOG_PROVIDER_SWARM_DOCKER`.
const SUBSYSTEMS: [&str; 5] = ["docker", "plugin", "registry", "resources", "terraform"];
/// Terraform cuts a line at 64 KiB, after which it is no JSON any more. A single text may have this much.
const LONGEST_TEXT: usize = 8 << 10;
/// And all fields of a line together this much.
const LONGEST_FIELDS: usize = 32 << 10;

/// Starts logging at the level that the user asked for.
pub(super) fn start() {
    let filter = filter(|name| std::env::var(name).ok());
    let out = |line: &[u8]| {
        // A log line that cannot be written cannot be reported either.
        std::io::stderr().lock().write_all(line).ok();
    };
    let subscriber = tracing_subscriber::registry().with(Hclog { out }.with_filter(filter));
    // It fails only when there is a subscriber already, which then gets the lines.
    tracing::subscriber::set_global_default(subscriber).ok();
}

/// Our own lines at the level asked for, by default errors only. Other crates say no more than warnings at any
/// level: at lower ones they would print what they send and receive, secrets included.
fn filter(variable: impl Fn(&str) -> Option<String>) -> Targets {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let ours = VARIABLES.iter().find_map(|name| set(name)).map_or(LevelFilter::ERROR, |value| level(&value));
    let mut targets = Targets::new().with_default(ours.min(LevelFilter::WARN)).with_target("swarm", ours);
    for subsystem in SUBSYSTEMS {
        if let Some(value) = set(&format!("{}_{}", VARIABLES[0], subsystem.to_uppercase())) {
            targets = targets.with_target(format!("swarm::{subsystem}"), level(&value));
        }
    }
    targets
}

/// Terraform's names of levels. What it does not know means everything, as for Terraform; so does `JSON`.
fn level(name: &str) -> LevelFilter {
    match name.to_ascii_uppercase().as_str() {
        "OFF" => LevelFilter::OFF,
        "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

/// Writes each event, with the fields of the spans around it, as one line.
struct Hclog<W> {
    out: W,
}

/// What a span has said, kept with the span.
struct SpanFields(Fields);

impl<S, W> Layer<S> for Hclog<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(SpanFields(around)) = span.extensions().get() {
                fields.keys.extend(around.keys.clone());
            }
        }
        event.record(&mut fields);
        (self.out)(&line(event.metadata(), fields, SystemTime::now()));
    }
}

/// The fields of a span or an event, and an event's text.
#[derive(Default)]
struct Fields {
    message: String,
    keys: Map<String, Value>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            // These are Terraform's, which relies on what is in them.
            (name, _) if name.starts_with('@') => {}
            (name, value) => {
                self.keys.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, shorten(&format!("{value:?}")).into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, shorten(value).into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            let said = error.to_string();
            // Many errors repeat their cause in their own text.
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        self.add(field, shorten(&text).into());
    }
}

fn shorten(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT)]
}

fn line(metadata: &Metadata<'_>, fields: Fields, now: SystemTime) -> Vec<u8> {
    let Fields { message, mut keys } = fields;
    let length = |value: &Value| value.as_str().map_or(8, str::len);
    if keys.iter().map(|(key, value)| key.len() + length(value)).sum::<usize>() > LONGEST_FIELDS {
        keys.clear();
        keys.insert("fields_left_out".to_owned(), true.into());
    }
    keys.insert("@level".to_owned(), level_name(metadata.level()).into());
    keys.insert("@message".to_owned(), message.into());
    keys.insert("@module".to_owned(), metadata.target().replace("::", ".").into());
    keys.insert("@timestamp".to_owned(), timestamp(now).into());
    let mut line = Value::Object(keys).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn level_name(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// RFC 3339 in UTC with six fractional digits. Protobuf's own timestamp knows the calendar, but prints as many
/// digits as it needs, so it gets whole seconds only.
fn timestamp(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
    let whole = prost_types::Timestamp { seconds, nanos: 0 }.to_string();
    format!("{}.{:06}Z", whole.trim_end_matches('Z'), since.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    fn lines(filter: Targets, log: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(vec![]));
        let sink = written.clone();
        let out = move |line: &[u8]| sink.lock().expect("not poisoned").push(line.to_vec());
        let subscriber = tracing_subscriber::registry().with(Hclog { out }.with_filter(filter));
        tracing::subscriber::with_default(subscriber, log);
        let written = written.lock().expect("not poisoned");
        written.iter().map(|line| serde_json::from_slice(line).expect("JSON on one line")).collect()
    }

    fn set(name: &'static str, value: &'static str) -> Targets {
        filter(move |asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn line_has_what_terraform_reads_and_the_fields_of_spans() {
        let lines = lines(set("TF_LOG", "debug"), || {
            let span = tracing::error_span!("rpc", tf_rpc = "ReadResource", later = tracing::field::Empty);
            let _inside = span.enter();
            span.record("later", 7);
            tracing::warn!(target: "swarm::plugin::events", node = %"n1", attempt = 2, "lost the stream");
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(line["@level"], "warn");
        assert_eq!(line["@message"], "lost the stream");
        assert_eq!(line["@module"], "swarm.plugin.events");
        assert_eq!((&line["tf_rpc"], &line["later"]), (&"ReadResource".into(), &7.into()));
        assert_eq!((&line["node"], &line["attempt"]), (&"n1".into(), &2.into()));
        for key in ["@level", "@message", "@module", "@timestamp"] {
            assert!(line[key].is_string(), "{key} must be a string in {line}");
        }
    }

    #[test]
    fn time_has_six_fractional_digits_always() {
        let at = |micros| timestamp(UNIX_EPOCH + Duration::from_micros(micros));
        assert_eq!(at(1_764_023_209_000_000), "2025-11-24T22:26:49.000000Z");
        assert_eq!(at(1_764_023_209_123_000), "2025-11-24T22:26:49.123000Z");
        assert_eq!(at(1_709_164_800_000_001), "2024-02-29T00:00:00.000001Z");
    }

    #[test]
    fn fields_cannot_touch_what_terraform_relies_on() {
        let lines = lines(set("TF_LOG", "trace"), || {
            tracing::info!(target: "swarm", { "@level" = 3 }, "hello");
        });
        assert_eq!(lines[0]["@level"], "info");
        assert_eq!(lines[0]["@message"], "hello");
    }

    #[test]
    fn long_texts_stay_below_what_terraform_reads() {
        let text = "ä\n".repeat(100_000);
        let written = lines(set("TF_LOG", "trace"), || {
            tracing::info!(target: "swarm", a = text, b = text, c = text, d = text, e = text, "{text}");
        });
        assert!(written[0].to_string().len() < 64 << 10);
    }

    #[test]
    fn level_is_the_most_particular_variable() {
        let by = |variables: &[(&str, &str)]| {
            let filter = filter(|asked| {
                variables.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned())
            });
            [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE]
                .into_iter()
                .filter(|level| filter.would_enable("swarm::plugin", level))
                .count()
        };
        assert_eq!(by(&[]), 1, "errors only");
        assert_eq!(by(&[("TF_LOG", "OFF")]), 0);
        assert_eq!(by(&[("TF_LOG", "warn")]), 2);
        assert_eq!(by(&[("TF_LOG", "JSON")]), 5);
        assert_eq!(by(&[("TF_LOG", "whatever")]), 5);
        assert_eq!(by(&[("TF_LOG", "")]), 1);
        assert_eq!(by(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "INFO")]), 3);
        assert_eq!(by(&[("TF_LOG_PROVIDER", "TRACE"), ("TF_LOG_PROVIDER_SWARM", "DEBUG")]), 4);
        assert_eq!(by(&[("TF_LOG_PROVIDER_SWARM_PLUGIN", "TRACE")]), 5);
        assert_eq!(by(&[("TF_LOG_PROVIDER_SWARM_DOCKER", "TRACE")]), 1);
    }

    #[test]
    fn other_crates_never_say_more_than_warnings() {
        let filter = set("TF_LOG", "TRACE");
        for target in ["hyper::proto", "h2::frame", "tonic", "rustls::server", "bollard::docker", "tokio"] {
            assert!(filter.would_enable(target, &Level::WARN), "{target}");
            assert!(!filter.would_enable(target, &Level::INFO), "{target}");
        }
        assert!(!set("TF_LOG", "ERROR").would_enable("hyper", &Level::WARN));
        assert!(!set("TF_LOG", "OFF").would_enable("hyper", &Level::ERROR));
    }

    #[test]
    fn errors_are_told_with_their_causes_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let error: Box<dyn std::error::Error> = Box::new(Outer(std::io::Error::other("inner")));
        let written = lines(set("TF_LOG", "trace"), || tracing::info!(target: "swarm", error, "failed"));
        assert_eq!(written[0]["error"], "outer: inner");
    }
}
