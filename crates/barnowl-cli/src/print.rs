//! Standard output.

use barnowl::error::{Error, Result};

/// Prints a result as one JSON object.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string(value)
        .map_err(|error| Error::format(format!("the result cannot be written as JSON: {error}")))?;
    print_line(&text)
}

/// Prints to standard output; a reader that has gone away is no error.
pub fn print_line(text: &str) -> Result<()> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("write", "standard output", error))
        }
        _ => Ok(()),
    }
}
