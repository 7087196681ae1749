//! Tasks in TOML; what is written of one, as for a run to be resumed, is read again.

#![no_main]

use barnowl::error::Result;
use barnowl::task::TaskConfig;
use barnowl_fuzz::file;
use libfuzzer_sys::fuzz_target;

fn load(name: &str, text: &[u8]) -> Result<TaskConfig> {
    TaskConfig::load(&file(name, text).to_string_lossy(), &[])
}

fuzz_target!(|input: &[u8]| {
    // Some values have no TOML form, and are refused with words.
    if let Ok(text) = load("task.toml", input).and_then(|task| task.to_toml()) {
        let again = load("again.toml", text.as_bytes()).and_then(|task| task.to_toml());
        assert_eq!(again.expect("what was written can be read"), text);
    }
});
