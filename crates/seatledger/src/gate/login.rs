//! Passwords, checked: few at a time, because each check costs time and memory on purpose, and remembered for a while.
//! Who sends the same name and password several times at once, as a page with many figures does, has tried once.

use super::attempts::Attempts;
use super::failure::Failure;
use crate::secrets::{hash_password, is_password, random_key};
use hmac::{Hmac, Mac as _};
use rustc_hash::FxHashMap;
use sha2::Sha256;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use store::accounts::{Role, User};
use tokio::sync::{OnceCell, Semaphore};

/// How many passwords are checked at a time: each takes 19 MiB of memory.
const AT_ONCE: usize = 2;
/// How long a check waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a password that was right is known to be.
const REMEMBERED: Duration = Duration::from_mins(5);
/// How many of them are remembered.
const MOST: usize = 10_000;

/// What checks passwords.
pub(crate) struct Login(Arc<Shared>);

struct Shared {
    /// With this key passwords are remembered: without it the hashes say nothing.
    key: [u8; 32],
    /// The hash against which passwords of unknown names are checked, so that they take as long.
    nobody: String,
    right: Mutex<FxHashMap<[u8; 32], Instant>>,
    /// The checks that are being made, each of which all wait for who sent the same from the same address.
    underway: Mutex<FxHashMap<Asked, Underway>>,
    attempts: Mutex<Attempts>,
    turns: Arc<Semaphore>,
}

/// What was sent, by its keyed hash, and from where.
type Asked = ([u8; 32], IpAddr);
/// Whether a password was right, once that is known, or why it could not be tried.
type Underway = Arc<OnceCell<Result<bool, Failure>>>;

/// A password to be checked.
#[derive(Clone)]
struct Attempt {
    name: String,
    password: String,
    hash: String,
    asked: Asked,
}

impl Login {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let nobody = hash_password(&crate::secrets::new_secret("")?)?;
        Ok(Self(Arc::new(Shared {
            key: random_key()?,
            nobody,
            right: Mutex::default(),
            underway: Mutex::default(),
            attempts: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })))
    }

    /// The role of who gives this name and password; `user` is the ledger's user of that name.
    pub(crate) async fn role(
        &self,
        name: &str,
        password: &str,
        user: Option<User>,
        client: IpAddr,
    ) -> Result<Role, Failure> {
        let shared = &self.0;
        let hash = user.as_ref().map_or(shared.nobody.as_str(), |user| user.password_hash.as_str());
        // With the hash in it a new password makes the old one unknown at once.
        let mac = shared.mac(&[name, password, hash]);
        if let Some(user) = &user
            && shared.is_remembered(&mac, Instant::now())
        {
            return Ok(user.role.clone());
        }
        let (name, password, hash) = (name.to_owned(), password.to_owned(), hash.to_owned());
        let is_right = shared.is_right(Attempt { name, password, hash, asked: (mac, client) }).await?;
        match user {
            Some(user) if is_right => Ok(user.role),
            Some(_) | None => Err(Failure::Unknown("wrong name or password")),
        }
    }
}

impl Shared {
    /// Whether a password is right: checked now, or by the check of the same that is underway.
    async fn is_right(self: &Arc<Self>, attempt: Attempt) -> Result<bool, Failure> {
        let asked = attempt.asked;
        let check = Arc::clone(self.underway().entry(asked).or_default());
        let shared = Arc::clone(self);
        // A task of its own: an attempt that nobody waits for any more ends, too, and is found right or wrong.
        let try_it = || async move {
            let trying = tokio::spawn(async move {
                let is_right = shared.attempt(attempt).await;
                shared.underway().remove(&asked);
                is_right
            });
            trying.await.unwrap_or(Err(Failure::Ours))
        };
        check.get_or_init(try_it).await.clone()
    }

    /// Tries a password, which counts as wrong until it is known to be right, or that it could not be tried.
    async fn attempt(&self, attempt: Attempt) -> Result<bool, Failure> {
        let Attempt { name, password, hash, asked: (mac, client) } = attempt;
        let now = Instant::now();
        if self.is_remembered(&mac, now) {
            return Ok(true);
        }
        {
            let mut attempts = self.attempts();
            if let Some(pause) = attempts.pause(&name, client, now) {
                return Err(Failure::TooMany(pause.as_secs() + 1));
            }
            attempts.begin(&name, client, now);
        }
        let is_right = self.check(password, hash).await;
        match is_right {
            Ok(true) => {
                self.attempts().was_right(&name, client);
                self.remember(mac, Instant::now());
            }
            Ok(false) => {}
            Err(_) => self.attempts().was_not_tried(&name, client),
        }
        is_right
    }

    /// Checks a password on a thread that may compute.
    async fn check(&self, password: String, hash: String) -> Result<bool, Failure> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Failure::Busy("too many logins at once: try again in a moment".to_owned()));
        };
        let checked = tokio::task::spawn_blocking(move || {
            let is_right = is_password(&password, &hash);
            drop(turn);
            is_right
        });
        checked.await.map_err(|_| Failure::Ours)
    }

    fn is_remembered(&self, mac: &[u8; 32], now: Instant) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.get(mac).is_some_and(|since| now.saturating_duration_since(*since) < REMEMBERED)
    }

    fn remember(&self, mac: [u8; 32], now: Instant) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= MOST {
            right.retain(|_, since| now.saturating_duration_since(*since) < REMEMBERED);
        }
        if right.len() < MOST {
            right.insert(mac, now);
        }
    }

    fn mac(&self, texts: &[&str]) -> [u8; 32] {
        // A key of any length is taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        for text in texts {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    fn underway(&self) -> MutexGuard<'_, FxHashMap<Asked, Underway>> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Login, REMEMBERED};
    use crate::gate::failure::Failure;
    use crate::secrets::hash_password;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::time::Instant;
    use store::accounts::{Role, User};

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn amara(password: &str) -> User {
        let password_hash = hash_password(password).unwrap();
        User { name: "amara".to_owned(), role: Role::Viewer, password_hash, created_at: 0 }
    }

    fn role(login: &Login, password: &str, user: Option<User>) -> Result<Role, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(login.role("amara", password, user, CLIENT))
    }

    #[test]
    fn a_right_password_is_remembered_until_it_is_changed_or_a_while_has_passed() {
        let (login, user) = (Login::new().unwrap(), amara("correct horse"));
        let mac = |user: &User| login.0.mac(&["amara", "correct horse", &user.password_hash]);
        assert_eq!(role(&login, "correct horse", Some(user.clone())), Ok(Role::Viewer));
        let now = Instant::now();
        assert!(login.0.is_remembered(&mac(&user), now));
        assert!(!login.0.is_remembered(&mac(&user), now + REMEMBERED));
        assert!(!login.0.is_remembered(&mac(&amara("battery staple")), now));
        // Who is not there any more has no role, whatever is remembered.
        assert!(matches!(role(&login, "correct horse", None), Err(Failure::Unknown(_))));
    }

    #[test]
    fn wrong_passwords_have_to_wait_and_who_is_known_does_not() {
        let (login, user) = (Login::new().unwrap(), amara("correct horse"));
        assert_eq!(role(&login, "correct horse", Some(user.clone())), Ok(Role::Viewer));
        for _ in 0..5 {
            let refused = role(&login, "battery staple", Some(user.clone()));
            assert!(matches!(refused, Err(Failure::Unknown(_))), "{refused:?}");
        }
        let refused = role(&login, "battery staple", Some(user.clone()));
        assert!(matches!(refused, Err(Failure::TooMany(_))), "{refused:?}");
        assert_eq!(role(&login, "correct horse", Some(user)), Ok(Role::Viewer), "it is remembered");
    }

    /// What so many at once are answered who all send the same.
    fn at_once(
        login: &Arc<Login>,
        password: &'static str,
        user: &User,
        times: usize,
    ) -> Vec<Result<Role, Failure>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut asking = tokio::task::JoinSet::new();
            for _ in 0..times {
                let (login, user) = (Arc::clone(login), user.clone());
                asking.spawn(async move { login.role("amara", password, Some(user), CLIENT).await });
            }
            asking.join_all().await
        })
    }

    #[test]
    fn the_same_password_many_times_at_once_is_tried_once() {
        let (login, user) = (Arc::new(Login::new().unwrap()), amara("correct horse"));
        let refused = at_once(&login, "battery staple", &user, 20);
        assert!(refused.iter().all(|one| matches!(one, Err(Failure::Unknown(_)))), "{refused:?}");
        assert_eq!(at_once(&login, "correct horse", &user, 20), vec![Ok(Role::Viewer); 20]);
        assert!(login.0.underway().is_empty());
    }

    #[test]
    fn who_found_no_turn_has_not_tried() {
        let (login, user) = (Login::new().unwrap(), amara("correct horse"));
        login.0.turns.close();
        for _ in 0..10 {
            let busy = role(&login, "correct horse", Some(user.clone()));
            assert!(matches!(busy, Err(Failure::Busy(_))), "{busy:?}");
        }
    }

    #[test]
    fn names_that_nobody_has_are_refused_in_the_same_words() {
        let login = Login::new().unwrap();
        let refused = [role(&login, "correct horse", None), role(&login, "x", Some(amara("correct horse")))];
        assert_eq!(refused[0], refused[1]);
    }
}
