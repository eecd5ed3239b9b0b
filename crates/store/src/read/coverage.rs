//! What was watched when.

use super::Reader;
use crate::Error;
use crate::backend::all;
use crate::names::{polls_apart, watched};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::InputId;

/// A stretch in which an input watched a license server, or did not between two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRow {
    /// The input; none between inputs, where no line is and reports count the time as watched all the same.
    pub input: Option<InputId>,
    /// The license server.
    pub server: ServerId,
    /// First line.
    pub from: UnixMs,
    /// Last line.
    pub until: UnixMs,
    /// Whether it was watched; else the server was down, or nobody wrote.
    pub watched: bool,
    /// Lines of the input, on its first stretch.
    pub lines: Option<(u64, u64)>,
}

impl Reader<'_> {
    /// What was watched when: what each input tells, and what lies between inputs and counts as watched.
    pub fn coverage(&mut self) -> Result<Vec<CoverageRow>, Error> {
        let sql = "select distinct p.input_id, p.server_id, i.lines, i.unrecognized
                   from span p join input i on i.input_id = p.input_id order by p.server_id, p.input_id";
        let inputs = all(self.backend, sql, &[], |row| {
            Ok((row.id(0)?, row.id(1)?, (row.int(2)? as u64, row.int(3)? as u64)))
        })?;
        let apart = polls_apart(self.backend)?;
        let mut rows = Vec::new();
        for (input, server, lines) in inputs {
            let mut spans = crate::intake::spans(self.backend, server)?;
            spans.retain(|span| span.input == input);
            let mut before: Option<UnixMs> = None;
            let apart = apart.get(&server).copied().unwrap_or(UnixMs::MAX);
            for (from, until) in watched(spans.iter(), apart) {
                let row = CoverageRow { input: Some(input), server, from, until, watched: true, lines: None };
                match before.replace(until) {
                    None => rows.push(CoverageRow { lines: Some(lines), ..row }),
                    Some(last) => {
                        rows.push(CoverageRow { from: last, until: from, watched: false, ..row.clone() });
                        rows.push(row);
                    }
                }
            }
        }
        for (server, of) in &self.context.ledger.names.servers {
            let of_server = |row: &&CoverageRow| row.server == *server && row.watched;
            let told = rows.iter().filter(of_server).map(|row| (row.from, row.until)).collect();
            let between = between(&of.watched, told);
            let row = |(from, until)| CoverageRow {
                input: None,
                server: *server,
                from,
                until,
                watched: true,
                lines: None,
            };
            rows.extend(between.into_iter().map(row));
        }
        rows.sort_by_key(|row| (row.from, row.server, row.input.is_none(), row.input));
        Ok(rows)
    }
}

/// What remains of the stretches in which a license server was watched outside of those that its inputs tell.
fn between(watched: &[(UnixMs, UnixMs)], mut told: Vec<(UnixMs, UnixMs)>) -> Vec<(UnixMs, UnixMs)> {
    told.sort_unstable();
    let mut between = Vec::new();
    for &(from, until) in watched {
        let mut reached = from;
        for &(begin, end) in told.iter().filter(|(begin, end)| from <= *end && *begin <= until) {
            if reached < begin {
                between.push((reached, begin));
            }
            reached = reached.max(end);
        }
    }
    between
}
