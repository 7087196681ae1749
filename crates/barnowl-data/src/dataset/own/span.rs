//! When events were, and what the unit of their times likely is where it was taken for another.

use super::binning::Binning;
use super::unit::TimeUnit;

/// When the events of a recording were.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) events: usize,
    /// In the unit of the column.
    pub(super) first: f64,
    pub(super) last: f64,
}

/// Recordings of more steps are not believed to be meant.
const MOST: f64 = 20_000.0;
/// With an event in fewer steps than one in so many, a unit is not believed.
const STEPS_PER_EVENT: f64 = 1000.0;

/// What to do about times that make no sense in the unit and from the origin that the task gives them, from the most likely
/// reason on.
pub(super) fn remedy(span: Span, binning: Binning) -> String {
    let step = binning.step_in_times();
    let lasted = span.last - span.first;
    // A clock that was not set to zero when the recording began.
    let counts_from_elsewhere = binning.counts_from_zero()
        && span.events > 1
        && (span.first < 0.0 || span.first > 10.0 * lasted.max(step));
    let steps = if counts_from_elsewhere { lasted } else { span.last } / step;
    // One event by itself says nothing of its unit.
    let likely = |steps: f64| {
        span.events > 1
            && (1.0..=MOST).contains(&steps)
            && span.events as f64 * STEPS_PER_EVENT >= steps
    };
    let origin = "times count from the start of the recording: subtract that of the first event from all, or set \
                  origin = \"first_event\"";
    let unit = match likely(steps) {
        true => None,
        false => [1e3, 1e6, 1e9].into_iter().find(|factor| likely(steps / factor)),
    };
    match (counts_from_elsewhere, unit) {
        (true, None) => origin.to_owned(),
        (true, Some(factor)) => format!("{origin}; and {}", finer(binning, factor)),
        (false, Some(factor)) => finer(binning, factor),
        (false, None) => format!(
            "{}: take a longer step, or only the beginning of each recording with dataset.steps",
            unit_of_step(binning)
        ),
    }
}

/// What to do about times that all fall into one step.
pub(super) fn remedy_of_one_step(span: Span, binning: Binning) -> String {
    let steps = (span.last - span.first) / binning.step_in_times();
    let likely = |factor: &f64| (2.0..=MOST).contains(&(steps * factor));
    match [1e3, 1e6, 1e9].into_iter().find(likely) {
        Some(factor) => finer(binning, 1.0 / factor),
        None => format!("{}: take a shorter step", unit_of_step(binning)),
    }
}

fn unit_of_step(binning: Binning) -> String {
    match binning.unit {
        Some(unit) => {
            format!("step is {} s, and times are {} by unit", binning.step, unit.plural())
        }
        None => "step is in the unit of the column time, unless unit names that one".to_owned(),
    }
}

/// What to do about times in a unit that is finer than the one assumed.
fn finer(binning: Binning, factor: f64) -> String {
    let Binning { step, unit, .. } = binning;
    let per_second = unit.map_or(1.0, TimeUnit::per_second) * factor;
    let found = TimeUnit::ALL.into_iter().find(|found| {
        let ratio = found.per_second() / per_second;
        (0.999..1.001).contains(&ratio)
    });
    match (unit, found) {
        (Some(unit), Some(found)) => format!(
            "the times look like {}, not {}: set unit = \"{}\"",
            found.plural(),
            unit.plural(),
            found.name()
        ),
        (Some(unit), None) => format!("the times do not look like {}: check unit", unit.plural()),
        // A step below one, beside times a thousand times finer or more, is one in seconds.
        (None, Some(found)) if step < 1.0 => format!(
            "step is in the unit of the column time: if that is {}, and step is {step} s, set step = {}, or unit = \
             \"{}\" beside this step",
            found.plural(),
            round(step * factor),
            found.name()
        ),
        (None, _) => format!(
            "step is in the unit of the column time: it looks as if step should be {}",
            round(step * factor)
        ),
    }
}

/// Without the noise of the last digits.
fn round(value: f64) -> f64 {
    format!("{value:.12e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likely_unit_is_named() {
        let span = |events, first, last| Span { events, first, last };
        let seconds = Binning::new(4, 0.001);
        let milliseconds = Binning { unit: Some(TimeUnit::Ms), ..seconds };
        let ticks = Binning::new(4, 1.0);
        for (span, binning, expected) in [
            (span(19, 0.0, 92_000.0), seconds, "set step = 1000, or unit = \"us\""),
            (span(500, 0.0, 2000.0), seconds, "set step = 1, or unit = \"ms\""),
            (span(500, 0.0, 2e9), seconds, "unit = \"ns\""),
            (span(19, 1.7e9, 1.7e9 + 0.5), seconds, "subtract that of the first event"),
            (span(19, 1.7e12, 1.7e12 + 500.0), seconds, "origin = \"first_event\"; and step is in"),
            (span(19, -0.5, 0.5), seconds, "origin = \"first_event\""),
            (span(500, 0.0, 2e6), milliseconds, "look like microseconds, not milliseconds"),
            (span(500, 0.0, 2e6), ticks, "step should be 1000"),
            (span(1, 5e7, 5e7), ticks, "take a longer step"),
        ] {
            let remedy = remedy(span, binning);
            assert!(remedy.contains(expected), "{span:?}: {remedy}");
        }
        let coarse = Binning::new(4, 1000.0);
        assert!(remedy_of_one_step(span(50, 0.0, 2.0), coarse).contains("should be 1"));
        assert!(remedy_of_one_step(span(50, 0.0, 2.0), milliseconds).contains("unit = \"s\""));
    }
}
