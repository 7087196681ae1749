//! A timing script that is served: another framework's training step, in a process of its own.
//!
//! `PYTHON reference/time_NAME.py SHAPE --threads N --serve` warms up, says so, and trains once for every line `step`;
//! see `reference/timing.py`. Whatever goes wrong with it is a message for the table, no error of ours: another
//! framework may still answer.

use super::memory::peak_of;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a process that has closed its output may take to end and to say why.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a script says once it has warmed up.
#[derive(Debug, Deserialize)]
struct Ready {
    ready: bool,
    version: Option<String>,
}

/// What it says of a step.
#[derive(Debug, Deserialize)]
struct Step {
    seconds: f64,
}

/// A process that is killed when it is dropped.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    /// The lines of its standard output, as a thread reads them.
    output: Receiver<std::io::Result<String>>,
    /// The last line of standard error that is not empty.
    last_line: Arc<Mutex<String>>,
    /// Of the framework, where the script says so.
    pub version: Option<String>,
}

impl Peer {
    /// Starts `PYTHON script.py SHAPE OPTIONS --serve` and waits, no longer than `limit`, until it has warmed up; else the
    /// reason why there is none.
    pub fn start(
        python: &Path,
        script: &Path,
        options: &[String],
        limit: Duration,
    ) -> Result<Self, String> {
        let mut child = Command::new(python)
            .arg(script)
            .args(options)
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", python.display()))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            end(&mut child);
            return Err(format!("cannot talk to {}", python.display()));
        };
        let last_line = Arc::new(Mutex::new(String::new()));
        listen(errors, last_line.clone());
        let output = lines(output);
        let mut peer = Self { child, input, output, last_line, version: None };
        let ready: Ready = peer.answer(Some(limit))?;
        if !ready.ready {
            return Err("it says that it is not ready".into());
        }
        peer.version = ready.version;
        Ok(peer)
    }

    /// The seconds of one training step, by the script's own clock.
    pub fn step(&mut self) -> Result<f64, String> {
        // Whether it can still read shows in whether it answers.
        let _ = self.input.write_all(b"step\n").and_then(|()| self.input.flush());
        let step: Step = self.answer(None)?;
        if step.seconds.is_finite() && step.seconds > 0.0 {
            Ok(step.seconds)
        } else {
            Err(format!("it says that a step took {} seconds", step.seconds))
        }
    }

    /// The peak memory of the process so far, in bytes.
    pub fn peak_memory(&self) -> Option<u64> {
        peak_of(&self.child.id().to_string())
    }

    /// The next line of its output, if it comes within `limit`.
    fn answer<T: DeserializeOwned>(&mut self, limit: Option<Duration>) -> Result<T, String> {
        let next = match limit {
            Some(limit) => self.output.recv_timeout(limit),
            None => self.output.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Ok(Ok(line)) => serde_json::from_str(&line)
                .map_err(|error| format!("it answers {:?}: {error}", line.trim_end())),
            Ok(Err(error)) => Err(format!("its output cannot be read: {error}")),
            Err(RecvTimeoutError::Disconnected) => Err(self.farewell()),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = limit.unwrap_or_default().as_secs();
                Err(format!(
                    "it was not ready after {seconds} s; --peer-limit sets how long that may take"
                ))
            }
        }
    }

    /// Why a process that says no more has ended: its last line on standard error, or its exit status.
    fn farewell(&mut self) -> String {
        let start = Instant::now();
        let mut status = None;
        // Until the listener has dropped its share, there may be more to read.
        while start.elapsed() < FAREWELL {
            status = self.child.try_wait().ok().flatten();
            if status.is_some() && Arc::strong_count(&self.last_line) == 1 {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let line = self.last_line.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (line.is_empty(), status) {
            (false, _) => line,
            (true, Some(status)) => format!("it ended without a word ({status})"),
            (true, None) => "it closed its output without a word".into(),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Kills a process and takes its exit status, so that nothing of it stays. One that has ended already is as good.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Hands on line by line, on a thread of its own, so that whoever waits can stop waiting. It ends when the writer does.
fn lines(from: impl Read + Send + 'static) -> Receiver<std::io::Result<String>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let failed = line.is_err();
            // Nobody listens any more once the peer has been dropped.
            if sender.send(line).is_err() || failed {
                break;
            }
        }
    });
    receiver
}

/// Keeps the last line that is not empty, on a thread of its own, so that the writer never waits for a reader.
fn listen(from: impl Read + Send + 'static, last_line: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if !line.is_empty() {
                *last_line.lock().unwrap_or_else(PoisonError::into_inner) = line;
            }
        }
    });
}
