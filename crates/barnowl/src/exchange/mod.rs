//! Parameters from and for other programs: PyTorch state dicts, safetensors.
//!
//! A file is read into a [`TensorMap`], whatever its format; [`rename`] finds the state dict in it and turns the names of the
//! model's authors into ours, and [`check`] compares the result with the parameters that a network has.
//! [`import::fit`](crate::import::fit) does all of that for a task, and reports all problems at once.
//!
//! ```no_run
//! use barnowl::exchange::{self, Shapes};
//! # fn main() -> barnowl::error::Result<()> {
//! let tensors = exchange::read("ecg.pth", None)?;
//! let renamed = exchange::rename("ecg-paper", tensors, &[])?;
//! let expected = Shapes::from([("layers.0.input.weight".to_string(), vec![36, 4])]);
//! exchange::check(&renamed.tensors, &expected)?;
//! # Ok(())
//! # }
//! ```

mod check;
mod element;
mod find;
mod names;
pub mod npy;
pub mod pytorch;
mod read;
mod recognise;
pub mod safetensors;
pub mod sealed;
mod table;
mod tensor;

pub use check::{Discrepancies, Misshapen, Shapes, check, take};
pub use names::{Renamed, rename, renamed_tasks};
pub use read::read;
pub use recognise::Format;
pub use tensor::{NamedTensor, TensorMap};
