//! A receiver of log documents on a port of this machine.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
pub(super) struct Request {
    /// The number of its connection, from 0.
    pub(super) connection: usize,
    pub(super) line: String,
    headers: Vec<String>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        let of_name = |header: &String| {
            let (key, _) = header.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(key.len() + 1)
        };
        let found = self.headers.iter().find_map(|header| Some(header[of_name(header)?..].trim()));
        found.unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// How a receiver answers.
pub(super) struct Answer {
    /// The answers, one after the other; the last one again and again.
    answers: Vec<(u16, String)>,
    /// Before the first answer it waits until the other end is gone.
    hold: Option<mpsc::Receiver<()>>,
}

impl Answer {
    pub(super) fn always(status: u16, body: &str) -> Self {
        Self::in_turn(&[(status, body)])
    }

    pub(super) fn in_turn(answers: &[(u16, &str)]) -> Self {
        let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        Self { answers, hold: None }
    }

    pub(super) fn held(hold: mpsc::Receiver<()>, status: u16, body: &str) -> Self {
        Self { hold: Some(hold), ..Self::always(status, body) }
    }

    fn next(&mut self) -> (u16, String) {
        if let Some(hold) = self.hold.take() {
            let _ = hold.recv();
        }
        if self.answers.len() > 1 { self.answers.remove(0) } else { self.answers[0].clone() }
    }
}

/// A certificate of nobody for `localhost`, with its key.
pub(super) struct Certificate {
    pub(super) pem: PathBuf,
    key: PathBuf,
}

/// Makes a certificate.
pub(super) fn certificate(place: &Path) -> Certificate {
    let (pem, key) = (place.join("certificate.pem"), place.join("key.pem"));
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
    Certificate { pem, key }
}

impl Certificate {
    fn config(&self) -> Arc<ServerConfig> {
        use rustls_pki_types::pem::PemObject;
        use rustls_pki_types::{CertificateDer, PrivateKeyDer};
        let certificate = CertificateDer::from_pem_file(&self.pem).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("a key");
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate with its key");
        Arc::new(config)
    }
}

/// A receiver; it takes one connection after the other.
pub(super) struct Receiver {
    port: u16,
    tls: bool,
    requests: mpsc::Receiver<Request>,
}

impl Receiver {
    pub(super) fn new(certificate: Option<&Certificate>, mut answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (told, requests) = mpsc::channel();
        let tls = certificate.map(Certificate::config);
        let is_tls = tls.is_some();
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let stream = stream.expect("a connection");
                match &tls {
                    None => serve(stream, connection, &mut answer, &told),
                    Some(config) => {
                        let server = ServerConnection::new(Arc::clone(config)).expect("a server");
                        serve(StreamOwned::new(server, stream), connection, &mut answer, &told);
                    }
                }
            }
        });
        Self { port, tls: is_tls, requests }
    }

    /// The address of a port where nobody listens.
    pub(super) fn nobody() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        format!("http://127.0.0.1:{}/", listener.local_addr().expect("an address").port())
    }

    pub(super) fn url(&self, path: &str) -> String {
        let (scheme, host) = if self.tls { ("https", "localhost") } else { ("http", "127.0.0.1") };
        format!("{scheme}://{host}:{}{path}", self.port)
    }

    /// The next request, as soon as it is there.
    pub(super) fn next(&self) -> Request {
        self.requests.recv().expect("a request")
    }

    /// The requests that came and were not asked for yet.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

/// Answers the requests of a connection until it is closed.
fn serve(stream: impl Read + Write, connection: usize, answer: &mut Answer, told: &mpsc::Sender<Request>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream, connection) {
        if told.send(request).is_err() {
            return;
        }
        let (status, body) = answer.next();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        let stream = stream.get_mut();
        if stream.write_all((head + &body).as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

fn read(stream: &mut impl BufRead, connection: usize) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|&count| count > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.remove(0);
    let mut request = Request { connection, line, headers: lines, body: String::new() };
    let mut body = vec![0; request.header("content-length").parse().expect("a length")];
    stream.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).expect("UTF-8");
    Some(request)
}
