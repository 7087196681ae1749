//! Where the sequences of arrays end: what fills them up to one length is no data.

use super::archive::{Arrays, LENGTHS};
use super::npy::Values;
use crate::dataset::Ends;
use barnowl_base::error::Result;
use barnowl_base::words::{agreeing, counted};

impl Arrays {
    /// The steps of each sequence: those of the array `lengths`, else up to a last row of NaN, else all; and how they end.
    ///
    /// # Errors
    ///
    /// If they do not end as those of the training data, of which it may be `known`.
    pub(super) fn lengths(
        &self,
        values: &[f64],
        [samples, steps, channels]: [usize; 3],
        known: Option<Ends>,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<usize>, Option<Ends>)> {
        let given = |lengths: Vec<usize>| {
            if known == Some(Ends::Zeros) && lengths.iter().any(|length| *length < steps) {
                return Err(self
                    .wrong(
                        "the sequences end before their last rows, by an array lengths or by NaN",
                        "rows of zeros up to the end, as in the training data, which has no lengths",
                    )
                    .remedy("leave lengths out here, or give them to the training data too, and train again"));
            }
            Ok((lengths, Some(Ends::Given)))
        };
        if let Some(array) = self.get(LENGTHS) {
            let right = matches!(&array.values, Values::Numbers(said) if said.len() == samples);
            let Values::Numbers(said) = (match right {
                true => &array.values,
                false => {
                    let found = format!("lengths is {:?}", array.shape);
                    return Err(self.wrong(found, format!("[{samples}], a length a sequence")));
                }
            }) else {
                return Err(self.wrong("lengths holds words", "numbers"));
            };
            let length = |(sample, said): (usize, &f64)| {
                let whole = said.fract() == 0.0 && (1.0..=steps as f64).contains(said);
                whole.then_some(*said as usize).ok_or_else(|| {
                    self.wrong(
                        format!("the length of sequence {sample} is {said}"),
                        format!("1 to {steps} steps"),
                    )
                })
            };
            return said.iter().enumerate().map(length).collect::<Result<_>>().and_then(given);
        }
        let of = |values: &[f64]| {
            let rows = values.chunks_exact(channels);
            steps - rows.rev().take_while(|row| row.iter().all(|x| x.is_nan())).count()
        };
        let lengths: Vec<usize> = values.chunks_exact(steps * channels).map(of).collect();
        if let Some(sample) = lengths.iter().position(|length| *length == 0) {
            return Err(self.wrong(format!("sequence {sample} is all NaN"), "values"));
        }
        let shorter = lengths.iter().filter(|length| **length < steps).count();
        if shorter > 0 {
            let (all, end) = (counted(samples, "sequence"), agreeing(shorter, "ends", "end"));
            notes.push(format!("{shorter} of {all} {end} in NaN, and {end} there"));
            return given(lengths);
        }
        let Some(found) = in_zeros(values, [samples, steps, channels]) else {
            return Ok((lengths, None));
        };
        let remedy = format!(
            "give the steps of each in an array lengths [{samples}], or fill up with NaN, and not with zeros"
        );
        if known == Some(Ends::Given) {
            let expected =
                "sequences that end at their own last step, as those of the training data";
            return Err(self.wrong(found, expected).remedy(remedy));
        }
        notes.push(format!("{found}; if they only fill up, {remedy}"));
        Ok((lengths, Some(Ends::Zeros)))
    }
}

/// What to say of sequences `[N, T, C]` of which many end in rows of zeros, more than there are anywhere within them, and not
/// all in as many.
fn in_zeros(values: &[f64], [samples, steps, channels]: [usize; 3]) -> Option<String> {
    let tails: Vec<usize> = values
        .chunks_exact(steps * channels)
        .map(|values| tail(values, channels))
        .filter(|tail| *tail > 0)
        .collect();
    let (least, most) = (tails.iter().min()?, tails.iter().max()?);
    // Few events are silent for long, so that some recordings end so by chance.
    let are_events = values.iter().all(|x| [-1.0, 0.0, 1.0].contains(x));
    let many = samples.div_ceil(if are_events { 2 } else { 10 }).max(2);
    let differ = least < most || tails.len() < samples;
    let alone = samples == 1 && *least > 1 && !are_events;
    let suspicious = alone || differ && tails.len() >= many;
    if !suspicious {
        return None;
    }
    let rows = match least == most {
        true => counted(*least, "row"),
        false => format!("{least} to {most} rows"),
    };
    Some(format!(
        "{} of {} {} in {rows} of zeros, which count as steps",
        tails.len(),
        counted(samples, "sequence"),
        agreeing(tails.len(), "ends", "end")
    ))
}

/// The rows of zeros at the end of a sequence, if there are more than anywhere within it, and something before them.
fn tail(values: &[f64], channels: usize) -> usize {
    let (mut run, mut longest) = (0, 0);
    for row in values.chunks_exact(channels) {
        if row.iter().all(|x| *x == 0.0) {
            run += 1;
        } else {
            longest = longest.max(run);
            run = 0;
        }
    }
    if run > longest && run * channels < values.len() { run } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sequences of one channel and 8 steps, of which so many hold a value.
    fn found(lengths: &[usize], value: f64) -> Option<String> {
        let row = |length: &usize| {
            let mut row = [0.0; 8];
            row[..*length].fill(value);
            row
        };
        let values: Vec<f64> = lengths.iter().flat_map(row).collect();
        in_zeros(&values, [lengths.len(), 8, 1])
    }

    #[test]
    fn zeros_that_may_fill_up_are_told_from_those_that_do_not() {
        let said = found(&[8, 5, 3, 8], 0.5).unwrap();
        assert_eq!(said, "2 of 4 sequences end in 3 to 5 rows of zeros, which count as steps");
        assert!(found(&[8, 8, 8], 0.5).is_none());
        // As many of all, or nothing at all, is how they were recorded.
        assert!(found(&[5, 5, 5], 0.5).is_none() && found(&[0, 0, 8], 0.5).is_none());
        // One of many is chance.
        assert!(found(&[8, 8, 5], 0.5).is_none());
        assert!(found(&[5], 0.5).is_some() && found(&[5], 1.0).is_none());
        // Of events, half of all.
        assert!(found(&[8, 8, 8, 5, 4], 1.0).is_none());
        assert!(found(&[8, 8, 3, 5, 4], 1.0).is_some());
        // No more zeros at the end than within.
        assert_eq!(tail(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0], 1), 0);
        assert_eq!(tail(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], 2), 2);
    }
}
