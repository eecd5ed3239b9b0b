//! What is kept of a person: decided once, before anything is stored, and nowhere else.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::borrow::Cow;

/// How much of a person the ledger keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// Users, hosts and displays as they are told.
    #[default]
    Named,
    /// A keyed hash in the place of each.
    Pseudonymous,
    /// Of a closed session the organization alone.
    Organization,
}

impl Identity {
    /// All identities, with the word for each in the configuration.
    pub fn words() -> [(&'static str, Self); 3] {
        [("named", Self::Named), ("pseudonymous", Self::Pseudonymous), ("organization", Self::Organization)]
    }

    /// Its word in the configuration.
    pub fn name(self) -> &'static str {
        Self::words()[self as usize].0
    }
}

/// A secret of 32 bytes; its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key(…)")
    }
}

impl Key {
    /// The key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn mac(&self, kind: &str, text: &str) -> [u8; 32] {
        // Any length of key will do for HMAC.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.chain_update(kind).chain_update([0]).chain_update(text).finalize().into_bytes().into()
    }

    /// What stands for a text under this key: 80 bits, so that a million persons share none.
    pub fn pseudonym(&self, kind: Kind, text: &str) -> String {
        let mac = self.mac(kind.name(), &text.trim().to_lowercase());
        let mut pseudonym = String::from(kind.prefix());
        for nth in 0..16 {
            let (byte, bit) = (nth * 5 / 8, nth * 5 % 8);
            let two = u16::from(mac[byte]) << 8 | u16::from(mac[byte + 1]);
            pseudonym.push(char::from(LETTERS[usize::from(two >> (11 - bit) & 31)]));
        }
        pseudonym
    }

    /// What tells this key from others and gives nothing of it away.
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", u64::from_be_bytes(self.number_of("fingerprint", "")))
    }

    /// The number of a person in the current bucket.
    pub fn number(&self, login: &str) -> [u8; 8] {
        self.number_of("bucket", login)
    }

    fn number_of(&self, kind: &str, text: &str) -> [u8; 8] {
        let mac = self.mac(kind, text);
        let mut number = [0; 8];
        number.copy_from_slice(&mac[..8]);
        number
    }
}

/// What a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person's login.
    Person,
    /// A host or a display.
    Place,
    /// What somebody wrote to a checkout.
    Data,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Place => "place",
            Self::Data => "data",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Person => "p-",
            Self::Place => "h-",
            Self::Data => "d-",
        }
    }
}

/// The letters of pseudonyms.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Whether a text is what some key puts in the place of another one.
fn is_pseudonym(kind: Kind, text: &str) -> bool {
    let letters = text.strip_prefix(kind.prefix());
    letters
        .is_some_and(|letters| letters.len() == 16 && letters.bytes().all(|letter| LETTERS.contains(&letter)))
}

/// What the configuration says about persons.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Privacy {
    /// How much is kept.
    pub identity: Identity,
    /// The key in force, then former ones; empty only where all is named.
    pub keys: Vec<Key>,
    /// Organizations with fewer persons in the directory are shown together; 0 and 1 hide none. `None` leaves it as it is.
    pub smallest_group: Option<u32>,
}

/// Heartbeats are taken in so long after their bucket, where persons are kept.
const LATE_MS: i64 = 24 * 3_600_000;

impl Privacy {
    /// A text as it is kept. Empty ones stay: they name nobody. So do pseudonyms: a site has put them in the place of names
    /// before it told of them.
    pub fn kept<'t>(&self, kind: Kind, text: &'t str) -> Cow<'t, str> {
        let names_somebody = !text.is_empty() && !is_pseudonym(kind, text);
        match self.keys.first() {
            Some(key) if self.identity != Identity::Named && names_somebody => {
                Cow::Owned(key.pseudonym(kind, text))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// Whether lines that nobody understood are kept as they stand; else their shape and their number are.
    pub fn keeps_lines(&self) -> bool {
        self.identity == Identity::Named
    }

    /// How long after a bucket its heartbeats are still taken in, in milliseconds. Where only the organization is kept, a
    /// closed session shall not be known by its person for long: two intervals.
    pub fn late_ms(&self, interval_ms: i64) -> i64 {
        if self.identity == Identity::Organization { 2 * interval_ms } else { LATE_MS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn privacy(identity: Identity) -> Privacy {
        Privacy { identity, keys: vec![Key::new([7; 32]), Key::new([8; 32])], smallest_group: None }
    }

    #[test]
    fn a_pseudonym_tells_nothing_but_who_is_the_same() {
        let kept = privacy(Identity::Pseudonymous);
        let amara = kept.kept(Kind::Person, "corp\\Amara").into_owned();
        assert_eq!(amara, kept.kept(Kind::Person, " CORP\\amara "));
        assert_ne!(amara, kept.kept(Kind::Person, "corp\\amar"));
        assert_ne!(amara[2..], kept.kept(Kind::Place, "corp\\amara")[2..]);
        assert!(amara.starts_with("p-") && amara.len() == 18 && !amara.contains("amara"), "{amara}");
        assert_ne!(amara, Key::new([8; 32]).pseudonym(Kind::Person, "corp\\amara"), "another key");
        assert_eq!(kept.kept(Kind::Place, ""), "");
        assert_eq!(kept.kept(Kind::Person, &amara), amara, "what a site has hidden stays as it is");
        assert_ne!(kept.kept(Kind::Place, &amara), amara);
    }

    #[test]
    fn names_stay_where_they_may() {
        let kept = privacy(Identity::Named);
        assert_eq!(kept.kept(Kind::Person, "Amara"), "Amara");
        assert!(kept.keeps_lines());
        assert!(!privacy(Identity::Organization).keeps_lines());
    }

    #[test]
    fn keys_are_not_shown() {
        let shown = format!("{:?}", privacy(Identity::Pseudonymous));
        assert!(!shown.contains('7') && shown.contains("Key(…)"), "{shown}");
    }

    #[test]
    fn pseudonyms_are_known_for_ever() {
        // Computed once with another implementation of HMAC-SHA256.
        let zero = Key::new([0; 32]).pseudonym(Kind::Person, "amara");
        assert_eq!(zero, "p-hwox2wbwntkklgsg");
    }
}
