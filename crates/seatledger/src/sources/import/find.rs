//! Which inputs the arguments name, and in what order they are read.

use anyhow::{Context, bail};
use std::path::{Path, PathBuf};

/// The files that arguments name: files, directories (all their files, recursively) and patterns; `-` is standard
/// input.
pub(crate) fn files(arguments: &[String]) -> anyhow::Result<(Vec<PathBuf>, Vec<String>)> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" || path.is_file() {
            found.push(path.to_owned());
        } else if path.is_dir() {
            let before = found.len();
            in_directory(path, &mut found).with_context(|| format!("cannot list {argument}"))?;
            if found.len() == before {
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
        } else {
            problems.push(format!("{argument}: no such file or directory"));
        }
    }
    let mut unique: Vec<PathBuf> = Vec::with_capacity(found.len());
    for path in found {
        if !unique.contains(&path) {
            unique.push(path);
        }
    }
    Ok((unique, problems))
}

fn in_directory(directory: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden {
            in_directory(&path, found)?;
        } else if path.is_file() && !hidden {
            found.push(path);
        }
    }
    Ok(())
}
