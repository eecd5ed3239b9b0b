//! Tells a central service what is taken in here: the parts that wait in the ledger are posted in their order, and removed
//! when they are taken. What is lost on the way, or killed between the two, is posted again, and counts once.

mod central;
mod check;
mod states;
#[cfg(test)]
mod tests;

use super::live::{About, Finding, Named, Post, Source, Trouble};
use crate::clock;
use crate::config::ForwardConfig;
use central::{Answer, Central, NotHeard};
use serde::Deserialize;
use states::States;
use std::time::{Duration, Instant};
use store::forward::{Parked, WaitingPart};

/// The word of its kind.
pub(crate) const KIND: &str = "forward";
/// What it is called where sources are told.
const NAME: &str = "[forward]";
/// How often it is looked whether anything waits.
const LOOK: Duration = Duration::from_millis(250);
/// How many bytes are posted together, where one part has not more.
const POST_BYTES: u64 = 4 << 20;
/// So long after the last answer the central service is asked whether it is there, where nothing waits.
const QUIET: Duration = Duration::from_mins(1);
/// So often the parts of parked inputs are tried again: somebody may have mended what they were refused for.
const AGAIN: Duration = Duration::from_mins(10);
/// The pauses after a post that was not heard: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));

/// What `configured` puts beside the sources.
pub(crate) fn named(config: &ForwardConfig) -> Named {
    let about = About { name: NAME.to_owned(), kind: KIND, what: config.shown() };
    Named { about, source: Box::new(Forwarder { config: config.clone() }) }
}

/// What people call this site: as configured, else the machine.
pub(crate) fn site(config: &ForwardConfig) -> String {
    let machine = || whoami::hostname().unwrap_or_else(|_| "unknown-host".to_owned());
    config.site.clone().unwrap_or_else(machine)
}

/// Posts what waits.
struct Forwarder {
    config: ForwardConfig,
}

impl Source for Forwarder {
    fn run(&mut self, post: &Post) -> anyhow::Result<()> {
        let mut sending =
            Sending { central: Central::new(&self.config)?, heard_at: None, gap: None, tried_at: None };
        let mut states = States::new(site(&self.config));
        let mut pause = PAUSES.0;
        while !post.stopping() {
            let step = sending.step(post)?;
            if sending.heard_at.is_some() {
                states.tell(post, &sending.central)?;
            }
            let time = match step {
                Step::Sent => {
                    pause = PAUSES.0;
                    continue;
                }
                Step::Nothing => {
                    pause = PAUSES.0;
                    LOOK
                }
                Step::NotHeard(least) => {
                    let time = pause.max(least.min(PAUSES.1));
                    pause = (pause * 2).min(PAUSES.1);
                    time
                }
            };
            post.pause(time);
        }
        Ok(())
    }

    fn check(&mut self, post: &Post) -> Vec<Finding> {
        check::check(&self.config, post)
    }
}

/// What came of one look.
enum Step {
    /// Something was taken: there may be more.
    Sent,
    /// Nothing waits.
    Nothing,
    /// Nobody took it; not before so long it is tried again.
    NotHeard(Duration),
}

struct Sending {
    central: Central,
    /// When the central service answered last.
    heard_at: Option<Instant>,
    /// The part before which something was lost, as the central service has said.
    gap: Option<i64>,
    /// When the parts of parked inputs were tried last.
    tried_at: Option<Instant>,
}

impl Sending {
    /// The central service has answered: that is what happens to this source.
    fn heard(&mut self, post: &Post) {
        self.heard_at = Some(Instant::now());
        post.status().event_at(clock::now());
    }

    fn step(&mut self, post: &Post) -> anyhow::Result<Step> {
        if self.tried_at.is_none_or(|at| at.elapsed() >= AGAIN) {
            post.with_store(store::Store::unpark)?;
            self.tried_at = Some(Instant::now());
        }
        let (waiting, parts) =
            post.with_store(|store| Ok((store.waiting()?, store.waiting_parts(POST_BYTES)?)))?;
        post.status().waits(waiting.parts, waiting.bytes, waiting.oldest_at);
        if parts.is_empty() && self.heard_at.is_some_and(|at| at.elapsed() < QUIET) {
            return Ok(Step::Nothing);
        }
        let after_gap = self.gap.is_some() && parts.first().map(|part| part.id) == self.gap;
        let answer = match self.central.post(&parts, after_gap) {
            Ok(answer) => answer,
            Err(NotHeard::Diverged(why)) if !parts.is_empty() => {
                self.heard(post);
                post.with_store(|store| store.park(parts[0].id, &why, true))?;
                tell_parked(post)?;
                return Ok(Step::Sent);
            }
            Err(not) => {
                self.heard_at = None;
                return Ok(Step::NotHeard(tell(post, not)));
            }
        };
        self.heard(post);
        let taken = &parts[..answer.accepted.min(parts.len())];
        if !taken.is_empty() {
            let ids: Vec<i64> = taken.iter().map(|part| part.id).collect();
            post.with_store(|store| store.remove_parts(&ids))?;
            let left = post.with_store(store::Store::waiting)?;
            post.status().waits(left.parts, left.bytes, left.oldest_at);
        }
        self.weigh(post, &parts, &answer)
    }

    /// What the central service has not taken, and why.
    fn weigh(&mut self, post: &Post, parts: &[WaitingPart], answer: &Answer) -> anyhow::Result<Step> {
        let refused = answer.refused.first();
        let Some((refused, part)) = refused.and_then(|it| Some((it, parts.get(it.index)?))) else {
            tell_parked(post)?;
            let all = answer.accepted >= parts.len();
            return Ok(if parts.is_empty() || all { Step::Nothing } else { Step::Sent });
        };
        match (refused.awaits, Head::of(part)) {
            (Some(awaits), Some(head)) if awaits < head.part && self.gap != Some(part.id) => {
                self.gap = Some(part.id);
                post.status().lost(head.part - awaits);
                let lost = head.part - awaits;
                let details: [(&str, &dyn std::fmt::Display); 2] =
                    [("input", &head.source), ("parts", &lost)];
                post.log().warn(
                    "the central service lacks what was read (restored from a backup? [forward] missing for a while?): read the log anew \
                     with `seatledger import --replace`",
                    &details,
                );
                Ok(Step::Sent)
            }
            _ => {
                post.with_store(|store| store.park(part.id, &refused.reason, false))?;
                tell_parked(post)?;
                Ok(Step::Sent)
            }
        }
    }
}

/// Says that all is well, or of which inputs a part was refused.
fn tell_parked(post: &Post) -> anyhow::Result<()> {
    let inputs = post.with_store(store::Store::parked)?;
    post.status().parked(inputs.len() as u64);
    match parked(&inputs) {
        Some(trouble) => post.down(trouble),
        None => post.up(),
    }
    Ok(())
}

/// What is said of inputs that are parked.
fn parked(inputs: &[Parked]) -> Option<Trouble> {
    // A ledger that was set back is no fault of one input.
    let Parked { source, reason, diverged } =
        inputs.iter().find(|input| input.diverged).or_else(|| inputs.first())?;
    let others = match inputs.len() - 1 {
        0 => String::new(),
        others => format!(" (and one of each of {others} other inputs)"),
    };
    let why = format!("the central service refuses a part of {source}: {reason}{others}");
    if *diverged {
        return Some(Trouble::new(
            why,
            "its parts wait here: this ledger was set back to a backup, is a copy, or was copied; run `seatledger db forward-anew` \
             with it, so that it tells as another one: nothing is missing then, and nothing counts twice",
        ));
    }
    Some(Trouble::new(
        why,
        "its parts wait here, those of other inputs go on: bring both services to one version and restart this one, or read \
         the log anew with `seatledger import --replace`",
    ))
}

/// Says why nobody took a post; for how long at least it is not tried again.
fn tell(post: &Post, not: NotHeard) -> Duration {
    match not {
        NotHeard::Busy { why, after } => {
            post.waiting(format!("the central service is busy: {why}"));
            after
        }
        NotHeard::Away(why) => {
            let remedy =
                "what is taken in waits here; see whether the central service runs and can be reached";
            post.down(Trouble::new(format!("the central service does not answer: {why}"), remedy));
            Duration::ZERO
        }
        NotHeard::Diverged(why) => {
            post.down(Trouble::new(
                format!("the central service refuses: {why}"),
                "bring both services to one version",
            ));
            Duration::ZERO
        }
        NotHeard::Refused(trouble) => {
            post.down(trouble);
            Duration::ZERO
        }
    }
}

/// What a part says of itself.
#[derive(Debug, Deserialize)]
struct Head {
    part: u64,
    #[serde(default)]
    source: String,
}

impl Head {
    fn of(part: &WaitingPart) -> Option<Self> {
        serde_json::from_str(&part.body).ok()
    }
}
