//! What is kept of persons, seen from outside.

use crate::desk::Desk;
use crate::listening::Service;

/// A debug log of one person, with a line that nobody understands.
pub(crate) const LOG: &str = "\
8:00:00 (lmgrd) FLEXnet Licensing (v11.16.2) started on books (linux) (3/3/2025)
8:00:00 (lmgrd) TIMESTAMP 3/3/2025
8:00:01 (acmed) OUT: \"solver\" amara@ws-of-amara
8:00:02 (acmed) OUT: gibberish of amara
9:00:01 (acmed) IN: \"solver\" amara@ws-of-amara
9:30:00 (acmed) DENIED: \"solver\" amara@ws-of-amara  (Licensed number of users already reached. (-4,342))
10:00:00 (acmed) TIMESTAMP 3/3/2025
";

/// Whether any file of a desk but those that were put there holds a name.
fn names_in_database(desk: &Desk) -> bool {
    let files = ["ledger.db", "ledger.db-wal"].map(|name| desk.path(name));
    let held = files.iter().filter_map(|file| std::fs::read(file).ok());
    held.into_iter().any(|bytes| names_amara(&bytes))
}

/// Whether the person is named in some bytes.
pub(crate) fn names_amara(bytes: &[u8]) -> bool {
    bytes.windows(5).any(|window| window.eq_ignore_ascii_case(b"amara"))
}

#[test]
fn pseudonyms_are_all_that_a_ledger_holds() {
    let desk = Desk::new();
    desk.write("seatledger.toml", "timezone = \"UTC\"\n[privacy]\nidentity = \"pseudonymous\"\n");
    desk.write("people.csv", "login,domain,organization,project,valid_from,valid_until\namara,corp,R&D,,,\n");
    desk.ok(&["directory", "import", "people.csv"]);
    desk.write("debug.log", LOG);
    desk.ends(3, &["import", "debug.log"]);
    let service = Service::start(&desk);
    let ping = "/ping?username=Amara&domainname=CORP&appcode=1&version=24&machinename=ws-of-amara";
    assert_eq!(service.get(ping).status, 204);
    assert!(!names_in_database(&desk), "while it runs");
    let by_organization = desk.ok(&["report", "usage", "--by", "organization,feature", "--format", "csv"]);
    assert!(by_organization.contains("R&D,solver,60,"), "{by_organization}");
    assert!(by_organization.contains("R&D,1,10,"), "{by_organization}");
    assert_eq!(service.stop(), Some(0));
    assert!(!names_in_database(&desk), "when it has stopped");
    let unrecognized = desk.ok(&["unrecognized", "--format", "csv"]);
    assert!(!unrecognized.contains("amara") && unrecognized.lines().count() == 2, "{unrecognized}");
    // Whoever has the key finds the person.
    let export: serde_json::Value =
        serde_json::from_str(&desk.ok(&["person", "export", "corp\\amara"])).unwrap();
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1, "{export}");
    assert_eq!(export["directory"].as_array().unwrap().len(), 1, "{export}");
    desk.ok(&["verify"]);
    // A process that was not told of it writes no name beside them.
    desk.write("seatledger.toml", "timezone = \"UTC\"\n[privacy]\nidentity = \"organization\"\n");
    desk.write("more.log", LOG.replace("3/3/2025", "3/4/2025"));
    let refused = desk.ends(1, &["import", "more.log"]);
    assert!(refused.err.contains("keeps persons as identity = \"pseudonymous\""), "{}", refused.err);
    desk.ok(&["db", "privacy"]);
    let refused = desk.ends(1, &["import", "more.log"]);
    assert!(refused.err.contains("identity = \"pseudonymous\" for logs"), "{}", refused.err);
    assert!(!names_in_database(&desk));
}

#[test]
fn a_person_is_exported_and_forgotten() {
    let desk = Desk::new();
    desk.write("debug.log", LOG);
    desk.ends(3, &["import", "debug.log"]);
    let export: serde_json::Value = serde_json::from_str(&desk.ok(&["person", "export", "AMARA"])).unwrap();
    assert_eq!(export["sessions"][0]["from"], "2025-03-03T08:00:01+00:00", "{export}");
    assert_eq!(export["history"][0]["action"], "denial", "{export}");
    assert_eq!(export["unrecognized_lines"].as_array().unwrap().len(), 1, "{export}");
    let before = desk.ok(&["report", "usage", "--format", "csv"]);
    let said = desk.ok(&["person", "forget", "amara"]);
    assert!(said.contains("1 holders, 0 entries of the directory, 1 lines"), "{said}");
    assert_eq!(desk.ok(&["report", "usage", "--format", "csv"]), before);
    assert!(!desk.ok(&["sessions", "--format", "csv"]).contains("amara"));
    desk.ok(&["verify"]);
    let gone = desk.ends(1, &["person", "export", "amara"]);
    assert!(gone.err.contains("knows nobody of the name amara"), "{}", gone.err);
    assert!(desk.ok(&["import", "debug.log"]).contains("1 known before"));
    assert!(!desk.ok(&["sessions", "--format", "csv"]).contains("amara"));
}

#[test]
fn what_is_too_old_is_removed() {
    let desk = Desk::new();
    desk.write("debug.log", LOG);
    desk.ends(3, &["import", "debug.log"]);
    let none = desk.ends(1, &["db", "retention"]);
    assert!(none.err.contains("[privacy.retention]"), "{}", none.err);
    desk.write(
        "seatledger.toml",
        "timezone = \"UTC\"\n[privacy.retention]\nsessions = \"30d\"\nquarantine = \"30d\"\n",
    );
    let said = desk.ok(&["db", "retention"]);
    assert!(said.contains("1 sessions, 1 requests, 0 feature days, 1 holders removed"), "{said}");
    assert!(said.contains("1 shapes of lines removed"), "{said}");
    assert_eq!(desk.ok(&["sessions", "--format", "csv"]).lines().count(), 1);
    desk.ok(&["verify"]);
}
