//! Which inputs the arguments name, and in what order they are read.

use anyhow::bail;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The files that arguments name: files, directories (all their files, recursively) and patterns; `-` is standard
/// input. Files that are the ledger's own are left out.
pub(crate) fn files(
    arguments: &[String],
    is_own: impl Fn(&Path) -> bool,
) -> anyhow::Result<(Vec<PathBuf>, Vec<String>)> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for argument in arguments {
        let path = Path::new(argument);
        if path.is_file() && is_own(path) {
            problems.push(format!("{argument}: this is the ledger itself"));
        } else if argument == "-" || path.is_file() {
            found.push(path.to_owned());
        } else if path.is_dir() {
            let before = found.len();
            let told = problems.len();
            in_directory(path, &mut HashSet::new(), &mut found, &mut problems);
            if found.len() == before && problems.len() == told {
                problems.push(format!("{argument}: the directory holds no files"));
            }
        } else if argument.contains(['*', '?', '[']) {
            let matches = match glob::glob(argument) {
                Ok(matches) => matches,
                Err(error) => bail!("`{argument}` is no pattern: {error}"),
            };
            let before = found.len();
            found.extend(matches.filter_map(Result::ok).filter(|path| path.is_file()));
            if found.len() == before {
                problems.push(format!("{argument}: no file matches"));
            }
        } else if path.exists() {
            problems.push(format!("{argument}: neither a file nor a directory; `-` reads standard input"));
        } else {
            problems.push(format!("{argument}: no such file or directory"));
        }
    }
    let mut known = HashSet::with_capacity(found.len());
    found.retain(|path| !is_own(path) && known.insert(path.clone()));
    Ok((found, problems))
}

/// The files of a directory and of those below it. A link may lead back to a directory that has been seen; what cannot be
/// listed is a problem of its own.
fn in_directory(
    directory: &Path,
    seen: &mut HashSet<PathBuf>,
    found: &mut Vec<PathBuf>,
    problems: &mut Vec<String>,
) {
    let listed = directory.canonicalize().and_then(|real| {
        let entries = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
        Ok((real, entries.collect::<Result<Vec<PathBuf>, _>>()?))
    });
    let (real, mut entries) = match listed {
        Ok(listed) => listed,
        Err(error) => {
            problems.push(format!("{}: cannot be listed: {error}", directory.display()));
            return;
        }
    };
    if !seen.insert(real) {
        return;
    }
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden {
            in_directory(&path, seen, found, problems);
        } else if path.is_file() && !hidden {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::files;

    #[cfg(unix)]
    #[test]
    fn links_that_lead_back_and_files_named_twice_are_taken_once() {
        let place = tempfile::tempdir().unwrap();
        let below = place.path().join("below");
        std::fs::create_dir(&below).unwrap();
        std::fs::write(below.join("debug.log"), "x").unwrap();
        std::os::unix::fs::symlink(place.path(), below.join("back")).unwrap();
        let told = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let (found, problems) =
            files(&[told(place.path()), told(&below.join("debug.log"))], |_| false).unwrap();
        assert_eq!(found, [below.join("debug.log")]);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn the_ledger_is_no_input() {
        let place = tempfile::tempdir().unwrap();
        let (log, ledger) = (place.path().join("debug.log"), place.path().join("seatledger.db"));
        std::fs::write(&log, "x").unwrap();
        std::fs::write(&ledger, "x").unwrap();
        let told = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let arguments = [told(place.path()), format!("{}/*", told(place.path()))];
        let is_own = |path: &std::path::Path| path == ledger;
        assert_eq!(files(&arguments, is_own).unwrap(), (vec![log], vec![]));
        let (found, problems) = files(&[told(&ledger)], is_own).unwrap();
        assert!(found.is_empty() && problems[0].ends_with("this is the ledger itself"), "{problems:?}");
    }
}
