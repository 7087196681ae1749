//! The QT Database: two-lead ECGs with the boundaries of the waves annotated.
//!
//! The recordings are those of PhysioNet (Laguna, Mark, Goldberg & Moody, Computers in Cardiology 24, 673–676, 1997;
//! doi:10.13026/C24K53), cut into windows and encoded into events by level crossing, two directions for either lead,
//! as Yin, Corradi & Bohté (2021) published them.
//!
//! Eight steps in a hundred of the training file, ten of the test file, lie outside the annotated beats and carry no
//! label. The published results count these steps as the first class, P, and so does [`load`], so that accuracies can
//! be compared.
//!
//! The labels come 19 steps (76 ms) after the events that they belong to: the first 19 steps of every window are
//! filled with P, and the burst of events at the QRS complex stands that far before its labels. So a causal network
//! sees 76 ms beyond the step that it has to name. [`load`] leaves this as published.

use barnowl_base::words::{agreeing, counted};
use std::error::Error as _;
use std::io;
use std::path::Path;

use super::mat::{self, MatArray};
use super::{Dataset, Split, Targets};
use barnowl_base::error::{Error, Result};

/// Steps a second.
pub const SAMPLING_RATE: f64 = 250.0;

/// The parts of a heartbeat in the order of time, named by the waves where they begin and end; P is the wave itself.
pub const CLASSES: [&str; 6] = ["P", "PQ", "QR", "RS", "ST", "TP"];

/// Reads `directory/qtdb/QTDB_train.mat` or `QTDB_test.mat`.
///
/// The file holds the events `x`, `[N, T, C]` of −1, 0 or 1, and `y`, `[N, T, 6]`, one-hot over [`CLASSES`]; steps
/// whose six values are all 0 count as P.
///
/// # Errors
///
/// If the file is missing, damaged, or holds anything else: with the sequence and step.
pub fn load(directory: impl AsRef<Path>, split: Split) -> Result<Dataset> {
    split.is_test_of_two("the QT Database")?;
    let path = directory.as_ref().join("qtdb").join(format!("QTDB_{}.mat", split.name()));
    let file = mat::read(&path).map_err(explain_missing)?;
    let (x, y) = (file.array("x")?, file.array("y")?);
    dataset(&x, &y, split).map_err(|e| e.in_file(&path))
}

fn explain_missing(error: Error) -> Error {
    let source = error.source().and_then(|e| e.downcast_ref::<io::Error>());
    if source.is_some_and(|e| e.kind() == io::ErrorKind::NotFound) {
        error.remedy(
            "--data names the folder that holds qtdb/QTDB_train.mat and qtdb/QTDB_test.mat; \
             without it (and without BARNOWL_DATA) the built-in ECG generator is used",
        )
    } else {
        error
    }
}

fn dataset(x: &MatArray, y: &MatArray, split: Split) -> Result<Dataset> {
    let &[samples, steps, channels] = x.shape.as_slice() else {
        return Err(Error::format(format!("the events are {x}"))
            .expected("three dimensions: sequences, steps and channels"));
    };
    if y.shape != [samples, steps, CLASSES.len()] {
        return Err(Error::format(format!("the events are {x}, the labels {y}"))
            .expected(format!("labels y [{samples}, {steps}, {}]", CLASSES.len())));
    }
    let events = events(x, steps, channels)?;
    let (classes, unlabelled) = classes(y, steps)?;
    let purpose = split.purpose();
    let note = match unlabelled {
        0 => String::new(),
        n => {
            let count = agreeing(n, "counts", "count");
            format!("; {} without a label {count} as {}", counted(n, "step"), CLASSES[0])
        }
    };
    Dataset::from_spikes(
        [samples, steps, channels],
        CLASSES.map(str::to_owned).to_vec(),
        &events,
        Targets::PerStep(classes),
        format!(
            "QT Database (PhysioNet), level-crossing encoded, {} of {} at {SAMPLING_RATE} Hz{note}",
            counted(samples, &format!("{purpose} sequence")),
            counted(steps, "step")
        ),
    )
}

/// The events, row-major `[N, T, C]`.
fn events(x: &MatArray, steps: usize, channels: usize) -> Result<Vec<i8>> {
    let event = |(i, value): (usize, f64)| match value {
        0.0 => Ok(0),
        1.0 => Ok(1),
        -1.0 => Ok(-1),
        _ => {
            let (row, channel) = (i / channels, i % channels);
            Err(at(row, steps, format!("channel {channel} of x is {value}")).expected("−1, 0 or 1"))
        }
    };
    x.row_major().enumerate().map(event).collect()
}

/// The classes, row-major `[N, T]`, and how many steps had none.
fn classes(y: &MatArray, steps: usize) -> Result<(Vec<u16>, usize)> {
    let mut classes = Vec::with_capacity(y.values.len() / CLASSES.len());
    let mut unlabelled = 0;
    let mut values = y.row_major();
    while let Some(first) = values.next() {
        let mut one_hot = [first; CLASSES.len()];
        for (to, from) in one_hot[1..].iter_mut().zip(&mut values) {
            *to = from;
        }
        let mut class = None;
        for (number, value) in (0..).zip(one_hot) {
            match value {
                0.0 => {}
                1.0 if class.is_none() => class = Some(number),
                _ => {
                    return Err(at(classes.len(), steps, format!("y is {one_hot:?}"))
                        .expected("a single 1 among zeros, at the place of the class"));
                }
            }
        }
        unlabelled += usize::from(class.is_none());
        classes.push(class.unwrap_or(0));
    }
    Ok((classes, unlabelled))
}

/// An error about a step; `row` counts the steps of all sequences.
fn at(row: usize, steps: usize, problem: String) -> Error {
    Error::format(problem).during(format_args!("sequence {}, step {}", row / steps, row % steps))
}

#[cfg(test)]
mod tests {
    use super::super::mat::Values;
    use super::super::{Events, Inputs};
    use super::*;

    /// The data set of `x` and `y`, given by shape and column-major values.
    fn data(x: (&[usize], &[f64]), y: (&[usize], &[u8])) -> Result<Dataset> {
        let [x, y] = [("x", x.0, Values::F64(x.1.to_vec())), ("y", y.0, Values::U8(y.1.to_vec()))]
            .map(|(name, shape, values)| MatArray {
                name: name.to_owned(),
                shape: shape.to_vec(),
                values,
            });
        dataset(&x, &y, Split::Test)
    }

    #[test]
    fn other_shapes_and_values_are_refused_with_their_place() {
        // Two sequences of one step and one channel, of the classes PQ and P.
        let (x, y) = ([1.0, -1.0], [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let (of_x, of_y) = (&[2, 1, 1][..], &[2, 1, 6][..]);
        let good = data((of_x, &x), (of_y, &y)).unwrap();
        let events = Events::from_dense(1, &[1, -1]).unwrap();
        assert_eq!(good.inputs(), &Inputs::Events(events));
        assert_eq!(good.targets(), &Targets::PerStep(vec![1, 0]));
        assert!(good.origin().ends_with("2 test sequences of 1 step at 250 Hz"));

        let refused = |result: Result<Dataset>, parts: &[&str]| {
            let error = result.unwrap_err().to_string();
            assert!(
                parts.iter().all(|part| error.contains(part)),
                "{error} lacks one of {parts:?}"
            );
        };
        refused(data((&[2, 1], &x), (of_y, &y)), &["x [2, 1]", "three dimensions"]);
        refused(data((&[1, 2, 1], &x), (of_y, &y)), &["y [2, 1, 6]; expected labels y [1, 2, 6]"]);
        refused(data((of_x, &x), (&[2, 1, 4], &y[..8])), &["y [2, 1, 4]", "[2, 1, 6]"]);
        refused(data((&[0, 1, 1], &[]), (&[0, 1, 6], &[])), &["the data set is empty"]);
        for value in [2.0, 0.5, f64::NAN] {
            let found = format!("channel 0 of x is {value}");
            let result = data((of_x, &[1.0, value]), (of_y, &y));
            refused(result, &["sequence 1, step 0", &found, "−1, 0 or 1"]);
        }
        // A second class beside the first, and a value that is neither 0 nor 1.
        for (place, value) in [(4, 1), (0, 2), (2, 2)] {
            let mut labels = y;
            labels[place] = value;
            let result = data((of_x, &x), (of_y, &labels));
            refused(result, &["sequence 0, step 0", "a single 1 among zeros"]);
        }
    }
}
