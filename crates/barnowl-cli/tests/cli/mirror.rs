//! Data that are fetched: from a server on loopback, or from nobody.

// No target uses all of it.
#![allow(dead_code)]

use super::command::{barnowl, folder};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// `barnowl data ACTION NAME --data DATA --mirror URL`, without a mirror if it is empty.
pub fn data_command(action: &str, name: &str, data: &Path, mirror: &str) -> Command {
    let mut command = barnowl(&["data", action, name, "--data"]);
    command.arg(data);
    if !mirror.is_empty() {
        command.args(["--mirror", mirror]);
    }
    command
}

/// A port that nobody listens on.
pub const NOBODY: &str = "http://127.0.0.1:9";

pub const MNIST: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// A data folder with a folder of MNIST that holds garbage.
pub fn garbage() -> tempfile::TempDir {
    let temp = folder();
    let mnist = temp.path().join("mnist");
    std::fs::create_dir(&mnist).unwrap();
    for name in MNIST {
        std::fs::write(mnist.join(format!("{name}.gz")), "garbage").unwrap();
    }
    temp
}

/// A server on loopback that gives what `file` has for the last part of an address, and its address.
pub fn serve(file: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
            let request: Vec<String> = lines.collect();
            let path = request.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("");
            let (status, body) = match file(path.rsplit('/').next().unwrap_or("")) {
                Some(body) => ("200 OK", body),
                None => ("404 Not Found", Vec::new()),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    url
}
