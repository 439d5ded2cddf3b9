//! Scales for people: round ticks, class breaks, numbers and moments in words. Pure functions.

/// A round step, 1, 2 or 5 times a power of ten, that divides `span` into at most `steps` parts.
pub(crate) fn round_step(span: f64, steps: u32) -> f64 {
    if !(span.is_finite() && span > 0.0) {
        return 1.0;
    }
    let raw = span / f64::from(steps.max(1));
    let power = 10.0_f64.powf(raw.log10().floor());
    // A hair of slack, so that rounding does not turn an exact 1, 2 or 5 into the next one.
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * power >= raw * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// The largest 1, 2 or 5 times a power of ten that is not above a positive value.
pub(crate) fn round_below(value: f64) -> f64 {
    let power = 10.0_f64.powf(value.log10().floor());
    // A hair of slack, as above.
    [10.0, 5.0, 2.0].into_iter().map(|f| f * power).find(|s| *s <= value * (1.0 + 1e-9)).unwrap_or(power)
}

/// Ticks from 0 to at least `top` in at most `steps` round steps.
pub(crate) fn ticks(top: f64, steps: u32) -> Vec<f64> {
    let step = round_step(top, steps);
    let count = if top > 0.0 { (top / step - 1e-9).ceil().max(1.0) as u32 } else { 1 };
    (0..=count).map(|i| f64::from(i) * step).collect()
}

/// Round class bounds on the ladder 1, 2, 5, 10 ...: the top one at or below the given quantile of the
/// positive values, the others the next rungs below it. Rising; the last class is open. Bounds up to 1
/// are left out where values are counts of many. Shape: at most `count`.
pub(crate) fn class_breaks(values: &[f64], top_quantile: f64, count: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite() && *v > 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return Vec::new() };
    let top = round_below(sorted[(top_quantile * last as f64).round() as usize]);
    let mut breaks: Vec<f64> = std::iter::successors(Some(top), |&at| Some(round_below(at * 0.75)))
        .take(count)
        .filter(|&at| at > 1.0 || top <= 5.0)
        .collect();
    breaks.reverse();
    breaks
}

/// The class of a value: how many breaks it reaches.
pub(crate) fn class_of(value: f64, breaks: &[f64]) -> usize {
    breaks.iter().filter(|&&at| value >= at).count()
}

/// A number with thousands separated and about three figures after that.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        v if !(1e-9..100.0).contains(&v) => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("\u{2212}", rest));
    let (whole, fraction) = text.split_once('.').map_or((text, ""), |(whole, fraction)| (whole, fraction));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}

/// `hh:mm` of a local Unix time in milliseconds.
pub(crate) fn clock(local_ms: i64) -> String {
    let minute = local_ms.div_euclid(60_000).rem_euclid(24 * 60);
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `Tuesday 5 March 2024` of a local Unix time in milliseconds (days to civil date after Hinnant 2013,
/// "chrono-compatible low-level date algorithms").
pub(crate) fn date(local_ms: i64) -> String {
    const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let days = local_ms.div_euclid(86_400_000);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = year_of_era + era * 400 + i64::from(month < 2);
    format!("{} {day} {} {year}", DAYS[days.rem_euclid(7) as usize], MONTHS[month as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(ticks(96_000.0, 4), [0.0, 50_000.0, 100_000.0]);
        assert_eq!(ticks(100.0, 5), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(0.0, 4), [0.0, 1.0]);
        for (value, below) in [(130.0, 100.0), (200.0, 200.0), (499.0, 200.0), (999.0, 500.0), (0.7, 0.5)] {
            assert!((round_below(value) - below).abs() < 1e-9, "{value}: {}", round_below(value));
        }
        assert_eq!(round_step(f64::NAN, 4).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn classes_rise_and_take_every_value() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let breaks = class_breaks(&values, 0.97, 4);
        assert_eq!(breaks, [50.0, 100.0, 200.0, 500.0]);
        assert_eq!((class_of(0.0, &breaks), class_of(100.0, &breaks), class_of(5e6, &breaks)), (0, 2, 4));
        assert!(class_breaks(&[0.0, f64::NAN], 0.5, 4).is_empty());
        assert_eq!(class_breaks(&[12.0; 9], 0.9, 4), [2.0, 5.0, 10.0], "no class under one person");
        assert_eq!(class_breaks(&[0.3; 9], 0.9, 2).len(), 2);
    }

    #[test]
    fn words() {
        let cases = [(98_392.4, "98,392"), (-1234.0, "\u{2212}1,234"), (12.34, "12.3"), (0.5, "0.5"), (0.0, "0")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!((clock(1_709_596_800_000 + 3_600_000), clock(-60_000)), ("01:00".into(), "23:59".into()));
        assert_eq!(date(1_709_596_800_000), "Tuesday 5 March 2024");
        assert_eq!(date(1_709_164_800_000), "Thursday 29 February 2024");
        assert_eq!(date(-1), "Wednesday 31 December 1969");
    }
}
