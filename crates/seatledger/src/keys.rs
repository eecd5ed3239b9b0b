//! The keys of pseudonyms, in a file of their own: whoever has the database alone cannot tell who is who.
//!
//! A key a line, as 64 hexadecimal digits; the first is in force, the others are those of sessions that were open when it
//! came into force. Lines that begin with `#` say nothing.

use crate::config::PrivacyConfig;
use accounting::privacy::{Identity, Key, Privacy};
use anyhow::{Context, bail};
use std::io::{ErrorKind, Write};
use std::path::Path;

const HEAD: &str = "# The keys of the pseudonyms in the ledger, the one in force first. Keep them from those who may read the ledger.\n";

/// What is kept of persons, with the keys; the file is made where it is needed and not there.
pub(crate) fn privacy(config: &PrivacyConfig) -> anyhow::Result<Privacy> {
    let keys = match config.identity {
        Identity::Named => Vec::new(),
        _ => keys(&config.key_file)?,
    };
    Ok(Privacy { identity: config.identity, keys, smallest_group: config.smallest_group })
}

/// As [`privacy`], but makes no file: for what writes nothing.
pub(crate) fn known(config: &PrivacyConfig) -> anyhow::Result<Privacy> {
    match config.key_file.exists() {
        true => privacy(config),
        false => Ok(Privacy { identity: config.identity, ..Privacy::default() }),
    }
}

/// Puts a new key in force; sessions that are open keep the one before. Returns how many keys there are now.
pub(crate) fn rotate(file: &Path) -> anyhow::Result<usize> {
    let mut lines = vec![new_key()?];
    lines.extend(
        std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
            .map(str::to_owned),
    );
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    // A temporary file is its owner's alone from the beginning.
    let mut whole = tempfile::NamedTempFile::new_in(directory.unwrap_or_else(|| Path::new(".")))?;
    writeln!(whole, "{HEAD}{}", lines.join("\n"))?;
    whole.as_file().sync_all()?;
    whole.persist(file).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(lines.len())
}

fn keys(file: &Path) -> anyhow::Result<Vec<Key>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => create(file)?,
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read the keys in {}", file.display()));
        }
    };
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(key) = parse(line) else {
            bail!("{}:{number}: a key is 64 hexadecimal digits", file.display());
        };
        keys.push(key);
    }
    if keys.is_empty() {
        bail!("{} holds no key: take the file away and a new one is made", file.display());
    }
    Ok(keys)
}

/// Makes the file with a first key; where another process comes first, reads its.
fn create(file: &Path) -> anyhow::Result<String> {
    let text = format!("{HEAD}{}\n", new_key()?);
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut whole = tempfile::NamedTempFile::new_in(directory.unwrap_or_else(|| Path::new(".")))
        .with_context(|| format!("cannot make {}", file.display()))?;
    whole.write_all(text.as_bytes())?;
    whole.as_file().sync_all()?;
    match whole.persist_noclobber(file) {
        Ok(_) => Ok(text),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(std::fs::read_to_string(file)?),
        Err(error) => Err(error.error).with_context(|| format!("cannot make {}", file.display())),
    }
}

fn new_key() -> anyhow::Result<String> {
    use std::fmt::Write;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::Error::msg(format!("no random numbers: {error}")))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn parse(line: &str) -> Option<Key> {
    if line.len() != 64 || !line.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (nth, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&line[2 * nth..2 * nth + 2], 16).ok()?;
    }
    Some(Key::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(file: &Path) -> PrivacyConfig {
        PrivacyConfig {
            identity: Identity::Pseudonymous,
            key_file: file.to_owned(),
            ..PrivacyConfig::default()
        }
    }

    #[test]
    fn the_first_key_is_made_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys");
        let first = privacy(&config(&file)).unwrap();
        assert_eq!(privacy(&config(&file)).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                std::fs::metadata(&file).unwrap().permissions().mode() & 0o077,
                0,
                "its owner's alone"
            );
        }
        assert_eq!(rotate(&file).unwrap(), 2);
        let second = privacy(&config(&file)).unwrap();
        assert_eq!((second.keys.len(), &second.keys[1]), (2, &first.keys[0]));
        assert_ne!(second.keys[0], first.keys[0]);
    }

    #[test]
    fn a_wrong_key_is_told_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys");
        std::fs::write(&file, "# keys\nabc\n").unwrap();
        let error = privacy(&config(&file)).unwrap_err().to_string();
        assert!(error.ends_with("keys:2: a key is 64 hexadecimal digits"), "{error}");
        std::fs::write(&file, "# keys\n").unwrap();
        assert!(privacy(&config(&file)).unwrap_err().to_string().contains("holds no key"));
    }
}
