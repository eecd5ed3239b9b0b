//! The keys by which figures can be grouped.

use std::str::FromStr;

/// A key by which figures are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// The vendor's code.
    Feature,
    /// The catalog's product, or the code where the catalog does not know it.
    Product,
    /// The catalog's type.
    Type,
    /// The version asked for.
    Version,
    /// The person's name.
    Person,
    /// The user as the license server prints it.
    User,
    /// The host as the license server prints it.
    Host,
    /// The person's organization as of the day.
    Organization,
    /// The person's project as of the day.
    Project,
    /// The license server.
    Server,
    /// The time class.
    TimeClass,
    /// The civil day, `YYYY-MM-DD`.
    Day,
    /// The ISO week, `YYYY-Www`.
    Week,
    /// The month, `YYYY-MM`.
    Month,
}

/// All keys with their names.
const KEYS: [(Key, &str); 14] = [
    (Key::Feature, "feature"),
    (Key::Product, "product"),
    (Key::Type, "type"),
    (Key::Version, "version"),
    (Key::Person, "person"),
    (Key::User, "user"),
    (Key::Host, "host"),
    (Key::Organization, "organization"),
    (Key::Project, "project"),
    (Key::Server, "server"),
    (Key::TimeClass, "time_class"),
    (Key::Day, "day"),
    (Key::Week, "week"),
    (Key::Month, "month"),
];

/// A key that there is not, or one given twice.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// No key has this name.
    #[error("unknown key `{0}`: one of {names}", names = names())]
    Unknown(String),
    /// The key is given twice.
    #[error("the key `{0}` is given twice")]
    Twice(&'static str),
    /// The key says nothing in this report.
    #[error("`{report}` is not shown by `{key}`: its keys are {known}")]
    NotOfReport {
        /// The report.
        report: &'static str,
        /// The key.
        key: String,
        /// The keys of the report.
        known: String,
    },
}

impl Key {
    /// All keys but those that say when.
    pub const TIMELESS: [Self; 10] = [
        Self::Feature,
        Self::Product,
        Self::Type,
        Self::Version,
        Self::Person,
        Self::User,
        Self::Host,
        Self::Organization,
        Self::Project,
        Self::Server,
    ];

    /// Its name in `--by` and as a column.
    pub fn name(self) -> &'static str {
        KEYS[self as usize].1
    }

    /// The keys of a list such as `month,feature`.
    pub fn list(text: &str) -> Result<Vec<Self>, KeyError> {
        let mut keys = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let key: Self = name.parse()?;
            if keys.contains(&key) {
                return Err(KeyError::Twice(key.name()));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// The keys of a list, for a report that knows only some.
    pub fn list_for(report: &'static str, known: &[Self], text: &str) -> Result<Vec<Self>, KeyError> {
        let unknown = |key: String| {
            let known = known.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ");
            KeyError::NotOfReport { report, key, known }
        };
        let keys = Self::list(text).map_err(|error| match error {
            KeyError::Unknown(key) => unknown(key),
            other => other,
        })?;
        match keys.iter().find(|key| !known.contains(key)) {
            Some(key) => Err(unknown(key.name().to_owned())),
            None => Ok(keys),
        }
    }

    /// Whether it can differ between the sessions of one feature, day and time class.
    pub(crate) fn is_of_holder(self) -> bool {
        use Key::{Host, Organization, Person, Project, Server, User, Version};
        matches!(self, Version | Person | User | Host | Organization | Project | Server)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let named = KEYS.iter().find(|(_, name)| *name == text);
        named.map(|(key, _)| *key).ok_or_else(|| KeyError::Unknown(text.to_owned()))
    }
}

fn names() -> String {
    KEYS.map(|(_, name)| name).join(" ")
}

#[cfg(test)]
mod tests {
    use super::{KEYS, Key, KeyError};

    #[test]
    fn keys_are_named_as_their_columns() {
        assert!(KEYS.iter().all(|(key, name)| key.name() == *name));
        assert_eq!(Key::list("month, feature"), Ok(vec![Key::Month, Key::Feature]));
        assert_eq!(Key::list("day,day"), Err(KeyError::Twice("day")));
        assert!(
            Key::list("seat").unwrap_err().to_string().starts_with("unknown key `seat`: one of feature pro")
        );
    }

    #[test]
    fn a_report_names_its_keys() {
        assert!(KEYS.iter().zip(Key::TIMELESS).all(|((key, _), timeless)| *key == timeless));
        let known = [Key::Server, Key::Host];
        assert_eq!(Key::list_for("levels", &known, "host"), Ok(vec![Key::Host]));
        for key in ["day", "seat"] {
            assert_eq!(
                Key::list_for("levels", &known, key).unwrap_err().to_string(),
                format!("`levels` is not shown by `{key}`: its keys are server host")
            );
        }
    }
}
