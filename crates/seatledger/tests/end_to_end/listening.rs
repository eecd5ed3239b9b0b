//! The running service, and requests to it.

use crate::desk::Desk;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::Duration;

/// How long anything may take before it counts as stuck.
pub(crate) const STUCK: Duration = Duration::from_mins(1);

/// The service on a port of its own, stopped when this is dropped.
pub(crate) struct Service {
    process: Child,
    port: u16,
    /// What it said before it listened.
    said: Vec<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The body, where it is no text.
    pub(crate) bytes: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Service {
    /// On a loopback address.
    pub(crate) fn start(desk: &Desk) -> Self {
        Self::start_at(desk, "127.0.0.1:0")
    }

    /// On an address; requests go to the loopback one.
    pub(crate) fn start_at(desk: &Desk, listen: &str) -> Self {
        Self::start_as(desk.command(&["serve", "--listen", listen]))
    }

    /// With a command of the caller's.
    pub(crate) fn start_as(mut command: Command) -> Self {
        // One pipe for both, so that what was said first is heard first.
        let (heard, said) = std::io::pipe().unwrap();
        let process = command.stderr(said.try_clone().unwrap()).stdout(said).spawn().unwrap();
        drop(command);
        let mut service = Self { process, port: 0, said: Vec::new() };
        let (sender, receiver) = mpsc::channel();
        // Read to its end, so that the service never waits for a reader.
        std::thread::spawn(move || {
            for line in BufReader::new(heard).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        while service.port == 0 {
            let line = receiver.recv_timeout(STUCK);
            let line = line.unwrap_or_else(|_| panic!("it does not listen: {:?}", service.said));
            let port =
                line.split_once("listening on ").and_then(|(_, at)| at.rsplit_once(':')?.1.parse().ok());
            service.port = port.unwrap_or(0);
            service.said.push(line);
        }
        service
    }

    /// The secret of the link that it printed at its start.
    pub(crate) fn first_admin_secret(&self) -> Option<String> {
        let found = self.said.iter().find_map(|line| line.split_once("first_"));
        let (_, rest) = found?;
        let end = rest.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(rest.len());
        Some(format!("first_{}", &rest[..end]))
    }

    /// Whether it said so before it listened.
    pub(crate) fn said(&self, text: &str) -> bool {
        self.said.iter().any(|line| line.contains(text))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Asks it to stop, and waits until it has; its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_as(&self, path: &str, authorization: &str) -> Answer {
        self.get_with(path, &[("authorization", authorization)])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, "")
    }

    /// Sends JSON.
    pub(crate) fn post(&self, path: &str, authorization: Option<&str>, body: &str) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        self.ask("POST", path, &headers, body)
    }

    /// Sends what a form of another site could send.
    pub(crate) fn post_as_text(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[("content-type", "text/plain")], body)
    }

    /// Sends anything.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(STUCK)).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += &format!("host: 127.0.0.1:{}\r\n", self.port);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        // A body that is refused by its length need not be taken.
        let _ = stream.write_all(body.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        read(&bytes)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { dechunked(&bytes[end + 4..]) } else { bytes[end + 4..].to_vec() };
    let is_text =
        headers.iter().all(|(name, value)| name != "content-type" || !value.contains("officedocument"));
    match String::from_utf8(body) {
        Ok(body) => Answer { status, headers, body, bytes: Vec::new() },
        Err(error) if is_text => panic!("a body is UTF-8: {error}"),
        Err(error) => Answer { status, headers, body: String::new(), bytes: error.into_bytes() },
    }
}

fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = bytes.windows(2).position(|two| two == b"\r\n").expect("a chunk has a length");
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        let chunk = &bytes[line + 2..];
        body.extend_from_slice(&chunk[..length]);
        bytes = &chunk[length + 2..];
    }
}
