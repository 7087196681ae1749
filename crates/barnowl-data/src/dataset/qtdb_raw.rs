//! The QT Database as PhysioNet publishes it (Laguna et al. 1997, doi:10.13026/C24K53): from recordings to events.
//!
//! `qtdb-raw/*.hea` with their signals at 250 Hz and the boundaries of waves that cardiologists annotated, `.q1c`. Of every
//! lead, smoothed by a Savitzky–Golay filter (five samples, order 3), level crossing makes two channels of events. Stretches
//! of beats that are annotated from the onset of P to the end of T are cut into sequences; all else is left out. Where
//! samples are missing there are no events, and a note says how many; behind such a gap the level starts anew.
//!
//! Every fifth recording, by name, is a test recording. The published encoded files ([`super::qtdb`]) are another split, with
//! labels that trail the events: results on the two do not compare.

use super::wfdb::{self, Annotation, Record};
use super::{Dataset, Split, Targets, qtdb};
use crate::encoder::LevelCrossing;
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::{agreeing, counted};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How recordings are encoded and cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Encoding {
    /// The height of a level, in mV. Default 0.03.
    /// Range: more than 0 mV.
    pub level: f32,
    /// Steps of a sequence. Default 1301.
    /// Range: 2 to 1000000.
    pub steps: usize,
    /// Which annotations: the extension of their files. Default `q1c`, a cardiologist's; `pu0` are an algorithm's.
    pub annotator: String,
}

impl Default for Encoding {
    fn default() -> Self {
        Self { level: 0.03, steps: 1301, annotator: "q1c".into() }
    }
}

impl Encoding {
    /// Checks ranges; `key` names the encoding in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        if LevelCrossing::new(self.level).is_err() {
            return Err(Error::setting(format!("{key}.level"), self.level)
                .expected("a positive height in mV"));
        }
        if !(2..=1_000_000).contains(&self.steps) {
            return Err(Error::setting(format!("{key}.steps"), self.steps).expected("2 to 1000000"));
        }
        // The extension of a path must hold no separator.
        let named = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if self.annotator.is_empty() || !self.annotator.chars().all(named) {
            return Err(Error::setting(format!("{key}.annotator"), &self.annotator)
                .expected("letters and digits, such as q1c"));
        }
        Ok(())
    }
}

/// Beats whose onset of P follows the end of T before by more than so many samples (2 s) are not of one stretch.
const LONGEST_PAUSE: usize = 500;

/// Reads the recordings of `directory/qtdb-raw`: every fifth for testing, the others for training.
///
/// # Errors
///
/// If there are no recordings, a header, signal or annotation is missing, damaged or of another rate, or a lead has no
/// samples: with the file.
pub fn load(directory: impl AsRef<Path>, split: Split, encoding: &Encoding) -> Result<Dataset> {
    let test = split.is_test_of_two("qtdb-raw")?;
    encoding.validate("dataset.encoding")?;
    let Encoding { level, steps, annotator } = encoding;
    let encoder = LevelCrossing::new(*level)?;
    let folder = directory.as_ref().join("qtdb-raw");
    let records = records(&folder)?;
    let chosen: Vec<&PathBuf> = records
        .iter()
        .enumerate()
        .filter(|(place, _)| (place % 5 == 4) == test)
        .map(|(_, path)| path)
        .collect();
    let read = |path: &&PathBuf| -> Result<(Vec<i8>, Vec<u16>, [usize; 2])> {
        let record = Record::read(path).map_err(|error| {
            error.if_missing(
                "a recording is a header (.hea) and its signals (.dat): `barnowl data` lists what is expected",
            )
        })?;
        if record.rate != qtdb::SAMPLING_RATE {
            return Err(Error::format(format!("{} samples a second", record.rate))
                .in_file(path)
                .at_line(1)
                .expected(format!("{}, as of the whole QT Database", qtdb::SAMPLING_RATE))
                .remedy("resample the recording and its annotations, or leave it out of RECORDS"));
        }
        let [first, second, ..] = record.signals.as_slice() else {
            return Err(Error::format(counted(record.signals.len(), "signal"))
                .in_file(path)
                .expected("two leads"));
        };
        let annotations = wfdb::annotations(path.with_extension(annotator)).map_err(|error| {
            error.if_missing(format!(
                "it holds the boundaries of waves, by the annotator that dataset.encoding.annotator names \
                 ({annotator}): `barnowl data` lists what is expected"
            ))
        })?;
        let leads = [first, second];
        let missing = leads.map(|lead| lead.iter().filter(|x| x.is_nan()).count());
        if let Some(lead) = missing.iter().position(|missing| *missing == first.len()) {
            return Err(Error::format(format!(
                "lead {} ({}) has no samples: all {} are marked as missing",
                lead + 1,
                record.names[lead],
                first.len()
            ))
            .in_file(path)
            .expected("two leads")
            .remedy("leave the recording out of RECORDS, or out of the folder"));
        }
        let events = leads.map(|lead| encoder.encode(&smooth(lead)));
        let (mut spikes, mut classes) = (Vec::new(), Vec::new());
        for stretch in stretches(&annotations, first.len()) {
            for window in stretch.chunks_exact(*steps) {
                for (sample, class) in window {
                    spikes.extend([events[0][*sample], events[1][*sample]].concat());
                    classes.push(*class);
                }
            }
        }
        Ok((spikes, classes, missing))
    };
    let results: Vec<Result<_>> = chosen.par_iter().map(read).collect();
    let (mut spikes, mut classes) = (Vec::new(), Vec::new());
    let mut gaps = Vec::new();
    for (path, result) in chosen.iter().zip(results) {
        let (of_record, labels, missing) = result?;
        spikes.extend(of_record);
        classes.extend(labels);
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let leads = (1..).zip(missing).filter(|(_, missing)| *missing > 0);
        gaps.extend(leads.map(|(lead, missing)| (missing, format!("{name}, lead {lead}"))));
    }
    let samples = classes.len() / steps;
    let part = split.purpose();
    if samples == 0 {
        return Err(Error::format(format!(
            "no {part} recording has {steps} annotated steps in a row"
        ))
        .in_file(&folder)
        .remedy("take fewer with dataset.encoding.steps"));
    }
    let origin = format!(
        "QT Database (PhysioNet), {}, level crossing of {level} mV, {} of {} at {} Hz",
        counted(chosen.len(), &format!("{part} recording")),
        counted(samples, "sequence"),
        counted(*steps, "step"),
        qtdb::SAMPLING_RATE
    );
    let names = qtdb::CLASSES.map(str::to_owned).to_vec();
    let targets = Targets::PerStep(classes);
    let data = Dataset::from_spikes([samples, *steps, 4], names, &spikes, targets, origin)?;
    Ok(match note(gaps) {
        Some(note) => data.with_note(note),
        None => data,
    })
}

/// What to say of leads with missing samples: how many are missing, and in which lead.
fn note(mut gaps: Vec<(usize, String)>) -> Option<String> {
    const NAMED: usize = 3;
    gaps.sort_by_key(|(missing, _)| std::cmp::Reverse(*missing));
    let total: usize = gaps.iter().map(|(missing, _)| missing).sum();
    let named: Vec<String> =
        gaps.iter().take(NAMED).map(|(missing, lead)| format!("{lead}: {missing}")).collect();
    let more = match gaps.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and in {}", counted(more, "more lead")),
    };
    (total > 0).then(|| {
        format!(
            "{} {} marked as missing ({}{more}): there are no events there, and the level starts anew behind",
            counted(total, "sample"),
            agreeing(total, "is", "are"),
            named.join("; ")
        )
    })
}

/// The headers: those that the file `RECORDS` lists, else all, by name.
fn records(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = folder.join("RECORDS");
    let mut records: Vec<PathBuf> = if list.is_file() {
        let text = file::read_text(&list)?;
        let lines = text.trim_start_matches('\u{feff}').lines();
        let names = lines.map(str::trim).filter(|line| !line.is_empty());
        names.map(|name| folder.join(format!("{name}.hea"))).collect()
    } else {
        file::files(folder, "hea").map_err(|error| {
            error.if_missing("`barnowl data` says where qtdb-raw comes from, and what is expected")
        })?
    };
    records.sort();
    match records.len() {
        0..5 => Err(Error::format(counted(records.len(), "recording"))
            .in_file(folder)
            .expected("at least five headers (.hea), with .dat and .q1c beside them")),
        _ => Ok(records),
    }
}

/// Savitzky–Golay filter of five samples and order 3: `(−3 x₋₂ + 12 x₋₁ + 17 x₀ + 12 x₁ − 3 x₂) / 35`; samples with fewer
/// than two others on one side, at the ends of the signal and beside gaps, stay as they are.
fn smooth(signal: &[f32]) -> Vec<f32> {
    let mut smooth = signal.to_vec();
    for (to, x) in smooth[2.min(signal.len())..].iter_mut().zip(signal.windows(5)) {
        let mean = (-3.0 * (x[0] + x[4]) + 12.0 * (x[1] + x[3]) + 17.0 * x[2]) / 35.0;
        if !mean.is_nan() {
            *to = mean;
        }
    }
    smooth
}

/// Samples and classes of stretches of annotated beats.
fn stretches(annotations: &[Annotation], length: usize) -> Vec<Vec<(usize, u16)>> {
    let mut stretches: Vec<Vec<(usize, u16)>> = Vec::new();
    let mut end: Option<usize> = None;
    for beat in beats(annotations) {
        if beat[5] >= length {
            break;
        }
        let follows = end.is_some_and(|end| beat[0] >= end && beat[0] - end <= LONGEST_PAUSE);
        match (stretches.last_mut(), end) {
            // TP, from the end of the T wave before.
            (Some(stretch), Some(end)) if follows => stretch.extend((end..beat[0]).map(|t| (t, 5))),
            _ => stretches.push(Vec::new()),
        }
        if let Some(stretch) = stretches.last_mut() {
            for (class, part) in (0..).zip(beat.windows(2)) {
                stretch.extend((part[0]..part[1]).map(|t| (t, class)));
            }
        }
        end = Some(beat[5]);
    }
    stretches
}

/// Onset and end of P, onset of QRS, R, end of QRS, end of T: of every beat of which all are annotated, in order.
fn beats(annotations: &[Annotation]) -> Vec<[usize; 6]> {
    let mut beats = Vec::new();
    let mut waves: Vec<(char, usize, usize, usize)> = Vec::new();
    let mut onset = None;
    let mut peak: Option<(char, usize)> = None;
    for annotation in annotations {
        let sample = usize::try_from(annotation.sample).unwrap_or(usize::MAX);
        match annotation.sign {
            '(' => (onset, peak) = (Some(sample), None),
            ')' => {
                if let Some((sign, at)) = peak.take() {
                    // The onset of T is mostly not annotated, and not needed.
                    waves.push((sign, onset.take().unwrap_or(at), at, sample));
                }
            }
            'p' | 't' => peak = Some((annotation.sign, sample)),
            '?' => {}
            _ => peak = Some(('N', sample)),
        }
    }
    for waves in waves.windows(3) {
        if let [('p', p_on, _, p_off), ('N', q, r, s), ('t', _, _, t_off)] = waves {
            let beat = [*p_on, *p_off, *q, *r, *s, *t_off];
            if beat.is_sorted() {
                beats.push(beat);
            }
        }
    }
    beats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_keeps_cubics_and_smooths_the_rest() {
        let cubic: Vec<f32> = (0..20).map(|t| (t as f32 / 10.0).powi(3)).collect();
        for (a, b) in smooth(&cubic).iter().zip(&cubic) {
            assert!((a - b).abs() < 1e-5);
        }
        let smoothed = smooth(&[0.0, 0.0, 0.0, 35.0, 0.0, 0.0, 0.0]);
        assert_eq!(smoothed, [0.0, 0.0, 12.0, 17.0, 12.0, 0.0, 0.0]);
        assert_eq!(smooth(&[1.0, 2.0]), [1.0, 2.0]);
        let gap = f32::NAN;
        let smoothed = smooth(&[0.0, 0.0, 0.0, 35.0, 0.0, 0.0, gap, 35.0, 0.0]);
        assert_eq!(smoothed[..6], [0.0, 0.0, 12.0, 17.0, 0.0, 0.0]);
        assert!(smoothed[6].is_nan() && smoothed[7..] == [35.0, 0.0]);
    }

    #[test]
    fn beats_need_all_their_waves() {
        let marks = |text: &str, from: u64| -> Vec<Annotation> {
            let marks = text.chars().zip(0..);
            marks.map(|(sign, i)| Annotation { sample: from + 10 * i, sign }).collect()
        };
        // P, QRS and T; a beat without P; one with an onset of T.
        let all = [marks("(p)(N)t)", 0), marks("(N)t)", 100), marks("(p)(N)(t)", 200)].concat();
        let beats = beats(&all);
        assert_eq!(beats, [[0, 20, 30, 40, 50, 70], [200, 220, 230, 240, 250, 280]]);
        let stretches = stretches(&all, 1000);
        assert_eq!(stretches.len(), 1);
        let classes: Vec<u16> = stretches[0].iter().step_by(10).map(|(_, class)| *class).collect();
        let tp = [5; 13];
        let expected = [&[0, 0, 1, 2, 3, 4, 4][..], &tp, &[0, 0, 1, 2, 3, 4, 4, 4]].concat();
        assert_eq!(classes, expected);
        // Beyond the signal there is nothing.
        assert_eq!(super::stretches(&all, 200).iter().map(Vec::len).sum::<usize>(), 70);
    }
}
