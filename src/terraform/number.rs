//! Terraform's numbers: decimal, of any precision.

use bigdecimal::{BigDecimal, ToPrimitive, num_bigint::BigInt};
use std::{fmt, str::FromStr};

/// A number as Terraform has it: decimal and of any precision, so that `0.1` stays `0.1`.
///
/// Equality is by value: `1.0` equals `1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(BigDecimal);

/// Exponents beyond this are printed in scientific notation, so that `1e1000000000` does not fill the memory.
const PLAIN_DIGITS: i64 = 4096;

impl Number {
    /// The value as an integer, unless it has a fraction or does not fit.
    pub fn to_i64(&self) -> Option<i64> {
        self.0.is_integer().then(|| self.0.to_i64()).flatten()
    }

    /// The nearest binary fraction, for the Engine's floats.
    pub fn to_f64(&self) -> Option<f64> {
        self.0.to_f64()
    }

    /// The binary fraction that is exactly this number, if there is one.
    ///
    /// `0.5` has one, `0.1` has none: sent as a float it would come back as another number.
    pub fn to_exact_f64(&self) -> Option<f64> {
        let float = self.0.to_f64().filter(|float| float.is_finite())?;
        (BigDecimal::try_from(float).ok()? == self.0).then_some(float)
    }

    /// The number that a binary fraction stands for in text: `0.1f64` is `0.1`.
    pub fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        float.to_string().parse().ok()
    }

    /// The number that is exactly this binary fraction.
    pub fn from_exact_f64(float: f64) -> Option<Self> {
        BigDecimal::try_from(float).ok().map(Number)
    }

    /// This number times ten to the power of `digits`, if that is an integer: CPUs to nano-CPUs.
    pub fn scaled(&self, digits: i64) -> Option<i64> {
        Number(&self.0 * BigDecimal::new(BigInt::from(1), -digits)).to_i64()
    }

    /// The number that is `value` divided by ten to the power of `digits`: nano-CPUs to CPUs.
    pub fn unscaled(value: i64, digits: i64) -> Self {
        Number(BigDecimal::new(BigInt::from(value), digits).normalized())
    }
}

impl Number {
    /// How many digits it has before or behind its point, whichever are more, if none is left out.
    pub fn longest_side(&self) -> u64 {
        let normal = self.0.normalized();
        let behind = normal.fractional_digit_count();
        let before = i64::try_from(normal.digits()).unwrap_or(i64::MAX).saturating_sub(behind);
        before.unsigned_abs().max(behind.unsigned_abs())
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number(BigDecimal::from(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Number(BigDecimal::from(value))
    }
}

impl FromStr for Number {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        BigDecimal::from_str(text).map(Number).map_err(|_| "not a decimal number".to_owned())
    }
}

impl fmt::Display for Number {
    /// Decimal text without trailing zeros: `1`, `0.1`, `12345678901234567890123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let normal = self.0.normalized();
        if normal.fractional_digit_count().abs() > PLAIN_DIGITS {
            write!(f, "{}", normal.to_scientific_notation())
        } else {
            write!(f, "{}", normal.to_plain_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn decimals_keep_their_text() {
        for text in ["0", "1", "-1", "0.1", "0.12345678901234567890123", "12345678901234567890123"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1.50").to_string(), "1.5");
        assert_eq!(number("1e3").to_string(), "1000");
        assert!(number("1e1000000000").to_string().len() < 40);
    }

    #[test]
    fn only_exact_floats_are_floats() {
        assert_eq!(number("0.5").to_exact_f64(), Some(0.5));
        assert_eq!(number("0.1").to_exact_f64(), None);
        assert_eq!(number("9007199254740993").to_exact_f64(), None);
        assert_eq!(Number::from_f64(0.1), Some(number("0.1")));
        assert_eq!(Number::from_f64(f64::INFINITY), None);
    }

    #[test]
    fn nano_cpus() {
        assert_eq!(number("0.25").scaled(9), Some(250_000_000));
        assert_eq!(number("0.0000000001").scaled(9), None);
        assert_eq!(Number::unscaled(1_500_000_000, 9).to_string(), "1.5");
    }

    proptest! {
        #[test]
        fn text_and_number_are_one(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{0,40}[1-9])?") {
            let wanted = if text == "-0" { "0" } else { text.as_str() };
            prop_assert_eq!(number(&text).to_string(), wanted);
        }

        #[test]
        fn a_float_is_exactly_itself(float in any::<f64>()) {
            match Number::from_exact_f64(float) {
                Some(exactly) => prop_assert_eq!(exactly.to_exact_f64(), Some(float)),
                None => prop_assert!(!float.is_finite()),
            }
            // What a float is written as may be another number, but leads back to the float.
            let written = Number::from_f64(float).and_then(|number| number.to_f64());
            prop_assert_eq!(written, Some(float).filter(|float| float.is_finite()));
        }

        #[test]
        fn nano_cpus_come_back(nanos in any::<i64>(), digits in 0..12_i64) {
            prop_assert_eq!(Number::unscaled(nanos, digits).scaled(digits), Some(nanos));
            prop_assert_eq!(Number::from(nanos).to_i64(), Some(nanos));
        }
    }
}
