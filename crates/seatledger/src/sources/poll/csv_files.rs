//! CSV files of what was found, appended to so that two who write at the same moment never mix their rows.

use crate::config::CsvLogConfig;
use formats::CsvFile;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Appends to the files of the directory, which is made where there is none.
pub(super) fn append(config: &CsvLogConfig, files: &[CsvFile]) -> io::Result<()> {
    std::fs::create_dir_all(&config.directory)?;
    for file in files {
        let path = config.directory.join(&file.name);
        let mut options = OpenOptions::new();
        let mut open = options.read(true).append(true).create(true).open(&path)?;
        // Released when the file is closed.
        open.lock()?;
        append_to(&mut open, file)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

fn append_to(open: &mut File, file: &CsvFile) -> io::Result<()> {
    let length = open.metadata()?.len();
    let mut text = String::with_capacity(file.header.len() + file.rows.len());
    if length == 0 {
        text.push_str(&file.header);
    } else if !ends_its_line(open, length)? {
        // Whoever wrote last was killed within a row.
        text.push('\n');
    }
    text.push_str(&file.rows);
    open.write_all(text.as_bytes())
}

fn ends_its_line(open: &mut File, length: u64) -> io::Result<bool> {
    let mut last = [0];
    open.seek(SeekFrom::Start(length - 1))?;
    open.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: &str) -> CsvFile {
        CsvFile {
            name: "2024-01-02 features.csv".to_owned(),
            header: "a,b\n".to_owned(),
            rows: rows.to_owned(),
        }
    }

    #[test]
    fn the_header_comes_once_and_a_broken_row_is_ended() {
        let place = tempfile::tempdir().expect("a place");
        let config = CsvLogConfig { directory: place.path().join("new/logs"), users: false };
        let path = config.directory.join("2024-01-02 features.csv");
        append(&config, &[file("")]).expect("written");
        append(&config, &[file("1,2\n")]).expect("written");
        append(&config, &[file("")]).expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "a,b\n1,2\n");
        std::fs::write(&path, "a,b\n1,2\n3").expect("broken");
        append(&config, &[file("5,6\n")]).expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "a,b\n1,2\n3\n5,6\n");
    }

    #[test]
    fn rows_of_two_polls_at_one_moment_stay_together() {
        let place = tempfile::tempdir().expect("a place");
        let config = CsvLogConfig { directory: place.path().to_owned(), users: false };
        let rows = |who: usize| -> String { format!("{who},{}\n", "x".repeat(40)).repeat(2_000) };
        std::thread::scope(|scope| {
            for who in 0..4 {
                let config = &config;
                scope.spawn(move || append(config, &[file(&rows(who))]).expect("written"));
            }
        });
        let text = std::fs::read_to_string(place.path().join("2024-01-02 features.csv")).expect("a file");
        let whose: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert_eq!((text.lines().next(), whose.len()), (Some("a,b"), 8_000));
        let changes = whose.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes, 3, "rows of one poll stand together");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let place = tempfile::tempdir().expect("a place");
        std::fs::create_dir(place.path().join("2024-01-02 features.csv")).expect("in the way");
        let config = CsvLogConfig { directory: place.path().to_owned(), users: false };
        assert!(append(&config, &[file("1,2\n")]).is_err());
    }
}
