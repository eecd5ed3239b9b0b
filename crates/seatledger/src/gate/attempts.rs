//! Wrong passwords, counted: after a few of them, the next one has to wait longer and longer.

use rustc_hash::FxHashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How many wrong passwords for one name from one address are free.
const FREE_OF_PAIR: u32 = 5;
/// How many from one address, whatever the names: many people sit behind one.
const FREE_OF_ADDRESS: u32 = 30;
/// How many for one name, wherever they come from: guessed from many addresses.
const FREE_OF_NAME: u32 = 50;
/// The first pause; each further wrong password doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// After so long without a wrong password all is forgotten.
const FORGOTTEN: Duration = Duration::from_mins(15);
/// How many names and addresses are remembered.
const MOST: usize = 10_000;

/// Wrong passwords by name and address.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    pairs: Counts<(String, IpAddr)>,
    addresses: Counts<IpAddr>,
    names: Counts<String>,
}

impl Attempts {
    /// How long a password for this name, from this address, has to wait; none where it may be tried now.
    pub(crate) fn pause(&self, name: &str, address: IpAddr, now: Instant) -> Option<Duration> {
        let pair = (name.to_owned(), address);
        let pauses = [
            self.pairs.pause(&pair, FREE_OF_PAIR, now),
            self.addresses.pause(&address, FREE_OF_ADDRESS, now),
            self.names.pause(&pair.0, FREE_OF_NAME, now),
        ];
        pauses.into_iter().flatten().max()
    }

    /// A password is being tried: it counts as wrong until [`Self::was_right`], so that many at once count too.
    pub(crate) fn begin(&mut self, name: &str, address: IpAddr, now: Instant) {
        self.pairs.add((name.to_owned(), address), now);
        self.addresses.add(address, now);
        self.names.add(name.to_owned(), now);
    }

    /// The password was right: its name is known at this address.
    pub(crate) fn was_right(&mut self, name: &str, address: IpAddr) {
        self.pairs.forget(&(name.to_owned(), address));
        self.addresses.take_back(&address);
        self.names.take_back(&name.to_owned());
    }

    /// The password was not looked at: it does not count.
    pub(crate) fn was_not_tried(&mut self, name: &str, address: IpAddr) {
        self.pairs.take_back(&(name.to_owned(), address));
        self.addresses.take_back(&address);
        self.names.take_back(&name.to_owned());
    }
}

/// Logins that came to nothing, by the address that they came from.
#[derive(Debug, Default)]
pub(super) struct OfAddresses(Counts<IpAddr>);

impl OfAddresses {
    /// How long the next one has to wait; none where it may be tried now.
    pub(super) fn pause(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        self.0.pause(&address, FREE_OF_ADDRESS, now)
    }

    /// One is being tried: it came to nothing until [`Self::came_to_something`].
    pub(super) fn begin(&mut self, address: IpAddr, now: Instant) {
        self.0.add(address, now);
    }

    pub(super) fn came_to_something(&mut self, address: IpAddr) {
        self.0.take_back(&address);
    }
}

/// How often something happened, and when last.
#[derive(Debug)]
struct Counts<K>(FxHashMap<K, (u32, Instant)>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Hash + Eq> Counts<K> {
    fn pause(&self, key: &K, free: u32, now: Instant) -> Option<Duration> {
        let (times, last) = self.0.get(key).copied()?;
        let over = times.checked_sub(free)?;
        let pause = FIRST_PAUSE.saturating_mul(1_u32 << over.min(20)).min(LONGEST_PAUSE);
        let left = pause.saturating_sub(now.saturating_duration_since(last));
        (!left.is_zero()).then_some(left)
    }

    fn add(&mut self, key: K, now: Instant) {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let (times, last) = self.0.entry(key).or_insert((0, now));
        if now.saturating_duration_since(*last) >= FORGOTTEN {
            *times = 0;
        }
        *times = times.saturating_add(1);
        *last = now;
    }

    /// Forgets what is long past; where nothing is, those that were wrong least often.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, (_, last)| now.saturating_duration_since(*last) < FORGOTTEN);
        let mut least = 1;
        while self.0.len() >= MOST {
            self.0.retain(|_, (times, _)| *times > least);
            least *= 2;
        }
    }

    fn take_back(&mut self, key: &K) {
        if let Some((times, _)) = self.0.get_mut(key) {
            *times = times.saturating_sub(1);
        }
    }

    fn forget(&mut self, key: &K) {
        self.0.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempts, FORGOTTEN, FREE_OF_ADDRESS, FREE_OF_PAIR, LONGEST_PAUSE, MOST};
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::{Duration, Instant};

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[test]
    fn pauses_double_after_a_few_wrong_passwords_and_end() {
        let (mut attempts, mut now) = (Attempts::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..FREE_OF_PAIR + 12 {
            attempts.begin("amara", address(1), now);
            let pause = attempts.pause("amara", address(1), now);
            pauses.push(pause.map_or(0, |pause| pause.as_secs()));
            now += pause.unwrap_or_default();
            assert_eq!(attempts.pause("amara", address(1), now), None, "the pause has an end");
        }
        assert_eq!(pauses[..10], [0, 0, 0, 0, 1, 2, 4, 8, 16, 32]);
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE.as_secs()));
        assert_eq!(attempts.pause("amara", address(2), now), None, "elsewhere she may try");
        assert_eq!(attempts.pause("bela", address(1), now), None, "others may try there");
    }

    #[test]
    fn many_names_from_one_address_have_to_wait_too() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for nth in 0..FREE_OF_ADDRESS {
            attempts.begin(&format!("user{nth}"), address(1), now);
        }
        assert_eq!(attempts.pause("amara", address(1), now), Some(Duration::from_secs(1)));
        assert_eq!(attempts.pause("amara", address(2), now), None);
    }

    #[test]
    fn a_right_password_clears_its_name_at_its_address() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..FREE_OF_PAIR - 1 {
            attempts.begin("amara", address(1), now);
        }
        attempts.begin("amara", address(1), now);
        attempts.was_right("amara", address(1));
        assert_eq!(attempts.pause("amara", address(1), now), None);
        for _ in 0..1000 {
            attempts.begin("bela", address(3), now);
            attempts.was_right("bela", address(3));
        }
        assert_eq!(attempts.pause("bela", address(3), now), None);
    }

    #[test]
    fn all_is_forgotten_after_a_while() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..FREE_OF_PAIR + 3 {
            attempts.begin("amara", address(1), now);
        }
        let later = now + FORGOTTEN;
        attempts.begin("amara", address(1), later);
        assert_eq!(attempts.pause("amara", address(1), later), None);
    }

    #[test]
    fn a_bounded_number_of_names_is_remembered_those_most_wrong_among_them() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..FREE_OF_PAIR + 3 {
            attempts.begin("amara", address(1), now);
        }
        for nth in 0..2 * MOST {
            attempts.begin(&format!("user{nth}"), address(2), now);
        }
        assert!(attempts.names.0.len() <= MOST && attempts.pairs.0.len() <= MOST);
        assert!(attempts.pause("amara", address(1), now).is_some());
    }
}
