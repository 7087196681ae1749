//! One file from a server, with progress; what was interrupted goes on where it ended.

use barnowl::error::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a broken connection is taken up again without anything new arriving.
const TRIES: usize = 3;

/// What asks servers; it keeps its connections for the next file.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .build()
        .into()
}

/// Downloads `url` to the file `to`, through `to.part`, which a later call goes on with. A file that is there and that `check`
/// accepts is left alone; another one is replaced once what is to replace it is there.
///
/// # Errors
///
/// If the server cannot be reached or refuses, the disk does, or `check` refuses what came: the part is then removed.
pub fn fetch(
    agent: &ureq::Agent,
    url: &str,
    to: &Path,
    check: &dyn Fn(&Path) -> Result<()>,
) -> Result<()> {
    let replaces = to.is_file();
    if replaces && check(to).is_ok() {
        // Of an earlier call that ended before it was unpacked, or before the other files were there.
        return Ok(());
    }
    let part = part_of(to);
    let bar = ProgressBar::new(0);
    let template = "{msg} {bar:20.cyan} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.set_message(to.file_name().unwrap_or_default().to_string_lossy().into_owned());
    let mut tries = 0;
    loop {
        let before = length(&part);
        match attempt(agent, url, &part, &bar) {
            Ok(()) => break,
            Err(Attempt::Refused(error)) => return Err(error),
            Err(Attempt::Broken(error)) => {
                tries = if length(&part) > before { 1 } else { tries + 1 };
                if tries >= TRIES {
                    return Err(Error::format(format!("{url}: {error}"))
                        .expected("an answer: is there a connection to the internet?"));
                }
                std::thread::sleep(Duration::from_millis(500));
            }
        }
    }
    bar.finish_and_clear();
    check(&part).inspect_err(|_| {
        // What is wrong now would be wrong for ever.
        let _ = std::fs::remove_file(&part);
    })?;
    std::fs::rename(&part, to).map_err(|error| Error::io("rename", &part, error))?;
    if replaces {
        eprintln!("note: {} was not what is published: replaced", to.display());
    }
    Ok(())
}

/// Why an attempt ended.
enum Attempt {
    /// Another may do better.
    Broken(String),
    /// Another would not.
    Refused(Error),
}

fn attempt(
    agent: &ureq::Agent,
    url: &str,
    part: &Path,
    bar: &ProgressBar,
) -> std::result::Result<(), Attempt> {
    let have = length(part);
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| Attempt::Broken(error.to_string()))?;
    let status = response.status().as_u16();
    let (append, start) = match status {
        200 => (false, 0),
        206 => (true, have),
        // Nothing is left to send.
        416 if have > 0 => return Ok(()),
        500.. => return Err(Attempt::Broken(format!("the server answers {status}"))),
        _ => {
            let problem = format!("{url}: the server answers {status}");
            return Err(Attempt::Refused(Error::format(problem).expected("the file")));
        }
    };
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let rest: Option<u64> = header("content-length").and_then(|length| length.parse().ok());
    if append && !header("content-range").is_some_and(|range| starts_at(range, have)) {
        // A part from another place would spoil the file.
        return Err(Attempt::Broken("the server answers with another part than asked for".into()));
    }
    if let Some(rest) = rest {
        bar.set_length(start + rest);
    }
    bar.set_position(start);
    bar.reset_eta();
    let refused = |action: &str, error| Attempt::Refused(Error::io(action, part, error));
    let mut options = OpenOptions::new();
    options.create(true).write(true).append(append).truncate(!append);
    let mut file: File = options.open(part).map_err(|error| refused("create", error))?;
    let mut body = response.into_body().into_reader();
    let (mut buffer, mut received) = (vec![0; 1 << 16], 0_u64);
    loop {
        match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                file.write_all(&buffer[..n]).map_err(|error| refused("write", error))?;
                received += n as u64;
                bar.inc(n as u64);
            }
            Err(error) => return Err(Attempt::Broken(error.to_string())),
        }
    }
    file.sync_all().map_err(|error| refused("write", error))?;
    match rest {
        Some(rest) if received < rest => {
            Err(Attempt::Broken(format!("the connection ended after {received} of {rest} bytes")))
        }
        _ => Ok(()),
    }
}

/// Whether `Content-Range: bytes START-…` starts there.
fn starts_at(range: &str, start: u64) -> bool {
    let range = range.trim().strip_prefix("bytes").map(str::trim_start);
    range.and_then(|range| range.split('-').next()).is_some_and(|from| from.parse() == Ok(start))
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barnowl::dataset::catalog::Checksum;
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    const TEXT: &[u8] = b"spikes are events in time, and silence is cheap";
    const MD5: Checksum<'static> = Checksum::Md5("eaebd3a4a08b64682aedad7363aadd24");

    fn get(url: &str, to: &Path, checksum: Option<Checksum<'_>>) -> Result<()> {
        let check = |path: &Path| checksum.map_or(Ok(()), |checksum| checksum.verify_file(path));
        fetch(&agent(), url, to, &check)
    }

    /// A server on loopback that answers each request as the next of `answers` says, and the ranges it was asked for.
    struct Server {
        url: String,
        asked: Arc<Mutex<Vec<String>>>,
    }

    /// Status, whether the range is obeyed, and how many bytes are sent of those announced.
    type Answer = (u16, bool, usize);

    fn serve(answers: Vec<Answer>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file.bin", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let asked_here = asked.clone();
        std::thread::spawn(move || {
            for (status, obeys, sent) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut range = String::new();
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    let line = line.unwrap();
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: ") {
                        range = value.to_owned();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                let start = range.strip_prefix("bytes=").and_then(|r| r.strip_suffix('-'));
                let start = start.filter(|_| obeys).map_or(0, |s| s.parse::<usize>().unwrap());
                asked_here.lock().unwrap().push(range);
                let body = &TEXT[start.min(TEXT.len())..];
                let status = if status == 200 && start > 0 { 206 } else { status };
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{}\r\n\
                     Connection: close\r\n\r\n",
                    body.len(),
                    TEXT.len() - 1,
                    TEXT.len()
                )
                .unwrap();
                stream.write_all(&body[..sent.min(body.len())]).unwrap();
            }
        });
        Server { url, asked }
    }

    #[test]
    fn a_broken_download_goes_on_where_it_ended() {
        let temp = tempfile::tempdir().unwrap();
        let to = temp.path().join("file.bin");
        let server = serve(vec![(200, true, 10), (500, true, 0), (200, true, 1000)]);
        get(&server.url, &to, Some(MD5)).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), TEXT);
        assert_eq!(*server.asked.lock().unwrap(), ["", "bytes=10-", "bytes=10-"]);
        assert!(!part_of(&to).exists());
        // What is there and right is not fetched again.
        get("http://127.0.0.1:9/none", &to, Some(MD5)).unwrap();
    }

    #[test]
    fn a_damaged_file_stays_until_another_is_there() {
        let temp = tempfile::tempdir().unwrap();
        let to = temp.path().join("file.bin");
        std::fs::write(&to, "damaged").unwrap();
        let server = serve(vec![(404, true, 0), (200, true, 1000)]);
        assert!(get(&server.url, &to, Some(MD5)).is_err());
        assert_eq!(std::fs::read(&to).unwrap(), b"damaged");
        get(&server.url, &to, Some(MD5)).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), TEXT);
    }

    #[test]
    fn a_server_that_knows_no_ranges_starts_again() {
        let temp = tempfile::tempdir().unwrap();
        let to = temp.path().join("file.bin");
        std::fs::write(part_of(&to), &TEXT[..5]).unwrap();
        let server = serve(vec![(200, false, 1000)]);
        get(&server.url, &to, None).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), TEXT);
    }

    #[test]
    fn another_checksum_leaves_nothing_behind() {
        let temp = tempfile::tempdir().unwrap();
        let to = temp.path().join("file.bin");
        let server = serve(vec![(200, true, 1000)]);
        let wrong = Checksum::Md5("00000000000000000000000000000000");
        let error = get(&server.url, &to, Some(wrong)).unwrap_err().to_string();
        assert!(error.contains("MD5 checksum is eaebd3a4a08b64682aedad7363aadd24"), "{error}");
        assert!(!to.exists() && !part_of(&to).exists());
    }

    #[test]
    fn what_is_not_there_or_not_reachable_is_said() {
        let temp = tempfile::tempdir().unwrap();
        let to = temp.path().join("file.bin");
        let server = serve(vec![(404, true, 0)]);
        let error = get(&server.url, &to, None).unwrap_err().to_string();
        assert!(error.contains("the server answers 404"), "{error}");
        // A port that nobody listens on.
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = get(&format!("http://{closed}/x"), &to, None).unwrap_err().to_string();
        assert!(error.contains("connection to the internet"), "{error}");
    }
}
