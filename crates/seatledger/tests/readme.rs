//! What the documentation shows is what happens: the commands of README.md and docs/ run here, each page's in order
//! and in a directory of its own that holds `examples/`.
//!
//! A block marked `sh` is run line by line. In one marked `console` the lines after `$ ` are run, and what follows each
//! must be what it prints; `UPDATE_DOCS=1` writes that anew: read it before you commit. A command succeeds, or says
//! `# exits with 3`. Blocks marked otherwise are only read.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A desk of its own for a page: an empty directory with the examples in it.
fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    let examples = desk.path().join("examples");
    std::fs::create_dir(&examples).unwrap();
    for entry in std::fs::read_dir(house().join("examples")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), examples.join(entry.file_name())).unwrap();
    }
    desk
}

/// Runs a line of a page; what it prints on standard output. Its errors are the page's.
fn run(desk: &Path, page: &Path, line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_seatledger")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(desk).env("PATH", path).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    for variable in ["SEATLEDGER_DB", "SEATLEDGER_BARS", "NO_COLOR"] {
        command.env_remove(variable);
    }
    let output = command.output().unwrap();
    let wanted = line.split_once("# exits with ").map_or(0, |(_, code)| code.trim().parse().unwrap());
    assert_eq!(
        output.status.code(),
        Some(wanted),
        "{}: `{line}`:\n{}",
        page.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a page's blocks; the page as it would be if it showed what the commands print.
fn played(page: &Path, text: &str) -> String {
    let desk = desk();
    let (mut played, mut block) = (String::new(), "");
    for line in text.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            block = if block.is_empty() { fence } else { "" };
            writeln!(played, "{line}").unwrap();
            continue;
        }
        match (block, line.strip_prefix("$ ")) {
            ("console", Some(command)) => {
                let printed = run(desk.path(), page, command);
                writeln!(played, "{line}").unwrap();
                for line in printed.lines() {
                    writeln!(played, "{}", line.trim_end()).unwrap();
                }
            }
            ("console", None) => {}
            ("sh", _) => {
                if !line.is_empty() && !line.starts_with('#') {
                    run(desk.path(), page, line);
                }
                writeln!(played, "{line}").unwrap();
            }
            _ => writeln!(played, "{line}").unwrap(),
        }
    }
    played
}

#[test]
fn the_documentation_shows_what_the_commands_print() {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(house().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.insert(0, house().join("README.md"));
    let mut wrong = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let played = played(&page, &text);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&page, &played).unwrap();
        } else if let Some((nth, (said, printed))) =
            (1..).zip(text.lines().zip(played.lines())).find(|(_, (said, printed))| said != printed)
        {
            wrong.push(format!("{}:{nth}: says `{said}`, is `{printed}`", page.display()));
        } else if text.lines().count() != played.lines().count() {
            wrong.push(format!("{}: an output ends too early", page.display()));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_DOCS=1 writes what is printed:\n{}", wrong.join("\n"));
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = std::fs::read_to_string(house().join("README.md")).unwrap();
    for command in ["cargo run --release -- demo", "scripts/test"] {
        assert!(readme.contains(command), "README.md does not name `{command}`");
    }
    assert!(house().join("scripts/test").exists());
}

#[test]
fn the_examples_hold_every_kind_of_line_that_the_manual_speaks_of() {
    let desk = desk();
    let page = Path::new("examples");
    run(desk.path(), page, "cp examples/seatledger.toml . && seatledger config check");
    let summary = run(desk.path(), page, "seatledger import --json examples/*.log");
    for said in ["\"unrecognized\":0", "\"denials\":3", "\"sessions_open\":2"] {
        assert!(summary.contains(said), "{said} is not in {summary}");
    }
    run(desk.path(), page, "seatledger directory import examples/directory.csv");
    run(desk.path(), page, "seatledger catalog import examples/catalog.csv");
    let ended = run(desk.path(), page, "seatledger sessions --format csv");
    for ending in ["checkin", "timed_out", "open"] {
        assert!(ended.contains(&format!(",{ending},")), "no session is {ending}:\n{ended}");
    }
    run(desk.path(), page, "seatledger verify");
}
