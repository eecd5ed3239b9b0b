//! Golden files: `fixtures/<family>/<format>/<situation>.log` is read line by line, and what came of each line is
//! compared with `<situation>.events` beside it. `UPDATE_GOLDEN=1` writes the latter anew: read them before you
//! commit. The zone is Europe/Zurich, or what `<situation>.zone` says.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{Claim, Event, Expires, What};
use formats::line::{Format, Line, Note, Read, Setting, Survey};
use jiff::tz::TimeZone;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[test]
fn every_situation_reads_as_recorded() {
    let mut wrong = Vec::new();
    for path in situations() {
        let actual = render(&path);
        let expected = path.with_extension("events");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&expected, &actual).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != actual {
            wrong.push(format!("{}\n{actual}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "these differ; UPDATE_GOLDEN=1 accepts them:\n{}", wrong.join("\n"));
}

#[test]
fn every_situation_is_told_by_its_head() {
    for path in situations() {
        let bytes = std::fs::read(&path).unwrap();
        let detected = formats::detect(&bytes).map(Format::name);
        assert_eq!(detected, Some(format_of(&path).name()), "{}", path.display());
    }
}

#[test]
fn every_situation_reads_alike_when_resumed_at_any_line() {
    for path in situations() {
        let bytes = std::fs::read(&path).unwrap();
        let (format, setting) = (format_of(&path), setting_of(&path));
        let (mut whole, mut chunked) = (format.parser(&setting), format.parser(&setting));
        for (nth, line) in lines(&bytes).enumerate() {
            chunked = format.resume(&setting, &chunked.state()).unwrap();
            assert_eq!(whole.line(line), chunked.line(line), "{}:{}", path.display(), nth + 1);
        }
        assert_eq!(whole.state(), chunked.state());
    }
}

#[test]
fn every_situation_reads_alike_as_bytes_and_as_text() {
    let mut texts = 0;
    for path in situations() {
        let bytes = std::fs::read(&path).unwrap();
        let (format, setting) = (format_of(&path), setting_of(&path));
        let (mut of_bytes, mut of_text) = (format.parser(&setting), format.parser(&setting));
        for (nth, line) in lines(&bytes).enumerate() {
            let read = match std::str::from_utf8(line) {
                Ok(text) => of_text.text(text),
                Err(_) => of_text.line(line),
            };
            assert_eq!(read, of_bytes.line(line), "{}:{}", path.display(), nth + 1);
            texts += usize::from(!line.is_ascii() && std::str::from_utf8(line).is_ok());
        }
        assert_eq!(of_text.state(), of_bytes.state());
    }
    assert!(texts > 0, "lines with more than ASCII are among them");
}

fn situations() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

/// `fixtures/flexnet/lmstat/…` are of the format `lmstat`, `fixtures/flexnet/debug_log/…` of that of their family.
fn format_of(path: &Path) -> &'static dyn Format {
    let mut folders = path.ancestors().skip(1).take(2).filter_map(Path::file_name);
    let named = folders.find_map(|folder| formats::named(&folder.to_string_lossy().replace('_', "-")));
    named.unwrap_or_else(|| panic!("{}: no format is named like its folders", path.display()))
}

fn survey_of(path: &Path) -> Survey {
    let mut surveyor = format_of(path).surveyor();
    let bytes = std::fs::read(path).unwrap();
    let _ = lines(&bytes).all(|line| surveyor.line(line));
    surveyor.finish()
}

/// As an import would set it: without any date in the text, the first day is counted back from 2024-05-15.
fn setting_of(path: &Path) -> Setting {
    let zone = std::fs::read_to_string(path.with_extension("zone")).unwrap_or("Europe/Zurich".to_owned());
    let survey = survey_of(path);
    let modified: Day = "2024-05-15".parse().unwrap();
    let first_day = survey.first_day.unwrap_or(Day(modified.0 - survey.midnights));
    let zone = TimeZone::get(zone.trim()).unwrap();
    let modified_at = modified.start(&zone) + 43_200_000;
    Setting { modified_at, ..Setting::new(zone, first_day) }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|&byte| byte == b'\n')
}

fn render(path: &Path) -> String {
    let survey = survey_of(path);
    let mut out = "survey".to_owned();
    match survey.first_day {
        Some(day) => write!(out, ": from {day}").unwrap(),
        None => write!(out, ": no date, {} midnights", survey.midnights).unwrap(),
    }
    if let (Some(second), Some(line)) = (survey.first_second, survey.first_dated_line) {
        write!(out, " {}:{:02}:{:02} in line {line}", second / 3600, second / 60 % 60, second % 60).unwrap();
    }
    write!(out, ", server {}", survey.server.as_deref().unwrap_or("unknown")).unwrap();
    write!(out, ", vendors {:?}", survey.vendors).unwrap();
    out += if survey.begins_with_start { ", begins with a start\n" } else { "\n" };
    let mut parser = format_of(path).parser(&setting_of(path));
    for (nth, line) in lines(&std::fs::read(path).unwrap()).enumerate() {
        let read = parser.line(line);
        writeln!(out, "{:>3} {}", nth + 1, rendered(&read).replace('\0', "␀")).unwrap();
    }
    out
}

fn rendered(read: &Read<'_>) -> String {
    let at = read.at.map_or("-".to_owned(), utc);
    let process = if read.process.is_empty() { "-" } else { read.process };
    let said = match &read.line {
        Line::Noise => ".".to_owned(),
        Line::Unrecognized(reason) => format!("UNRECOGNIZED {reason}"),
        Line::Note(Note::State) => "note".to_owned(),
        Line::Note(Note::Server(name)) => format!("note server {name}"),
        Line::Note(Note::Components { package, components }) => {
            format!("note {package} consists of {}", components.join(" "))
        }
        Line::Note(Note::Restarted) => "note restarted".to_owned(),
        Line::Events(events) => {
            assert!(!events.is_empty(), "several events are not none");
            events
                .iter()
                .map(|event| happened(event) + &whose(read, event))
                .collect::<Vec<_>>()
                .join("\n      ")
        }
        Line::Event { event, times } => {
            let of_a_poll = matches!(
                event.what,
                What::Polled { .. } | What::Shown { .. } | What::Seats { .. } | What::Expiry(_)
            );
            let undated = matches!(event.what, What::Total(_)) || (of_a_poll && read.at.is_none());
            let of_a_run = matches!(event.what, What::Running { .. } | What::Used { .. });
            let later = of_a_run && read.at > Some(event.at);
            assert!(undated || later || read.at == Some(event.at), "an event has the instant of its line");
            let times = if *times == 1 { String::new() } else { format!(" {times} times") };
            format!("{}{times}{}", happened(event), whose(read, event))
        }
    };
    format!("{at} {process}: {said}")
}

/// The vendor of what a poll showed, where the line's process is not it.
fn whose(read: &Read<'_>, event: &Event<'_>) -> String {
    let of_a_poll = matches!(event.what, What::Shown { .. } | What::Seats { .. } | What::Expiry(_));
    let told = event.vendor.is_empty() || event.vendor == read.process;
    if of_a_poll && !told { format!(" at {}", event.vendor) } else { String::new() }
}

fn utc(at: UnixMs) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap();
    stamp.strftime(if at % 1000 == 0 { "%F %TZ" } else { "%F %T%.3fZ" }).to_string()
}

fn happened(event: &Event<'_>) -> String {
    let order = if event.order == 0 { String::new() } else { format!(" order {}", event.order) };
    let said = match &event.what {
        What::Checkout(claim) => format!("checkout {}", claimed(claim)),
        What::Checkin(claim, reason) => format!("checkin {} {reason:?}", claimed(claim)),
        What::Denial(claim, refusal) => {
            format!("denial {} {:?} {}", claimed(claim), refusal.reason, refusal.code)
        }
        What::Queued(claim) => format!("queued {}", claimed(claim)),
        What::Dequeued(claim) => format!("dequeued {}", claimed(claim)),
        What::DaemonStarted => format!("daemon started: {}", event.vendor),
        What::DaemonStopped => format!("daemon stopped: {}", event.vendor),
        What::ServerStarted => "server started".to_owned(),
        What::Held(claim) => format!("held {}", claimed(claim)),
        What::Polled { answered: true } => format!("polled {}", event.vendor),
        What::Polled { answered: false } => format!("poll of {} failed", event.vendor),
        What::Shown { claim, since } => format!("shown {} since {}", claimed(claim), utc(*since)),
        What::Running { claim, seen_at, awaited_until } => {
            format!("running {} seen {} awaited until {}", claimed(claim), utc(*seen_at), utc(*awaited_until))
        }
        What::Used { claim, until } => format!("used {} until {}", claimed(claim), utc(*until)),
        What::Seats { feature, seats } => format!("seats of <{feature}> {seats:?}"),
        What::Expiry(expiry) => {
            let seats = expiry.seats.map_or("uncounted".to_owned(), |seats| seats.to_string());
            let expires = match expiry.expires {
                Expires::On(day) => format!("on {day}"),
                other => format!("{other:?}").to_lowercase(),
            };
            format!("{seats} of <{}> version <{}> expire {expires}", expiry.feature, expiry.version)
        }
        What::Total(total) => format!(
            "total of {} minutes of <{}> version <{}> on {} in organization {}",
            total.minutes, total.feature, total.version, total.day, total.organization
        ),
    };
    said + &order
}

fn claimed(claim: &Claim<'_>) -> String {
    let mut said = format!("{} of <{}> by <{}> on <{}>", claim.seats, claim.feature, claim.user, claim.host);
    for (name, value) in [
        ("version", &claim.version),
        ("data", &claim.checkout_data),
        ("handle", &claim.handle),
        ("display", &claim.display),
    ] {
        if let Some(value) = value {
            write!(said, " {name} <{value}>").unwrap();
        }
    }
    said
}
