//! The header of a file of the UCR/UEA archive.

use barnowl_base::error::{Error, Result};

/// What is wanted of that which ends the lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endings {
    /// Classes, which the header names.
    Classes,
    /// Numbers.
    Numbers,
    /// Nothing, whatever it is.
    Nothing,
}

/// What the header says, where it says it.
#[derive(Default)]
pub(super) struct Header {
    pub(super) classes: Option<Vec<String>>,
    without_classes: bool,
    /// Whether a number that is to be found ends each line.
    pub(super) with_numbers: bool,
    pub(super) univariate: Option<bool>,
    pub(super) dimensions: Option<usize>,
    pub(super) equal_length: bool,
    pub(super) length: Option<usize>,
}

impl Header {
    /// Takes one line of a header, without its `@`.
    pub(super) fn take(&mut self, text: &str) -> Result<()> {
        let mut words = text.split_whitespace();
        let key = words.next().unwrap_or_default().to_lowercase();
        let rest: Vec<&str> = words.collect();
        let bad = |expected: &str| {
            Err(Error::format(format!("@{text}")).expected(format!("@{key} {expected}")))
        };
        let truth = |word: Option<&&str>| match word.map(|word| word.to_lowercase()).as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        let (said, number) = (truth(rest.first()), rest.first().and_then(|word| word.parse().ok()));
        match key.as_str() {
            "timestamps" if said == Some(true) => {
                return Err(Error::format("the values have time stamps: @timeStamps true")
                    .expected("values at equal distances in time, without time stamps")
                    .remedy("resample them at a fixed rate"));
            }
            "targetlabel" => match said {
                Some(with_numbers) => self.with_numbers = with_numbers,
                None => return bad("true, or false"),
            },
            "classlabel" => match said {
                Some(true) if rest.len() > 1 => {
                    let names: Vec<String> = rest[1..].iter().map(|name| (*name).into()).collect();
                    if let Some(twice) =
                        (1..names.len()).find(|at| names[..*at].contains(&names[*at]))
                    {
                        return bad(&format!("with each class once, not {} twice", names[twice]));
                    }
                    self.classes = Some(names);
                }
                Some(false) => self.without_classes = true,
                _ => return bad("true NAME NAME …"),
            },
            "univariate" => match said {
                Some(_) => self.univariate = said,
                None => return bad("true, or false"),
            },
            "equallength" => match said {
                Some(equal) => self.equal_length = equal,
                None => return bad("true, or false"),
            },
            "dimensions" | "dimension" => match number.filter(|number| *number > 0) {
                Some(_) => self.dimensions = number,
                None => return bad("and a number from 1"),
            },
            "serieslength" => match number {
                Some(_) => self.length = number,
                None => return bad("and a number"),
            },
            // Names, licences, whether values are missing: the values say that themselves.
            _ => {}
        }
        Ok(())
    }

    /// Refuses a line, the last of those that were taken, after which lines cannot end in what is `wanted`.
    pub(super) fn check(&self, wanted: Endings) -> Result<()> {
        match wanted {
            Endings::Classes if self.with_numbers => {
                Err(Error::format("the file is one of regression: @targetLabel true")
                    .expected("classes: @classLabel true NAME NAME …")
                    .remedy("to find the numbers, set dataset.targets = \"values\""))
            }
            Endings::Classes if self.without_classes => {
                Err(Error::format("the series have no classes: @classLabel false")
                    .expected("@classLabel true NAME NAME …")
                    .remedy(
                        "if a number ends each line, write @targetLabel true, and set dataset.targets = \"values\"",
                    ))
            }
            Endings::Numbers if self.classes.is_some() => {
                Err(Error::format("the series have classes: @classLabel true")
                    .expected("numbers, as dataset.targets says: @targetLabel true")
                    .remedy("to find the classes, leave dataset.targets out"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a header that ends without a word of what is `wanted`.
    pub(super) fn check_end(&self, wanted: Endings) -> Result<()> {
        match wanted {
            Endings::Classes if self.classes.is_none() => {
                Err(Error::format("the header names no classes")
                    .expected("@classLabel true NAME NAME …, before @data"))
            }
            Endings::Numbers if !self.with_numbers => {
                Err(Error::format("the header says nothing of numbers that are to be found")
                    .expected("@targetLabel true, before @data, as dataset.targets says"))
            }
            _ => Ok(()),
        }
    }
}
