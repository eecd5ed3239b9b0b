//! What `seatledger check` finds of followed files.

use super::look::{Files, Looker, Looks};
use super::notices::Notices;
use super::unreadable;
use crate::sources::import::bytes::Bytes;
use crate::sources::import::state::ReaderState;
use crate::sources::import::survey::{self, Refused};
use crate::sources::import::{Importer, Wish};
use crate::sources::live::{Finding, Post, Trouble};
use std::path::Path;
use std::time::Duration;

/// So many files are looked into, the ones modified last.
const LOOKED_INTO: usize = 20;

/// Looks at the files once, and into them.
pub(super) fn check(
    files: anyhow::Result<Files>,
    (nothing, every): (&str, Duration),
    wish: &Wish,
    post: &Post,
) -> Vec<Finding> {
    let looks = files.and_then(|files| {
        let mut looker = Looker::new(files);
        let looks = looker.look().map(|(looks, _)| looks.clone());
        let looks = looks.map_err(|error| unreadable(&error))?;
        Ok((looks, Notices::try_out(looker.files().listed_directory())))
    });
    let (looks, notices) = match looks {
        Ok((looks, _)) if looks.is_empty() => {
            let remedy =
                "it is followed from its beginning when it comes; else correct path, directory or pattern";
            return vec![Finding::doubtful(nothing, remedy)];
        }
        Ok(found) => found,
        Err(error) => {
            let Trouble { why, remedy } = Trouble::of(&error);
            return vec![Finding::bad(why, remedy)];
        }
    };
    let mut findings: Vec<Finding> = latest(&looks).map(|path| look_into(path, wish, post)).collect();
    if let Err(error) = notices {
        let every = every.as_millis();
        let what = format!("the machine gives no notice of changes ({error}): it is looked every {every} ms");
        findings.push(Finding::well(what));
    }
    if let Some(others) = looks.len().checked_sub(LOOKED_INTO).filter(|others| *others > 0) {
        findings.push(Finding::well(format!("{others} files that were modified before these")));
    }
    findings
}

fn latest(looks: &Looks) -> impl Iterator<Item = &Path> {
    let mut paths: Vec<_> = looks.iter().collect();
    paths.sort_by_key(|(_, look)| std::cmp::Reverse(look.modified));
    paths.into_iter().take(LOOKED_INTO).map(|(path, _)| path.as_path())
}

fn look_into(path: &Path, wish: &Wish, post: &Post) -> Finding {
    let name = path.display();
    let forced = wish.format.and_then(formats::named);
    let surveyed = Bytes::of_held_file(path)
        .map_err(Refused::from)
        .and_then(|bytes| survey::look(bytes, name.to_string(), forced));
    let surveyed = match surveyed {
        Ok(surveyed) => surveyed,
        Err(Refused::Empty) => return Finding::well(format!("{name} is empty yet")),
        Err(Refused::Io(error)) => {
            return Finding::bad(format!("{name} cannot be read: {error}"), "let the service read it");
        }
        Err(Refused::Unknown(why)) => {
            let remedy = "name its format = \"…\", or another path or pattern";
            return Finding::bad(format!("{name}: {}", why.replace("--format", "format")), remedy);
        }
    };
    let mut importer = Importer::new(post, wish);
    let size = surveyed.bytes.size().unwrap_or_default();
    let known = importer.known(&surveyed).and_then(|known| {
        let state = known.as_ref().map(|known| ReaderState::from_text(&known.reader_state)).transpose()?;
        Ok(known.zip(state))
    });
    let format = surveyed.format.name();
    let (server, read) = match known {
        Ok(Some((known, state))) => {
            let odd = known.counts.unrecognized;
            let odd = if odd > 0 { format!(", {odd} lines unrecognized") } else { String::new() };
            (state.resume.server, format!("read up to byte {}{odd}", known.position))
        }
        Ok(None) => (importer.server_by_text(&surveyed), "not read yet".to_owned()),
        Err(error) if matches!(error.downcast_ref(), Some(store::Error::NotFound(_))) => {
            (importer.server_by_text(&surveyed), "not read yet".to_owned())
        }
        Err(error) => (importer.server_by_text(&surveyed), format!("the ledger was not asked ({error:#})")),
    };
    if server.is_empty() {
        let what = format!("{name}: {format}, {size} bytes, {read}; it does not tell its license server");
        return Finding::doubtful(what, "name it: server = \"PORT@HOST\"");
    }
    Finding::well(format!("{name}: {format} of {server}, {size} bytes, {read}"))
}
