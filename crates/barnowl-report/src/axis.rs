//! Scales from values to pixels, and axes with round tick values.

use super::svg::Svg;
use super::text::{Anchor, Style};
use super::{FAINT, GRID};

/// The size of tick labels.
pub(super) const LABEL: f64 = 11.0;

/// A map from values to pixels, linear or logarithmic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// The values at the ends; their decadic logarithms if `log`.
    low: f64,
    high: f64,
    /// The pixels at the ends.
    from: f64,
    to: f64,
    log: bool,
    /// Whether only whole numbers are marked.
    whole: bool,
}

/// A marked value; ticks without a label are the minor ones of a logarithmic axis.
#[derive(Debug, PartialEq)]
pub(super) struct Tick {
    pub value: f64,
    pub label: Option<String>,
}

impl Scale {
    /// A linear scale; an empty span of values is widened.
    pub fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let least = 1e-9 * low.abs().max(high.abs());
        let margin = if high - low > least {
            0.0
        } else if low == 0.0 {
            0.5
        } else {
            0.1 * low.abs()
        };
        Self { low: low - margin, high: high + margin, from, to, log: false, whole: false }
    }

    /// A logarithmic scale of positive values; an empty span is widened.
    pub fn log((low, high): (f64, f64), pixels: (f64, f64)) -> Self {
        let (low, high) = (low.log10(), high.log10());
        let margin = if high - low > 1e-6 { 0.0 } else { 0.15 };
        Self { log: true, ..Self::linear((low - margin, high + margin), pixels) }
    }

    /// Marks whole numbers only.
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The same with `share` of the span added at both ends.
    pub fn padded(self, share: f64) -> Self {
        let margin = (self.high - self.low) * share;
        Self { low: self.low - margin, high: self.high + margin, ..self }
    }

    /// The same without what is beyond the limits of what there can be, if anything is left.
    pub fn within(self, (least, most): (f64, f64)) -> Self {
        let (low, high) = (self.low.max(least), self.high.min(most));
        if low < high { Self { low, high, ..self } } else { self }
    }

    /// The values at the ends.
    pub fn domain(&self) -> (f64, f64) {
        if self.log {
            (10_f64.powf(self.low), 10_f64.powf(self.high))
        } else {
            (self.low, self.high)
        }
    }

    /// The pixel of a value; `None` if it cannot be drawn.
    pub fn at(&self, value: f64) -> Option<f64> {
        let value = if self.log { value.log10() } else { value };
        super::drawable(value).then(|| {
            self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
        })
    }

    /// Round values, one in about `distance` pixels.
    pub fn ticks(&self, distance: f64) -> Vec<Tick> {
        let count = ((self.to - self.from).abs() / distance).max(1.0);
        let span = self.high - self.low;
        if self.log && span > 0.7 {
            self.log_ticks(span / count)
        } else if self.log {
            let (low, high) = self.domain();
            linear_ticks(low, high, (high - low) / count)
        } else {
            let least = if self.whole { 1.0 } else { 0.0 };
            linear_ticks(self.low, self.high, (span / count).max(least))
        }
    }

    /// Powers of ten at least `step` decades apart; 1, 2, 5 where there is room; minor ticks at the other digits.
    fn log_ticks(&self, step: f64) -> Vec<Tick> {
        let stride = step.ceil().max(1.0) as i32;
        let digits: &[u8] = if step < 0.34 { &[1, 2, 5] } else { &[1] };
        let mut ticks = Vec::new();
        for exponent in (self.low.floor() as i32)..=(self.high.ceil() as i32) {
            let marked = exponent.rem_euclid(stride) == 0;
            for digit in 1..=9_u8 {
                let value = f64::from(digit) * 10_f64.powi(exponent);
                let inside = (self.low - 1e-9..=self.high + 1e-9).contains(&value.log10());
                if inside && (stride == 1 || digit == 1 && marked) {
                    let label = digits.contains(&digit).then(|| power(digit, exponent));
                    ticks.push(Tick { value, label });
                }
            }
        }
        ticks
    }
}

/// Multiples of 1, 2 or 5 times a power of ten, no closer than `step`.
fn linear_ticks(low: f64, high: f64, step: f64) -> Vec<Tick> {
    let magnitude = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * magnitude >= step * (1.0 - 1e-9))
        .unwrap_or(10.0);
    let step = factor * magnitude;
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    // Rounding must not make the number of ticks depend on how large the values are.
    let count = (last - first).clamp(0.0, 100.0) as usize + usize::from(last >= first);
    (0..count)
        .map(|i| {
            let value = (first + i as f64) * step;
            let label = Some(number(value, step, low.abs().max(high.abs())));
            Tick { value, label }
        })
        .collect()
}

/// A multiple of `step`, with as many decimals as that takes; `largest` decides whether a power of ten is split off.
fn number(value: f64, step: f64, largest: f64) -> String {
    let last_digit = (step.log10() + 1e-9).floor() as i32;
    let text = if value == 0.0 {
        "0".to_owned()
    } else if last_digit < -4 || largest >= 1e5 {
        let exponent = largest.log10().floor() as i32;
        let decimals = usize::try_from(exponent - last_digit).unwrap_or(0);
        let mantissa = value / 10_f64.powi(exponent);
        format!("{mantissa:.decimals$}×10{}", superscript(exponent))
    } else {
        let decimals = usize::try_from(-last_digit).unwrap_or(0);
        format!("{value:.decimals$}")
    };
    text.replace('-', "−")
}

/// `digit · 10^exponent` in the shortest form that is easily read.
fn power(digit: u8, exponent: i32) -> String {
    match (digit, exponent) {
        (_, 0..=4) => (u64::from(digit) * 10_u64.pow(exponent.unsigned_abs())).to_string(),
        (_, -3..0) => {
            let decimals = exponent.unsigned_abs() as usize;
            format!("{:.decimals$}", f64::from(digit) * 10_f64.powi(exponent))
        }
        (1, _) => format!("10{}", superscript(exponent)),
        _ => format!("{digit}×10{}", superscript(exponent)),
    }
}

fn superscript(exponent: i32) -> String {
    let raise = |digit| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' => '⁰',
        digit => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    exponent.to_string().chars().map(raise).collect()
}

/// Grid lines and labels of a vertical axis at `left`; the lines reach to `right`.
pub(super) fn vertical(svg: &mut Svg, scale: &Scale, left: f64, right: f64) {
    let style = Style::new(LABEL).anchor(Anchor::End).fill(FAINT);
    let mut last = f64::INFINITY;
    for tick in scale.ticks(28.0) {
        let Some(y) = scale.at(tick.value) else {
            continue;
        };
        let Some(label) = tick.label else {
            svg.line((left - 3.0, y), (left, y), GRID, 1.0);
            continue;
        };
        svg.line((left, y), (right, y), GRID, 1.0);
        if last - y >= LABEL + 3.0 {
            svg.text((left - 6.0, y + 0.36 * LABEL), style, &label);
            last = y;
        }
    }
}

/// The line, ticks and labels of a horizontal axis at `y`.
pub(super) fn horizontal(svg: &mut Svg, scale: &Scale, y: f64) {
    let style = Style::new(LABEL).anchor(Anchor::Middle).fill(FAINT);
    svg.line((scale.from, y), (scale.to, y), FAINT, 1.0);
    let mut last = f64::NEG_INFINITY;
    for tick in scale.ticks(60.0) {
        let Some(x) = scale.at(tick.value) else {
            continue;
        };
        let length = if tick.label.is_some() { 5.0 } else { 3.0 };
        svg.line((x, y), (x, y + length), FAINT, 1.0);
        let Some(label) = tick.label else { continue };
        let half = style.width(&label) / 2.0;
        if x - half >= last {
            svg.text((x, y + 6.0 + LABEL), style, &label);
            last = x + half + 6.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(scale: Scale, distance: f64) -> Vec<String> {
        scale.ticks(distance).into_iter().filter_map(|tick| tick.label).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        let scale = |low, high| Scale::linear((low, high), (0.0, 100.0));
        assert_eq!(labels(scale(0.0, 1.0), 25.0), ["0", "0.5", "1.0"]);
        assert_eq!(labels(scale(-3.0, 9.0), 25.0), ["0", "5"]);
        assert_eq!(labels(scale(-4.0, 4.0), 50.0), ["0"]);
        assert_eq!(labels(scale(-4.0, 4.0), 25.0), ["−4", "−2", "0", "2", "4"]);
        assert_eq!(labels(scale(0.0, 3e-5), 25.0), ["0", "1×10⁻⁵", "2×10⁻⁵", "3×10⁻⁵"]);
        assert_eq!(labels(scale(0.0, 2e6), 50.0), ["0", "1×10⁶", "2×10⁶"]);
        assert_eq!(labels(scale(1.0, 3.0).whole(), 10.0), ["1", "2", "3"]);
    }

    #[test]
    fn log_ticks_are_decades_or_finer() {
        let scale = |low, high| Scale::log((low, high), (0.0, 100.0));
        assert_eq!(labels(scale(3.0, 120.0), 10.0), ["5", "10", "20", "50", "100"]);
        assert_eq!(
            labels(scale(1e-5, 1e3), 10.0),
            ["10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1", "10", "100", "1000"]
        );
        assert_eq!(labels(scale(1e-40, 1e40), 25.0), ["10⁻⁴⁰", "10⁻²⁰", "1", "10²⁰", "10⁴⁰"]);
        assert_eq!(labels(scale(20.0, 40.0), 25.0), ["20", "25", "30", "35", "40"]);
    }

    proptest! {
        #[test]
        fn ticks_are_inside_few_and_told_apart(
            a in -300..300_i32, b in -300..300_i32, sign in 0..3, log: bool, pixels in 40.0..1000.0_f64,
        ) {
            let (a, b) = (10_f64.powi(a), 10_f64.powi(b));
            let (low, high) = if log || sign == 0 {
                (a.min(b), a.max(b))
            } else if sign == 1 {
                (-a, b)
            } else {
                (-a.max(b), -a.min(b))
            };
            let make = if log { Scale::log } else { Scale::linear };
            let scale = make((low, high), (0.0, pixels));
            let ticks = scale.ticks(40.0);
            let labels: Vec<_> = ticks.iter().filter_map(|tick| tick.label.as_ref()).collect();
            prop_assert!(!labels.is_empty() || log);
            prop_assert!(labels.len() as f64 <= 4.0 + pixels / 13.0, "{:?}", labels);
            let distinct: std::collections::BTreeSet<_> = labels.iter().collect();
            prop_assert_eq!(distinct.len(), labels.len(), "{:?}", labels);
            for tick in &ticks {
                let at = scale.at(tick.value);
                prop_assert!(at.is_some_and(|at| at > -0.5 && at < pixels + 0.5), "{:?} at {:?}", tick, at);
            }
        }
    }
}
