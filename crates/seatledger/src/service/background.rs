//! What is done beside the answers, once a minute: the ledger is told that the service was up, what can no longer grow
//! becomes session rows, and feature days are derived.

use super::App;
use super::alerting::Alerting;
use super::health::Part;
use super::metrics::Outcome;
use crate::clock;
use crate::config::Retention;
use accounting::UnixMs;
use accounting::day::Day;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::heartbeats::NewUser;
use store::{Error, Opener, Store};
use tokio::sync::watch;

/// How often.
const EVERY: Duration = Duration::from_mins(1);
/// How long it waits after a failure.
const AGAIN: Duration = Duration::from_secs(1);
/// So many times as long as deriving took the next one waits: a large ledger changes while one derives it, and gets a tenth of
/// the time. Who reads computes what is not stored.
const REST: u32 = 9;
/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The connection for it, and what it has done.
struct Chores {
    opener: Opener,
    store: Option<Store>,
    /// Before when all is sealed.
    sealed: UnixMs,
    /// Before when no days are derived.
    rests: Instant,
    /// How long what is kept is kept, and the day on which it was looked at last.
    retention: Retention,
    looked_on: Option<Day>,
    alerts: Option<Alerting>,
}

/// Runs until the service stops.
pub(crate) async fn run(
    app: Arc<App>,
    opener: Opener,
    retention: Retention,
    alerts: Option<Alerting>,
    mut stopping: watch::Receiver<bool>,
) {
    let late = opener.late_ms(app.buckets.interval_ms());
    let (sealed, rests) = (UnixMs::MIN, Instant::now());
    let mut chores = Chores { opener, store: None, sealed, rests, retention, looked_on: None, alerts };
    let mut faulty = 0;
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => break,
            _ = tick.tick() => {}
        }
        let before = std::mem::replace(&mut faulty, app.metrics.counted(Outcome::Faulty));
        if faulty > before {
            app.log.warn("pings were faulty: the issue log says whose", &[("pings", &(faulty - before))]);
        }
        let now = clock::now();
        if let Ok(receipt) = app.writer.watch(now).await {
            // Whether it was noted is the writer's to tell.
            let _ = receipt.durable().await;
        }
        let before = now - late - (now - late).rem_euclid(app.buckets.interval_ms());
        let done = tokio::task::spawn_blocking(move || {
            let done = chores.all(before);
            (chores, done)
        });
        let Ok((returned, done)) = done.await else {
            let wrong = "the background work ended by itself: this is a fault of the program";
            app.health.note(Part::Background, Some(wrong));
            app.log.error(wrong, &[]);
            return;
        };
        chores = returned;
        // From its end on, so that a SQLite file gets to write its log back however long it took.
        tick.reset();
        match done {
            Ok((seats, users)) => {
                app.metrics.set_seats_in_use(seats);
                tell_new(&app, &users);
                note(&app, None);
            }
            Err(error) => {
                note(&app, Some(&error));
                tick.reset_after(AGAIN);
            }
        }
    }
    // A connection to PostgreSQL waits while it is closed, which nobody may do here.
    let _ = tokio::task::spawn_blocking(move || drop(chores)).await;
}

/// Says who is new, and of whom no organization is known: by name in the issue log alone.
fn tell_new(app: &App, users: &[NewUser]) {
    let mut without = 0;
    for NewUser { domain, user, has_organization } in users {
        let domain = Some(domain.as_str()).filter(|domain| !domain.is_empty());
        app.log.issue("new user", Some(user), domain);
        if !has_organization {
            without += 1;
            app.log.issue("no organization is known of this user", Some(user), domain);
        }
    }
    if !users.is_empty() {
        app.log.info("new users: the issue log says who", &[("users", &users.len())]);
    }
    if without > 0 {
        let message = "of new users no organization is known: the issue log says of whom";
        app.log.warn(message, &[("users", &without), ("orgfid", &store::UNKNOWN_ORGANIZATION)]);
    }
}

fn note(app: &App, error: Option<&Error>) {
    let text = error.map(|_| "days cannot be derived: the log says why");
    if app.health.note(Part::Background, text) {
        match error {
            Some(error) => app.log.error("days cannot be derived", &[("error", error)]),
            None => app.log.info("days are derived again", &[]),
        }
    }
}

impl Chores {
    fn all(&mut self, before: UnixMs) -> Result<(BTreeMap<String, i64>, Vec<NewUser>), Error> {
        let store = match &mut self.store {
            Some(store) => store,
            None => self.store.insert(self.opener.open(PATIENCE)?),
        };
        let removed = remove_old(store, self.retention, &mut self.looked_on);
        let removed = removed.and_then(|()| store.let_go_of_forgotten());
        let done = removed.and_then(|()| {
            let today = clock::today(store.calendar()?.zone());
            seal(store, &mut self.sealed, before)?;
            derive(store, &mut self.rests)?;
            store.tell_time(clock::now());
            Ok((store.seats_in_use()?, store.new_users(today)?))
        });
        let looked = match &mut self.alerts {
            Some(alerts) if done.is_ok() => alerts.look(store),
            _ => Ok(()),
        };
        if done.is_err() || looked.is_err() {
            // What the connection is worth after an error is not known.
            self.store = None;
        }
        done
    }
}

/// Once a day, removes what is older than it shall be kept.
fn remove_old(store: &mut Store, retention: Retention, looked_on: &mut Option<Day>) -> Result<(), Error> {
    let today = clock::today(store.calendar()?.zone());
    if *looked_on == Some(today) {
        return Ok(());
    }
    let (sessions, quarantine) = retention.first_days(today);
    if let Some(day) = sessions {
        store.remove_facts_before(day)?;
    }
    if let Some(day) = quarantine {
        store.remove_quarantine_before(day)?;
    }
    *looked_on = Some(today);
    Ok(())
}

/// Seals.
fn seal(store: &mut Store, sealed: &mut UnixMs, before: UnixMs) -> Result<(), Error> {
    if before > *sealed {
        store.seal_heartbeats(before)?;
        *sealed = before;
    }
    Ok(())
}

/// Derives days, unless it is still resting from the last time.
fn derive(store: &mut Store, rests: &mut Instant) -> Result<(), Error> {
    let began = Instant::now();
    if began < *rests {
        return Ok(());
    }
    let done = store.derive(&mut |_, _| ());
    // Where it fails for long, it is to cost no more.
    *rests = Instant::now() + began.elapsed() * REST;
    done
}
