//! What a network gets: shapes, classes, ranges, events, in a few lines.

use super::{Dataset, Inputs, Targets, UNLABELLED};
use barnowl_base::words::{agreeing, counted};
use serde::Serialize;
use std::fmt;

/// What a data set is, to be looked at before training. Padding counts nowhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What the data are, in one line.
    pub origin: String,
    /// The number of sequences.
    pub sequences: usize,
    /// Steps of the shortest sequence, the median one and the longest.
    pub steps: [usize; 3],
    /// Steps a second, where the data say it.
    pub sampling_rate: Option<f64>,
    /// Whether there is a class at every step, or there are numbers, and not one a sequence.
    pub label_per_step: bool,
    /// The numbers that are to be found, in order; none where classes are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ChannelSummary>,
    /// The classes, in order.
    pub classes: Vec<ClassSummary>,
    /// Steps without a label, where there is a class at every step.
    pub unlabelled_steps: usize,
    /// The channels, in order.
    pub channels: Vec<ChannelSummary>,
    /// Whether the values are events of −1 and 1, and not real numbers.
    pub events: bool,
    /// Sequences in which every value is 0.
    pub silent_sequences: usize,
    /// The groups, such as subjects, and how many sequences each has.
    pub groups: Vec<(String, usize)>,
    /// What was left out, cut or merged while the data were read, and why.
    pub notes: Vec<String>,
}

/// How often there is a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassSummary {
    /// What it is called.
    pub name: String,
    /// Sequences of the class, or in which it occurs.
    pub sequences: usize,
    /// Steps of the class.
    pub steps: usize,
}

/// What the values of a channel are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelSummary {
    /// What it is called: its number, if it has no name.
    pub name: String,
    /// The smallest value.
    pub min: f32,
    /// The largest value.
    pub max: f32,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub sd: f64,
    /// The share of steps at which the value is not 0: of events, how many there are a step.
    pub active: f64,
}

impl ChannelSummary {
    /// Whether every value is 0.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.active == 0.0
    }

    /// Whether the mean differs from 0 by no more than rounding.
    #[must_use]
    pub fn is_centred(&self) -> bool {
        self.mean.abs() < 1e-6 * self.sd
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.sd.is_nan()
    }

    /// Whether every value is the same.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.min == self.max
    }
}

impl Dataset {
    /// What the data are, to be looked at before training.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut lengths: Vec<usize> = (0..self.samples).map(|n| self.length(n)).collect();
        lengths.sort_unstable();
        let (classes, unlabelled_steps) = match self.targets.values() {
            Some(_) => (Vec::new(), 0),
            None => self.summarize_classes(),
        };
        let (channels, silent_sequences) = self.summarize_channels();
        let of_group = |group: usize| {
            self.groups().unwrap_or_default().iter().filter(|of| **of as usize == group).count()
        };
        let groups = self.group_names().iter().enumerate();
        Summary {
            origin: self.origin.clone(),
            sequences: self.samples,
            steps: [lengths[0], lengths[self.samples / 2], lengths[self.samples - 1]],
            sampling_rate: self.sampling_rate(),
            label_per_step: self.targets.is_per_step(),
            values: self.summarize_values(),
            classes,
            unlabelled_steps,
            channels,
            events: matches!(self.inputs, Inputs::Events(_)),
            silent_sequences,
            groups: groups.map(|(group, name)| (name.clone(), of_group(group))).collect(),
            notes: self.notes().to_vec(),
        }
    }

    fn summarize_classes(&self) -> (Vec<ClassSummary>, usize) {
        let mut steps = vec![0; self.class_names.len()];
        let mut sequences = steps.clone();
        let mut unlabelled = 0;
        for sample in 0..self.samples {
            let length = self.length(sample);
            match &self.targets {
                Targets::PerSequence(classes) => {
                    steps[usize::from(classes[sample])] += length;
                    sequences[usize::from(classes[sample])] += 1;
                }
                Targets::PerStep(classes) => {
                    let mut seen = vec![false; steps.len()];
                    for class in &classes[sample * self.steps..][..length] {
                        if *class == UNLABELLED {
                            unlabelled += 1;
                            continue;
                        }
                        steps[usize::from(*class)] += 1;
                        seen[usize::from(*class)] = true;
                    }
                    sequences.iter_mut().zip(seen).for_each(|(n, seen)| *n += usize::from(seen));
                }
                Targets::ValuesPerStep(_) | Targets::ValuesPerSequence(_) => {}
            }
        }
        let counts = self.class_names.iter().zip(sequences.into_iter().zip(steps));
        let class = |(name, (sequences, steps)): (&String, _)| ClassSummary {
            name: name.clone(),
            sequences,
            steps,
        };
        (counts.map(class).collect(), unlabelled)
    }

    /// The numbers that are to be found, where they are known.
    fn summarize_values(&self) -> Vec<ChannelSummary> {
        let Some(values) = self.targets.values() else { return Vec::new() };
        let names = self.class_names.iter().enumerate();
        names
            .map(|(place, name)| {
                let mut range = Range::default();
                let of = values.iter().skip(place).step_by(self.class_names.len());
                // In their own unit, whatever they were brought to.
                let own = |x: f32| self.target_normalization().map_or(x, |by| by.undo(place, x));
                of.filter(|value| !value.is_nan()).for_each(|value| range.add(own(*value)));
                let count = range.count;
                range.summary(name.clone(), count)
            })
            .collect()
    }

    /// The channels, and how many sequences are 0 throughout.
    fn summarize_channels(&self) -> (Vec<ChannelSummary>, usize) {
        let mut all = vec![Range::default(); self.channels];
        let mut silent = 0;
        let mut row = vec![0.0; self.channels];
        for sample in 0..self.samples {
            let mut sounds = false;
            for at in sample * self.steps..sample * self.steps + self.length(sample) {
                if let Inputs::Events(events) = &self.inputs {
                    // Most values are 0: what these add is known.
                    sounds |= !events.row(at).is_empty();
                    events.signed(at).for_each(|(channel, x)| all[channel].add(f32::from(x)));
                    continue;
                }
                self.read(at, &mut row);
                sounds |= row.iter().any(|x| *x != 0.0);
                row.iter().zip(&mut all).for_each(|(x, range)| range.add(*x));
            }
            silent += usize::from(!sounds);
        }
        let total = self.total_steps();
        let name = |channel: usize| match self.channel_names().get(channel) {
            Some(name) => name.clone(),
            None => channel.to_string(),
        };
        let all = all.into_iter().enumerate();
        (all.map(|(channel, range)| range.summary(name(channel), total)).collect(), silent)
    }
}

/// Values of a channel; mean and deviation by Welford's sums.
#[derive(Debug, Clone)]
struct Range {
    min: f32,
    max: f32,
    count: usize,
    active: usize,
    mean: f64,
    squares: f64,
}

impl Default for Range {
    fn default() -> Self {
        let (min, max) = (f32::INFINITY, f32::NEG_INFINITY);
        Self { min, max, count: 0, active: 0, mean: 0.0, squares: 0.0 }
    }
}

impl Range {
    fn add(&mut self, x: f32) {
        (self.min, self.max) = (self.min.min(x), self.max.max(x));
        self.active += usize::from(x != 0.0);
        self.count += 1;
        let from_mean = f64::from(x) - self.mean;
        self.mean += from_mean / self.count as f64;
        self.squares += from_mean * (f64::from(x) - self.mean);
    }

    /// Of `total` values, of which those that were not added are 0.
    fn summary(mut self, name: String, total: usize) -> ChannelSummary {
        let zeros = total - self.count;
        if zeros > 0 {
            (self.min, self.max) = (self.min.min(0.0), self.max.max(0.0));
            let share = self.count as f64 / total as f64;
            self.squares += self.mean * self.mean * share * zeros as f64;
            self.mean *= share;
        }
        ChannelSummary {
            name,
            min: self.min,
            max: self.max,
            mean: self.mean,
            sd: (self.squares / total as f64).sqrt(),
            active: self.active as f64 / total as f64,
        }
    }
}

/// Channels, classes and groups that are listed one by one in text.
const MOST_LISTED: usize = 8;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "data       {}", self.origin)?;
        let [least, median, most] = self.steps;
        let steps = match least == most {
            true => counted(least, "step"),
            false => format!("{least} to {most} steps, median {median}"),
        };
        let seconds = match self.sampling_rate {
            Some(rate) if least == most => format!(" ({:.4} s)", least as f64 / rate),
            Some(rate) => format!(" ({:.4} to {:.4} s)", least as f64 / rate, most as f64 / rate),
            None => String::new(),
        };
        writeln!(
            f,
            "sequences  {} of {steps}{seconds}, {} of {}",
            self.sequences,
            counted(self.channels.len(), "channel"),
            if self.events { "events" } else { "real values" }
        )?;
        self.classes_in(f)?;
        self.channels_in(f)?;
        if self.silent_sequences > 0 {
            let are = agreeing(self.silent_sequences, "is", "are");
            let sequences = counted(self.silent_sequences, "sequence");
            writeln!(f, "silent     {sequences} {are} 0 throughout")?;
        }
        if !self.groups.is_empty() {
            let group = |(name, count): &(String, usize)| format!("{name} {count}");
            writeln!(f, "groups     {}", list(self.groups.iter().map(group).collect()))?;
        }
        for note in &self.notes {
            writeln!(f, "note       {note}")?;
        }
        Ok(())
    }
}

impl Summary {
    fn classes_in(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.values.is_empty() {
            return self.values_in(f);
        }
        let class = |class: &ClassSummary| {
            let count = if self.label_per_step { class.steps } else { class.sequences };
            format!("{} {count}", class.name)
        };
        let of = if self.label_per_step { "steps" } else { "sequences" };
        let all = list(self.classes.iter().map(class).collect());
        write!(f, "classes    {} ({of}): {all}", self.classes.len())?;
        match self.unlabelled_steps {
            0 => writeln!(f),
            n => writeln!(f, "; {} without a label", counted(n, "step")),
        }
    }

    fn values_in(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = if self.label_per_step { "a step" } else { "a sequence" };
        for value in self.values.iter().take(MOST_LISTED) {
            if value.is_unknown() {
                writeln!(f, "target     {} (a number {per}): not known anywhere", value.name)?;
                continue;
            }
            writeln!(
                f,
                "target     {} (a number {per}): {} to {}, mean {}, s.d. {}",
                value.name,
                digits(value.min.into()),
                digits(value.max.into()),
                digits(value.mean),
                digits(value.sd)
            )?;
        }
        match self.values.len().checked_sub(MOST_LISTED).filter(|n| *n > 0) {
            Some(more) => writeln!(f, "           and {more} more"),
            None => Ok(()),
        }
    }

    fn channels_in(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.events {
            let per_step: f64 = self.channels.iter().map(|channel| channel.active).sum();
            let busiest = self.channels.iter().max_by(|a, b| a.active.total_cmp(&b.active));
            write!(f, "events     {} a step in all channels", digits(per_step))?;
            match busiest {
                Some(busiest) => writeln!(
                    f,
                    "; busiest channel {}: {} a step",
                    busiest.name,
                    digits(busiest.active)
                )?,
                None => writeln!(f)?,
            }
        } else {
            for channel in self.channels.iter().take(MOST_LISTED) {
                writeln!(
                    f,
                    "channel    {}: {} to {}, mean {}, s.d. {}",
                    channel.name,
                    digits(channel.min.into()),
                    digits(channel.max.into()),
                    digits(if channel.is_centred() { 0.0 } else { channel.mean }),
                    digits(channel.sd)
                )?;
            }
            if let Some(more) = self.channels.len().checked_sub(MOST_LISTED).filter(|n| *n > 0) {
                let rest = &self.channels[MOST_LISTED..];
                let least = rest.iter().fold(f32::INFINITY, |least, of| least.min(of.min));
                let most = rest.iter().fold(f32::NEG_INFINITY, |most, of| most.max(of.max));
                let range = format!("{} to {}", digits(least.into()), digits(most.into()));
                writeln!(f, "           and {more} more: {range}")?;
            }
        }
        let names = |which: &dyn Fn(&ChannelSummary) -> bool| {
            let found: Vec<String> =
                self.channels.iter().filter(|c| which(c)).map(|c| c.name.clone()).collect();
            found
        };
        let silent = names(&ChannelSummary::is_silent);
        if !silent.is_empty() {
            let are = agreeing(silent.len(), "is", "are");
            let channels = counted(silent.len(), "channel");
            writeln!(f, "silent     {channels} {are} always 0: {}", list(silent))?;
        }
        let constant = names(&|channel| channel.is_constant() && !channel.is_silent());
        if !constant.is_empty() {
            let change = agreeing(constant.len(), "changes", "change");
            let channels = counted(constant.len(), "channel");
            writeln!(f, "constant   {channels} never {change}: {}", list(constant))?;
        }
        Ok(())
    }
}

/// The first of some names, and how many more there are.
fn list(names: Vec<String>) -> String {
    match names.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", names[..MOST_LISTED].join(", ")),
        None => names.join(", "),
    }
}

/// A number to four digits.
fn digits(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 {
        "0".into()
    } else if (1e-3..1e6).contains(&size) {
        let decimals = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
        let text = format!("{x:.decimals$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    } else {
        format!("{x:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::tests::small;
    use super::super::{Events, Inputs};
    use super::*;

    #[test]
    fn padding_counts_nowhere_and_zeros_of_events_do() {
        let values = vec![1.0, 5.0, 3.0, 5.0, 99.0, 99.0, 2.0, 5.0, 2.0, 5.0, 2.0, 5.0];
        let targets = Targets::PerStep(vec![0, 0, 1, 1, UNLABELLED, 1]);
        let names = ["rest", "move"].map(str::to_owned).to_vec();
        let data = Dataset::new([2, 3, 2], names.clone(), Inputs::Real(values), targets, "two")
            .and_then(|data| data.with_lengths(&[2, 3]))
            .and_then(|data| data.with_channel_names(vec!["x".into(), "y".into()]))
            .unwrap()
            .with_note("cut");
        let summary = data.summary();
        assert_eq!((summary.sequences, summary.steps), (2, [2, 3, 3]));
        let x = &summary.channels[0];
        assert_eq!((x.min, x.max, x.mean, x.active), (1.0, 3.0, 2.0, 1.0));
        assert!((x.sd - 0.4_f64.sqrt()).abs() < 1e-12);
        assert!(summary.channels[1].is_constant() && summary.unlabelled_steps == 1);
        let counts: Vec<_> = summary.classes.iter().map(|c| (c.sequences, c.steps)).collect();
        assert_eq!(counts, [(1, 2), (1, 2)]);
        let text = summary.to_string();
        for part in [
            "2 of 2 to 3 steps, median 3, 2 channels of real values",
            "classes    2 (steps): rest 2, move 2; 1 step without a label",
            "channel    x: 1 to 3, mean 2, s.d. 0.6325",
            "constant   1 channel never changes: y",
            "note       cut",
        ] {
            assert!(text.contains(part), "{text}");
        }
        // What rounding leaves of a mean of 0 is none of the data's; a small mean of small values is.
        let of = |mean, sd| ChannelSummary { mean, sd, ..summary.channels[0].clone() };
        let shown = |channel| Summary { channels: vec![channel], ..summary.clone() }.to_string();
        assert!(shown(of(-1.735e-17, 1.0)).contains("mean 0, s.d. 1"));
        assert!(shown(of(1.735e-17, 1e-12)).contains("mean 1.735e-17, s.d. 1.000e-12"));
        let events = Inputs::Events(Events::from_dense(2, &[1, 0, -1, 0, 0, 0, 0, 0]).unwrap());
        let data =
            Dataset::new([2, 2, 2], names, events, Targets::PerSequence(vec![0, 1]), "").unwrap();
        let summary = data.summary();
        let first = &summary.channels[0];
        assert_eq!((first.min, first.max, first.mean, first.active), (-1.0, 1.0, 0.0, 0.5));
        assert!((first.sd - 0.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!(summary.silent_sequences, 1);
        let text = summary.to_string();
        assert!(text.contains("silent     1 channel is always 0: 1"), "{text}");
        assert!(text.contains("0.5 a step in all channels"), "{text}");
        assert!(small().summary().to_string().lines().count() < 20);
    }
}
