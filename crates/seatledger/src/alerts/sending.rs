//! The thread that sends what waits. It has a connection to the ledger only while something waits.

use super::look::Watch;
use super::message::Message;
use super::words::Words;
use super::{mail, webhook};
use crate::clock;
use crate::config::{AlertConfig, AlertsConfig, Receiver, WebhookConfig};
use crate::oplog::OpLog;
use accounting::UnixMs;
use accounting::privacy::Privacy;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver as Heard, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::alerts::Waiting;
use store::{Error, Opener, Store};

/// The pauses after a failed attempt: the first, doubled up to the longest.
const PAUSES_MS: (i64, i64) = (5_000, 3_600_000);
/// After so long a message is given up: a day.
const OLD_MS: i64 = 24 * 3_600_000;
/// How long a claim lasts beyond the time that a receiver may take.
const MARGIN_MS: i64 = 5_000;
/// How long it is waited at most until what waits is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// To be tried again.
    Away(String),
    /// Not wanted.
    Refused(String),
}

/// The rules, the ways, and what became of messages.
pub(crate) struct Ways {
    config: AlertsConfig,
    privacy: Privacy,
    pub(crate) outcomes: Outcomes,
}

/// What became of messages, and what is raised: for metrics and for `/health`.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    held: Mutex<Held>,
}

#[derive(Debug, Default, Clone)]
struct Held {
    sent: u64,
    failed: u64,
    given_up: u64,
    waiting: i64,
    raised: Vec<(String, usize)>,
    /// By receiver, as it may be shown: since when it takes nothing.
    failing: BTreeMap<String, UnixMs>,
}

/// Messages: sent, failed attempts, given up, waiting; and what is raised by rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    pub(crate) given_up: u64,
    pub(crate) waiting: i64,
    pub(crate) raised: Vec<(String, usize)>,
}

impl Outcomes {
    fn change<T>(&self, work: impl FnOnce(&mut Held) -> T) -> T {
        work(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_waiting(&self, waiting: i64) {
        self.change(|held| held.waiting = waiting);
    }

    pub(super) fn set_raised(&self, raised: Vec<(String, usize)>) {
        self.change(|held| held.raised = raised);
    }

    /// For metrics.
    pub(crate) fn counts(&self) -> Counts {
        let Held { sent, failed, given_up, waiting, raised, .. } = self.change(|held| held.clone());
        Counts { sent, failed, given_up, waiting, raised }
    }

    /// The receivers that take nothing at present, as they may be shown.
    pub(crate) fn failing(&self) -> Vec<String> {
        self.change(|held| held.failing.keys().cloned().collect())
    }
}

impl Ways {
    pub(crate) fn new(config: AlertsConfig, privacy: Privacy) -> Self {
        Self { config, privacy, outcomes: Outcomes::default() }
    }

    /// The rules.
    pub(crate) fn rules(&self) -> &[AlertConfig] {
        &self.config.rules
    }

    /// Names behind the numbers of messages, as far as they may be told.
    pub(crate) fn words(&self, store: &mut Store) -> Result<Words, Error> {
        let (names, zone) = store.read(|reader| Ok((reader.names(), reader.calendar().zone().clone())))?;
        Ok(Words::new(names, zone, Some(self.privacy.clone())))
    }

    /// Sends a message to a receiver, now; why it was not taken says nothing that is nobody's business.
    pub(crate) fn send(
        &self,
        receiver: &Receiver,
        message: &Message,
        id: &str,
        words: &Words,
    ) -> Result<(), String> {
        self.try_send(receiver, message, id, words).map_err(|failure| match failure {
            Failure::Away(why) | Failure::Refused(why) => why,
        })
    }

    fn try_send(
        &self,
        receiver: &Receiver,
        message: &Message,
        id: &str,
        words: &Words,
    ) -> Result<(), Failure> {
        let (done, secret) = match receiver {
            Receiver::Mail(address) => match &self.config.smtp {
                Some(smtp) => (
                    mail::send(smtp, address, message, &format!("<{id}@seatledger>"), words),
                    address.clone(),
                ),
                None => return Err(gone()),
            },
            Receiver::Webhook(name) => {
                let Some(webhook) = self.webhook(name) else { return Err(gone()) };
                let url = webhook.url.read().unwrap_or_default();
                (webhook::send(&webhook, message, id, words), url)
            }
        };
        let hidden = |why: String| if secret.is_empty() { why } else { why.replace(&secret, "…") };
        done.map_err(|failure| match failure {
            Failure::Away(why) => Failure::Away(hidden(why)),
            Failure::Refused(why) => Failure::Refused(hidden(why)),
        })
    }

    fn webhook(&self, name: &str) -> Option<WebhookConfig> {
        match name.contains("://") {
            true => Some(WebhookConfig::of_url(name)),
            false => self.config.webhooks.iter().find(|webhook| webhook.name == name).cloned(),
        }
    }

    /// How long a receiver may take.
    fn time_of(&self, receiver: &Receiver) -> Duration {
        let of_webhook = |name: &str| self.webhook(name).map(|webhook| webhook.timeout);
        let time = match receiver {
            Receiver::Mail(_) => self.config.smtp.as_ref().map(|smtp| smtp.timeout),
            Receiver::Webhook(name) => of_webhook(name),
        };
        // A mail is several questions and answers, each of which may take so long.
        let times = if matches!(receiver, Receiver::Mail(_)) { 4 } else { 1 };
        time.unwrap_or(LOOK_AGAIN) * times
    }
}

fn gone() -> Failure {
    Failure::Refused("the configuration does not know this receiver any more".to_owned())
}

/// Wakes the thread.
#[derive(Debug, Clone)]
pub(super) struct Wake(SyncSender<()>);

impl Wake {
    pub(super) fn up(&self) {
        // A wake that waits already is enough.
        let _ = self.0.try_send(());
    }
}

/// The thread; it ends when what looks at the rules is gone, after the message that it is sending.
pub(crate) struct Sending {
    /// Hears that the thread is gone.
    over: Heard<()>,
}

impl Sending {
    /// Waits until it has ended, for at most so long; what it is sending then is sent again by the next process.
    pub(crate) fn end(&self, within: Duration) -> bool {
        matches!(self.over.recv_timeout(within), Err(RecvTimeoutError::Disconnected))
    }
}

/// What looks at the rules, and the thread that sends.
pub(crate) fn sender(ways: Arc<Ways>, opener: Opener, log: OpLog) -> std::io::Result<(Watch, Sending)> {
    let (wake, woken) = sync_channel(1);
    let thread = Thread { ways: Arc::clone(&ways), opener, log };
    let (until_the_end, over) = sync_channel::<()>(0);
    std::thread::Builder::new().name("alerts".to_owned()).spawn(move || {
        thread.run(&woken);
        drop(until_the_end);
    })?;
    Ok((Watch::new(ways, Wake(wake)), Sending { over }))
}

struct Thread {
    ways: Arc<Ways>,
    opener: Opener,
    log: OpLog,
}

impl Thread {
    fn run(&self, woken: &Heard<()>) {
        let mut failing = false;
        while woken.recv().is_ok() {
            loop {
                let sent = self.send_what_is_due();
                match (&sent, failing) {
                    (Err(error), false) => {
                        self.log.error(
                            "alerts cannot be sent: the database does not answer",
                            &[("error", error)],
                        );
                    }
                    (Ok(_), true) => self.log.info("alerts are sent again", &[]),
                    _ => {}
                }
                failing = sent.is_err();
                match sent {
                    Ok(None) => break,
                    Ok(Some(0)) => continue,
                    Ok(Some(_)) | Err(_) => {}
                }
                let pause = match sent {
                    Ok(Some(ms)) => Duration::from_millis(ms.unsigned_abs()).min(LOOK_AGAIN),
                    _ => LOOK_AGAIN,
                };
                if matches!(woken.recv_timeout(pause), Err(RecvTimeoutError::Disconnected)) {
                    return;
                }
            }
        }
    }

    /// Sends what is due; returns in how many milliseconds something is due again, `None` where nothing waits.
    fn send_what_is_due(&self) -> Result<Option<i64>, Error> {
        let mut store = self.opener.open(PATIENCE)?;
        let due = store.due_messages(clock::now())?;
        if !due.is_empty() {
            let words = self.ways.words(&mut store)?;
            for waiting in due {
                self.send(&mut store, &waiting, &words)?;
            }
        }
        self.ways.outcomes.set_waiting(store.waiting_messages()?.0);
        let next = store.next_message_due()?;
        Ok(next.map(|at| (at - clock::now()).max(0)))
    }

    fn send(&self, store: &mut Store, waiting: &Waiting, words: &Words) -> Result<(), Error> {
        let receiver = Receiver::parse(&waiting.receiver);
        let time = receiver.as_ref().map_or(LOOK_AGAIN, |receiver| self.ways.time_of(receiver));
        if !store.claim_message(waiting, clock::now() + time.as_millis() as i64 + MARGIN_MS)? {
            return Ok(());
        }
        let message: Option<Message> = serde_json::from_str(&waiting.body).ok();
        let (Some(receiver), Some(message)) = (receiver, message) else {
            // Another version of the program wrote it.
            self.ways.outcomes.change(|held| held.given_up += 1);
            self.log.error("a message about an alert cannot be read: it is given up", &[]);
            return store.take_out_message(waiting.id);
        };
        let id = format!("{}.{}", waiting.created_at, waiting.id);
        let done = self.ways.try_send(&receiver, &message, &id, words);
        self.note(&receiver, &message, waiting, done.as_ref().err());
        let now = clock::now();
        match done {
            Err(Failure::Away(_)) if now - waiting.created_at < OLD_MS => {
                let pause = PAUSES_MS.0.saturating_mul(1 << waiting.attempts.clamp(0, 20)).min(PAUSES_MS.1);
                let claimed = Waiting { attempts: waiting.attempts + 1, ..waiting.clone() };
                store.put_off_message(&claimed, now + pause)
            }
            _ => store.take_out_message(waiting.id),
        }
    }

    /// Counts what became of a message, and tells it in the log where it is news. A receiver is told only as far as it may
    /// be shown.
    fn note(&self, receiver: &Receiver, message: &Message, waiting: &Waiting, failure: Option<&Failure>) {
        let (shown, now) = (receiver.shown(), clock::now());
        let is_old = now - waiting.created_at >= OLD_MS;
        let before = self.ways.outcomes.change(|held| {
            match failure {
                None => held.sent += 1,
                Some(Failure::Away(_)) if !is_old => held.failed += 1,
                Some(_) => held.given_up += 1,
            }
            match failure {
                Some(Failure::Away(_)) => {
                    let is_known = held.failing.contains_key(&shown);
                    held.failing.entry(shown.clone()).or_insert(now);
                    is_known
                }
                _ => held.failing.remove(&shown).is_some(),
            }
        });
        match failure {
            None if before => {
                self.log.info("a receiver of alerts takes messages again", &[("receiver", &shown)]);
            }
            None => {}
            Some(Failure::Away(why)) if !before && !is_old => self.log.warn(
                "a receiver of alerts does not take messages: they are sent again for a day",
                &[("receiver", &shown), ("error", why)],
            ),
            Some(Failure::Away(_)) if !is_old => {}
            Some(Failure::Away(why) | Failure::Refused(why)) => self.log.error(
                "a message about an alert is given up",
                &[("receiver", &shown), ("rule", &message.rule), ("error", why)],
            ),
        }
    }
}
