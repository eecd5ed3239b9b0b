//! From the ini file of the `FlexLM` license usage logger to a configuration of this program.

use super::ini::Item;
use super::old_service::{Imported, quoted};

/// Its keys that say something here, all in `[DEFAULT]`.
const KNOWN: [&str; 5] = ["logusers", "dbpath", "logpath", "licfile", "pingurl"];

/// Whether these are that program's items.
pub(super) fn is_it(items: &[Item]) -> bool {
    items.iter().any(|item| item.section == "DEFAULT" && KNOWN.contains(&item.key.as_str()))
}

/// Writes the configuration that does as the logger's file says. `from` is the file's name: for the text.
pub(super) fn import(items: &[Item], from: &str) -> Imported {
    let filled = |key: &str| {
        let found = items.iter().find(|item| item.section == "DEFAULT" && item.key == key);
        found.map(|item| item.value.as_str()).filter(|value| !value.is_empty())
    };
    let mut left_out = Vec::new();
    let mut text = format!(
        "# Written by `seatledger config import` from {}.\n# docs/migrating.md says what comes next.\n\n\
         # The books: a file, or postgres://USER@HOST/NAME.\ndb = \"sqlite:seatledger.db\"\n\n\
         # `seatledger serve` polls by itself; `seatledger poll` does it once, from cron as before.\n[[source]]\nkind = \"poll\"\n\
         format = \"lmstat\"\n",
        quoted(from)
    );
    match filled("licfile") {
        Some(address) if address.contains('@') => text.push_str(&format!("server = {}\n", quoted(address))),
        Some(file) => text.push_str(&format!("# lmutil's -c\ntarget = {}\n", quoted(file))),
        None => left_out.push(
            "licfile is not there: lmutil asks whom its environment names, as before; name the license server with \
             server = \"PORT@HOST\""
                .to_owned(),
        ),
    }
    text.push_str("# As often as cron ran the logger.\ninterval = \"5m\"\n");
    match filled("logpath").or_else(|| filled("dbpath")) {
        Some(directory) => text.push_str(&format!(
            "csv_log = {{ directory = {}, users = {} }}\n",
            quoted(directory),
            is_true(filled("logusers").unwrap_or_default())
        )),
        None => left_out.push("neither dbpath nor logpath is there: no CSV files are written".to_owned()),
    }
    match filled("pingurl") {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            text.push_str(&format!("ping_url = {}\n", quoted(url)));
        }
        Some(_) => left_out.push("pingurl: it is no address that begins with http:// or https://".to_owned()),
        None => {}
    }
    if filled("dbpath").is_some() && filled("logpath").is_some() {
        left_out.push("dbpath: logpath is there too, and says where the CSV files are".to_owned());
    }
    for item in items {
        if item.section == "DEFAULT" && KNOWN.contains(&item.key.as_str()) {
            continue;
        }
        // What a value says may be a password.
        left_out.push(match item.key.starts_with("db") || item.key == "usedb" {
            true => format!(
                "[{}] {}: Seatledger keeps its books in a database of its own (`db`)",
                item.section, item.key
            ),
            false => format!("[{}] {}: there is nothing like it here", item.section, item.key),
        });
    }
    Imported { text, left_out }
}

/// What a person means by it; the logger took any text for true.
fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on", "y"].contains(&value.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, CsvLogConfig, PollConfig, SourceKind, import};

    fn imported(text: &str) -> (Vec<String>, PollConfig) {
        let imported = import(text.as_bytes(), "logLicenseUsage.ini").expect(text);
        let config = Config::of_bytes(imported.text.as_bytes(), "s.toml").expect(&imported.text);
        match config.sources.into_iter().next().map(|source| source.kind) {
            Some(SourceKind::Poll(poll)) => (imported.left_out, *poll),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_loggers_file_becomes_a_source() {
        let text = "[DEFAULT]\nlogusers = True\ndbpath = \\\\files\\share\\logs\nlicfile = 27000@lic1\n\
                    pingurl = https://ping.example/7\n";
        let (left_out, poll) = imported(text);
        assert_eq!(left_out, Vec::<String>::new());
        assert_eq!(
            poll.csv_log,
            Some(CsvLogConfig { directory: "\\\\files\\share\\logs".into(), users: true })
        );
        assert_eq!(
            (poll.server.as_deref(), poll.target.as_deref()),
            (Some("27000@lic1"), Some("27000@lic1"))
        );
        assert_eq!(poll.ping_url.as_deref(), Some("https://ping.example/7"));
    }

    #[test]
    fn false_is_false_and_what_is_left_out_is_said_without_its_value() {
        let text = "[DEFAULT]\nlogusers = False\nlogpath = /var/logs\ndbpath = /var/db\nlicfile = /etc/license.dat\n\
                    usedb = False\ndbpassword = s3cret\ncolour = s3cret\npingurl = s3cret\n";
        let (left_out, poll) = imported(text);
        assert_eq!(poll.csv_log, Some(CsvLogConfig { directory: "/var/logs".into(), users: false }));
        assert_eq!((poll.server, poll.target.as_deref()), (None, Some("/etc/license.dat")));
        let said = left_out.join("\n");
        for key in ["dbpath:", "[DEFAULT] usedb:", "[DEFAULT] dbpassword:", "[DEFAULT] colour:", "pingurl:"] {
            assert!(said.contains(key), "{key}: {said}");
        }
        assert!(!said.contains("s3cret"), "{said}");
    }

    #[test]
    fn little_is_enough() {
        let (left_out, poll) = imported("[DEFAULT]\nlogusers = 0\n");
        assert_eq!((poll.csv_log, poll.target), (None, None));
        assert_eq!(left_out.len(), 2, "{left_out:?}");
    }
}
