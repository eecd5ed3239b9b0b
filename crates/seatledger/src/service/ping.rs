//! What a ping says: `?username=U&domainname=D&appcode=A&version=V&machinename=M`, names of parameters in any case.

use percent_encoding::percent_decode;
use std::borrow::Cow;

/// How many bytes a name may have.
const LONGEST: usize = 256;

/// A ping that is understood; all but the feature in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ping<'q> {
    pub(crate) user: Cow<'q, str>,
    pub(crate) domain: Cow<'q, str>,
    /// The app code: an integer, as its text.
    pub(crate) feature: Cow<'q, str>,
    pub(crate) version: Cow<'q, str>,
    /// Empty where it is not told.
    pub(crate) host: Cow<'q, str>,
}

/// Why a ping is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NoUser,
    NoDomain,
    NoAppCode,
    TooLong,
}

impl Fault {
    /// What the client is told.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NoUser => "No user name provided",
            Self::NoDomain => "No domain name provided",
            Self::NoAppCode => "No app code provided",
            Self::TooLong => "A name is too long",
        }
    }
}

/// Reads the query of a ping. What is no UTF-8 is replaced, never refused; so are control characters. Blanks around a value
/// do not count, so that a person is the same as one of whom the JSON interface tells.
pub(crate) fn read<'q>(query: &'q str, unknown_version: &'q str) -> Result<Ping<'q>, Fault> {
    let said = parameters(query);
    let text = |value: Option<&'q str>| value.map(value_of).filter(|text| !text.is_empty());
    let user = lower(text(said.user).ok_or(Fault::NoUser)?);
    let domain = lower(text(said.domain).ok_or(Fault::NoDomain)?);
    let feature = integer(text(said.app_code).ok_or(Fault::NoAppCode)?).ok_or(Fault::NoAppCode)?;
    let version = text(said.version).map_or(Cow::Borrowed(unknown_version), lower);
    let host = text(said.host).map_or(Cow::Borrowed(""), lower);
    let ping = Ping { user, domain, feature, version, host };
    let names = [&ping.user, &ping.domain, &ping.feature, &ping.version, &ping.host];
    if names.iter().any(|name| name.len() > LONGEST) { Err(Fault::TooLong) } else { Ok(ping) }
}

/// The user and the domain that a faulty ping tells, if it does: for the issue log.
pub(crate) fn names(query: &str) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    let said = parameters(query);
    (said.user.map(value_of), said.domain.map(value_of))
}

/// The values of a query as they stand there.
#[derive(Default)]
struct Parameters<'q> {
    user: Option<&'q str>,
    domain: Option<&'q str>,
    app_code: Option<&'q str>,
    version: Option<&'q str>,
    host: Option<&'q str>,
}

fn parameters(query: &str) -> Parameters<'_> {
    let mut said = Parameters::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name);
        let place = match name.len() {
            7 if name.eq_ignore_ascii_case("appcode") => &mut said.app_code,
            7 if name.eq_ignore_ascii_case("version") => &mut said.version,
            8 if name.eq_ignore_ascii_case("username") => &mut said.user,
            10 if name.eq_ignore_ascii_case("domainname") => &mut said.domain,
            11 if name.eq_ignore_ascii_case("machinename") => &mut said.host,
            _ => continue,
        };
        // Of several the first counts.
        place.get_or_insert(value);
    }
    said
}

/// A part of a query as text: `+` is a blank, and what is no UTF-8 is replaced.
fn decoded(part: &str) -> Cow<'_, str> {
    if !part.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Cow::Borrowed(part);
    }
    let spaced = part.replace('+', " ");
    Cow::Owned(percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned())
}

/// A value as it is kept: without the blanks around it, and with control characters, which no name has, replaced.
fn value_of(part: &str) -> Cow<'_, str> {
    let text = decoded(part);
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text;
    }
    Cow::Owned(text.trim().replace(char::is_control, "\u{fffd}"))
}

fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return text;
    }
    Cow::Owned(text.to_lowercase())
}

/// An integer as its shortest text; blanks around it, a sign, zeros before it and single `_` between digits are allowed,
/// as the service that this one replaces allowed them.
fn integer(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let is_short = !text.starts_with('0') || text.len() == 1;
    if is_short && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text);
    }
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.as_bytes().first()? {
        b'-' => (true, &trimmed[1..]),
        b'+' => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let is_number = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    if !digits.split('_').all(is_number) {
        return None;
    }
    let digits = digits.replace('_', "");
    let shortest = digits.trim_start_matches('0');
    Some(Cow::Owned(match shortest {
        "" => "0".to_owned(),
        _ if negative => format!("-{shortest}"),
        _ => shortest.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::{Fault, LONGEST, read};
    use proptest::prelude::*;

    /// `user|domain|feature|version|host`, or what the client is told.
    fn check(query: &str) -> String {
        match read(query, "unknown") {
            Ok(ping) => [ping.user, ping.domain, ping.feature, ping.version, ping.host].join("|"),
            Err(fault) => fault.text().to_owned(),
        }
    }

    #[test]
    fn pings_of_plug_ins_are_understood() {
        let cases = [
            ("username=ann&domainname=corp&appcode=1&version=24.1&machinename=ws7", "ann|corp|1|24.1|ws7"),
            ("userName=Ann&domainName=CORP&appCode=3", "ann|corp|3|unknown|"),
            ("MACHINENAME=WS-1&VERSION=R24&APPCODE=0&DOMAINNAME=D&USERNAME=U", "u|d|0|r24|ws-1"),
            ("username=J%C3%B6rg+M%C3%9CLLER&domainname=a.b%24&appcode=2", "jörg müller|a.b$|2|unknown|"),
            ("username=a&username=b&domainname=d&appcode=1&version=&x", "a|d|1|unknown|"),
            ("user%6Eame=a&domainname=d&appcode=1", "a|d|1|unknown|"),
            (
                "username=+ann%20&domainname=%09d%0D%0A&appcode=1&version=+&machinename=+w+s+",
                "ann|d|1|unknown|w s",
            ),
            ("username=a%0Ab%C2%85c%7F&domainname=d&appcode=1", "a\u{fffd}b\u{fffd}c\u{fffd}|d|1|unknown|"),
            ("username=%E4%00%&domainname=d%2&appcode=1", "\u{fffd}\u{fffd}%|d%2|1|unknown|"),
        ];
        for (query, expected) in cases {
            assert_eq!(check(query), expected, "{query}");
        }
    }

    #[test]
    fn what_lacks_is_told_in_order() {
        let cases = [
            ("", "No user name provided"),
            ("username=&domainname=&appcode=x", "No user name provided"),
            ("username=+%09&domainname=d&appcode=1", "No user name provided"),
            ("username=a&domainname=%C2%A0&appcode=1", "No domain name provided"),
            ("username=a&appcode=1", "No domain name provided"),
            ("username=a&domainname=", "No domain name provided"),
            ("username=a&domainname=d", "No app code provided"),
            ("username=a&domainname=d&appcode=", "No app code provided"),
            ("username=a&domainname=d&appcode=AutoCAD", "No app code provided"),
        ];
        for (query, expected) in cases {
            assert_eq!(check(query), expected, "{query}");
        }
    }

    #[test]
    fn any_integer_is_an_app_code() {
        let feature = |code: &str| {
            read(&format!("username=a&domainname=d&appcode={code}"), "").map(|ping| ping.feature.into_owned())
        };
        let right = [
            ("7", "7"),
            ("007", "7"),
            ("0", "0"),
            ("00", "0"),
            ("-0", "0"),
            ("-12", "-12"),
            ("%2B5", "5"),
            ("+5+", "5"),
            ("1_000", "1000"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ];
        for (code, expected) in right {
            assert_eq!(feature(code).as_deref(), Ok(expected), "{code}");
        }
        for code in ["1.0", "--1", "-", "_1", "1__0", "1_", "0x1", "+", "1+2", "%C2%B2"] {
            assert_eq!(feature(code), Err(Fault::NoAppCode), "{code}");
        }
    }

    #[test]
    fn absurdly_long_names_are_refused() {
        let long = "x".repeat(LONGEST);
        assert!(read(&format!("username={long}&domainname=d&appcode=1"), "").is_ok());
        for query in [
            format!("username={long}x&domainname=d&appcode=1"),
            format!("username=a&domainname=d&appcode=1&machinename={long}x"),
            format!("username=a&domainname=d&appcode={}", "1".repeat(LONGEST + 1)),
        ] {
            assert_eq!(read(&query, ""), Err(Fault::TooLong));
        }
    }

    proptest! {
        #[test]
        fn no_query_panics(query in "([uU]sername=|domainname=|appcode=|%[0-9a-fA-F]{0,2}|[+&=_0-9-]|\\PC){0,40}") {
            let _ = read(&query, "unknown");
        }
    }
}
