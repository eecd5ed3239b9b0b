//! The sections `[[source]]`: what the service takes in live. Each kind describes itself in a file of its own.

mod follow;
mod poll;
mod syslog;

pub(crate) use follow::{FollowConfig, Followed};
pub(crate) use poll::{CsvLogConfig, PollCommand, PollConfig, PollFormat};
pub(crate) use syslog::{Listen, SyslogConfig};

use super::document::{Entry, Table, Wrong};

/// Keys that every kind has.
const COMMON: [&str; 2] = ["kind", "name"];

/// Something that is taken in as long as the service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceConfig {
    /// What people call it; no two have the same.
    pub(crate) name: String,
    /// The line of the configuration on which it begins.
    pub(crate) line: usize,
    /// What it is.
    pub(crate) kind: SourceKind,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// A log file, or the log files of a directory, as they grow.
    Follow(FollowConfig),
    /// A license server that is asked who holds what.
    Poll(Box<PollConfig>),
    /// Messages that other machines send.
    Syslog(SyslogConfig),
}

/// The word after `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Follow,
    Poll,
    Syslog,
}

/// The words, as they are written.
const WORDS: [(&str, Word); 3] = [("follow", Word::Follow), ("poll", Word::Poll), ("syslog", Word::Syslog)];

/// All `[[source]]` of a text.
pub(super) fn sources(section: &Entry<'_>, text: &str) -> Result<Vec<SourceConfig>, Wrong> {
    let mut sources: Vec<SourceConfig> = Vec::new();
    for table in section.tables("source")? {
        let source = source(&table, text)?;
        if let Some(other) = sources.iter().find(|other| other.name == source.name) {
            return Err(table.wrong(format!(
                "the [[source]] of line {} is called `{}` too: give one of them another name = \"…\"",
                other.line, other.name
            )));
        }
        sources.push(source);
    }
    Ok(sources)
}

fn source(table: &Table<'_>, text: &str) -> Result<SourceConfig, Wrong> {
    let (mut name, mut word, mut own) = (None, None, Vec::new());
    for entry in table.entries() {
        match entry.key() {
            "name" => name = Some(entry.filled_text()?),
            "kind" => word = Some(entry.one_of(&WORDS)?),
            _ => own.push(entry),
        }
    }
    let kind = match word {
        Some(Word::Follow) => SourceKind::Follow(FollowConfig::of(table, &own)?),
        Some(Word::Poll) => SourceKind::Poll(Box::new(PollConfig::of(table, &own)?)),
        Some(Word::Syslog) => SourceKind::Syslog(SyslogConfig::of(table, &own)?),
        None => {
            let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
            let words = words.join("\", \"");
            return Err(table.wrong(format!("a [[source]] needs a kind: one of \"{words}\"")));
        }
    };
    let name = name.unwrap_or_else(|| kind.default_name());
    Ok(SourceConfig { name, line: table.line(text), kind })
}

impl SourceKind {
    /// The word after `kind`.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Follow(_) => "follow",
            Self::Poll(_) => "poll",
            Self::Syslog(_) => "syslog",
        }
    }

    /// Where its facts come from, in few words.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Follow(follow) => follow.what(),
            Self::Poll(poll) => poll.what(),
            Self::Syslog(syslog) => syslog.what(),
        }
    }

    fn default_name(&self) -> String {
        format!("{} {}", self.word(), self.what())
    }
}

/// A key that a kind does not know: what could stand there.
fn unknown(entry: &Entry<'_>, own: &[&str]) -> Wrong {
    let known: Vec<&str> = COMMON.iter().chain(own).copied().collect();
    entry.unknown_key(&known)
}

#[cfg(test)]
mod tests {
    use super::{Followed, SourceKind};
    use crate::config::Config;
    use crate::config::tests::wrong;

    #[test]
    fn followed_sources_have_a_path_or_a_pattern() {
        let text = "
            [[source]]
            kind = \"follow\"
            path = \"/var/log/acme.log\"
            format = \"flexnet\"
            server = \"27000@lic1\"
            timezone = \"Europe/Zurich\"

            [[source]]
            name = \"dsls\"
            kind = \"follow\"
            directory = \"/var/log/dsls\"
            pattern = \"LicenseServer*.log\"
            every_ms = 1000
        ";
        let sources = Config::of(text).unwrap_or_else(|wrong| panic!("{}", wrong.message)).sources;
        assert_eq!(sources.len(), 2);
        assert_eq!((sources[0].name.as_str(), sources[0].line), ("follow /var/log/acme.log", 2));
        assert_eq!((sources[1].name.as_str(), sources[1].line), ("dsls", 9));
        let SourceKind::Follow(first) = &sources[0].kind else { panic!("not followed") };
        assert_eq!(first.files, Followed::File("/var/log/acme.log".into()));
        assert_eq!((first.format.as_deref(), first.every_ms), (Some("flexnet"), 250));
        let SourceKind::Follow(second) = &sources[1].kind else { panic!("not followed") };
        assert_eq!(
            second.files,
            Followed::Matching {
                directory: "/var/log/dsls".into(),
                pattern: "LicenseServer*.log".to_owned()
            }
        );
        assert_eq!((second.format.as_deref(), second.every_ms), (None, 1000));
    }

    #[test]
    fn syslog_sources_listen() {
        let text = "[[source]]\nkind = \"syslog\"\nlisten = [\"udp://127.0.0.1:5514\", \"tcp://[::1]:5514\"]";
        let sources = Config::of(text).unwrap_or_else(|wrong| panic!("{}", wrong.message)).sources;
        assert_eq!(sources[0].name, "syslog udp://127.0.0.1:5514 tcp://[::1]:5514");
        let SourceKind::Syslog(syslog) = &sources[0].kind else { panic!("{:?}", sources[0]) };
        assert_eq!((syslog.listen.len(), syslog.server.as_str()), (2, "wrapper"));
        let of = |listen: &str| wrong(&format!("[[source]]\nkind = \"syslog\"\nlisten = [{listen}]\n"));
        assert!(of("").starts_with("1: a syslog [[source]] needs listen = "));
        for wrong in ["127.0.0.1:514", "udp://514", "tls://a:1", "udp://a:99999"] {
            assert!(of(&format!("\"{wrong}\"")).starts_with(&format!("3: `{wrong}` is no address")));
        }
    }

    #[test]
    fn sources_that_are_not_right_are_refused() {
        let of = |text: &str| wrong(&format!("[[source]]\n{text}\n"));
        assert_eq!(
            of("path = \"a\""),
            "1: a [[source]] needs a kind: one of \"follow\", \"poll\", \"syslog\""
        );
        assert_eq!(of("kind = \"folow\""), "2: `folow` is no value of `kind`: did you mean `follow`?");
        assert!(of("kind = \"follow\"").starts_with("1: a followed [[source]] needs path = "));
        assert!(of("kind = \"follow\"\npath = \"a\"\npattern = \"*\"").starts_with("4: `pattern` is of a "));
        assert!(
            of("kind = \"follow\"\ndirectory = \"a\"\npattern = \"[\"").starts_with("4: `[` is no pattern")
        );
        assert!(
            of("kind = \"follow\"\ndirectory = \"a\"\npattern = \"b/*\"").starts_with("4: `b/*` names a")
        );
        assert_eq!(of("kind = \"follow\"\npaht = \"a\""), "3: unknown key `paht`: did you mean `path`?");
        assert_eq!(
            of("kind = \"follow\"\npath = \"a\"\nevery_ms = 1"),
            "4: `every_ms` must be a whole number from 10 to 600000, not 1"
        );
        assert_eq!(
            of("kind = \"follow\"\npath = \"a\"\n[[source]]\nkind = \"follow\"\npath = \"a\""),
            "4: the [[source]] of line 1 is called `follow a` too: give one of them another name = \"…\""
        );
    }
}
