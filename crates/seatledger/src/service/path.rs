//! Which way a request goes: pings are recognized before anything else, in every spelling that plug-ins in the field use.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way<'p> {
    /// The last segment is `ping`, in any case, with any prefix.
    Ping,
    /// What it asks for, with single slashes, without the base path and without a slash at the end: `/` itself, or
    /// `/health`.
    Other(Cow<'p, str>),
}

/// Where a path leads behind a base path; doubled and trailing slashes do not count.
pub(crate) fn way<'p>(path: &'p str, base: &[String]) -> Way<'p> {
    let last = path.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    if is_ping(last) {
        return Way::Ping;
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let has_base = segments.len() >= base.len() && segments.iter().zip(base).all(|(one, other)| one == other);
    let within = if has_base { &segments[base.len()..] } else { &segments[..] };
    let plain = format!("/{}", within.join("/"));
    Way::Other(if plain == path { Cow::Borrowed(path) } else { Cow::Owned(plain) })
}

fn is_ping(segment: &str) -> bool {
    if !segment.contains('%') {
        return segment.eq_ignore_ascii_case("ping");
    }
    // An encoded slash ends a segment too, as it did for the service that this one replaces.
    let decoded: Vec<u8> = percent_decode_str(segment).collect();
    let last = decoded.rsplit(|&byte| byte == b'/').find(|part| !part.is_empty()).unwrap_or_default();
    last.eq_ignore_ascii_case(b"ping")
}

#[cfg(test)]
mod tests {
    use super::{Way, way};

    #[test]
    fn every_spelling_of_ping_leads_there() {
        let spellings = [
            "/ping",
            "//ping",
            "/PING/",
            "/a/b//Ping//",
            "/path_to_the_web_service/ping",
            "ping",
            "/%70ing",
            "/a%2Fping",
        ];
        for path in spellings {
            assert_eq!(way(path, &[]), Way::Ping, "{path}");
        }
        for path in ["/pings", "/ping/x", "/pi%6eg2", "/", ""] {
            assert_ne!(way(path, &[]), Way::Ping, "{path}");
        }
    }

    #[test]
    fn the_base_path_and_slashes_too_many_are_taken_off() {
        let base = ["a".to_owned(), "b".to_owned()];
        let cases = [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/a/b", "/"),
            ("/a/b/", "/"),
            ("//a//b//", "/"),
            ("/a/b/health", "/health"),
            ("/health/", "/health"),
            ("/a", "/a"),
            ("/b/a", "/b/a"),
            ("/A/b", "/A/b"),
        ];
        for (path, plain) in cases {
            assert_eq!(way(path, &base), Way::Other(plain.into()), "{path}");
        }
    }
}
