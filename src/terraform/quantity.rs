//! Durations and sizes: the user's text is kept, its meaning is compared.

use super::{Builder, Diagnostic, Field, Result, Value};
use std::{borrow::Cow, fmt, str::FromStr};

/// A length of time as Go and Docker write it: `"30s"`, `"1m30s"`, `"100ms"`, `"1.5h"`.
///
/// The text is the user's, the meaning is nanoseconds: `"60s"` and `"1m"` are equal, and no difference in a plan.
#[derive(Clone)]
pub struct Duration {
    text: Cow<'static, str>,
    nanos: i64,
}

/// The units of a duration and their nanoseconds, from the largest to the smallest.
const TIME_UNITS: [(&str, i64); 8] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    // As Go does, the micro sign and the Greek letter that looks like it.
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ns", 1),
];

impl Duration {
    /// So many nanoseconds, as the Engine counts.
    pub fn from_nanos(nanos: i64) -> Self {
        let mut rest = nanos.max(0);
        let mut text = String::new();
        for (unit, size) in TIME_UNITS.iter().filter(|(unit, _)| unit.is_ascii()) {
            if rest >= *size {
                text.push_str(&format!("{}{unit}", rest / size));
                rest %= size;
            }
        }
        if text.is_empty() {
            text.push_str("0s");
        }
        Duration { text: text.into(), nanos: nanos.max(0) }
    }

    /// A few minutes, as a constant: 1, 5, 10, 20 or 60 of them.
    pub const fn minutes(minutes: i64) -> Self {
        let text = match minutes {
            1 => "1m",
            5 => "5m",
            10 => "10m",
            20 => "20m",
            60 => "60m",
            _ => panic!("give this number of minutes its text above"),
        };
        Duration { text: Cow::Borrowed(text), nanos: minutes * 60_000_000_000 }
    }

    /// So many seconds.
    pub fn from_secs(seconds: i64) -> Self {
        Duration::from_nanos(seconds.saturating_mul(1_000_000_000))
    }

    /// A length of time of the standard library.
    pub fn from_std(duration: std::time::Duration) -> Self {
        Duration::from_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Nanoseconds, as the Engine counts.
    pub fn nanos(&self) -> i64 {
        self.nanos
    }

    /// The same length of time for the standard library.
    pub fn to_std(&self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.nanos.unsigned_abs())
    }
}

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            "a duration is a number and a unit (h, m, s, ms, us, ns), such as \"30s\" or \"1m30s\"".to_owned()
        };
        if text == "0" {
            return Ok(Duration { text: text.to_owned().into(), nanos: 0 });
        }
        let mut nanos: i64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(refuse)?;
            let (number, tail) = rest.split_at(digits);
            let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(end);
            let size = TIME_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refuse)?.1;
            nanos = nanos.checked_add(scaled(number, size).ok_or_else(refuse)?).ok_or_else(refuse)?;
            rest = tail;
        }
        if text.is_empty() { Err(refuse()) } else { Ok(Duration { text: text.to_owned().into(), nanos }) }
    }
}

/// A decimal number times a whole one, cut to a whole one.
fn scaled(number: &str, size: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    if !fraction.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Beyond 18 digits nothing can count any more; the cut keeps the product within 128 bits.
    let digits = &fraction[..fraction.len().min(18)];
    let numerator: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let part = numerator * i128::from(size) / 10_i128.pow(u32::try_from(digits.len()).ok()?);
    whole.checked_mul(size)?.checked_add(i64::try_from(part).ok()?)
}

/// A number of bytes: `"512MiB"`, `"1GiB"`, `"64k"` (Docker's short units are binary too), `"1048576"`.
///
/// The text is the user's, the meaning is bytes: `"1GiB"` and `"1024MiB"` are equal, and no difference in a plan.
#[derive(Clone)]
pub struct Size {
    text: Cow<'static, str>,
    bytes: i64,
}

impl Size {
    /// So many bytes.
    pub fn from_bytes(bytes: i64) -> Self {
        let (mut number, mut unit) = (bytes, "");
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            if number == 0 || number % 1024 != 0 {
                break;
            }
            number /= 1024;
            unit = larger;
        }
        Size { text: format!("{number}{unit}").into(), bytes }
    }

    /// The number of bytes.
    pub fn bytes(&self) -> i64 {
        self.bytes
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            "a size is a number and a unit (KiB, MiB, GiB, TiB or k, m, g, t), such as \"512MiB\"".to_owned()
        };
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let power = match unit.trim_start() {
            "" | "b" | "B" => 0,
            "KiB" | "k" | "K" => 1,
            "MiB" | "m" | "M" => 2,
            "GiB" | "g" | "G" => 3,
            "TiB" | "t" | "T" => 4,
            "kB" | "KB" | "MB" | "GB" | "TB" => {
                return Err(format!(
                    "the unit {unit} is binary to some and decimal to others; write {}iB (1024) instead",
                    unit[..1].to_uppercase()
                ));
            }
            _ => return Err(refuse()),
        };
        let bytes = scaled(number, 1024_i64.pow(power)).ok_or_else(refuse)?;
        Ok(Size { text: text.to_owned().into(), bytes })
    }
}

macro_rules! quantity {
    ($type:ident, $meaning:ident, $what:literal) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.$meaning == other.$meaning
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl Field for $type {
            type Known = Self;
            fn attribute() -> Builder<Self> {
                fn meaning(value: &Value) -> Option<i64> {
                    Some($type::from_str(value.as_str()?).ok()?.$meaning)
                }
                String::attribute()
                    .of::<Self>()
                    .must_decode()
                    .same(|a, b| meaning(a).is_some_and(|a| meaning(b) == Some(a)))
            }
            fn decode(value: Value) -> Result<Self> {
                String::decode(value)?
                    .parse()
                    .map_err(|rule: String| Diagnostic::error(concat!("Not a ", $what), format!("{rule}.")))
            }
            fn encode(self) -> Value {
                Value::String(self.text.into_owned())
            }
        }
    };
}

quantity!(Duration, nanos, "duration");
quantity!(Size, bytes, "size");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_mean_what_go_means() {
        for (text, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("1ns", 1),
            ("1.5h", 5_400_000_000_000),
            ("1m30s", 90_000_000_000),
            ("100ms", 100_000_000),
            (".5s", 500_000_000),
        ] {
            assert_eq!(text.parse::<Duration>().unwrap().nanos(), nanos, "{text}");
        }
        for text in ["", "30", "s", "1d", "-1s", "1 s", "1..5s", "99999999h"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_the_engine_counts_is_written_shortly() {
        for (nanos, text) in
            [(0, "0s"), (90_000_000_000, "1m30s"), (10_000_000_000, "10s"), (1_500_000, "1ms500us")]
        {
            assert_eq!(Duration::from_nanos(nanos).to_string(), text);
            assert_eq!(text.parse::<Duration>().unwrap().nanos(), nanos);
        }
        for (bytes, text) in [(0, "0"), (1 << 29, "512MiB"), (1500, "1500"), (1 << 30, "1GiB")] {
            assert_eq!(Size::from_bytes(bytes).to_string(), text);
            assert_eq!(text.parse::<Size>().unwrap().bytes(), bytes);
        }
    }

    #[test]
    fn sizes_are_binary_and_refuse_the_ambiguous() {
        for (text, bytes) in
            [("512MiB", 1 << 29), ("64k", 65536), ("1.5g", 3 << 29), ("10", 10), ("1 GiB", 1 << 30)]
        {
            assert_eq!(text.parse::<Size>().unwrap().bytes(), bytes, "{text}");
        }
        assert!("512MB".parse::<Size>().unwrap_err().contains("MiB"));
        for text in ["", "MiB", "1x", "-1"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_the_engine_counts_comes_back(count in 0..=i64::MAX, minutes in 0..=100_000_i64) {
            for nanos in [count, minutes * 60_000_000_000] {
                let written = Duration::from_nanos(nanos);
                prop_assert_eq!(written.nanos(), nanos);
                prop_assert_eq!(written.to_string().parse::<Duration>(), Ok(written.clone()));
                prop_assert_eq!(Duration::from_std(written.to_std()), written);
            }
            for bytes in [count, minutes << 20] {
                let written = Size::from_bytes(bytes);
                prop_assert_eq!(written.bytes(), bytes);
                prop_assert_eq!(written.to_string().parse::<Size>(), Ok(written));
            }
        }

        #[test]
        fn the_text_is_kept_and_none_makes_it_panic(text in "\\PC{0,30}") {
            if let Ok(duration) = text.parse::<Duration>() {
                prop_assert_eq!(duration.to_string(), text.as_str());
            }
            if let Ok(size) = text.parse::<Size>() {
                prop_assert_eq!(size.to_string(), text.as_str());
            }
        }
    }
}
