//! Ctrl-C: the first one finishes the step and saves, the second one ends at once.

use barnowl::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether Ctrl-C was pressed.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens to SIGINT and SIGTERM from now on.
    pub fn listen() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let set = flag.clone();
        ctrlc::set_handler(move || {
            if set.swap(true, Ordering::SeqCst) {
                std::process::exit(crate::exit::INTERRUPTED.into());
            }
            eprintln!("\nstopping after this step; press Ctrl-C again to stop without saving");
        })
        .map_err(|error| Error::config(format!("cannot listen to Ctrl-C: {error}")))?;
        Ok(Self(flag))
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
