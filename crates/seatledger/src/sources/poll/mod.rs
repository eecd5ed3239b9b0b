//! Asks license servers who holds what, again and again: a program is run, and what it prints is one poll.
//!
//! A poll that fails, or whose answer is doubtful, ends no session.

mod books;
mod command;
mod csv_files;
mod judge;
mod once;
mod ping;
mod question;
mod times;

pub(crate) use books::Found;
pub(crate) use once::{Polled, poll_once};

use super::configured::Servers;
use super::live::{Finding, Post, Source, Trouble};
use crate::clock;
use crate::config::{CsvLogConfig, PollConfig};
use accounting::UnixMs;
use books::Books;
use jiff::tz::TimeZone;
use question::{Output, Question};
use std::sync::Arc;
use std::time::Duration;
use store::Error;
use times::Times;

/// Polls one license server.
pub(crate) struct Poller {
    question: Arc<Question>,
    books: Books,
    interval: Duration,
    jitter: Duration,
    after: After,
    /// Whether another process polls for the same source.
    shared: bool,
}

/// What is done after a poll.
struct After {
    csv_log: Option<CsvLogConfig>,
    ping_url: Option<String>,
}

impl After {
    /// Writes the files of a poll that was answered, and tells the watchdog; what went wrong of that is a trouble of the
    /// poll.
    fn tell(&self, output: &Output, zone: &TimeZone, found: &mut Found) {
        if let Some(config) = &self.csv_log
            && found.answered
        {
            let files = formats::flexnet::csv_log(&output.text, output.at, zone, config.users);
            if let Err(error) = csv_files::append(config, &files) {
                let why = format!("the CSV files cannot be written: {error}");
                let remedy = "let the service write to the directory of csv_log";
                found.trouble.get_or_insert(Trouble::new(why, remedy));
            }
        }
        if let Some(url) = &self.ping_url {
            let well = found.answered && found.trouble.is_none();
            if let Err(error) = ping::tell(url, well) {
                let why = format!("ping_url cannot be requested: {error}");
                found.trouble.get_or_insert(Trouble::new(why, "see whether the address is right"));
            }
        }
    }
}

impl Poller {
    pub(crate) fn new(name: &str, config: &PollConfig, servers: &Servers) -> Self {
        Self {
            question: Arc::new(Question::of(config)),
            books: Books::new(name, config.server.as_deref(), config.timezone.as_deref(), servers),
            interval: config.interval,
            jitter: config.jitter,
            after: After { csv_log: config.csv_log.clone(), ping_url: config.ping_url.clone() },
            shared: false,
        }
    }

    /// One poll of an instant, into the ledger; nothing where somebody else has just polled.
    fn poll(&mut self, post: &Post, at: UnixMs) -> anyhow::Result<Option<Found>> {
        if self.shared {
            self.books.forget();
            post.with_store(|store| self.books.read(store, &self.question))?;
            let since = at - self.interval.as_millis() as i64 / 2;
            if self.books.polled_at().is_some_and(|polled_at| polled_at > since) {
                post.waiting("another process polls for this source");
                return Ok(None);
            }
            self.shared = false;
        }
        let output = self.question.ask(at, &|| post.stopping());
        if output.given_up {
            return Ok(None);
        }
        let (mut found, output) = self.take(post, output)?;
        if let Some(found) = &mut found {
            self.after.tell(&output, &self.books.zone(), found);
        }
        Ok(found)
    }

    /// Takes an output in; nothing where somebody else has polled later.
    fn take(&mut self, post: &Post, output: Output) -> anyhow::Result<(Option<Found>, Output)> {
        let (question, fresh) = (Arc::clone(&self.question), self.books.anew());
        let mut books = std::mem::replace(&mut self.books, fresh);
        let (books, output, found) = post.by_hand(move |post| {
            let found = take(post, &question, &mut books, &output);
            (books, output, found)
        });
        self.books = books;
        let found = found?;
        self.shared = found.is_none();
        Ok((found, output))
    }
}

/// Takes an output in; nothing where somebody else has polled later.
fn take(
    post: &Post,
    question: &Question,
    books: &mut Books,
    output: &Output,
) -> anyhow::Result<Option<Found>> {
    // Where somebody else has polled, in another process, then once more, behind their poll.
    for _ in 0..2 {
        if books.must_read() {
            post.with_store(|store| books.read(store, question))?;
        }
        if books.is_behind(output.at) {
            break;
        }
        let Some(prepared) = books.prepare(question, output) else { break };
        match post.with_store(|store| books.commit(store, &prepared)) {
            Ok(ended) => return Ok(Some(Found { ended, ..books.done(prepared) })),
            Err(error) => {
                // What was written is not known.
                books.forget();
                if !matches!(error.downcast_ref(), Some(Error::Conflict)) {
                    return Err(error);
                }
            }
        }
    }
    Ok(None)
}

impl Source for Poller {
    fn run(&mut self, post: &Post) -> anyhow::Result<()> {
        // Whatever a run before this one knew may be half written.
        self.books.forget();
        let mut times = Times::new(clock::now(), self.interval, self.jitter);
        while post.pause(times.wait(clock::now())) {
            let at = times.begin(clock::now());
            if let Some(found) = self.poll(post, at)? {
                tell(post, &found);
            }
        }
        Ok(())
    }

    fn check(&mut self, post: &Post) -> Vec<Finding> {
        let output = self.question.ask(clock::now(), &|| post.stopping());
        once::findings(&self.question, &output)
    }
}

/// Tells others how it is.
fn tell(post: &Post, found: &Found) {
    let status = post.status();
    status.polled(found.answered);
    status.took(&found.lines);
    if found.answered {
        status.event_at(found.at);
    }
    match &found.trouble {
        Some(trouble) => post.down(trouble.clone()),
        None => post.up(),
    }
}
