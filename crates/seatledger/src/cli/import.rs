//! `seatledger import`

use super::progress::{Bar, Files};
use super::{Done, Global, default_zone, say, warn};
use crate::answers::civil;
use crate::render::iso;
use crate::sources::collector::Tally;
use crate::sources::configured::Servers;
use crate::sources::import::{FileSummary, Summary, Wish, import};
use accounting::calendar::zone;
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

const AFTER_HELP: &str = "\
An input is known by its bytes, not by its name: importing it again adds only what is new, also when it was renamed,
compressed, rotated or has grown. Files of one server may come in any order.

Examples:
  seatledger import /var/log/flexlm/*.log
  seatledger import --timezone Europe/Zurich --server 27000@lic1 debug.log.gz
  zcat old.log.gz | seatledger import -
  seatledger import --replace --timezone Europe/London debug.log    after a wrong zone
  seatledger import --json logs/ | jq .totals";

/// Take in license-server logs and wrapper records: files, directories, patterns, `-` for standard input
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Import {
    /// Files, directories, patterns, or - for standard input; .gz and .zst too
    #[arg(value_name = "FILE|DIR|GLOB", required_unless_present = "format_help")]
    inputs: Vec<String>,
    /// How the text is written, instead of telling it by its content
    #[arg(long, value_name = "FORMAT", value_parser = format_name, default_value = "auto")]
    format: String,
    /// The license server that wrote it, instead of the name in the text
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// The time zone of the server's clock, such as Europe/Zurich
    #[arg(long, value_name = "ZONE", value_parser = zone_name)]
    timezone: Option<String>,
    /// Take out what was read of these inputs before, and read them anew
    #[arg(long)]
    replace: bool,
    /// Read and count, store nothing
    #[arg(long)]
    dry_run: bool,
    /// A summary for scripts
    #[arg(long)]
    json: bool,
    /// What can be read, and where it comes from
    #[arg(long)]
    format_help: bool,
}

fn format_name(name: &str) -> Result<String, String> {
    if name == "auto" || formats::named(name).is_some() {
        return Ok(name.to_owned());
    }
    let known: Vec<&str> = formats::all().iter().map(|format| format.name()).collect();
    Err(format!("known formats: auto, {}", known.join(", ")))
}

fn zone_name(name: &str) -> Result<String, String> {
    zone(name).map(|_| name.to_owned()).map_err(|error| error.to_string())
}

impl Import {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        if self.format_help {
            let longest = formats::all().iter().map(|format| format.name().len()).max().unwrap_or_default();
            for format in formats::all() {
                say(&format!("{:longest$} {}", format.name(), format.describe()));
            }
            return Ok(Done::Well);
        }
        let scratch = if self.dry_run { global.scratch()? } else { None };
        let (mut store, config) = scratch.as_ref().map_or(global, |(_, global)| global).create()?;
        let wish = Wish {
            arguments: self.inputs.clone(),
            format: formats::named(&self.format).map(formats::line::Format::name),
            server: self.server.clone(),
            zone: self.timezone.clone(),
            servers: Servers::of(&config, default_zone(&config)),
            replace: self.replace,
            dry_run: self.dry_run,
        };
        let summary = import(&mut store, &wish, &mut Files::default());
        // What was committed before a failure is made whole all the same.
        let bar = Bar::new("feature days");
        let derived = store.derive(&mut |done, total| bar.step(done, total));
        bar.done();
        let summary = summary?;
        derived?;
        let calendar = store.calendar()?;
        if self.json {
            say(&json_summary(&summary, calendar.zone(), self.dry_run).to_string());
        } else {
            for file in &summary.files {
                say_file(file, calendar.zone(), self.dry_run);
            }
            say_totals(&summary, self.dry_run);
        }
        for file in &summary.files {
            for remark in &file.remarks {
                warn(&format!("{}: {remark}", file.path));
            }
            if let Some(problem) = &file.problem {
                warn(&format!("{}: {problem}", file.path));
            }
        }
        Ok(done(&summary))
    }
}

fn done(summary: &Summary) -> Done {
    let failed = summary.files.iter().filter(|file| file.problem.is_some()).count();
    let unrecognized = summary.files.iter().any(|file| file.counts.unrecognized > 0);
    let nothing_read = summary.files.iter().all(|file| file.counts.lines == 0 && !file.already_known);
    match (failed, unrecognized) {
        (0, false) => Done::Well,
        (failed, _) if failed == summary.files.len() && nothing_read => Done::Failed,
        _ => Done::PartlyUnderstood,
    }
}

fn say_file(file: &FileSummary, zone: &TimeZone, dry_run: bool) {
    if file.format.is_none() || (file.problem.is_some() && file.counts.lines == 0) {
        return;
    }
    if file.already_known {
        return say(&format!("{}: nothing new", file.path));
    }
    let counts = &file.counts;
    let mut text = format!(
        "{}: {}, {}{}: {}",
        file.path,
        file.server,
        if file.continued { "continued, " } else { "" },
        number_of(counts.lines, "line"),
        said(&file.tally)
    );
    if !dry_run {
        text.push_str(&format!("; {} sessions closed, {} open", file.sessions_closed, file.sessions_open));
    }
    if file.unmatched_checkins > 0 {
        text.push_str(&format!(", {} checkins without a checkout", file.unmatched_checkins));
    }
    if counts.unrecognized > 0 {
        text.push_str(&format!(
            ", {} unrecognized (see `seatledger unrecognized`)",
            number_of(counts.unrecognized, "line")
        ));
    }
    if let (Some(from), Some(until)) = (file.tally.from, file.tally.until) {
        text.push_str(&format!("; {} to {}", civil(from, zone), civil(until, zone)));
    }
    say(&text);
}

/// What an input said, by its kind: a log, polls, or a table of totals.
fn said(tally: &Tally) -> String {
    let Tally { checkouts, checkins, denials, polls, holds, totals, .. } = *tally;
    if polls + totals > 0 && checkouts + checkins + denials == 0 {
        let polls = (polls > 0)
            .then(|| format!("{} showing {}", number_of(polls, "answer"), number_of(holds, "hold")));
        let totals = (totals > 0).then(|| number_of(totals, "total"));
        return polls.into_iter().chain(totals).collect::<Vec<_>>().join(", ");
    }
    format!("{checkouts} checkouts, {checkins} checkins, {denials} denials")
}

fn number_of(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn say_totals(summary: &Summary, dry_run: bool) {
    // Of a file that breaks off what was whole counts.
    let read = summary.files.iter().filter(|file| file.problem.is_none() || file.counts.lines > 0).count();
    if read == 0 {
        return say("nothing could be read");
    }
    let known = summary.files.iter().filter(|file| file.already_known).count();
    let lines: u64 = summary.files.iter().map(|file| file.counts.lines).sum();
    let closed: u64 = summary.files.iter().map(|file| file.sessions_closed).sum();
    // What closes a session is known only where sessions are stored.
    let end = match dry_run {
        true => "; nothing stored (--dry-run)".to_owned(),
        false => format!(", {} closed; stored", number_of(closed, "session")),
    };
    say(&format!(
        "{} read, {known} known before: {}{end}",
        number_of(read as u64, "file"),
        number_of(lines, "new line"),
    ));
}

fn json_summary(summary: &Summary, zone: &TimeZone, dry_run: bool) -> Value {
    let mut files: Vec<Value> = summary.files.iter().map(|file| json_file(file, zone)).collect();
    if dry_run {
        for file in files.iter_mut().filter_map(Value::as_object_mut) {
            file.retain(|name, _| {
                !["unmatched_checkins", "sessions_closed", "sessions_open"].contains(&name.as_str())
            });
        }
    }
    let mut totals = Map::new();
    for file in &files {
        for (name, value) in file.as_object().into_iter().flatten() {
            if let Some(number) = value.as_u64() {
                let sum = totals.get(name).and_then(Value::as_u64).unwrap_or_default() + number;
                totals.insert(name.clone(), json!(sum));
            }
        }
    }
    let edge = |latest: bool| {
        let of = |file: &FileSummary| if latest { file.tally.until } else { file.tally.from };
        let all = summary.files.iter().filter_map(of);
        if latest { all.max() } else { all.min() }
    };
    totals.insert("files".into(), json!(summary.files.len()));
    totals.insert("from".into(), json!(edge(false).map(|at| iso(at, zone))));
    totals.insert("until".into(), json!(edge(true).map(|at| iso(at, zone))));
    let known = summary.files.iter().filter(|file| file.already_known).count();
    totals.insert("already_known".into(), json!(known));
    json!({ "files": files, "totals": totals })
}

fn json_file(file: &FileSummary, zone: &TimeZone) -> Value {
    json!({
        "path": file.path,
        "format": file.format,
        "server": file.server,
        "lines": file.counts.lines,
        "events": file.counts.events,
        "notes": file.counts.notes,
        "noise": file.counts.noise,
        "unrecognized": file.counts.unrecognized,
        "checkouts": file.tally.checkouts,
        "checkins": file.tally.checkins,
        "unmatched_checkins": file.unmatched_checkins,
        "denials": file.tally.denials,
        "polls": file.tally.polls,
        "holds": file.tally.holds,
        "imported_totals": file.tally.totals,
        "sessions_closed": file.sessions_closed,
        "sessions_open": file.sessions_open,
        "from": file.tally.from.map(|at| iso(at, zone)),
        "until": file.tally.until.map(|at| iso(at, zone)),
        "already_known": file.already_known,
        "problem": file.problem,
        "remarks": file.remarks,
    })
}
