//! The section `[views.winterthur]`: the tables of the AutoCAD usage measurement service before this one, under the
//! names that they had there.

use super::document::{Entry, Wrong, right_name};

/// A table by the name of its key, what it is called by default, and its columns likewise.
type Known = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The tables, in the order of [`Winterthur`]'s fields.
const TABLES: [Known; 3] = [
    (
        "acad_user_table",
        "acad_user",
        &[
            ("user_name_column", "user_name"),
            ("domain_name_column", "domain_name"),
            ("last_ping_column", "last_ping"),
        ],
    ),
    ("user_table", "org_user", &[("user_login_column", "login"), ("user_orgfid_column", "orgfid")]),
    (
        "usage_table",
        "acad_usage",
        &[
            ("usage_date_column", "udate"),
            ("usage_appcode_column", "appcode"),
            ("usage_version_column", "version"),
            ("usage_minutes_column", "minutes"),
            ("usage_orgfid_column", "orgfid"),
        ],
    ),
];

/// The longest name that both databases take, in bytes.
const LONGEST: usize = 63;

/// A table of the service before this one, as it was called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OldTable {
    /// Its name, with the schema's before a dot where it was given.
    pub(crate) name: String,
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
}

/// The tables of the service before this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Winterthur {
    /// Who has pinged: user, domain, last ping.
    pub(crate) acad_user: OldTable,
    /// Who belongs where: login, number of the organization.
    pub(crate) user: OldTable,
    /// Daily usage: day, app code, version, minutes, number of the organization.
    pub(crate) usage: OldTable,
}

impl Default for Winterthur {
    fn default() -> Self {
        let [acad_user, user, usage] = TABLES.map(|(_, name, columns)| OldTable {
            name: name.to_owned(),
            columns: columns.iter().map(|(_, column)| (*column).to_owned()).collect(),
        });
        Self { acad_user, user, usage }
    }
}

impl Winterthur {
    /// The section `[views]` of a text: `[views.winterthur]` in it.
    pub(super) fn of_views(section: &Entry<'_>) -> Result<Option<Self>, Wrong> {
        let mut winterthur = None;
        for entry in section.table()? {
            match entry.key() {
                "winterthur" => winterthur = Some(Self::of(&entry)?),
                _ => return Err(entry.unknown_key(&["winterthur"])),
            }
        }
        Ok(winterthur)
    }

    fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let mut names = Self::default();
        for entry in section.table()? {
            let Some(place) = names.place(entry.key()) else {
                return Err(entry.wrong_key(format!(
                    "unknown key `{}`: {}",
                    entry.key(),
                    right_name(entry.key(), &Self::keys())
                )));
            };
            *place = name(&entry)?;
        }
        names.tell_apart().map_err(|message| section.wrong_key(message))?;
        Ok(names)
    }

    /// All keys of the section.
    pub(super) fn keys() -> Vec<&'static str> {
        TABLES
            .iter()
            .flat_map(|(table, _, columns)| {
                [*table].into_iter().chain(columns.iter().map(|(column, _)| *column))
            })
            .collect()
    }

    /// Where the name of a key stands.
    fn place(&mut self, key: &str) -> Option<&mut String> {
        let tables = [&mut self.acad_user, &mut self.user, &mut self.usage];
        for ((table_key, _, columns), table) in TABLES.iter().zip(tables) {
            if *table_key == key {
                return Some(&mut table.name);
            }
            if let Some(nth) = columns.iter().position(|(column, _)| *column == key) {
                return table.columns.get_mut(nth);
            }
        }
        None
    }

    fn tell_apart(&self) -> Result<(), String> {
        let tables = [&self.acad_user, &self.user, &self.usage];
        let views: Vec<&str> = tables.iter().map(|table| table.view_name()).collect();
        let lists = tables.iter().map(|table| table.columns.iter().map(String::as_str).collect());
        for names in std::iter::once(views).chain(lists) {
            for (nth, name) in names.iter().enumerate() {
                if names[..nth].iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
                    return Err(format!("two things are called `{name}` here: give each a name of its own"));
                }
            }
        }
        Ok(())
    }
}

impl OldTable {
    /// Its name without the schema's.
    pub(crate) fn view_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }
}

fn name(entry: &Entry<'_>) -> Result<String, Wrong> {
    let name = entry.filled_text()?.trim().to_owned();
    let is_table = entry.key().ends_with("_table");
    let parts: Vec<&str> = if is_table { name.split('.').collect() } else { vec![&name] };
    if parts.iter().any(|part| part.is_empty() || part.len() > LONGEST) || name.contains(char::is_control) {
        return Err(entry.wrong(format!("`{name}` is no name: write 1 to {LONGEST} letters, digits and _")));
    }
    Ok(name)
}
