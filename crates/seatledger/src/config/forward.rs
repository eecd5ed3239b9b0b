//! The section `[forward]`: the central service that is told what is taken in here.

use super::alert::{Secret, set_secret};
use super::document::{Entry, Wrong};
use std::path::PathBuf;
use std::time::Duration;

const KEYS: [&str; 7] = ["url", "token", "token_file", "ca_file", "site", "most_bytes", "timeout"];
/// How much waits at most where nobody says so.
const MOST_BYTES: u64 = 1 << 30;
/// How long the central service may take to answer where nobody says so.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What the configuration says of the central service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForwardConfig {
    /// Its address, without the path of its interface.
    pub(crate) url: String,
    /// What is sent as `Authorization: Bearer …`.
    pub(crate) token: Option<Secret>,
    /// Certificates in PEM by which its own is verified, instead of those of public authorities.
    pub(crate) ca_file: Option<PathBuf>,
    /// What people call this site.
    pub(crate) site: Option<String>,
    /// Where so many bytes wait, nothing more is taken in.
    pub(crate) most_bytes: u64,
    /// How long it may take to answer.
    pub(crate) timeout: Duration,
}

impl ForwardConfig {
    /// The section of a text.
    pub(super) fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let mut url = None;
        let mut forward = Self {
            url: String::new(),
            token: None,
            ca_file: None,
            site: None,
            most_bytes: MOST_BYTES,
            timeout: TIMEOUT,
        };
        for entry in section.table()? {
            match entry.key() {
                "url" => url = Some(address(&entry)?),
                "token" | "token_file" => set_secret(&mut forward.token, &entry)?,
                "ca_file" => forward.ca_file = Some(entry.filled_text()?.into()),
                "site" => forward.site = Some(entry.filled_text()?),
                "most_bytes" => forward.most_bytes = entry.whole_number(1 << 16, 1 << 40)?.unsigned_abs(),
                "timeout" => forward.timeout = timeout(&entry)?,
                _ => return Err(entry.unknown_key(&KEYS)),
            }
        }
        let Some(url) = url else {
            let url = "url = \"https://seats.example.com\"";
            return Err(section.wrong_key(format!("[forward] needs the central service's address: {url}")));
        };
        Ok(Self { url, ..forward })
    }

    /// Its scheme and host, which may be shown everywhere.
    pub(crate) fn shown(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or_default();
        format!("{scheme}://{}", rest.split('/').next().unwrap_or_default())
    }
}

fn address(entry: &Entry<'_>) -> Result<String, Wrong> {
    let url = entry.filled_text()?;
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let is_right = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']));
    if !is_right || url.contains(|letter: char| letter.is_whitespace() || "?#@\\".contains(letter)) {
        return Err(entry
            .wrong("this is no address of a service: write https://HOST or https://HOST/PATH".to_owned()));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn timeout(entry: &Entry<'_>) -> Result<Duration, Wrong> {
    let ms = super::alert::milliseconds(entry, 100)?;
    if ms > 600_000 {
        return Err(entry.wrong("the central service may take ten minutes at most: write \"1m\"".to_owned()));
    }
    Ok(Duration::from_millis(ms.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::{Secret, TIMEOUT};
    use crate::config::Config;
    use crate::config::tests::wrong;

    #[test]
    fn a_site_names_the_central_service_and_hides_its_token() {
        let text =
            "[forward]\nurl = \"https://seats.example.com/base/\"\ntoken = \"slt_1\"\nsite = \"basel\"\n";
        let forward = Config::of(text).unwrap_or_else(|wrong| panic!("{}", wrong.message)).forward;
        let forward = forward.expect("a section");
        assert_eq!(forward.url, "https://seats.example.com/base");
        assert_eq!(forward.shown(), "https://seats.example.com");
        assert_eq!(forward.token, Some(Secret::Here("slt_1".to_owned())));
        assert_eq!((forward.most_bytes, forward.timeout), (1 << 30, TIMEOUT));
        assert!(!format!("{forward:?}").contains("slt_1"), "{forward:?}");
    }

    #[test]
    fn a_section_that_is_not_right_is_refused() {
        let of = |text: &str| wrong(&format!("[forward]\n{text}\n"));
        assert!(of("").starts_with("1: [forward] needs the central service's address"));
        for wrong in ["seats", "ftp://seats", "https://", "https://a b", "https://user:secret@seats"] {
            let said = of(&format!("url = \"{wrong}\""));
            assert!(said.starts_with("2: this is no address of a service"), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
        let url = "url = \"https://a\"\n";
        assert!(of(&format!("{url}tokn = \"a\"")).ends_with("did you mean `token`?"));
        assert!(of(&format!("{url}token = \"a\"\ntoken_file = \"b\"")).contains("leave one of them out"));
        assert!(of(&format!("{url}timeout = \"1h\"")).contains("ten minutes at most"));
        let said = of(&format!("{url}[privacy]\nidentity = \"organization\""));
        assert!(said.contains("keeps no sessions of license servers"), "{said}");
    }
}
