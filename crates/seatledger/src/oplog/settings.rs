//! What the log needs to know, from the configuration and the machine.

use crate::config::{Config, ElkConfig};
use accounting::privacy::Identity;
use std::path::PathBuf;
use std::time::Duration;
use store::Place;

pub(crate) use crate::config::ConsoleFace as Face;

/// The name of the issue log where the configuration gives none: that of the service before this one.
const ISSUE_LOG: &str = "adsk_usage_measurement.log";

/// What the log needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How entries look on standard output.
    pub(super) console: Face,
    /// The issue log's file.
    pub(super) issues: PathBuf,
    /// Whether the issue log may name people.
    pub(super) names: bool,
    /// What entries say of where they come from.
    pub(super) origin: Origin,
    /// Where they are sent.
    pub(super) elk: Option<ElkSettings>,
}

/// What documents say of where they come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) host: String,
    pub(super) environment: String,
    pub(super) service: String,
    pub(super) script_dir: String,
    pub(super) script_file: String,
    pub(super) run_context: String,
}

/// How entries are sent.
#[derive(Debug, Clone)]
pub(super) struct ElkSettings {
    pub(super) url: String,
    pub(super) verify_ssl: bool,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) bulk: bool,
    /// Entries that wait at most.
    pub(super) room: usize,
    /// How long one request may take.
    pub(super) timeout: Duration,
    /// The first pause after a failed request; it doubles up to thirty times as long.
    pub(super) pause: Duration,
}

impl Settings {
    /// What the configuration says, of a process that works on a database.
    pub(crate) fn of(config: &Config, place: &Place) -> Self {
        let issues = config.log.issues.clone().unwrap_or_else(|| beside(place));
        let elk = config.elk.as_ref().map(|elk| ElkSettings {
            url: elk.url.clone(),
            verify_ssl: elk.verify_ssl,
            ca_file: elk.ca_file.clone(),
            bulk: elk.bulk,
            room: 10_000,
            timeout: Duration::from_secs(10),
            pause: Duration::from_secs(1),
        });
        let origin = Origin::of(config.elk.as_ref(), place);
        Self { console: config.log.console, issues, names: names_may_be_written(config), origin, elk }
    }
}

/// Whether the issue log may name people: the one place where that is decided.
fn names_may_be_written(config: &Config) -> bool {
    config.privacy.identity == Identity::Named
}

/// The issue log beside the database; where that is no file, in the current directory.
fn beside(place: &Place) -> PathBuf {
    match place {
        Place::Sqlite(path) => path.with_file_name(ISSUE_LOG),
        Place::Postgres(_) => PathBuf::from(ISSUE_LOG),
    }
}

impl Origin {
    fn of(elk: Option<&ElkConfig>, place: &Place) -> Self {
        let program = std::env::current_exe().unwrap_or_default();
        let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let is_of_systemd = std::env::var_os("INVOCATION_ID").is_some();
        Self {
            host: whoami::hostname().unwrap_or_else(|_| "unknown-host".to_owned()),
            environment: environment(elk, place),
            service: elk.map_or(ElkConfig::SERVICE, |elk| &elk.service).to_owned(),
            script_dir: text(program.parent().map(std::path::Path::as_os_str)),
            script_file: text(program.file_name()),
            run_context: if is_of_systemd { "systemd" } else { "standalone" }.to_owned(),
        }
    }
}

/// The environment that the configuration names; else `test` where the name of the database service begins as that of
/// a test database does, else `production`.
fn environment(elk: Option<&ElkConfig>, place: &Place) -> String {
    let Some(elk) = elk else { return "production".to_owned() };
    if let Some(environment) = &elk.environment {
        return environment.clone();
    }
    let service = elk.database_service.clone().unwrap_or_else(|| place.service_name()).to_lowercase();
    let is_test = elk.test_prefixes.iter().any(|prefix| service.starts_with(&prefix.to_lowercase()));
    if is_test { "test" } else { "production" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(elk: &ElkConfig, place: &str) -> String {
        environment(Some(elk), &place.parse().expect(place))
    }

    #[test]
    fn the_environment_follows_from_the_name_of_the_database() {
        let mut elk = ElkConfig::of_url("http://elk:8080");
        assert_eq!(found(&elk, "sqlite:books/tgis.db"), "production", "no prefix is known");
        elk.test_prefixes = vec!["TGIS".to_owned(), "dev".to_owned()];
        assert_eq!(found(&elk, "sqlite:books/tgis.db"), "test");
        assert_eq!(found(&elk, "sqlite:tgis/books.db"), "production", "the file counts, not its directory");
        assert_eq!(found(&elk, "postgres://books@db/Dev2?sslmode=disable"), "test");
        assert_eq!(found(&elk, "postgres://dev@db/books"), "production", "the database counts, not the user");
        elk.database_service = Some("PGIS".to_owned());
        assert_eq!(found(&elk, "sqlite:tgis.db"), "production", "what is configured counts");
        elk.environment = Some("staging".to_owned());
        assert_eq!(found(&elk, "sqlite:tgis.db"), "staging");
    }

    #[test]
    fn names_are_written_only_where_persons_are_kept_by_name() {
        let names = |identity| {
            let mut config = Config::default();
            config.privacy.identity = identity;
            Settings::of(&config, &"a.db".parse().expect("a place")).names
        };
        assert!(names(Identity::Named));
        assert!(!names(Identity::Pseudonymous) && !names(Identity::Organization));
    }

    #[test]
    fn the_issue_log_is_beside_the_database() {
        let issues = |place: &str| Settings::of(&Config::default(), &place.parse().expect(place)).issues;
        assert_eq!(issues("sqlite:books/a.db"), PathBuf::from("books/adsk_usage_measurement.log"));
        assert_eq!(issues("a.db"), PathBuf::from("adsk_usage_measurement.log"));
        assert_eq!(issues("postgres://a@db/b"), PathBuf::from("adsk_usage_measurement.log"));
    }
}
