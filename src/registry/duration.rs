//! Durations as Go writes them, which is how Distribution and Swarm's users write them.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADuration {
    /// Nothing to read.
    #[error("a duration such as \"30s\" is needed, not an empty text")]
    Empty,
    /// A number alone: Go refuses it as text, and Distribution takes it for nanoseconds as a YAML number.
    #[error(
        "{0:?} has no unit: Distribution would read a bare number as nanoseconds; write for example \"{0}s\""
    )]
    NoUnit(String),
    /// A sign, which makes no sense for anything configured here.
    #[error("{0:?} is negative")]
    Negative(String),
    /// More than Go's 292 years.
    #[error("{0:?} is longer than Go can count (about 292 years)")]
    TooLong(String),
    /// Anything else.
    #[error(
        "{0:?} is not a duration; write numbers with units from h, m, s, ms, us, ns, as in \"1h30m\" or \"1.5s\""
    )]
    Syntax(String),
}

const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads what Go's `time.ParseDuration` reads, but for negative values, which mean nothing here.
///
/// # Errors
/// [`NotADuration`] with the text and what to write instead.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    let owned = || text.to_owned();
    if text.is_empty() {
        return Err(NotADuration::Empty);
    }
    if text.starts_with('-') {
        return Err(NotADuration::Negative(owned()));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotADuration::NoUnit(owned()));
    }
    if rest.is_empty() {
        return Err(NotADuration::Syntax(owned()));
    }
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let (part, after) = component(rest, text)?;
        nanos += part;
        rest = after;
    }
    match u64::try_from(nanos) {
        Ok(nanos) if nanos <= i64::MAX as u64 => Ok(Duration::from_nanos(nanos)),
        _ => Err(NotADuration::TooLong(owned())),
    }
}

/// One `number unit` off the front, in nanoseconds, and what follows it.
fn component<'t>(rest: &'t str, whole: &str) -> Result<(u128, &'t str), NotADuration> {
    let syntax = || NotADuration::Syntax(whole.to_owned());
    let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(syntax)?;
    let (number, after) = rest.split_at(number_end);
    let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
    let (unit, after) = after.split_at(unit_end);
    let scale = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale).ok_or_else(syntax)?;

    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (integer.is_empty() && fraction.is_empty()) {
        return Err(syntax());
    }
    // 18 digits of hours still fit 128 bits; more can't be a duration that Go can count.
    let too_long = || NotADuration::TooLong(whole.to_owned());
    let digits = integer.trim_start_matches('0');
    if digits.len() > 20 {
        return Err(too_long());
    }
    let mut nanos = digits.parse::<u128>().unwrap_or(0) * scale;
    // What is finer than a nanosecond is cut off, as Go does, but digits that mean less than one each may mean one together, so
    // 18 are read. Go reckons with floating point here, and may come out a nanosecond apart.
    let fraction = &fraction[..fraction.len().min(18)];
    if let Ok(value) = fraction.parse::<u128>() {
        nanos += value * scale / 10u128.pow(fraction.len() as u32);
    }
    Ok((nanos, after))
}

/// Writes a duration in Go's syntax, each length in exactly one way: `1h30m`, `45s`, `1m0.5s` as `1m500ms`, `0s`.
pub fn format(duration: Duration) -> String {
    let mut nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, scale) in UNITS.iter().rev().filter(|(unit, _)| unit.is_ascii()) {
        let count = nanos / scale;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            nanos %= scale;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("+5s", 5_000_000_000),
            ("30s", 30_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("2h45m", 9_900_000_000_000),
            ("1m0.5s", 60_500_000_000),
            ("100ms", 100_000_000),
            ("3us", 3_000),
            ("3\u{b5}s", 3_000),
            ("168h", 604_800_000_000_000),
            ("0.3333333333333333333h", 1_199_999_999_999),
            (".000000000001945h", 7),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses_in_words() {
        assert_eq!(parse(""), Err(NotADuration::Empty));
        assert_eq!(parse("-1s"), Err(NotADuration::Negative("-1s".into())));
        assert_eq!(parse("300000h1s"), Ok(Duration::from_secs(300_000 * 3600 + 1)));
        assert_eq!(parse("3000000h"), Err(NotADuration::TooLong("3000000h".into())));
        let huge = format!("{}s", "9".repeat(40));
        assert_eq!(parse(&huge), Err(NotADuration::TooLong(huge.clone())));
        for text in ["s", ".s", "1 s", "1d", "1..5s", "1s5", "+", "1\u{20ac}", "five"] {
            assert_eq!(parse(text), Err(NotADuration::Syntax(text.into())), "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_told_its_unit() {
        let error = parse("30").unwrap_err();
        assert_eq!(error, NotADuration::NoUnit("30".into()));
        assert!(error.to_string().contains("\"30s\""));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos in 0..=i64::MAX as u64) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            if let Ok(duration) = parse(&text) {
                prop_assert_eq!(parse(&format(duration)), Ok(duration));
            }
        }
    }
}
