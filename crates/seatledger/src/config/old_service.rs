//! From the `config.ini` of the AutoCAD usage measurement service to a configuration of this program.

use super::Winterthur;
use super::ini::{Item, items};
use super::old_logger;

/// How the names of that service's test databases begin: it says so in its program.
const TEST_PREFIX: &str = "tgis";
/// What it says of itself in its log.
const SERVICE: &str = "acad_usage_measurement";
/// Its keys for the database of its own.
const ORACLE: [&str; 6] = ["user", "password", "host", "port", "service_name", "dsn"];

/// A configuration written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Imported {
    /// Its text.
    pub(crate) text: String,
    /// What of the old one is not in it, and what to do about it. Tells no value that could be a secret.
    pub(crate) left_out: Vec<String>,
}

/// Writes the configuration that does as an old program's file says, whichever of the two it is. `from` is the file's name: for messages.
pub(crate) fn import(bytes: &[u8], from: &str) -> anyhow::Result<Imported> {
    let utf8 = std::str::from_utf8(bytes).map(|text| text.trim_start_matches('\u{feff}').to_owned());
    // Python reads it in the machine's code page.
    let text = utf8.unwrap_or_else(|_| encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned());
    let items = items(&text)
        .map_err(|wrong| anyhow::Error::msg(format!("{from}:{}: {}", wrong.line(&text), wrong.message)))?;
    let old = Old { items };
    if !["Oracle", "Tables", "ELK"].iter().any(|section| old.has_section(section)) {
        if old_logger::is_it(&old.items) {
            return Ok(old_logger::import(&old.items, from));
        }
        return Err(anyhow::Error::msg(format!(
            "{from} has none of [Oracle], [Tables] and [ELK], and none of logusers, dbpath, logpath, licfile and pingurl \
             in [DEFAULT]: it is neither a config.ini of the AutoCAD usage measurement service nor an ini file of the \
             FlexLM license usage logger"
        )));
    }
    let mut text = format!(
        "# Written by `seatledger config import` from {}.\n\
         # docs/migrating.md says what comes next.\n\n\
         # The books: a file, or postgres://USER@HOST/NAME where several processes take pings.\n\
         db = \"sqlite:seatledger.db\"\n",
        quoted(from)
    );
    text.push_str(
        "\n[log]\n# Faulty pings, new users, users without an organization; names stand only here.\n",
    );
    text.push_str("issues = \"adsk_usage_measurement.log\"\n");
    if let Some(url) = old.filled("ELK", "url") {
        text.push_str(&elk(&old, url));
    }
    if let Some(version) =
        old.filled("Service", "unknown_version_value").filter(|version| *version != "unknown")
    {
        text.push_str("\n# The version of a ping that tells none.\n");
        text.push_str(&format!("[heartbeats]\nunknown_version = {}\n", quoted(version)));
    }
    text.push_str(&views(&old));
    Ok(Imported { text, left_out: old.left_out() })
}

struct Old {
    items: Vec<Item>,
}

impl Old {
    fn has_section(&self, section: &str) -> bool {
        self.items.iter().any(|item| item.section == section)
    }

    /// A value that is there and not empty; `[DEFAULT]` stands for all sections.
    fn filled(&self, section: &str, key: &str) -> Option<&str> {
        let of = |section: &str| {
            let mut items = self.items.iter();
            items.find(|item| item.section == section && item.key == key).map(|item| item.value.as_str())
        };
        of(section).or_else(|| of("DEFAULT")).filter(|value| !value.is_empty())
    }

    /// What is not carried over.
    fn left_out(&self) -> Vec<String> {
        let mut said = Vec::new();
        let oracle: Vec<&str> =
            ORACLE.into_iter().filter(|key| self.filled("Oracle", key).is_some()).collect();
        if !oracle.is_empty() {
            said.push(format!(
                "[Oracle] {}: Seatledger keeps its books in a database of its own (`db`); usage goes to Oracle with \
                 `seatledger export usage --as oracle-merge`",
                oracle.join(", ")
            ));
        }
        if self.filled("ELK", "url").is_none() {
            said.push("[ELK] url is not there: the log goes to standard output alone".to_owned());
        }
        let missing: Vec<&str> =
            Winterthur::keys().into_iter().filter(|key| self.filled("Tables", key).is_none()).collect();
        if !missing.is_empty() {
            said.push(format!(
                "[Tables] {} not there: names of our own stand in [views.winterthur]",
                missing.join(", ")
            ));
        }
        for item in &self.items {
            let is_known = match item.section.as_str() {
                "Oracle" => ORACLE.contains(&item.key.as_str()),
                "Tables" => Winterthur::keys().contains(&item.key.as_str()),
                "Service" => item.key == "unknown_version_value",
                "ELK" => ["url", "verify_ssl"].contains(&item.key.as_str()),
                _ => false,
            };
            if !is_known {
                said.push(format!("[{}] {}: the old service did not know it either", item.section, item.key));
            }
        }
        said
    }
}

fn elk(old: &Old, url: &str) -> String {
    let verify = old.filled("ELK", "verify_ssl").unwrap_or("true").to_lowercase();
    let verify = ["1", "true", "yes", "y"].contains(&verify.as_str());
    let mut text = format!(
        "\n[elk]\nurl = {}\nverify_ssl = {verify}\nservice = {}\n# `environment` is \"test\" where the name of the \
         database service begins so, else \"production\".\ntest_prefixes = [{}]\n",
        quoted(url),
        quoted(SERVICE),
        quoted(TEST_PREFIX)
    );
    if let Some(service) = old.filled("Oracle", "service_name") {
        text.push_str(&format!("database_service = {}\n", quoted(service)));
    }
    text
}

fn views(old: &Old) -> String {
    let mut text = "\n# The old tables as read-only views of the books.\n[views.winterthur]\n".to_owned();
    for key in Winterthur::keys() {
        if let Some(name) = old.filled("Tables", key) {
            text.push_str(&format!("{key} = {}\n", quoted(name)));
        }
    }
    text
}

/// As a text of a configuration.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.replace(['\n', '\r'], " ")).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ElkConfig};
    use super::*;

    const OLD: &str = "[Oracle]
user = measure
password = s%%ecret#1
host = ora1
port = 1521
service_name = TGIS01
dsn =

[Tables]
acad_user_table = GIS.ACAD_USER
user_name_column = USERNAME
domain_name_column = DOMAINNAME
last_ping_column = LASTPING
user_table = ADM.PERSON
user_login_column = LOGIN
user_orgfid_column = ORGFID
usage_table = GIS.ACAD_USAGE
usage_date_column = UDATE
usage_appcode_column = APPCODE
usage_version_column = VERSION
usage_minutes_column = MINUTES
usage_orgfid_column = ORGFID

[Service]
unknown_version_value = unknown

[ELK]
url = https://elk.example.com:8080/
verify_ssl = No
";

    fn imported(text: &str) -> (Imported, Config) {
        let imported = import(text.as_bytes(), "config.ini").expect(text);
        let config = Config::of_bytes(imported.text.as_bytes(), "s.toml").expect(&imported.text);
        (imported, config)
    }

    #[test]
    fn the_old_file_becomes_a_configuration() {
        let (imported, config) = imported(OLD);
        let elk = ElkConfig {
            verify_ssl: false,
            service: "acad_usage_measurement".to_owned(),
            database_service: Some("TGIS01".to_owned()),
            test_prefixes: vec!["tgis".to_owned()],
            ..ElkConfig::of_url("https://elk.example.com:8080/")
        };
        assert_eq!(config.elk, Some(elk));
        let views = config.winterthur.expect("views");
        assert_eq!(views.usage.name, "GIS.ACAD_USAGE");
        assert_eq!(views.usage.columns, ["UDATE", "APPCODE", "VERSION", "MINUTES", "ORGFID"]);
        assert_eq!(views.acad_user.columns, ["USERNAME", "DOMAINNAME", "LASTPING"]);
        assert_eq!(views.user.columns, ["LOGIN", "ORGFID"]);
        assert_eq!(imported.left_out.len(), 1, "{:?}", imported.left_out);
        assert!(imported.left_out[0].starts_with("[Oracle] user, password, host, port, service_name: "));
    }

    #[test]
    fn no_secret_is_told() {
        let text = OLD.replace("dsn =", "dsn = measure/s%%ecret#1@ora1:1521/TGIS01\npassphrase = s%%ecret#1");
        let (imported, _) = imported(&text);
        for said in imported.left_out.iter().chain([&imported.text]) {
            assert!(!said.contains("ecret"), "{said}");
        }
        assert_eq!(imported.left_out[1], "[Oracle] passphrase: the old service did not know it either");
    }

    #[test]
    fn what_is_missing_is_said() {
        let (imported, config) = imported("[ELK]\nurl =\n[Tables]\nusage_table = USAGE\n[Extra]\nx = 1\n");
        assert_eq!(config.elk, None);
        assert_eq!(config.winterthur.expect("views").usage.name, "USAGE");
        let said = imported.left_out.join("\n");
        assert!(said.contains("[ELK] url is not there"), "{said}");
        assert!(said.contains("[Tables] acad_user_table, user_name_column"), "{said}");
        assert!(said.ends_with("[Extra] x: the old service did not know it either"), "{said}");
    }

    #[test]
    fn names_stay_what_they_are() {
        let (_, config) = imported("[Tables]\nusage_table = a\"b\\c\nusage_date_column = Größe\n");
        let usage = config.winterthur.expect("views").usage;
        assert_eq!((usage.name.as_str(), usage.columns[0].as_str()), ("a\"b\\c", "Größe"));
        let latin = import(b"[Tables]\nusage_date_column = Gr\xf6\xdfe\n", "c.ini").expect("Windows-1252");
        assert!(latin.text.contains("usage_date_column = \"Größe\"\n"), "{}", latin.text);
    }

    #[test]
    fn another_file_is_refused() {
        let error = |text: &str| import(text.as_bytes(), "c.ini").expect_err(text).to_string();
        assert!(error("[DEFAULT]\ncolour = 1\n").starts_with("c.ini has none of [Oracle], [Tables]"));
        assert!(error("db = \"a\"\n").starts_with("c.ini:1: this key stands before any [section]"));
    }
}
