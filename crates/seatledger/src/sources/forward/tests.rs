//! What answers mean.

use super::central::{Answer, Central, NotHeard};
use crate::config::{Config, ForwardConfig};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::Duration;
use store::forward::WaitingPart;

fn config(url: &str) -> ForwardConfig {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("[forward]\nurl = \"{url}\"\ntoken = \"slt_1\"\nsite = \"basel\"\n"))
        .expect("written");
    Config::read(Some(file.path())).expect("right").forward.expect("a section")
}

/// Posts one part to somebody who answers so; what was posted, and what it means.
fn posted(answer: &'static str) -> (String, Result<Answer, NotHeard>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/base", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a post");
        let mut reader = BufReader::new(stream.try_clone().expect("the same"));
        let (mut said, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            said.push_str(&line);
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        stream.write_all(answer.as_bytes()).expect("answered");
        said + &String::from_utf8(body).expect("text")
    });
    let part = WaitingPart { id: 1, body: "{\"part\":1}".to_owned() };
    let heard = Central::new(&config(&url)).expect("trust").post(&[part.clone(), part], true);
    (server.join().expect("served"), heard)
}

#[test]
fn parts_are_posted_as_they_wait() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 83\r\n\r\n\
                  {\"accepted\":1,\"already_taken\":0,\"refused\":[{\"index\":1,\"reason\":\"r\",\"awaits\":7}]   }";
    let (said, heard) = posted(answer);
    assert!(said.starts_with("POST /base/api/v1/events HTTP/1.1\r\n"), "{said}");
    assert!(said.to_lowercase().contains("authorization: bearer slt_1\r\n"), "{said}");
    assert!(
        said.ends_with("{\"site\":\"basel\",\"after_gap\":true,\"parts\":[{\"part\":1},{\"part\":1}]}"),
        "{said}"
    );
    let heard = heard.expect("heard");
    assert_eq!((heard.accepted, heard.refused.len(), heard.refused[0].awaits), (1, 1, Some(7)));
}

#[test]
fn answers_say_whether_to_come_again_or_to_call_somebody() {
    let busy = "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 18\r\n\r\n{\"error\": \"later\"}";
    let (_, heard) = posted(busy);
    assert_eq!(heard, Err(NotHeard::Busy { why: "503 later".to_owned(), after: Duration::from_secs(7) }));
    let limited = "HTTP/1.1 429 Slow down\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(posted(limited).1, Err(NotHeard::Busy { .. })));
    for (answer, remedy) in [
        (
            "HTTP/1.1 401 No\r\ncontent-length: 16\r\n\r\n{\"error\": \"who\"}",
            "token add NAME --site \"basel\"",
        ),
        ("HTTP/1.1 400 No\r\ncontent-length: 16\r\n\r\n{\"error\": \"huh\"}", "one version"),
        ("HTTP/1.1 413 No\r\ncontent-length: 16\r\n\r\n{\"error\": \"big\"}", "64 MiB"),
        ("HTTP/1.1 404 No\r\ncontent-length: 4\r\n\r\nnone", "correct url"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello!", "correct url"),
    ] {
        let heard = posted(answer).1;
        let Err(NotHeard::Refused(trouble)) = &heard else { panic!("{answer}: {heard:?}") };
        assert!(trouble.remedy.contains(remedy), "{answer}: {trouble:?}");
    }
    let diverged = "HTTP/1.1 409 No\r\ncontent-length: 20\r\n\r\n{\"error\": \"another\"}";
    assert_eq!(posted(diverged).1, Err(NotHeard::Diverged("another".to_owned())));
    let nobody = Central::new(&config("http://127.0.0.1:1")).expect("trust").post(&[], false);
    assert!(matches!(nobody, Err(NotHeard::Away(_))), "{nobody:?}");
}
