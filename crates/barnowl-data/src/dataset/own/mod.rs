//! Data of your own: arrays of NumPy, tables of numbers, lists of events, sounds.
//!
//! | files | layout |
//! | --- | --- |
//! | arrays | `train.npz` and `test.npz` with `x` `[N, T, C]` and `y` `[N]` or `[N, T]`; or `train/x.npy`, `train/y.npy` and so on |
//! | tables | `train/CLASS/*.csv`: a sequence a file, a step a line, a channel a column, names in the first line; or `train/*.csv` with a column `label` |
//! | sound | `train/CLASS/*.wav` |
//! | `.ts` | `FOLDER_TRAIN.ts` and `FOLDER_TEST.ts` of the UCR/UEA archive |
//! | events | `train/CLASS/*.csv` with the columns `time`, `channel` and, if there are signs, `polarity` |
//!
//! A part `valid` is used where there is one. Sequences keep their lengths; those of more steps than the option `steps` are cut.
//! Classes are named by `classes.txt`, a name a line, else by the folders, else by the data, else by numbers.
//!
//! With the option `targets`, numbers are to be found, and no classes: `y` of arrays, columns of tables, `@targetLabel` of `.ts`.
//!
//! | file | holds |
//! | --- | --- |
//! | `config.rs` | where data are and how they are read, with `binning.rs`, `unit.rs`, `groups.rs`, `no_label.rs`, `target_kind.rs` |
//! | `context.rs`, `common.rs` | what readers are told; limits, and what several of them say |
//! | `table.rs`, `number.rs`, `npy.rs` | tables of text in any dialect; what is written for a number; arrays of NumPy |
//! | `layout.rs` | which files a part has |
//! | `sequences.rs`, `numbers.rs` | what all forms but events and sounds make: sequences of any length, and the data set of them |
//! | `labels.rs`, `target_columns.rs` | what is written for a class, or for none; which columns hold numbers that are to be found |
//! | `csv.rs`, `csv_numbers.rs` | a sequence a table |
//! | `archive.rs`, `padding.rs`, `array_numbers.rs`, `arrays.rs` | a sequence a row of an array; what may be no part of it |
//! | `ts.rs`, `ts_header.rs` | the UCR/UEA archive; a sequence a line |
//! | `events.rs`, `event_list.rs`, `instant.rs`, `span.rs` | lists of events, and when they are |
//! | `sound.rs` | sounds |
//! | `load.rs`, `load_numbers.rs`, `part.rs` | a part of any form, with classes or with numbers |
//! | `unlabelled.rs` | files that a model is to answer to |

mod archive;
mod array_numbers;
mod arrays;
mod binning;
mod common;
mod config;
mod context;
mod csv;
mod csv_numbers;
mod event_list;
mod events;
mod groups;
mod instant;
mod labels;
mod layout;
mod load;
mod load_numbers;
mod no_label;
mod npy;
mod number;
mod numbers;
mod padding;
mod part;
mod sequences;
mod sound;
mod span;
mod table;
mod target_columns;
mod target_kind;
#[cfg(test)]
mod tests;
mod ts;
mod ts_header;
mod unit;
mod unlabelled;

pub use binning::{Binning, Origin, Several};
pub use config::{Form, Missing, OwnConfig};
pub use groups::{FileName, Groups};
pub use load::load;
pub use no_label::NoLabel;
pub use sound::SoundEncoding;
pub use target_kind::TargetKind;
pub use unit::TimeUnit;
pub use unlabelled::read_files;
