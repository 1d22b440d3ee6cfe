//! What many runs say: medians, the middle half of all, ratios of runs that followed each other, and growth.

/// The value below which that part of all lies.
pub fn at(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

/// The median.
pub fn median(values: &[f64]) -> f64 {
    at(values, 0.5)
}

/// The median, and between which two the middle half lies.
pub fn spread(values: &[f64], unit: &str) -> String {
    format!("{:.3}{unit} ({:.3} to {:.3})", median(values), at(values, 0.25), at(values, 0.75))
}

/// How many times as long each run took as the one of the other that was made in the same turn.
pub fn ratios(own: &[f64], its: &[f64]) -> Vec<f64> {
    own.iter().zip(its).map(|(own, its)| own / its).collect()
}

/// How much more each run took than the one of the other that was made in the same turn.
pub fn differences(own: &[f64], its: &[f64]) -> Vec<f64> {
    own.iter().zip(its).map(|(own, its)| own - its).collect()
}

/// What something becomes as a number grows, and what each more costs.
pub fn growth(few: (usize, f64), many: (usize, f64), scale: f64, unit: &str) -> String {
    let each = (many.1 - few.1) * scale / (many.0 as f64 - few.0 as f64);
    format!("{:.2} times as much, {each:.3} {unit} for each more", many.1 / few.1)
}
