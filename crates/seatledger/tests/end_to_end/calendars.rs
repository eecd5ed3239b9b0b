//! Whose calendar counts: a configuration's, or the ledger's own, which admins change in the browser.

use crate::desk::Desk;
use crate::listening::Service;
use crate::settings::{Browser, add_user, desk};

const CALENDAR: &str = "/settings/calendar";
/// What the form says of a calendar of two classes.
const TWO_CLASSES: [(&str, &str); 8] = [
    ("day0", "1"),
    ("day1", "1"),
    ("class0-name", "day"),
    ("class0-hours", "Mon-Fri 06:00-22:00; Sat,Sun 08:00-12:00"),
    ("class1-name", "night"),
    ("class1-hours", "Mon-Fri 00:00-06:00; Mon-Fri 22:00-24:00; Sat,Sun 00:00-08:00; Sat,Sun 12:00-24:00"),
    ("holidays", "2025-12-25 Christmas Day\r\n"),
    ("was", ""),
];

fn rows(desk: &Desk) -> Vec<String> {
    let told = desk.ok(&["calendar", "check", "--format", "csv"]);
    told.lines().filter(|line| !line.starts_with("clock_change")).map(str::to_owned).collect()
}

/// What stands in a hidden field of a page.
fn hidden<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
    rest.split('"').next().unwrap_or_default()
}

#[test]
fn an_admin_changes_the_calendar_after_having_seen_what_changes() {
    let desk = desk();
    add_user(&desk, "amara", "admin");
    add_user(&desk, "bela", "viewer");
    let service = Service::start(&desk);
    let (amara, bela) = (Browser::of(&service, "amara"), Browser::of(&service, "bela"));
    assert_eq!(bela.get(CALENDAR).status, 403);
    assert_eq!(bela.send(CALENDAR, &bela.token(), &TWO_CLASSES).status, 403);
    assert_eq!(amara.send(CALENDAR, "another's", &TWO_CLASSES).status, 403);
    let form = amara.get(CALENDAR);
    assert!(form.status == 200 && form.body.contains("value=\"00:00-08:00\""), "{form:?}");

    let mut wrong = TWO_CLASSES;
    wrong[3] = ("class0-hours", "Mon-Fri 07:00-22:00; Sat,Sun 08:00-12:00");
    let refused = amara.send(CALENDAR, &amara.token(), &wrong);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("Mon-Fri 06:00-07:00 belongs to no time class"), "{}", refused.body);
    assert!(
        refused.body.contains("value=\"Mon-Fri 07:00-22:00; Sat,Sun 08:00-12:00\""),
        "what was typed stays"
    );

    let before = (desk.books(), rows(&desk));
    let shown = amara.send(CALENDAR, &amara.token(), &TWO_CLASSES);
    assert!(
        shown.status == 200 && shown.body.contains("Mon Tue Wed Thu Fri</td><td>Mon Tue</td>"),
        "{shown:?}"
    );
    assert!(
        shown.body.contains("<th scope=\"row\">2025-12-25</th><td>–</td><td>Holiday: Christmas Day</td>")
    );
    assert_eq!((desk.books(), rows(&desk)), before, "nothing is changed yet");
    let apply = |was: &str| {
        let mut fields = TWO_CLASSES.to_vec();
        fields.extend([("do", "apply")]);
        fields[7].1 = was;
        amara.send(CALENDAR, &amara.token(), &fields)
    };
    assert_eq!(apply("").status, 409, "nobody has looked at that");
    let was = hidden(&shown.body, "was");
    assert_eq!(apply(was).header("location"), Some("/settings?done=calendar"));
    assert_eq!(apply(was).status, 409, "it is another calendar now");
    let after = rows(&desk);
    for row in ["class,day,\"Mon-Fri 06:00-22:00; Sat,Sun 08:00-12:00\",ok,", "working_days,,\"Mon,Tue\",ok,"]
    {
        assert!(after.iter().any(|line| line == row), "{row}: {after:?}");
    }
    let nothing = amara.send(CALENDAR, &amara.token(), &TWO_CLASSES);
    assert!(nothing.body.contains("like this already"), "{nothing:?}");

    // Figures are those of the new calendar, derived or not; and the zone of the configuration takes nothing of it away.
    let by_class = ["report", "usage", "--by", "time_class", "--format", "csv"];
    let waiting = desk.ok(&by_class);
    drop(service);
    desk.import(&["debug.log"]);
    assert_eq!(desk.ok(&by_class), waiting);
    let seconds = |csv: &str| {
        csv.lines().skip(1).filter_map(|line| line.split(',').nth(2)?.parse::<i64>().ok()).sum::<i64>()
    };
    assert_eq!(
        seconds(&waiting),
        seconds(&desk.ok(&["report", "usage", "--by", "server", "--format", "csv"]))
    );
    assert!(
        waiting.contains("\nnight,") && waiting.contains("\nday,") && !waiting.contains("prime"),
        "{waiting}"
    );
    assert_eq!(rows(&desk), after);
    desk.ok(&["verify"]);
}

#[test]
fn a_configuration_with_a_calendar_wins() {
    let desk = desk();
    let (class, file) = ("[calendar.classes]\nall = [\"00:00-24:00\"]\n", "timezone = \"UTC\"\n");
    desk.write("seatledger.toml", format!("{file}{class}"));
    let told = rows(&desk);
    assert!(
        told.iter().any(|line| line.contains("[calendar] wins") && line.contains(",look,\"it differs")),
        "{told:?}"
    );
    let service = Service::start(&desk);
    let page = service.get_with("/settings", &[("accept", "text/html")]);
    assert!(page.body.contains("<code>seatledger.toml</code> has a section [calendar]"), "{page:?}");
    assert!(!page.body.contains("href=\"/settings/calendar\""));
    assert_eq!(service.get_with(CALENDAR, &[("accept", "text/html")]).status, 409);
    let told = rows(&desk);
    assert!(told.iter().any(|line| line == "class,all,00:00-24:00,ok,"), "{told:?}");
    drop(service);
    // Without the section the ledger's calendar stays as it is.
    desk.write("seatledger.toml", file);
    desk.import(&["debug.log"]);
    let told = rows(&desk);
    assert!(told.iter().any(|line| line == "class,all,00:00-24:00,ok,"), "{told:?}");
    assert!(told.iter().any(|line| line.contains("no [calendar]: the ledger's own counts,ok,")), "{told:?}");
}

#[test]
fn a_calendar_that_is_none_is_told_with_all_its_faults() {
    let desk = Desk::new();
    desk.write(
        "seatledger.toml",
        "[calendar.classes]\nday = [\"Mon-Fri 08:00-19:00\"]\nlunch = [\"12:00-13:00\"]\n",
    );
    let ran = desk.ends(1, &["calendar", "check", "--format", "csv"]);
    let gap = |hours: &str| {
        let hours = if hours.contains(',') { format!("\"{hours}\"") } else { hours.to_owned() };
        format!(
            "configuration,seatledger.toml:1,{hours},bad,belongs to no time class: the classes must cover the whole week"
        )
    };
    let told: Vec<&str> = ran.out.lines().skip(1).collect();
    let expected = [
        gap("Mon-Fri 00:00-08:00"),
        gap("Sat,Sun 00:00-12:00"),
        "configuration,seatledger.toml:1,Mon-Fri 12:00-13:00,bad,belongs to `day` and `lunch`: time classes must not overlap".to_owned(),
        gap("Sat,Sun 13:00-24:00"),
        gap("Mon-Fri 19:00-24:00"),
    ];
    assert_eq!(told, expected);
    desk.write(
        "seatledger.toml",
        "timezone = \"Europe/Zurich\"\n[calendar.holidays]\n\"2025-12-25\" = \"Christmas\"\n",
    );
    desk.write("debug.log", "");
    let json = desk.ok(&["calendar", "check", "--format", "json"]);
    for part in [
        "\"Europe/Zurich\"",
        "\"2025-12-25\"",
        "nothing is in force yet",
        "regular-overnight -1 h",
        "\"23 h\"",
    ] {
        assert!(json.contains(part), "{part}: {json}");
    }
    assert!(!desk.db_file().exists(), "nothing is written");
}
