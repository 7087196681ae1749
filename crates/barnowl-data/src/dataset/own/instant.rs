//! Instants as files give them, and the steps that they fall into.

use std::cmp::Ordering;

/// A time as it was written: kept digit by digit where it can be, for a clock that counts nanoseconds since 1970 has more digits
/// than a floating-point number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant {
    /// In units of 10⁻¹⁵ of that of the file; none of a number that has more decimals, or an exponent.
    exact: Option<i128>,
    value: f64,
}

const DECIMALS: usize = 15;

impl Instant {
    /// None of what is no finite number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let value = text.parse().ok().filter(|value: &f64| value.is_finite())?;
        Some(Self { exact: exact(text), value })
    }

    /// The time from zero on.
    pub(super) fn value(self) -> f64 {
        self.value
    }

    /// The time from `start` on.
    pub(super) fn since(self, start: Self) -> f64 {
        match (self.exact, start.exact) {
            (Some(end), Some(start)) => (end - start) as f64 / 10_f64.powi(DECIMALS as i32),
            _ => self.value - start.value,
        }
    }

    /// Which of two comes first.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.value.total_cmp(&other.value).then(self.exact.cmp(&other.exact))
    }
}

/// A decimal number without an exponent, in units of its fifteenth decimal.
fn exact(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = decimals.trim_end_matches('0');
    // At most 22 digits: a difference of two such numbers fits as well.
    let plain = [whole, decimals].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !plain || whole.len() > 22 || decimals.len() > DECIMALS {
        return None;
    }
    let size: i128 = format!("{whole}{decimals:0<DECIMALS$}").parse().ok()?;
    Some(if negative { -size } else { size })
}

/// The step that a time falls into, as a whole number; steps begin at multiples of `step`.
///
/// Times on this grid are rarely multiples of `step` to the last bit: 0.009 / 0.001 is a little less than 9. So a time belongs to
/// the step that begins within a millionth of a step after it; or, of times that were once 32-bit floats, within as much as
/// these are rounded by.
pub(super) fn step_of(time: f64, step: f64) -> f64 {
    /// What a 32-bit float is rounded by, at most, as a share of it.
    const ROUNDED: f64 = 6e-8;
    let at = time / step;
    let next = at.ceil();
    let tolerance = (ROUNDED * at).clamp(1e-6, 1e-3);
    if next - at <= tolerance { next } else { at.floor() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the digits, so they tell one step from the next.
        #[test]
        fn times_on_the_grid_are_in_their_own_step(
            k in 0_u32..1_000_000, which in 0..5_usize, unit in 0..4_usize, more in 0..10_usize, start: bool,
        ) {
            let step: f64 = [0.001, 0.02, 1.0 / 3.0, 1e-6, 0.0025][which];
            let per_second: f64 = [1.0, 1e3, 1e6, 1e9][unit];
            // A ten-millionth of a step is told apart.
            let needed = (-(step * per_second * 1e-7).log10()).ceil().max(0.0) as usize;
            let start = if start { 1_700_000_000.25 * per_second } else { 0.0 };
            let digits = needed + more;
            let text = |time: f64| format!("{time:.digits$}");
            let length = step * per_second;
            let time = Instant::parse(&text(f64::from(k) * length)).unwrap();
            prop_assert_eq!(step_of(time.value(), length), f64::from(k), "{:?}", time);
            // From the first event on, whatever the clock said.
            if start > 0.0 && needed <= DECIMALS {
                let first = Instant::parse(&format!("{start:.2}")).unwrap();
                let later = exact(&format!("{start:.2}")).unwrap()
                    + exact(&format!("{:.needed$}", f64::from(k) * length)).unwrap();
                let later = Instant { exact: Some(later), value: later as f64 / 1e15 };
                prop_assert_eq!(step_of(later.since(first), length), f64::from(k));
            }
        }
    }

    #[test]
    fn times_between_the_grid_are_in_the_step_before() {
        assert_eq!(step_of(0.009, 0.001), 9.0);
        assert_eq!(step_of(0.0099, 0.001), 9.0);
        assert_eq!(step_of(0.00999999, 0.001), 9.0, "a hundred-thousandth of a step early");
        assert_eq!(step_of(f64::from(0.06_f32), 0.02), 3.0);
        assert_eq!(step_of(f64::from(16.777_f32), 0.001), 16777.0);
        assert_eq!(step_of(-1e-12, 0.001), 0.0);
        assert!(step_of(-0.5, 1.0) < 0.0);
    }

    #[test]
    fn clocks_of_many_digits_lose_none() {
        let instant = |text| Instant::parse(text).unwrap();
        let (first, later) = (instant("1700000000123456789"), instant("1700000000123456790"));
        assert_eq!(later.since(first), 1.0);
        assert_eq!(first.order(&later), Ordering::Less);
        assert_eq!(instant("1700000000.123456789").since(instant("1700000000")), 0.123456789);
        assert_eq!(instant("2.5e3").since(instant("-0.5")), 2500.5);
        assert!(["", "nan", "inf", "1,5", "x"].iter().all(|text| Instant::parse(text).is_none()));
        assert!(["-", "1e3", "1.2.3", "."].iter().all(|text| exact(text) != Some(1)));
    }
}
