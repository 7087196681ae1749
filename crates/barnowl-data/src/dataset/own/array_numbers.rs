//! Numbers that are to be found in arrays: how `y` is laid out, and what its numbers are called.

use super::archive::{Arrays, TARGET_NAMES, Y};
use super::context::Context;
use super::npy::Values;
use super::number;
use super::sequences::Sequences;
use barnowl_base::error::{Error, Result};

/// How `y` is laid out.
struct Layout {
    per_step: bool,
    /// K, the numbers a sequence or a step.
    count: usize,
}

impl Arrays {
    /// Gives the sequences, `[N, T, C]` with their lengths, the numbers that are to be found.
    pub(super) fn find_numbers(
        &self,
        sequences: &mut Sequences,
        shape: [usize; 3],
        lengths: &[usize],
        context: &Context<'_>,
    ) -> Result<()> {
        let [samples, steps, _] = shape;
        let y = self.get(Y).ok_or_else(|| {
            self.wrong(
                format!("there is no array y, but {}", self.names().join(", ")),
                "y [N] or [N, K], numbers a sequence, or [N, T] or [N, T, K], numbers a step",
            )
        })?;
        let Values::Numbers(found) = &y.values else {
            return Err(self
                .wrong(
                    "y holds words",
                    "numbers, as dataset.targets says, and NaN where one is not known",
                )
                .remedy(
                    "for classes, leave dataset.targets out; for numbers, y.astype(\"float32\")",
                ));
        };
        let given = self.given_names(context)?;
        let named = given.as_deref().or(Some(context.names).filter(|names| !names.is_empty()));
        let layout = self.layout(&y.shape, shape, named, &mut sequences.notes)?;
        let Layout { per_step, count } = layout;
        let plain = number::plain_names(count);
        if given.is_none() && count > 1 && named.is_some_and(|names| names != plain) {
            let names = context.names.join(", ");
            sequences.notes.push(format!(
                "the numbers of y have no names: they are taken in the order of the training data, {names}"
            ));
        }
        let names = named.map_or(plain, <[String]>::to_vec);
        let size = if per_step { steps * count } else { count };
        for (sample, (found, length)) in found.chunks_exact(size).zip(lengths).enumerate() {
            let kept = if per_step { length * count } else { count };
            let number = |(at, found): (usize, &f64)| {
                number::number(context.no_label, *found).ok_or_else(|| {
                    let step = match per_step {
                        true => format!(", step {}", at / count),
                        false => String::new(),
                    };
                    self.wrong(
                        format!("{} of sequence {sample}{step} is {found}", names[at % count]),
                        "a number below 3e38, or NaN where it is not known",
                    )
                    .remedy("correct y, or say by dataset.no_label which number stands for none")
                })
            };
            let kept = found[..kept].iter().enumerate().map(number).collect::<Result<_>>()?;
            sequences.numbers.push(kept);
        }
        debug_assert_eq!(sequences.numbers.len(), samples);
        sequences.per_step = per_step;
        sequences.class_names = names;
        let wanted = match (context.names, context.targets.columns()) {
            ([], None) => return Ok(()),
            ([], Some(columns)) => (columns, "dataset.targets says"),
            (names, _) => (names, "in the training data"),
        };
        sequences
            .reorder_numbers(wanted.0, wanted.1)
            .map_err(|error| error.in_file(self.place()).remedy(NAMES))
    }

    /// What the archive or the task calls the numbers, in the order of `y`.
    fn given_names(&self, context: &Context<'_>) -> Result<Option<Vec<String>>> {
        let said = context.targets.columns();
        let Some(array) = self.get(TARGET_NAMES) else {
            return Ok(said.map(<[String]>::to_vec));
        };
        let names = match &array.values {
            Values::Texts(texts) if array.shape.len() <= 1 => texts.clone(),
            Values::Numbers(numbers) if array.shape.len() <= 1 => {
                numbers.iter().map(f64::to_string).collect()
            }
            _ => {
                let found = format!("the names of the numbers to be found are {:?}", array.shape);
                return Err(self.wrong(found, "[K], a name for each"));
            }
        };
        number::check_names(&names)
            .and_then(|()| match said {
                Some(said) => number::places(&names, said, "dataset.targets says").map(drop),
                None => Ok(()),
            })
            .map_err(|error| error.in_file(self.place()))?;
        Ok(Some(names))
    }

    /// How `y` is laid out beside `x` `[N, T, C]`: its shape says it, or else how many numbers have names.
    fn layout(
        &self,
        shape: &[usize],
        [samples, steps, channels]: [usize; 3],
        named: Option<&[String]>,
        notes: &mut Vec<String>,
    ) -> Result<Layout> {
        let x = [samples, steps, channels];
        let wrong = || {
            self.wrong(
                format!("x is {x:?} and y {shape:?}"),
                format!(
                    "y [{samples}] or [{samples}, K], numbers a sequence, or [{samples}, {steps}] or \
                     [{samples}, {steps}, K], numbers a step"
                ),
            )
        };
        let transposed = |error: Error, y: &str| {
            error.remedy(format!("if x is [N, C, T], write x.transpose(0, 2, 1){y}"))
        };
        // Rows of x that are fewer than its channels may be these.
        let is_doubtful = steps < channels;
        let count = named.map(<[String]>::len);
        let (per_step, found) = match *shape {
            [n] if n == samples => (false, 1),
            [n, 1] if n == samples && steps > 1 => (false, 1),
            [n, 1] if n == samples => {
                notes.push(format!(
                    "y {shape:?} is read as a number a sequence; for a number a step, write y[:, :, None]"
                ));
                (false, 1)
            }
            [n, t] if n == samples && t == steps && count == Some(1) => (true, 1),
            [n, t] if n == samples && t == steps && count.is_none() => {
                notes.push(format!(
                    "y {shape:?} is read as a number a step; if it is {t} numbers a sequence, name them: in an array \
                     target_names, or by dataset.targets = {{ columns = […] }}"
                ));
                (true, 1)
            }
            [n, k] if n == samples && k == channels && is_doubtful && count.is_none() => {
                return Err(transposed(
                    wrong().also("y has as many columns as x has channels"),
                    &format!(
                        "; if y is {k} numbers a sequence, name them: in an array target_names, or by dataset.targets = \
                         {{ columns = […] }}"
                    ),
                ));
            }
            [n, k] if n == samples && k > 0 => {
                if count.is_none() {
                    notes.push(format!(
                        "y {shape:?} is read as {k} numbers a sequence; a number a step is [{samples}, {steps}]"
                    ));
                }
                (false, k)
            }
            [n, t, k] if n == samples && t == steps && k > 0 => {
                if k == steps && k > 1 {
                    notes.push(format!(
                        "y {shape:?} is read as {k} numbers at each of {t} steps; if it is [N, K, T], write \
                         y.transpose(0, 2, 1)"
                    ));
                }
                if is_doubtful && k == channels {
                    notes.push(
                        "if y is [N, C, T] as x may be, write y.transpose(0, 2, 1) too".to_owned(),
                    );
                }
                (true, k)
            }
            [n, _, t] if n == samples && t == steps => {
                return Err(wrong().remedy("if y is [N, K, T], write y.transpose(0, 2, 1)"));
            }
            [n, t, _] if n == samples && t == channels && is_doubtful => {
                return Err(transposed(wrong(), ""));
            }
            [n, 1, _] if n == samples => {
                return Err(wrong().remedy("for numbers a sequence, write y[:, 0]"));
            }
            [_] | [_, _] if samples == 1 => {
                return Err(wrong().remedy("of one sequence, write y[None]"));
            }
            _ => return Err(wrong()),
        };
        if let Some(names) = named.filter(|names| names.len() != found) {
            let names = names.join(", ");
            let what = if per_step { "a step" } else { "a sequence" };
            return Err(self
                .wrong(
                    format!("y {shape:?} holds {found} {what}, and x is {x:?}"),
                    format!("as many numbers as have names: {names}"),
                )
                .remedy(NAMES));
        }
        Ok(Layout { per_step, count: found })
    }
}

/// What names the numbers.
const NAMES: &str = "an array target_names or dataset.targets = { columns = […] } names the numbers, those of the training part for \
                     all parts";
