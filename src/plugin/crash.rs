//! Panics, written so that Terraform shows them.
//!
//! Terraform prints what a plugin said last only when a line begins with `panic: `, as Go's runtime has it.

use std::backtrace::Backtrace;
use std::io::Write;
use std::panic::PanicHookInfo;

/// Lines of the backtrace to keep: Terraform keeps a hundred in all.
const LONGEST_BACKTRACE: usize = 60;

/// From here on, a panic in any thread is written to standard error in one piece.
pub(super) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let text = describe(info, &Backtrace::force_capture().to_string());
        // There is nothing left to do about a panic that cannot be written.
        std::io::stderr().lock().write_all(text.as_bytes()).ok();
    }));
}

fn describe(info: &PanicHookInfo<'_>, backtrace: &str) -> String {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    report(message(info.payload()), &location, &thread, backtrace)
}

/// What a panic said.
pub(super) fn message(payload: &(dyn std::any::Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn report(message: &str, location: &str, thread: &str, backtrace: &str) -> String {
    let mut text = format!("panic: {message}\n  at {location} in thread {thread}\n");
    for frame in ours(backtrace).take(LONGEST_BACKTRACE) {
        text.push_str(&frame);
    }
    text
}

/// The frames of this package, a line each: where, and in which function. A stripped binary knows of none.
fn ours(backtrace: &str) -> impl Iterator<Item = String> {
    let mut function = "";
    backtrace.lines().filter_map(move |line| {
        let line = line.trim_start();
        let Some(place) = line.strip_prefix("at ") else {
            // `12: swarm::some::function<with::all<its, generics>>`
            function =
                line.split_once(": ").map_or(line, |(_, name)| name.split('<').next().unwrap_or_default());
            return None;
        };
        let foreign = ["/.cargo/", "/cargo/registry/", "/rustc/", "plugin/crash.rs"];
        let start = place.rfind("src/").filter(|_| !foreign.iter().any(|part| place.contains(part)))?;
        Some(format!("  at {} in {function}\n", &place[start..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_begins_as_terraform_wants_it_and_keeps_our_frames() {
        let backtrace = "   0: std::backtrace::Backtrace::create\n             at /rustc/1f2/library/std/src/lib.rs:1\n   \
                         1: swarm::plugin::crash::install_hook\n             at ./src/plugin/crash.rs:1\n   \
                         2: swarm::plugin::read<a::B<C>>\n             at /build/src/resources/x.rs:9:1\n   \
                         3: tokio::runtime::run\n             at /root/.cargo/registry/src/x/tokio/src/run.rs:2";
        let text = report("boom", "src/x.rs:9:1", "worker", backtrace);
        let wanted = "panic: boom\n  at src/x.rs:9:1 in thread worker\n  at src/resources/x.rs:9:1 in swarm::plugin::read\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn payloads_of_both_kinds_are_read() {
        let literal = std::panic::catch_unwind(|| panic!("plain")).expect_err("panics");
        assert_eq!(message(&*literal), "plain");
        let formatted = std::panic::catch_unwind(|| panic!("number {}", 7)).expect_err("panics");
        assert_eq!(message(&*formatted), "number 7");
        let other = std::panic::catch_unwind(|| std::panic::panic_any(7)).expect_err("panics");
        assert_eq!(message(&*other), "no message");
    }
}
