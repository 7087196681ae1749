//! Sequences of arrays of NumPy.

use super::archive::{Arrays, CHANNEL_NAMES, CLASS_NAMES, GROUPS, X, Y};
use super::context::Context;
use super::groups::Groups;
use super::labels::{self, Classes, numbered, taken_for_none};
use super::no_label::NoLabel;
use super::npy::{Array, Values, array};
use super::sequences::Sequences;
use crate::dataset::UNLABELLED;
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::counted;
use std::path::Path;

/// Reads the arrays of a part.
pub(super) fn read(folder: &Path, part: &str, context: &Context<'_>) -> Result<Sequences> {
    Arrays::of_part(folder, part, context)?.sequences(context, None)
}

/// The sequences of a file, whose labels, if it has any, are not wanted.
///
/// Of two dimensions, they are one sequence `[T, C]`, or, for a model of one channel, sequences `[N, T]` as in a training part.
pub(super) fn read_unlabelled(
    path: &Path,
    context: &Context<'_>,
    width: Option<usize>,
) -> Result<Sequences> {
    let bytes = file::read(path)?;
    // Standard input has no name that says it.
    let is_array = match path.extension() {
        Some(end) => end.eq_ignore_ascii_case("npy"),
        None => bytes.starts_with(b"\x93NUMPY"),
    };
    let arrays = match is_array {
        false => Arrays::of_archive(path, context)?,
        true => Arrays::of_array(array(&bytes, path, "x")?, path),
    };
    arrays.sequences(context, Some(width))
}

impl Arrays {
    /// The sequences; with their labels, or without for a model of so many channels, if it says how many.
    fn sequences(
        &self,
        context: &Context<'_>,
        unlabelled: Option<Option<usize>>,
    ) -> Result<Sequences> {
        let labelled = unlabelled.is_none();
        let of_rows = labelled || unlabelled == Some(Some(1));
        let x = self.get(X).ok_or_else(|| {
            self.wrong("there is no array x", "x [N, T, C] and y [N] or [N, T], as x.npy and y.npy")
        })?;
        let Values::Numbers(values) = &x.values else {
            return Err(self.wrong("x holds words", "numbers: x.astype(\"float32\")"));
        };
        let mut notes = Vec::new();
        let shape = match (x.shape.as_slice(), of_rows) {
            (&[samples, steps, channels], _) => [samples, steps, channels],
            (&[steps, channels], false) => [1, steps, channels],
            (&[samples, steps], true) => {
                notes.push(format!("x is {:?}: sequences of one channel", x.shape));
                [samples, steps, 1]
            }
            _ => {
                let expected = "x [N, T, C]: sequences, steps, channels";
                return Err(self.wrong(format!("x is {:?}", x.shape), expected));
            }
        };
        let [samples, steps, channels] = shape;
        if shape.contains(&0) {
            return Err(self.wrong(format!("x is {:?}", x.shape), "at least one of each"));
        }
        if labelled && steps < channels {
            notes.push(format!(
                "x {:?} is read as {} of {} and {}; if it is [N, C, T], write x.transpose(0, 2, 1)",
                x.shape,
                counted(samples, "sequence"),
                counted(steps, "step"),
                counted(channels, "channel")
            ));
        }
        let (lengths, ends) = self.lengths(values, shape, context.ends, &mut notes)?;
        let size = steps * channels;
        let cut = |(values, length): (&[f64], &usize)| -> Vec<f32> {
            values[..length * channels].iter().map(|x| *x as f32).collect()
        };
        let mut sequences = Sequences {
            channels,
            channel_names: self.texts(CHANNEL_NAMES, channels, "a channel")?.unwrap_or_default(),
            values: values.chunks_exact(size).zip(&lengths).map(cut).collect(),
            places: vec![self.place().to_path_buf(); samples],
            names: (0..samples).map(|sample| sample.to_string()).collect(),
            groups: match context.groups {
                Some(Groups::Column(name)) => {
                    let names = [name.as_str()];
                    let found = self.texts(&names, samples, "a sequence")?;
                    found.ok_or_else(|| {
                        self.wrong(
                            format!("there is no array {name}"),
                            "one, as dataset.groups says",
                        )
                    })?
                }
                Some(groups @ Groups::Name(_)) => vec![groups.of_name(self.place())?; samples],
                None => self.texts(GROUPS, samples, "a sequence")?.unwrap_or_default(),
            },
            ends,
            notes,
            ..Sequences::default()
        };
        if !context.channels.is_empty() && !sequences.channel_names.is_empty() {
            sequences.reorder(context.channels).map_err(|error| error.in_file(self.place()))?;
        }
        if labelled && context.targets.is_real() {
            self.find_numbers(&mut sequences, shape, &lengths, context)?;
        } else if labelled {
            self.label(&mut sequences, shape, &lengths, context)?;
        }
        Ok(sequences)
    }

    /// Gives the sequences their labels.
    fn label(
        &self,
        sequences: &mut Sequences,
        [samples, steps, channels]: [usize; 3],
        lengths: &[usize],
        context: &Context<'_>,
    ) -> Result<()> {
        let y = self.get(Y).ok_or_else(|| {
            self.wrong(
                format!("there is no array y, but {}", self.names().join(", ")),
                "y [N], a class a sequence, or [N, T], one a step: numpy.savez(path, x=x, y=y)",
            )
        })?;
        let given = self.texts(CLASS_NAMES, 0, "a class")?.unwrap_or_default();
        let names = if context.names.is_empty() { given.clone() } else { context.names.to_vec() };
        let listed = if given.is_empty() { context.listed } else { &given };
        check_names(listed, &names).map_err(|error| error.in_file(self.place()))?;
        let context = &Context { names: &names, listed, ..*context };
        let are_numbers = matches!(y.values, Values::Numbers(_));
        sequences.notes.extend(labels::other_order(listed, &names).filter(|_| are_numbers));
        let shape = y.shape.as_slice();
        let per_step = match shape {
            [n] | [n, 1] if *n == samples => false,
            [n, t] if [*n, *t] == [samples, steps] => true,
            [n, _] | [n, _, _] if *n == samples && y.is_one_hot(samples, steps) => shape.len() == 3,
            [n, t] if *n == samples && *t == channels => {
                return Err(self
                    .wrong(
                        format!(
                            "x is {:?}, and y {shape:?} has as many columns as x has channels",
                            [samples, steps, channels]
                        ),
                        format!("y [{samples}] or [{samples}, {steps}]"),
                    )
                    .remedy("if x is [N, C, T], write x.transpose(0, 2, 1)"));
            }
            _ => {
                let found = format!("x is {:?} and y {shape:?}", [samples, steps, channels]);
                return Err(self.wrong(found, format!("y [{samples}] or [{samples}, {steps}]")));
            }
        };
        if per_step && shape.len() == 2 && steps > 2 && y.is_one_hot(samples, steps) {
            sequences.notes.push(format!(
                "y {shape:?} is read as a class a step; if it is one-hot, a class a sequence, write y.argmax(1)"
            ));
        }
        let one_hot = shape.len() == if per_step { 3 } else { 2 } && shape.last() != Some(&1);
        let (classes, found) = if one_hot {
            sequences
                .notes
                .push(format!("y {shape:?} is one-hot: the place of the 1 is the class"));
            let places = y.places_of_ones(shape[shape.len() - 1]);
            let class = |place: &u16| self.class_of_place(*place, context);
            (places.iter().map(class).collect::<Result<Vec<u16>>>()?, Vec::new())
        } else {
            self.classes(y, !given.is_empty(), context, per_step.then_some(steps))?
        };
        let of = classes.len() / samples;
        sequences.classes = classes
            .chunks_exact(of)
            .zip(lengths)
            .map(|(classes, length)| {
                let kept = if per_step { *length } else { 1 };
                classes[..kept].to_vec()
            })
            .collect();
        if let Values::Texts(texts) = &y.values {
            let texts = texts.iter().map(String::as_str);
            sequences.notes.extend(taken_for_none(context, texts));
        }
        sequences.per_step = per_step;
        sequences.are_listed = !listed.is_empty() || found.is_empty();
        sequences.class_names = if names.is_empty() { found } else { names };
        Ok(())
    }

    /// The class that a place in the list of classes stands for; without a list, the place itself.
    fn class_of_place(&self, place: u16, context: &Context<'_>) -> Result<u16> {
        let (names, listed) = (context.names, context.listed);
        match (names, listed.get(usize::from(place))) {
            ([], _) => Ok(place),
            (_, Some(name)) => {
                let at = names.iter().position(|other| other == name).unwrap_or_default();
                Ok(at as u16)
            }
            (_, None) => Err(self
                .wrong(format!("a label is {place}"), format!("one of {}", names.join(", ")))
                .remedy(
                    "write the names, or list the classes in the order of the numbers, in an array class_names",
                )),
        }
    }

    /// The class of every label, and the names of the classes, if the labels are names. Where the archive has `named` its classes,
    /// numbers are places among them.
    fn classes(
        &self,
        y: &Array,
        named: bool,
        context: &Context<'_>,
        per_step: Option<usize>,
    ) -> Result<(Vec<u16>, Vec<String>)> {
        let place = |at: usize| match per_step {
            Some(steps) => format!("of sequence {}, step {}", at / steps, at % steps),
            None => format!("of sequence {at}"),
        };
        match &y.values {
            Values::Numbers(numbers) => {
                let classes = Classes::of(context, std::iter::empty());
                let class = |(at, number): (usize, &f64)| {
                    if NoLabel::is_number(context.no_label, *number) {
                        return Ok(UNLABELLED);
                    }
                    let Some(whole) = numbered(*number) else {
                        return Err(self.wrong(
                            format!("the label {} is {number}", place(at)),
                            "a whole number from 0, or −1 where there is no label",
                        ));
                    };
                    if named {
                        return self.class_of_place(whole, context);
                    }
                    classes.of_number(*number).ok_or_else(|| {
                        let error = classes.unknown(&number.to_string());
                        error.during(format!("y, the label {}", place(at))).in_file(self.place())
                    })
                };
                Ok((numbers.iter().enumerate().map(class).collect::<Result<_>>()?, Vec::new()))
            }
            Values::Texts(texts) => {
                let classes = Classes::of(context, texts.iter().map(String::as_str));
                let class = |(at, text): (usize, &String)| {
                    classes.class(text, context.no_label).map_err(|error| {
                        error.during(format!("y, the label {}", place(at))).in_file(self.place())
                    })
                };
                let found = texts.iter().enumerate().map(class).collect::<Result<_>>()?;
                match classes {
                    Classes::Named { names, .. } => Ok((found, names)),
                    Classes::Numbered => Ok((found, Vec::new())),
                }
            }
        }
    }
}

/// Refuses a list of classes of which one is not among the `names`.
fn check_names(listed: &[String], names: &[String]) -> Result<()> {
    if listed.iter().all(|name| names.contains(name)) {
        return Ok(());
    }
    Err(Error::mismatch(format!("the classes are {}", listed.join(", ")))
        .expected(format!("those of the model: {}", names.join(", "))))
}

impl Array {
    /// Whether the last dimension holds a single 1 beside zeros, and could be nothing but classes.
    fn is_one_hot(&self, samples: usize, steps: usize) -> bool {
        let Values::Numbers(values) = &self.values else {
            return false;
        };
        let shape = self.shape.as_slice();
        let classes = match shape {
            [_, classes] => *classes,
            [n, t, classes] if [*n, *t] == [samples, steps] => *classes,
            _ => return false,
        };
        classes >= 2
            && values.chunks_exact(classes).all(|row| {
                let ones = row.iter().filter(|value| **value == 1.0).count();
                ones == 1 && row.iter().filter(|value| **value == 0.0).count() == classes - 1
            })
    }

    fn places_of_ones(&self, classes: usize) -> Vec<u16> {
        match &self.values {
            Values::Numbers(values) => {
                let place = |row: &[f64]| row.iter().position(|value| *value == 1.0);
                values.chunks_exact(classes).map(|row| place(row).unwrap_or(0) as u16).collect()
            }
            Values::Texts(_) => Vec::new(),
        }
    }
}
