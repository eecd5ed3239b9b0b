//! `[[alert]]`: a rule.

use super::AlertConfig;
use super::receiver::Ways;
use crate::config::document::{Entry, Table, Wrong};
use crate::config::stretch::stretches;
use accounting::alert::{Condition, Fullness, Globs, Rule, Timing, When};
use accounting::calendar::Stretch;
use accounting::event::DenialReason;
use globset::GlobBuilder;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Keys of every rule.
const COMMON: [&str; 8] =
    ["when", "name", "notify", "repeat_after", "quiet", "tell_cleared", "feature", "server"];

/// The keys that a kind of rule has besides, and of the common ones those that it has not.
fn keys_of(when: When) -> (&'static [&'static str], &'static [&'static str]) {
    match when {
        When::Full => {
            (&["percent", "clear_percent", "free", "clear_free", "each_server", "for", "clear_after"], &[])
        }
        When::Denials => (&["requests", "persons", "within", "reasons", "clear_after"], &[]),
        When::Expiry => (&["days"], &[]),
        When::ServerDown => (&["for", "clear_after"], &["feature"]),
        When::Overnight => (&["at", "held", "person"], &[]),
        When::SourceSilent => (&["for", "source"], &["feature", "server"]),
        When::LongSession => (&["held", "person"], &[]),
    }
}

/// All `[[alert]]` of a text.
pub(super) fn rules(section: &Entry<'_>, ways: &Ways<'_>, text: &str) -> Result<Vec<AlertConfig>, Wrong> {
    let mut alerts: Vec<AlertConfig> = Vec::new();
    for table in section.tables("alert")? {
        let alert = rule(&table, ways, text)?;
        if let Some(other) = alerts.iter().find(|other| other.rule.name == alert.rule.name) {
            return Err(table.wrong(format!(
                "the [[alert]] of line {} is called `{}` too: give one of them another name = \"…\"",
                other.line, other.rule.name
            )));
        }
        alerts.push(alert);
    }
    Ok(alerts)
}

/// What the keys of a rule say, before its kind gives them their meaning.
#[derive(Default)]
struct Said {
    name: Option<String>,
    features: Globs,
    servers: Globs,
    persons: Globs,
    sources: Globs,
    hold_ms: Option<i64>,
    clear_ms: Option<i64>,
    repeat_ms: Option<i64>,
    keeps_cleared: bool,
    quiet: Vec<Stretch>,
    percent: Option<i64>,
    clear_percent: Option<i64>,
    free: Option<i64>,
    clear_free: Option<i64>,
    each_server: bool,
    requests: Option<i64>,
    persons_at_least: Option<i64>,
    within_ms: Option<i64>,
    reasons: Option<Vec<DenialReason>>,
    days: Option<Vec<i32>>,
    at_minute: Option<u16>,
    held_ms: Option<i64>,
}

fn rule(table: &Table<'_>, ways: &Ways<'_>, text: &str) -> Result<AlertConfig, Wrong> {
    let entries = table.entries();
    let word = entries.iter().find(|entry| entry.key() == "when").map(|entry| entry.one_of(&When::words()));
    let Some(when) = word.transpose()? else {
        let words = When::words().map(|(word, _)| word).join("\", \"");
        return Err(table.wrong(format!("an [[alert]] needs a when: one of \"{words}\"")));
    };
    let (own, without) = keys_of(when);
    let known: Vec<&str> = COMMON.iter().filter(|key| !without.contains(key)).chain(own).copied().collect();
    let (mut said, mut notify) = (Said::default(), None);
    for entry in &entries {
        if !known.contains(&entry.key()) {
            return Err(
                match When::words().iter().find(|(_, other)| keys_of(*other).0.contains(&entry.key())) {
                    Some((other, _)) => entry.wrong_key(format!(
                        "`{}` is no key of when = \"{}\" (but of \"{other}\"): it has {}",
                        entry.key(),
                        when.as_str(),
                        known.join(", ")
                    )),
                    None => entry.unknown_key(&known),
                },
            );
        }
        match entry.key() {
            "when" => {}
            "notify" => notify = Some(ways.receivers(entry)?),
            _ => said.take(entry, when)?,
        }
    }
    let Some(notify) = notify else {
        return Err(
            table.wrong("an [[alert]] needs to know whom: notify = [\"mail:admin@example.com\"]".to_owned())
        );
    };
    let condition = said.condition(when, table)?;
    let Said { name, features, servers, persons, sources, quiet, .. } = said;
    let (hold_ms, clear_ms) = match when {
        When::Full => (0, 5 * MINUTE),
        When::ServerDown => (5 * MINUTE, MINUTE),
        _ => (0, 0),
    };
    let timing = Timing {
        hold_ms: if when == When::SourceSilent { 0 } else { said.hold_ms.unwrap_or(hold_ms) },
        clear_ms: said.clear_ms.unwrap_or(clear_ms),
        repeat_ms: said.repeat_ms,
        tells_cleared: !said.keeps_cleared,
    };
    let name = name.unwrap_or_else(|| when.as_str().to_owned());
    let rule = Rule { name, condition, features, servers, persons, sources, timing, quiet };
    Ok(AlertConfig { rule, notify, line: table.line(text) })
}

impl Said {
    fn take(&mut self, entry: &Entry<'_>, when: When) -> Result<(), Wrong> {
        match entry.key() {
            "name" => self.name = Some(entry.filled_text()?),
            "feature" => self.features = globs(entry)?,
            "server" => self.servers = globs(entry)?,
            "person" => self.persons = globs(entry)?,
            "source" => self.sources = globs(entry)?,
            "for" => self.hold_ms = Some(milliseconds(entry, 0)?),
            "clear_after" => self.clear_ms = Some(milliseconds(entry, 0)?),
            "repeat_after" => self.repeat_ms = Some(milliseconds(entry, MINUTE)?),
            "tell_cleared" => self.keeps_cleared = !entry.flag()?,
            "quiet" => self.quiet = quiet(entry)?,
            "percent" => self.percent = Some(entry.whole_number(1, 1000)?),
            "clear_percent" => self.clear_percent = Some(entry.whole_number(1, 1000)?),
            "free" => self.free = Some(entry.whole_number(0, 1_000_000)?),
            "clear_free" => self.clear_free = Some(entry.whole_number(0, 1_000_000)?),
            "each_server" => self.each_server = entry.flag()?,
            "requests" => self.requests = Some(entry.whole_number(1, 1_000_000)?),
            "persons" => self.persons_at_least = Some(entry.whole_number(1, 1_000_000)?),
            "within" => self.within_ms = Some(milliseconds(entry, MINUTE)?),
            "reasons" => self.reasons = Some(reasons(entry)?),
            "days" => self.days = Some(days(entry)?),
            "at" => self.at_minute = Some(minute(entry)?),
            // What lasts no time at all is every session.
            "held" => {
                let least = if when == When::LongSession { MINUTE } else { 0 };
                self.held_ms = Some(milliseconds(entry, least)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn condition(&self, when: When, table: &Table<'_>) -> Result<Condition, Wrong> {
        Ok(match when {
            When::Full => Condition::Full { fullness: self.fullness(table)?, each_server: self.each_server },
            When::Denials => Condition::Denials {
                requests: self.requests.unwrap_or(3) as usize,
                persons: self.persons_at_least.unwrap_or(1) as usize,
                within_ms: self.within_ms.unwrap_or(15 * MINUTE),
                reasons: self.reasons.clone().unwrap_or_else(|| vec![DenialReason::Capacity]),
            },
            When::Expiry => Condition::Expiry { days: self.days.clone().unwrap_or_else(|| vec![30, 7, 1]) },
            When::ServerDown => Condition::ServerDown,
            When::Overnight => Condition::Overnight {
                at_minute: self.at_minute.unwrap_or(0),
                held_ms: self.held_ms.unwrap_or(0),
            },
            When::SourceSilent => Condition::SourceSilent { silent_ms: self.hold_ms.unwrap_or(HOUR) },
            When::LongSession => match self.held_ms {
                Some(held_ms) => Condition::LongSession { held_ms },
                None => {
                    return Err(table.wrong(
                        "when = \"long-session\" needs to know how long is too long, such as held = \"12h\""
                            .to_owned(),
                    ));
                }
            },
        })
    }

    /// A feature is free again a little below where it is full, so that one seat that comes and goes tells nothing.
    fn fullness(&self, table: &Table<'_>) -> Result<Fullness, Wrong> {
        if self.free.is_some() && self.percent.is_some() {
            return Err(table.wrong("`percent` and `free` say the same: leave one of them out".to_owned()));
        }
        if self.free.is_some() && self.clear_percent.is_some()
            || self.free.is_none() && self.clear_free.is_some()
        {
            return Err(table.wrong(
                "`clear_percent` belongs to `percent`, `clear_free` to `free`: write two of a kind"
                    .to_owned(),
            ));
        }
        if let Some(full) = self.free {
            let clear = self.clear_free.unwrap_or(full);
            return match clear >= full {
                true => Ok(Fullness::Free { full, clear }),
                false => {
                    Err(table
                        .wrong(format!("`clear_free` is {full} at least, as `free`: free again at more")))
                }
            };
        }
        let full = self.percent.unwrap_or(100);
        let clear = self.clear_percent.unwrap_or(full);
        match clear <= full {
            true => Ok(Fullness::Percent { full, clear }),
            false => {
                Err(table.wrong(format!("`clear_percent` is {full} at most, as `percent`: free again below")))
            }
        }
    }
}

/// A length of time: `"90s"`, `"10m"`, `"2h"`, `"3d"`; in milliseconds, at least so many.
pub(in crate::config) fn milliseconds(entry: &Entry<'_>, least: i64) -> Result<i64, Wrong> {
    let text = entry.filled_text()?;
    let unit = text.trim().char_indices().last();
    let parsed = unit.and_then(|(at, unit)| {
        let each = match unit {
            's' => 1000,
            'm' => MINUTE,
            'h' => HOUR,
            'd' => 24 * HOUR,
            _ => return None,
        };
        let number: i64 = text.trim()[..at].trim().parse().ok()?;
        (0..=3650).contains(&(number.checked_mul(each)? / (24 * HOUR))).then_some(number * each)
    });
    match parsed {
        Some(ms) if ms >= least && ms >= 0 => Ok(ms),
        Some(_) => Err(entry.wrong(format!("`{}` is {} at least, not `{text}`", entry.key(), short(least)))),
        None => {
            Err(entry
                .wrong(format!("`{text}` is no length of time: write \"90s\", \"10m\", \"2h\" or \"3d\"")))
        }
    }
}

fn short(ms: i64) -> String {
    if ms >= MINUTE { format!("{}m", ms / MINUTE) } else { format!("{}s", ms.max(1000) / 1000) }
}

/// Patterns of names, one or several; after `!` those that are not meant.
fn globs(entry: &Entry<'_>) -> Result<Globs, Wrong> {
    let texts = match entry.text() {
        Ok(_) => vec![(entry.filled_text()?, None)],
        Err(_) => entry.texts()?.into_iter().map(|(text, at)| (text, Some(at))).collect(),
    };
    let mut globs = Globs::default();
    for (text, at) in texts {
        let wrong = |why: String| match at {
            Some(at) => Wrong::new(at, why),
            None => entry.wrong(why),
        };
        let (pattern, unwanted) = match text.strip_prefix('!') {
            Some(rest) => (rest, true),
            None => (text.as_str(), false),
        };
        if pattern.trim().is_empty() {
            return Err(wrong("a pattern is empty: take it out, or write such as \"hfss*\"".to_owned()));
        }
        let glob = GlobBuilder::new(pattern).case_insensitive(true).backslash_escape(false).build();
        let glob = glob.map_err(|error| wrong(format!("`{text}` is no pattern: {}", error.kind())))?;
        if unwanted { &mut globs.unwanted } else { &mut globs.wanted }.push(glob.compile_matcher());
    }
    Ok(globs)
}

fn quiet(entry: &Entry<'_>) -> Result<Vec<Stretch>, Wrong> {
    let mut quiet = Vec::new();
    for (text, at) in entry.texts()? {
        quiet.extend(stretches(&text).map_err(|why| Wrong::new(at, why))?);
    }
    Ok(quiet)
}

fn reasons(entry: &Entry<'_>) -> Result<Vec<DenialReason>, Wrong> {
    let known: Vec<DenialReason> = (0..).map_while(DenialReason::from_code).collect();
    let words: Vec<&str> = known.iter().map(|reason| reason.as_str()).collect();
    let mut reasons = Vec::new();
    for (text, at) in entry.texts()? {
        let Some(nth) = words.iter().position(|word| *word == text) else {
            let right = crate::config::right_name(&text, &words);
            return Err(Wrong::new(at, format!("`{text}` is no reason of a denial: {right}")));
        };
        reasons.push(known[nth]);
    }
    if reasons.is_empty() {
        return Err(
            entry.wrong("`reasons` is empty: take it out, or write reasons = [\"capacity\"]".to_owned())
        );
    }
    Ok(reasons)
}

/// Days left, most first: a number, or several.
fn days(entry: &Entry<'_>) -> Result<Vec<i32>, Wrong> {
    let mut days: Vec<i32> = entry.whole_numbers(0, 3650)?.into_iter().map(|days| days as i32).collect();
    days.sort_unstable_by_key(|days| std::cmp::Reverse(*days));
    days.dedup();
    if days.is_empty() {
        return Err(entry.wrong("`days` is empty: write days = [30, 7, 1]".to_owned()));
    }
    Ok(days)
}

/// A time of the day: `"22:00"`.
fn minute(entry: &Entry<'_>) -> Result<u16, Wrong> {
    let text = entry.filled_text()?;
    let time = text.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    });
    time.ok_or_else(|| entry.wrong(format!("`{text}` is no time of the day: write \"00:00\" to \"23:59\"")))
}
