//! Denials, allocations, idle features and expiry dates, from lines to rows.

use crate::desk::Desk;

/// Refused before the midnight of a month, served behind it; another one in vain; a package that nobody wants.
const LOG: &str = "\
23:00:00 (lmgrd) FlexNet Licensing (v11.19.5.0 build 285457 x64_lsb) started on lic1 (linux) (3/31/2025)
23:00:00 (lmgrd) lmgrd tcp-port 27000
23:00:00 (lmgrd) Started acmed (internet tcp_port 40112 pid 412)
23:10:00 (acmed) OUT: \"solver\" chen@ws-12
23:50:00 (acmed) DENIED: \"solver\" dora@ws-15  (Licensed number of users already reached. (-4,342))
23:55:00 (acmed) DENIED: \"solver\" Dora@WS-15  (Licensed number of users already reached. (-4,342))
23:56:00 (acmed) DENIED: \"mesher\" dora@ws-15  (Licensed number of users already reached. (-4,342))
 0:04:00 (acmed) DENIED: \"solver\" dora@ws-15  (Licensed number of users already reached. (-4,342))
 0:05:00 (acmed) IN: \"solver\" chen@ws-12
 0:09:00 (acmed) OUT: \"solver\" dora@ws-15
 1:09:00 (acmed) IN: \"solver\" dora@ws-15
 9:00:00 (lmgrd) TIMESTAMP 4/1/2025
";

/// What an older system kept: organization, day, code, version, minutes.
const MINUTES: &str = "\
orgfid,udate,appcode,version,minutes
7,2025-03-31,solver,5.0,15
7,2025-04-01,solver,5.1,5
8,2025-04-01,solver,5.0,30
";

const DIRECTORY: &str = "login,organization\nchen,north\ndora,south\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("debug.log", LOG);
    desk.import(&["debug.log"]);
    desk.write("directory.csv", DIRECTORY);
    desk.ok(&["directory", "import", "directory.csv"]);
    desk
}

/// The rows of a report as CSV, without the header.
fn rows(desk: &Desk, arguments: &[&str]) -> Vec<String> {
    let csv = desk.ok(&[&["report"], arguments, &["--format", "csv"]].concat());
    csv.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_request_over_the_end_of_a_month_is_the_same_in_both_months_and_in_the_year() {
    let desk = desk();
    let all = rows(&desk, &["denials"]);
    assert_eq!(
        all,
        [
            "2025-03,mesher,capacity,1,1,0,1,1,0,100",
            "2025-03,solver,capacity,2,1,1,0,1,1,66.666667",
            "2025-04,solver,capacity,1,0,0,0,1,1,50",
        ]
    );
    let mut by_month = rows(&desk, &["denials", "--until", "2025-04-01"]);
    by_month.extend(rows(&desk, &["denials", "--from", "2025-04-01"]));
    assert_eq!(by_month, all);
}

#[test]
fn a_bill_is_split_by_the_organization_of_the_day() {
    let desk = desk();
    let bill = ["allocation", "--cost", "100.01", "--currency", "CHF", "--feature", "solver"];
    // chen held a seat for 55 minutes, dora for 60.
    let split = rows(&desk, &bill);
    assert_eq!(split, ["north,55,47.826087,47.83,CHF", "south,60,52.173913,52.18,CHF"]);
    let table = desk.ok(&[&["report"], &bill[..]].concat());
    assert!(table.contains("the bill of 100.01 CHF is split"), "{table}");
}

#[test]
fn idle_is_what_was_only_refused() {
    let desk = desk();
    let idle = rows(&desk, &["idle"]);
    assert_eq!(idle, ["mesher,mesher,,,", "solver,solver,,2025-04-01T01:09:00+00:00,0"]);
    assert_eq!(rows(&desk, &["idle", "--idle-days", "1"]), ["mesher,mesher,,,"]);
}

#[test]
fn minutes_of_an_older_system_stand_beside_the_sessions() {
    let desk = desk();
    desk.write("usage.csv", MINUTES);
    desk.import(&["--format", "usage-table", "usage.csv"]);
    desk.write("directory.csv", "login,organization,external_id\nchen,north,7\ndora,south,\n");
    desk.ok(&["directory", "import", "directory.csv"]);
    let by = ["usage", "--by", "organization,feature", "--feature", "solver"];
    assert_eq!(
        rows(&desk, &by),
        [
            "8,solver,30,1800,,",
            "north,solver,55,3300,1,1",
            "north,solver,20,1200,,",
            "south,solver,60,3600,1,1",
        ]
    );
    assert_eq!(rows(&desk, &["usage", "--by", "host", "--feature", "solver"]).len(), 2);
}

#[test]
fn columns_are_those_that_are_asked_for() {
    let desk = desk();
    let asked = |columns: &str| rows(&desk, &["usage", "--by", "feature,person", "--columns", columns]);
    let whole = rows(&desk, &["usage", "--by", "feature,person"]);
    assert_eq!(whole, ["solver,chen,55,3300,1,1", "solver,dora,60,3600,1,1"]);
    assert_eq!(asked("usage_minutes, person"), ["chen,55", "dora,60"]);
    assert_eq!(asked("sessions"), ["1", "1"]);
    let minutes = ["usage", "--by", "day,time_class", "--columns", "day,time_class,usage_minutes"];
    assert_eq!(rows(&desk, &minutes), ["2025-03-31,regular-overtime,50", "2025-04-01,regular-overnight,65"]);
    let peaks = ["concurrency", "--feature", "solver", "--columns", "seats_peak,feature"];
    assert_eq!(rows(&desk, &peaks), ["solver,1", "solver,1"]);
    // Nothing is drawn of rows that nothing shown tells apart.
    let drawn = |columns: &str| {
        let page =
            desk.ok(&["report", "usage", "--by", "day,time_class", "--columns", columns, "--format", "html"]);
        page.contains("<svg")
    };
    assert_eq!((drawn("day,time_class,usage_minutes"), drawn("time_class,usage_minutes")), (true, true));
    let json = desk.ok(&["report", "usage", "--columns", "feature,persons", "--format", "json"]);
    assert!(json.contains("\"persons\"") && !json.contains("usage_minutes"), "{json}");
}

#[test]
fn options_of_other_reports_are_refused() {
    let desk = desk();
    for (wrong, said) in [
        (&["denials", "--by", "version"][..], "its keys are feature product"),
        (&["denials", "--cost", "3"], "belong to allocation"),
        (&["allocation", "--by", "seat"], "one of feature product"),
        (&["allocation", "--cost", "1'200"], "write 1200 or 1200.50"),
        (&["allocation", "--share", "evenly"], "one of seat-seconds person-seconds"),
        (
            &["usage", "--columns", "usage_minutes,person"],
            "its columns are month feature usage_minutes seat_seconds sess",
        ),
        (
            &["heatmap", "--by", "product", "--columns", "feature,seats_average"],
            "its columns are product weekday hour seats_average seats_peak denials",
        ),
        (&["usage", "--idle-days", "3"], "belongs to the report idle"),
        (&["idle", "--within", "3"], "belongs to the report expiry"),
        (&["expiry", "--person", "chen"], "--feature, --server and --within only"),
        (&["coverage", "--feature", "s*"], "--from, --until and --server only"),
        (&["average-licenses", "--days", "all"], "working days only"),
        (&["average-licenses", "--hours-per-day", "0"], "greater than 0"),
        (&["utilization", "--days-per-month", "inf"], "greater than 0"),
        (&["usage", "--server", "27000@nowhere"], "the ledger knows "),
    ] {
        let ran = desk.ends(2, &[&["report"], wrong].concat());
        assert!(ran.err.contains(said), "{wrong:?}: {}", ran.err);
    }
    assert_eq!(rows(&desk, &["expiry", "--within", "30", "--feature", "s*"]), Vec::<String>::new());
}
