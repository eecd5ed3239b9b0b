//! One poll of each source that is configured, for those who poll from cron.

use super::books::{Books, Found, look};
use super::question::{Output, Question};
use super::{After, Poller};
use crate::clock;
use crate::config::{Config, SourceConfig, SourceKind};
use crate::sources::configured::Servers;
use crate::sources::live::{Finding, Trouble};
use std::sync::mpsc::channel;
use store::{Error, Store};

/// What came of one source.
pub(crate) struct Polled {
    pub(crate) source: String,
    pub(crate) what: String,
    pub(crate) format: &'static str,
    /// How long its program took, in milliseconds.
    pub(crate) took_ms: i64,
    pub(crate) found: Found,
}

/// Polls all sources at once, and takes each answer in as it comes. `step` is told how many have come, of how many.
pub(crate) fn poll_once(
    store: &mut Store,
    config: &Config,
    servers: &Servers,
    step: &mut dyn FnMut(u64, u64),
) -> anyhow::Result<Vec<Polled>> {
    let mut pollers: Vec<(&SourceConfig, Poller)> = Vec::new();
    for source in &config.sources {
        if let SourceKind::Poll(poll) = &source.kind {
            pollers.push((source, Poller::new(&source.name, poll, servers)));
        }
    }
    let total = pollers.len() as u64;
    step(0, total);
    let mut polled = std::thread::scope(|scope| {
        let (asked, answers) = channel();
        let (told, all_told) = channel();
        let mut waiting = Vec::new();
        for (nth, (source, poller)) in pollers.iter_mut().enumerate() {
            let Poller { question, books, after, .. } = poller;
            let (question, after): (&Question, &After) = (question, after);
            let asked = asked.clone();
            scope.spawn(move || {
                let output = question.ask(clock::now(), &|| false);
                let _ = asked.send((nth, output, clock::now()));
            });
            waiting.push((*source, question, books, after));
        }
        drop(asked);
        for (done, (nth, output, ended)) in (1..).zip(answers) {
            let (source, question, books, after) = &mut waiting[nth];
            let (source, question, after) = (*source, *question, *after);
            let mut found = take(store, question, books, &output)?;
            let (zone, told) = (books.zone(), told.clone());
            // Others need not wait for files and watchdogs.
            scope.spawn(move || {
                after.tell(&output, &zone, &mut found);
                let polled = Polled {
                    source: source.name.clone(),
                    what: source.kind.what(),
                    format: question.format.name(),
                    took_ms: ended - output.at,
                    found,
                };
                let _ = told.send((nth, polled));
            });
            step(done, total);
        }
        drop(told);
        Ok::<_, anyhow::Error>(all_told.iter().collect::<Vec<_>>())
    })?;
    polled.sort_by_key(|(nth, _)| *nth);
    Ok(polled.into_iter().map(|(_, polled)| polled).collect())
}

/// Takes an output in.
fn take(store: &mut Store, question: &Question, books: &mut Books, output: &Output) -> anyhow::Result<Found> {
    for _ in 0..3 {
        if books.must_read() {
            books.read(store, question)?;
        }
        if books.is_behind(output.at) {
            break;
        }
        let Some(prepared) = books.prepare(question, output) else { break };
        match books.commit(store, &prepared) {
            Ok(ended) => return Ok(Found { ended, ..books.done(prepared) }),
            Err(Error::Conflict) => books.forget(),
            Err(error) => return Err(error.into()),
        }
    }
    let trouble = Trouble::new("somebody else has polled this source meanwhile", "nothing needs to be done");
    Ok(Found { at: output.at, trouble: Some(trouble), ..Found::default() })
}

/// What `seatledger check` says of an output.
pub(super) fn findings(question: &Question, output: &Output) -> Vec<Finding> {
    let command = question.run.words.join(" ");
    let mut findings = vec![Finding::well(format!("runs `{command}`"))];
    let found = look(question, output);
    match &found.trouble {
        Some(Trouble { why, remedy }) => {
            let errors =
                if output.errors.is_empty() { String::new() } else { format!(" ({})", output.errors) };
            findings.push(Finding::bad(format!("{why}{errors}"), remedy.clone()));
        }
        None => findings.push(Finding::well(format!(
            "it answers: {} features, {} seats in use, {} holders",
            found.features, found.seats_in_use, found.holders
        ))),
    }
    if found.lines.unrecognized > 0 {
        findings.push(Finding::doubtful(
            format!("{} lines of {} are not understood", found.lines.unrecognized, found.lines.lines),
            "compare the output with docs/formats.md",
        ));
    }
    findings
}
