//! Forms with a file: what a browser sends as `multipart/form-data`, and who may send it.

use crate::gate::{Caller, Failure, Guest};
use crate::web::asker::is_from_here;
use axum::extract::{FromRequest as _, Request};
use axum::http::header::CONTENT_TYPE;
use memchr::memmem;

/// A field of a form: its name, the file's name where it is a file, what is in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    name: String,
    file: String,
    content: Vec<u8>,
}

/// The fields of a form.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<Part>);

impl Form {
    /// The form of a request that a page of ours has sent.
    pub(super) async fn of(request: Request) -> Result<Self, Failure> {
        if !is_from_here(request.headers()) {
            return Err(Failure::Forbidden("forms are taken from pages of this service only".to_owned()));
        }
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let body = axum::body::Bytes::from_request(request, &()).await.map_err(|error| {
            if error.status().as_u16() == 413 {
                too_large()
            } else {
                Failure::Wrong("the form did not arrive whole".to_owned())
            }
        })?;
        let parts = boundary(&kind).and_then(|boundary| parts(&boundary, &body));
        parts.map(Self).ok_or_else(|| Failure::Wrong("the form cannot be read".to_owned()))
    }

    /// What is in a field, where it is text.
    pub(super) fn text(&self, name: &str) -> &str {
        std::str::from_utf8(self.bytes(name)).unwrap_or_default()
    }

    pub(super) fn bytes(&self, name: &str) -> &[u8] {
        self.0.iter().find(|part| part.name == name).map_or(&[], |part| &part.content)
    }

    /// What a file is called.
    pub(super) fn file(&self, name: &str) -> &str {
        self.0.iter().find(|part| part.name == name).map_or("", |part| &part.file)
    }
}

/// A file is longer than the service takes in one piece.
pub(super) fn too_large() -> Failure {
    Failure::TooLarge(
        "the file is too large: import it on the machine of the database, with `seatledger directory import`"
            .to_owned(),
    )
}

/// Refuses a form that was not made for the login with which it is sent. Where nobody can log in yet, the gate and
/// [`is_from_here`] say that it comes from a page of ours on this machine.
pub(super) fn must_be_own(guest: &Guest, token: &str) -> Result<(), Failure> {
    guest.caller.must_administer()?;
    if guest.caller == Caller::Anybody || (!guest.form_token.is_empty() && guest.form_token == token) {
        return Ok(());
    }
    Err(Failure::Forbidden("this form is not of this login: go back and load the page anew".to_owned()))
}

fn boundary(kind: &str) -> Option<String> {
    let (kind, parameters) = kind.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?.trim_matches('"');
    (!value.is_empty() && value.len() <= 70).then(|| format!("--{value}"))
}

/// The parts between boundaries (RFC 7578); `None` where the text is no such form.
fn parts(boundary: &str, body: &[u8]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = body.strip_prefix(boundary.as_bytes())?;
    let end = format!("\r\n{boundary}");
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let head = memmem::find(rest, b"\r\n\r\n")?;
        let length = memmem::find(&rest[head + 4..], end.as_bytes())?;
        let said = std::str::from_utf8(&rest[..head]).ok()?;
        let disposition =
            said.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let content = rest[head + 4..head + 4 + length].to_vec();
        let name = parameter(disposition, "name")?;
        parts.push(Part { name, file: parameter(disposition, "filename").unwrap_or_default(), content });
        rest = &rest[head + 4 + length + end.len()..];
    }
    Some(parts)
}

fn parameter(disposition: &str, name: &str) -> Option<String> {
    let parameter = |one: &str| {
        one.trim().strip_prefix(name)?.strip_prefix('=').map(|value| value.trim_matches('"').to_owned())
    };
    disposition.split(';').find_map(parameter)
}

#[cfg(test)]
mod tests {
    use super::{Form, boundary, parts};

    #[test]
    fn fields_and_files_are_read_as_they_were_sent() {
        let kind = "multipart/form-data; boundary=----x1";
        let boundary = boundary(kind).unwrap();
        let body = b"------x1\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n------x1\r\n\
                     Content-Disposition: form-data; name=\"csv\"; filename=\"people.csv\"\r\nContent-Type: text/csv\r\n\r\n\
                     login\r\n\xff--\r\n\r\n------x1--\r\n";
        let form = Form(parts(&boundary, body).unwrap());
        assert_eq!((form.text("token"), form.file("csv")), ("abc", "people.csv"));
        assert_eq!(form.bytes("csv"), b"login\r\n\xff--\r\n");
        assert_eq!(form.bytes("other"), b"");
    }

    #[test]
    fn what_is_no_such_form_is_refused() {
        for kind in ["text/plain; boundary=x", "multipart/form-data", "multipart/form-data; boundary="] {
            assert_eq!(boundary(kind), None, "{kind}");
        }
        let whole = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n";
        assert_eq!(parts("--x", whole).unwrap().len(), 1);
        for cut in 0..whole.len() - 4 {
            assert_eq!(parts("--x", &whole[..cut]), None, "{cut}");
        }
    }
}
