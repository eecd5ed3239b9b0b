//! Those who are told: a webhook, and a mail server.

use crate::desk::Desk;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_mins(1);

/// A request as it came.
pub(super) struct Request {
    pub(super) line: String,
    headers: Vec<String>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        let of_name =
            |header: &&String| header.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        let found = self.headers.iter().find(of_name);
        found.and_then(|header| Some(header.split_once(':')?.1.trim())).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// A webhook on a port of this machine.
pub(super) struct Hook {
    port: u16,
    requests: Mutex<mpsc::Receiver<Request>>,
    /// What it answers; 0: nothing, until the other end is gone.
    status: Arc<AtomicU16>,
}

impl Hook {
    /// One that takes everything.
    pub(super) fn new() -> Self {
        Self::failing(200)
    }

    /// One that takes a request and never answers.
    pub(super) fn deaf() -> Self {
        Self::failing(0)
    }

    /// One that answers with a status.
    pub(super) fn failing(status: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let status = Arc::new(AtomicU16::new(status));
        let (told, requests) = mpsc::channel();
        let answered = Arc::clone(&status);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (told, answered) = (told.clone(), Arc::clone(&answered));
                std::thread::spawn(move || serve(stream, &told, &answered));
            }
        });
        Self { port, requests: Mutex::new(requests), status }
    }

    pub(super) fn answer_from_now_on(&self) {
        self.status.store(200, Ordering::SeqCst);
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next request, when it comes.
    #[track_caller]
    pub(super) fn next(&self) -> Request {
        self.requests.lock().unwrap().recv_timeout(STUCK).expect("a request comes")
    }

    /// Whether nothing has come that was not looked at.
    pub(super) fn is_silent(&self) -> bool {
        self.requests.lock().unwrap().try_recv().is_err()
    }
}

/// One connection: requests until it ends.
fn serve(stream: TcpStream, told: &mpsc::Sender<Request>, status: &AtomicU16) {
    let mut answers = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let answer = status.load(Ordering::SeqCst);
        let _ = told.send(request);
        if answer == 0 {
            // The other end goes, or has waited for long enough.
            let _ = reader.read(&mut [0]);
            return;
        }
        let _ = write!(answers, "HTTP/1.1 {answer} So\r\ncontent-length: 0\r\n\r\n");
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.remove(0);
    let mut request = Request { line, headers: lines, body: String::new() };
    let mut body = vec![0; request.header("content-length").parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

/// The files of a certificate of `localhost`, and of its key, in the directory of a desk.
pub(super) fn certificate(desk: &Desk) -> [std::path::PathBuf; 2] {
    let (pem, key) = (desk.path("certificate.pem"), desk.path("key.pem"));
    let done = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&pem)
        .output()
        .expect("openssl is here");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    [pem, key]
}

/// A mail server on a port of this machine: aiosmtpd.
pub(super) struct MailServer {
    process: Child,
    said: Mutex<BufReader<ChildStdout>>,
    port: u16,
}

impl MailServer {
    pub(super) fn start(certificate: Option<&[std::path::PathBuf; 2]>) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/alerts/smtp_sink.py");
        let mut command = Command::new(python());
        command.arg(script).args(certificate.into_iter().flatten()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the mail server says its port");
        Self { process, said: Mutex::new(said), port }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The next mail, when it comes.
    #[track_caller]
    pub(super) fn next(&self) -> Value {
        let mut line = String::new();
        self.said.lock().unwrap().read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("a mail comes")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A Python that has aiosmtpd: Debian's own packages belong to Debian's own Python.
fn python() -> &'static str {
    let has = |python: &&&str| {
        let run = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3"]
        .iter()
        .find(has)
        .expect("python3-aiosmtpd is here: scripts/test installs it")
}
