//! House rules that neither the compiler nor the linter keeps. Each failure says what to do.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};

/// The most lines of a file of source.
const LONGEST: usize = 600;

/// The repository.
fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the repository: its path from the root, with `/`, and its text.
struct Page {
    path: String,
    text: String,
}

impl Page {
    fn is_source(&self) -> bool {
        self.is_rust() && self.path.contains("/src/")
    }

    fn is_rust(&self) -> bool {
        self.ends_in("rs")
    }

    fn ends_in(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|other| other == extension)
    }

    /// Its lines of code with their numbers: no comments, and nothing from the first `#[cfg(test)] mod` on.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.ends_with("tests.rs") || self.path.contains("/tests/");
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let text = if is_test { "" } else { &self.text[..end] };
        (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// All text files but those that are built, fetched or generated.
fn pages() -> Vec<Page> {
    const LEFT_OUT: [&str; 8] =
        ["target", ".git", "corpus", "artifacts", "seatledger-demo", "data", "Cargo.lock", "node_modules"];
    let (root, mut pages) = (house(), Vec::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let path = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                pages.push(Page { path, text });
            }
        }
    }
    pages.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(pages.len() > 100, "this is not the whole house: {} files", pages.len());
    pages
}

/// Fails with all complaints at once.
fn none(complaints: &[String], remedy: &str) {
    assert!(complaints.is_empty(), "\n{}\n\n{remedy}\n", complaints.join("\n"));
}

/// What a page of the documentation names between back quotes or links to, as far as it looks like a path of ours.
fn paths_named(page: &Page) -> Vec<String> {
    const ROOTS: [&str; 6] = ["crates/", "docs/", "scripts/", "examples/", "benches/", ".ci/"];
    let quoted = page.text.split('`').skip(1).step_by(2);
    let linked = page.text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let linked = linked.filter(|link| !link.contains("://") && !link.starts_with('#'));
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let from_here = |link: &str| {
        let link = link.split_once('#').map_or(link, |(path, _)| path);
        match link.strip_prefix("../") {
            Some(rest) => rest.to_owned(),
            None if folder.is_empty() => link.to_owned(),
            None => format!("{folder}/{link}"),
        }
    };
    let words = quoted.flat_map(str::split_whitespace).filter(|word| {
        ROOTS.iter().any(|root| word.starts_with(root)) && !word.contains(['*', '<', '{', '…', ':'])
    });
    words.map(str::to_owned).chain(linked.map(from_here)).collect()
}

#[test]
fn paths_in_the_documentation_exist() {
    let (root, mut wrong) = (house(), Vec::new());
    for page in pages().iter().filter(|page| page.ends_in("md")) {
        for path in paths_named(page) {
            if !root.join(&path).exists() && !is_generated(&path) {
                wrong.push(format!("{} names {path}", page.path));
            }
        }
    }
    none(&wrong, "These paths do not exist: name where the thing is now.");
}

fn is_generated(path: &str) -> bool {
    path == "benches/data" || path.starts_with("benches/data/")
}

#[test]
fn sql_stands_only_in_the_store() {
    const WORDS: [&str; 8] = [
        "select ",
        "insert into ",
        "delete from ",
        "create table ",
        "create view ",
        "drop table ",
        "pragma ",
        "with recursive ",
    ];
    let mut wrong = Vec::new();
    // What SQLite alone does is compared with what the program does.
    let may =
        |page: &&Page| page.path.starts_with("crates/store/") || page.path == "benches/src/session_rows.rs";
    for page in pages().iter().filter(|page| !may(page)) {
        if page.path.starts_with("crates/") && page.ends_in("sql") {
            wrong.push(page.path.clone());
        }
        if !page.is_source() {
            continue;
        }
        for (number, line) in page.code() {
            let line = line.to_lowercase();
            let quoted = line.match_indices('"').map(|(at, _)| line[at + 1..].trim_start());
            if quoted.into_iter().any(|text| WORDS.iter().any(|word| text.starts_with(word))) {
                wrong.push(format!("{}:{number}", page.path));
            }
        }
    }
    none(&wrong, "SQL outside crates/store: add a method to the store that asks for it.");
}

#[test]
fn vendor_words_stand_only_in_the_formats() {
    // The demo and the benchmarks write logs as servers would: they must know the words.
    const WRITERS: [&str; 3] = ["crates/formats/", "crates/seatledger/src/demo/", "benches/"];
    const WORDS: [&str; 5] = ["\"OUT", "\"IN: ", "DENIED", "UNSUPPORTED", "LIC_ACC"];
    let mut wrong = Vec::new();
    for page in pages().iter().filter(|page| page.is_source()) {
        if WRITERS.iter().any(|writer| page.path.starts_with(writer)) {
            continue;
        }
        for (number, line) in page.code() {
            if WORDS.iter().any(|word| line.contains(word)) || line.contains("\"lmgrd") {
                wrong.push(format!("{}:{number}: {}", page.path, line.trim()));
            }
        }
    }
    none(
        &wrong,
        "Words of a vendor outside crates/formats: let the format turn them into an event or a note.",
    );
}

#[test]
fn the_pure_crates_touch_nothing_of_the_world() {
    const WORLD: [&str; 6] =
        ["std::fs", "std::net", "std::env", "std::process", "SystemTime", "std::time::Instant"];
    let mut wrong = Vec::new();
    for page in pages().iter().filter(|page| page.is_source()) {
        if !page.path.starts_with("crates/accounting/") && !page.path.starts_with("crates/formats/src/") {
            continue;
        }
        for (number, line) in page.code() {
            if WORLD.iter().any(|world| line.contains(world)) {
                wrong.push(format!("{}:{number}: {}", page.path, line.trim()));
            }
        }
    }
    none(&wrong, "accounting and formats are pure: give them what they need to know as a parameter.");
}

#[test]
fn crates_import_only_whom_they_may() {
    let allowed: [(&str, &[&str]); 3] =
        [("accounting", &[]), ("formats", &["accounting"]), ("store", &["accounting"])];
    let mut wrong = Vec::new();
    for (name, may) in allowed {
        let manifest = std::fs::read_to_string(house().join("crates").join(name).join("Cargo.toml")).unwrap();
        for other in ["accounting", "formats", "store", "seatledger"] {
            let imports = manifest
                .lines()
                .any(|line| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} ")));
            if imports && !may.contains(&other) {
                wrong.push(format!("{name} imports {other}"));
            }
        }
    }
    none(&wrong, "formats → accounting ← store, and seatledger imports all three; nothing else.");
}

#[test]
fn faces_know_no_sources_and_sources_no_faces() {
    const DOORS: [&str; 6] =
        ["cli/import.rs", "cli/demo.rs", "cli/progress.rs", "cli/serve.rs", "cli/poll.rs", "cli/check.rs"];
    const WALLS: [(&str, &[&str]); 10] = [
        ("cli/", &["crate::sources", "formats::"]),
        ("api/", &["crate::sources", "crate::cli", "crate::web", "crate::demo", "formats::"]),
        (
            "web/",
            &["crate::sources", "crate::cli", "crate::api", "crate::demo", "crate::service", "formats::"],
        ),
        ("gate/", &["crate::sources", "crate::cli", "crate::api", "crate::web", "crate::service"]),
        (
            "answers/",
            &["crate::sources", "crate::cli", "crate::api", "crate::service", "crate::render", "formats::"],
        ),
        ("render/", &["crate::", "store::", "formats::"]),
        ("sources/", &["crate::cli", "crate::service", "crate::demo"]),
        ("config/", &["crate::cli", "crate::sources", "crate::demo", "store::"]),
        ("demo/", &["crate::cli", "crate::sources", "store::"]),
        ("service/", &["crate::cli", "crate::sources::import", "crate::sources::follow", "crate::demo"]),
    ];
    let mut wrong = Vec::new();
    for page in pages() {
        let Some(path) = page.path.strip_prefix("crates/seatledger/src/") else { continue };
        let walls = WALLS.iter().filter(|(folder, _)| path.starts_with(folder) && !DOORS.contains(&path));
        for (_, behind) in walls {
            for (number, line) in page.code() {
                // Events are our own words, which the API takes and wrappers send.
                let is_ours = line.contains("formats::events");
                if !is_ours && behind.iter().any(|other| line.contains(other)) {
                    wrong.push(format!("{}:{number}: {}", page.path, line.trim()));
                }
            }
        }
    }
    none(
        &wrong,
        "A face shows reports and asks the store; only import, demo, progress, poll, serve and check may know sources.",
    );
}

#[test]
fn files_are_named_after_what_is_in_them() {
    const EMPTY_NAMES: [&str; 8] =
        ["common", "utils", "util", "core", "types", "shared", "helpers", "helper"];
    let wrong: Vec<String> = pages()
        .iter()
        .filter(|page| {
            page.path.split('/').any(|part| EMPTY_NAMES.contains(&part.split('.').next().unwrap_or_default()))
        })
        .map(|page| page.path.clone())
        .collect();
    none(&wrong, "Such a name says nothing: name the file after what is in it.");
}

#[test]
fn nothing_is_left_for_later_and_no_test_is_skipped() {
    let marks = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore")];
    let mut wrong = Vec::new();
    for page in pages().iter().filter(|page| page.is_rust()) {
        for (number, line) in (1..).zip(page.text.lines()) {
            if marks.iter().any(|mark| line.contains(mark)) {
                wrong.push(format!("{}:{number}: {}", page.path, line.trim()));
            }
        }
    }
    none(&wrong, "Finish it, or take it out.");
}

#[test]
fn files_of_source_are_short() {
    let wrong: Vec<String> = pages()
        .iter()
        .filter(|page| page.is_source() && page.text.lines().count() > LONGEST)
        .map(|page| format!("{}: {} lines", page.path, page.text.lines().count()))
        .collect();
    none(&wrong, "A file of source has at most 600 lines: cut it where its subject divides.");
}

#[test]
fn ci_runs_all_tests_on_both_databases() {
    let read = |path: &str| std::fs::read_to_string(house().join(path)).unwrap();
    assert!(read(".ci/run").contains("scripts/test"), ".ci/run must call scripts/test, as everybody does");
    let test = read("scripts/test");
    for part in ["scripts/lint", "SEATLEDGER_TEST_POSTGRES=", "export SEATLEDGER_TEST_POSTGRES", "cargo test"]
    {
        assert!(test.contains(part), "scripts/test lacks `{part}`: it must lint, and test on PostgreSQL too");
    }
    let suite = read("crates/store/tests/suite.rs") + &read("crates/store/tests/suite/ledger.rs");
    for part in ["sqlite", "SEATLEDGER_TEST_POSTGRES"] {
        assert!(suite.contains(part), "the store's suite lacks `{part}`: it runs on both databases");
    }
}

#[test]
fn every_fixture_says_where_it_comes_from_and_what_is_read_of_it() {
    let mut wrong = Vec::new();
    let pages = pages();
    let is_there = |path: &str| house().join(path).exists();
    for page in pages.iter().filter(|page| page.path.starts_with("crates/formats/fixtures/")) {
        let (folder, _) = page.path.rsplit_once('/').unwrap();
        if !is_there(&format!("{folder}/PROVENANCE.md")) {
            wrong.push(format!("{folder} has no PROVENANCE.md"));
        }
        if let Some(situation) = page.path.strip_suffix(".events")
            && !is_there(&format!("{situation}.log"))
        {
            wrong.push(format!("{} has no .log", page.path));
        }
    }
    wrong.extend(logs_without_events(&house().join("crates/formats/fixtures")));
    wrong.dedup();
    none(&wrong, "Say in PROVENANCE.md where lines come from, and write .events with UPDATE_GOLDEN=1.");
}

/// Fixtures may be of any encoding: their names are enough here.
fn logs_without_events(fixtures: &Path) -> Vec<String> {
    let (mut folders, mut wrong) = (vec![fixtures.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log")
                && !path.with_extension("events").exists()
            {
                wrong.push(format!("{} has no .events", path.display()));
            }
        }
    }
    wrong
}

#[test]
fn no_path_of_a_machine_on_which_it_was_built_is_left() {
    let places =
        [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
    let mut wrong = Vec::new();
    for page in pages() {
        for (number, line) in (1..).zip(page.text.lines()) {
            if places.iter().any(|place| line.contains(place)) {
                wrong.push(format!("{}:{number}: {}", page.path, line.trim()));
            }
        }
    }
    none(&wrong, "Such a path exists on one machine only.");
}
