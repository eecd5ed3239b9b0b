//! The operational log: what the program does and what ails it, for those who run it. **No personal data goes there,
//! whatever the mode of privacy;** what needs a name goes to the [issue log](issues), a file of this machine only.
//!
//! Whoever writes here waits for nobody and never fails: entries go to bounded queues, which threads of their own write
//! to the console and the issue log and send to ELK. What a full queue has no room for is dropped and counted.

mod console;
mod elk;
mod issues;
mod queue;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use settings::Settings;

use accounting::UnixMs;
use console::Console;
use elk::Sender;
use issues::IssueLog;
use queue::Queue;
use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Entries and lines that wait at most for the console and the issue log.
const LOCAL_ROOM: usize = 10_000;
/// Lines that are written at once.
const LOCAL_BATCH: usize = 1_000;
/// The longest message or detail, in characters.
const LONGEST: usize = 1_000;

/// How grave an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// As it should be.
    Info,
    /// Somebody should look at it.
    Warn,
    /// Something could not be done.
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    at: UnixMs,
    level: Level,
    message: String,
    /// `key=value`, each.
    details: Vec<String>,
}

/// What a machine keeps to itself.
enum Local {
    Entry(Arc<Entry>),
    Issue(String),
}

/// How much the log has lost, and what it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Entries for the console and lines for the issue log that found no room.
    pub(crate) local_dropped: u64,
    /// Entries that ELK never took: they found no room, were refused, or were left when the log was closed.
    pub(crate) elk_dropped: u64,
    /// Entries that wait for ELK.
    pub(crate) elk_waiting: u64,
}

/// A handle of the log: cheap to clone, never blocks, never fails.
#[derive(Clone)]
pub(crate) struct OpLog {
    local: Arc<Queue<Local>>,
    elk: Option<Arc<Queue<Arc<Entry>>>>,
    /// Whether the issue log may name people.
    names: bool,
    now: fn() -> UnixMs,
}

impl OpLog {
    /// A log that nobody reads.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self { local: Arc::new(Queue::new(0)), elk: None, names: false, now: crate::clock::now }
    }

    /// Starts the log and its threads. Fails where the settings name a file that cannot be read.
    pub(crate) fn start(settings: &Settings) -> anyhow::Result<Self> {
        Self::start_onto(settings, Box::new(std::io::stdout()), crate::clock::now)
    }

    fn start_onto(
        settings: &Settings,
        out: Box<dyn Write + Send>,
        now: fn() -> UnixMs,
    ) -> anyhow::Result<Self> {
        let sender =
            settings.elk.as_ref().map(|elk| Sender::new(elk, settings.origin.clone())).transpose()?;
        let local = Arc::new(Queue::new(LOCAL_ROOM));
        let console = Console::new(settings.console, settings.origin.clone(), out);
        let issues = IssueLog::new(settings.issues.clone());
        let queue = Arc::clone(&local);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_locally(&queue, console, issues, now))?;
        let mut log = Self { local, elk: None, names: settings.names, now };
        if let (Some(elk), Some(sender)) = (&settings.elk, sender) {
            let queue = Arc::new(Queue::new(elk.room));
            let (beside, to_elk) = (log.clone(), Arc::clone(&queue));
            std::thread::Builder::new().name("elk".to_owned()).spawn(move || sender.run(&to_elk, &beside))?;
            log.elk = Some(queue);
        }
        Ok(log)
    }

    /// As it should be.
    pub(crate) fn info(&self, message: &str, details: &[(&str, &dyn Display)]) {
        self.log(Level::Info, message, details);
    }

    /// Somebody should look at it.
    pub(crate) fn warn(&self, message: &str, details: &[(&str, &dyn Display)]) {
        self.log(Level::Warn, message, details);
    }

    /// Something could not be done.
    pub(crate) fn error(&self, message: &str, details: &[(&str, &dyn Display)]) {
        self.log(Level::Error, message, details);
    }

    fn log(&self, level: Level, message: &str, details: &[(&str, &dyn Display)]) {
        let details = details.iter().map(|(key, value)| clean(&format!("{key}={value}"))).collect();
        let entry = Arc::new(Entry { at: (self.now)(), level, message: clean(message), details });
        if let Some(elk) = &self.elk {
            elk.push(Arc::clone(&entry));
        }
        self.local.push(Local::Entry(entry));
    }

    /// A line of the issue log, the only place that may name people: faulty pings, new users, users without an
    /// organization.
    pub(crate) fn issue(&self, message: &str, user: Option<&str>, domain: Option<&str>) {
        let (user, domain) = if self.names { (user, domain) } else { (None, None) };
        self.local.push(Local::Issue(issues::line((self.now)(), message, user, domain)));
    }

    /// What was lost, and what waits: for metrics.
    pub(crate) fn counts(&self) -> Counts {
        let elk = self.elk.as_deref();
        Counts {
            local_dropped: self.local.dropped(),
            elk_dropped: elk.map_or(0, Queue::dropped),
            elk_waiting: elk.map_or(0, |queue| queue.waiting() as u64),
        }
    }

    /// Writes and sends what waits, for at most so long; what comes later is dropped. Returns whether all was written.
    pub(crate) fn close(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let sent = self.elk.as_deref().is_none_or(|elk| {
            elk.close();
            elk.drained(deadline)
        });
        // Last, because a failed sending is told on the console; and for a moment even if no time is left.
        self.local.close();
        self.local.drained(deadline.max(Instant::now() + Duration::from_millis(100))) && sent
    }

    /// An entry for the console alone.
    fn say_locally(&self, level: Level, message: &str, details: Vec<String>) {
        let entry = Entry { at: (self.now)(), level, message: message.to_owned(), details };
        self.local.push(Local::Entry(Arc::new(entry)));
    }
}

/// A text on one line, of bounded length.
fn clean(text: &str) -> String {
    text.chars().take(LONGEST).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The thread that writes to the console and the issue log.
fn write_locally(queue: &Queue<Local>, mut console: Console, mut issues: IssueLog, now: fn() -> UnixMs) {
    let mut failing = false;
    while let Some(batch) = queue.take(LOCAL_BATCH) {
        let mut lines = String::new();
        let mut entries = Vec::new();
        for local in batch {
            match local {
                Local::Entry(entry) => entries.push(entry),
                Local::Issue(line) => lines.push_str(&line),
            }
        }
        if !lines.is_empty() {
            let written = issues.append(&lines);
            if let (Err(error), false) = (&written, failing) {
                let details = vec![clean(&format!("error={error}"))];
                let message = "the issue log cannot be written".to_owned();
                entries.push(Arc::new(Entry { at: now(), level: Level::Warn, message, details }));
            }
            failing = written.is_err();
        }
        console.write(&entries);
    }
}
