//! Reports as files that people keep: opened again, they hold what JSON says, to the digit.

use crate::desk::{Desk, Ran};
use crate::flexnet::{self, Shape};
use crate::listening::Service;
use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;
use std::io::Cursor;
use std::process::Output;

const COLUMN_OF_DAYS: [&str; 2] = ["day", "expires_on"];

/// Every report, some in more than one way.
const REPORTS: [&[&str]; 20] = [
    &["usage"],
    &["usage", "--by", "day,person,time_class"],
    &["usage", "--by", "week,organization", "--days", "working"],
    &["ranking"],
    &["average-licenses"],
    &["concurrency"],
    &["concurrency", "--step", "hour"],
    &["concurrency", "--by", "organization"],
    &["levels"],
    &["utilization"],
    &["seats-needed"],
    &["heatmap"],
    &["overnight"],
    &["denials"],
    &["denials", "--by", "day,server"],
    &["allocation", "--cost", "1000.01", "--currency", "CHF"],
    &["idle"],
    &["expiry"],
    &["coverage"],
    &["usage", "--from", "2000-01-01", "--until", "2000-01-02"],
];

fn desk() -> Desk {
    let desk = Desk::new();
    // An hour is there twice, another one is not: what stands in a file must be the wall clock's.
    desk.write("seatledger.toml", "timezone = \"Europe/Zurich\"\n");
    desk.write("debug.log", flexnet::log(Shape { seed: 11, days: 3, events_a_day: 120, restarts: true }));
    desk.import(&["debug.log"]);
    let people = "login,domain,organization,project,valid_from,valid_until\n\
                  amara,,North & <East>,P1,,\nbela,,=1+1,P1,,\nchidi,,South,P2,,\n";
    desk.write("people.csv", people);
    desk.ok(&["directory", "import", "people.csv"]);
    desk
}

/// Runs a command that writes bytes.
#[track_caller]
fn bytes(desk: &Desk, arguments: &[&str]) -> Vec<u8> {
    let Output { status, stdout, stderr } = desk.command(arguments).output().unwrap();
    assert_eq!(status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    stdout
}

/// Columns, and rows of texts as CSV would have them.
pub(crate) type Rows = (Vec<String>, Vec<Vec<String>>);

/// What JSON says.
pub(crate) fn of_json(json: &str) -> Rows {
    let rows: Vec<serde_json::Map<String, Value>> = serde_json::from_str(json).expect("rows");
    let columns = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (columns, rows.iter().map(|row| row.values().map(text).collect()).collect())
}

/// What the first sheet of a workbook says; instants without their offset, which a date has not.
pub(crate) fn of_workbook(book: &[u8]) -> Rows {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(book)).expect("a workbook");
    let sheet = book.worksheet_range("Rows").expect("a sheet of rows");
    let mut rows = sheet.rows();
    let columns: Vec<String> = rows.next().expect("a head").iter().map(ToString::to_string).collect();
    let text = |(column, cell): (&String, &Data)| match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::Float(number) => number.to_string(),
        Data::DateTime(date) => {
            let ms = jiff::SignedDuration::from_millis((date.as_f64() * 86_400_000.0).round() as i64);
            let at = jiff::civil::date(1899, 12, 30).at(0, 0, 0, 0) + ms;
            let form =
                if COLUMN_OF_DAYS.contains(&column.as_str()) { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S%.f" };
            at.strftime(form).to_string()
        }
        other => panic!("{column}: {other:?}"),
    };
    let rows = rows.map(|row| columns.iter().zip(row).map(text).collect()).collect();
    (columns, rows)
}

/// What the table of rows says.
pub(crate) fn of_page(page: &str) -> Rows {
    let (_, table) = page.split_once("<table id=\"rows\">").expect("a table of rows");
    let (table, _) = table.split_once("</table>").expect("its end");
    let (head, body) = table.split_once("<tbody>").expect("a head and a body");
    let attribute = |text: &str, name: &str| {
        let rest = text.split_once(&format!("{name}=\""))?.1;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let columns =
        head.split("<th").skip(2).map(|head| attribute(head, "data-name").expect("a name")).collect();
    let cell = |cell: &str| {
        let inner = cell.split_once('>').expect("a cell").1.split("</td>").next().unwrap_or_default();
        attribute(inner, "datetime").unwrap_or_else(|| plain(inner))
    };
    let columns: Vec<String> = columns;
    // Amounts of money have two digits behind the point, which numbers of JSON lose when they are read.
    let short = |(column, text): (&String, String)| match column == "amount" && text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    let row = |row: &str| columns.iter().zip(row.split("<td").skip(1).map(cell)).map(short).collect();
    let rows = body.split("<tr>").skip(1).map(row).collect();
    (columns, rows)
}

/// What people read of a piece of HTML.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for letter in html.chars() {
        match letter {
            '<' => in_tag = true,
            '>' => in_tag = false,
            letter if !in_tag => text.push(letter),
            _ => {}
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Instants without their offset.
pub(crate) fn without_offsets((columns, rows): Rows) -> Rows {
    let short = |text: String| match text.get(19..) {
        Some(rest) if text.as_bytes().get(10) == Some(&b'T') && text.is_ascii() => {
            let end = rest.find(['+', '-']).map_or(text.len(), |at| 19 + at);
            text[..end].to_owned()
        }
        _ => text,
    };
    (columns, rows.into_iter().map(|row| row.into_iter().map(short).collect()).collect())
}

#[track_caller]
pub(crate) fn assert_same(found: Rows, expected: &Rows, what: &str) {
    assert_eq!(found.1.len(), expected.1.len(), "{what}: rows");
    if !expected.1.is_empty() {
        assert_eq!(found.0, expected.0, "{what}: columns");
    }
    for (nth, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
        assert_eq!(found, expected, "{what}: row {nth}");
    }
}

#[test]
fn every_figure_of_a_file_is_that_of_json() {
    let desk = desk();
    let mut rows = 0;
    for report in REPORTS {
        let ask = |format: &'static str| [&["report"], report, &["--format", format]].concat();
        let json = of_json(&desk.ok(&ask("json")));
        assert_same(of_page(&desk.ok(&ask("html"))), &json, &format!("{report:?} html"));
        let workbook = of_workbook(&bytes(&desk, &ask("xlsx")));
        rows += json.1.len();
        assert_same(workbook, &without_offsets(json), &format!("{report:?} xlsx"));
    }
    assert!(rows > 300, "{rows} rows were compared");
    for listing in [["sessions"], ["history"]] {
        let ask = |format: &'static str| [&listing[..], &["--format", format]].concat();
        let json = of_json(&desk.ok(&ask("json")));
        assert!(json.1.len() > 100);
        assert_same(of_page(&desk.ok(&ask("html"))), &json, &format!("{listing:?} html"));
        let workbook = of_workbook(&bytes(&desk, &ask("xlsx")));
        assert_same(workbook, &without_offsets(json), &format!("{listing:?} xlsx"));
    }
}

#[test]
fn a_page_asks_for_nothing_and_tells_how_it_was_counted() {
    let desk = desk();
    let ask = ["report", "concurrency", "--step", "hour", "--feature", "*", "--format", "html"];
    let page = desk.ok(&ask);
    for word in ["http://", "https://", "url(", "<script", "src="] {
        assert!(!page.contains(word), "{word}");
    }
    for word in [
        "<html lang=\"en\">",
        "<h1>Seats in use over time</h1>",
        "time-weighted average",
        "feature <b>*</b>",
        "step <b>hour</b>",
        "Europe/Zurich",
        "as of ",
        "<svg ",
        "<details>",
        "@media print",
    ] {
        assert!(page.contains(word), "{word}");
    }
    let german = desk.ok(&[&ask[..], &["--language", "de"]].concat());
    assert!(german.contains("<html lang=\"de\">") && german.contains("Zeitzone"), "{german:.900}");
    says_notes_in_german(&german, "html");
    let people = desk.ok(&["report", "usage", "--by", "organization", "--format", "html"]);
    assert!(people.contains("North &amp; &lt;East&gt;") && !people.contains("<East>"));
}

#[test]
fn a_workbook_has_typed_cells_and_a_sheet_on_how_it_was_counted() {
    let desk = desk();
    let ask = ["report", "concurrency", "--step", "hour", "--until", "2099-01-01", "--format", "xlsx"];
    let whole = bytes(&desk, &ask);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(&whole[..])).unwrap();
    assert_eq!(book.sheet_names(), ["Rows", "About", "Charts"]);
    let rows = book.worksheet_range("Rows").unwrap();
    let first: Vec<&Data> = rows.rows().nth(1).expect("a row").iter().collect();
    assert!(matches!(first[0], Data::DateTime(_)), "{first:?}");
    assert!(matches!(first[2], Data::Float(_)), "{first:?}");
    let about = book.worksheet_range("About").unwrap();
    let said: Vec<String> =
        about.rows().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect();
    for words in [
        "Seats in use over time",
        "Asked with|until 2099-01-01",
        "|step hour",
        "Time zone|Europe/Zurich",
        "as of ",
    ] {
        assert!(said.iter().any(|line| line.contains(words)), "{words}: {said:#?}");
    }
    let parts = zip_names(&whole);
    assert!(parts.iter().any(|name| name.starts_with("xl/charts/chart")), "{parts:?}");
    let people = bytes(&desk, &["report", "usage", "--by", "organization", "--format", "xlsx"]);
    let rows = of_workbook(&people).1;
    assert!(rows.iter().any(|row| row[0] == "=1+1"), "a name is no formula: {rows:?}");
}

/// What is noted on a report of features `*` is German, and none of it English too.
fn says_notes_in_german(text: &str, what: &str) {
    for note in
        ["Tage, Wochen und Monate gelten in der Zeitzone Europe/Zurich", "Nur Feature *", "Beobachtet von "]
    {
        assert!(text.contains(note), "{what}: {note}");
    }
    assert!(text.contains("Stand 20"), "{what}: as of when it is true");
    for note in ["civil ones of", "feature * only", "watched from ", "as of "] {
        assert!(!text.contains(note), "{what}: {note}");
    }
}

#[test]
fn a_german_workbook_and_a_german_page_note_in_german() {
    let desk = desk();
    let ask = ["report", "usage", "--feature", "*", "--format", "xlsx", "--language", "de"];
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes(&desk, &ask))).unwrap();
    let about = book.worksheet_range("Erläuterung").unwrap();
    let said: Vec<String> = about.rows().flatten().map(ToString::to_string).collect();
    says_notes_in_german(&said.join("\n"), "xlsx");
    let service = Service::start(&desk);
    let page = |language: &str| {
        let headers = [("accept", "text/html"), ("accept-language", language)];
        service.get_with("/reports/usage?feature=*&from=1990-01-01&until=2099-01-01", &headers)
    };
    says_notes_in_german(&page("de-CH").body, "page");
    assert!(page("en").body.contains("<li>feature * only</li>"), "English is as it was");
    let api = service.get("/api/v1/reports/usage?feature=*&format=xlsx&language=de");
    let told = api.header("seatledger-notes").expect("notes beside the file");
    assert!(
        told.contains("feature * only"),
        "programs read the same words whatever the file's language: {told}"
    );
}

/// The names of the parts of a workbook.
fn zip_names(book: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(book);
    text.split("xl/")
        .skip(1)
        .map(|rest| format!("xl/{}", rest.chars().take(24).collect::<String>()))
        .collect()
}

#[test]
fn what_a_format_has_no_place_for_is_refused_with_the_remedy() {
    let desk = desk();
    let Ran { err, .. } = desk.ends(2, &["report", "usage", "--format", "csv", "--language", "de"]);
    assert!(err.contains("--language belongs to --format html and xlsx"), "{err}");
    desk.ok(&["report", "usage", "--format", "xlsx", "-o", "usage.xlsx"]);
    let json = of_json(&desk.ok(&["report", "usage", "--format", "json"]));
    let book = std::fs::read(desk.path("usage.xlsx")).unwrap();
    assert_same(of_workbook(&book), &without_offsets(json), "a file");
}

#[test]
fn what_is_there_under_the_name_stays_what_it_is() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let desk = desk();
    let ask = |output: &[&str]| desk.ok(&[&["report", "usage", "--format", "csv"], output].concat());
    let csv = ask(&[]);
    desk.write("there.csv", "old");
    let there = desk.path("there.csv");
    std::fs::set_permissions(&there, std::fs::Permissions::from_mode(0o664)).unwrap();
    symlink("there.csv", desk.path("link.csv")).unwrap();
    ask(&["-o", "link.csv"]);
    assert!(desk.path("link.csv").is_symlink());
    assert_eq!(std::fs::read_to_string(&there).unwrap(), csv);
    assert_eq!(there.metadata().unwrap().permissions().mode() & 0o777, 0o664);
    assert_eq!(ask(&["-o", "/dev/stdout"]), csv, "what is no file is written to");
    desk.write("by_hand.csv", "");
    ask(&["-o", "new.csv"]);
    let mode = |name: &str| desk.path(name).metadata().unwrap().permissions().mode();
    assert_eq!(mode("new.csv"), mode("by_hand.csv"), "as any other new file");
    let refused = desk.ends(1, &["report", "usage", "--format", "csv", "-o", "nowhere/new.csv"]);
    assert!(refused.err.contains("cannot write nowhere/new.csv: No such file"), "{}", refused.err);
}

#[test]
fn who_has_read_enough_ends_no_command_with_a_failure() {
    let desk = desk();
    let commands: [&[&str]; 6] = [
        &["db", "status"],
        &["import", "--format-help"],
        &["verify"],
        &["history", "--format", "csv"],
        &["report", "usage", "--by", "day,person", "--format", "csv"],
        &["sessions"],
    ];
    for command in commands {
        let mut running = desk.command(command);
        running.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut running = running.spawn().unwrap();
        drop(running.stdout.take());
        let ended = running.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), said.as_str()), (Some(0), ""), "{command:?}");
    }
}

/// The address behind a download's link on a page.
fn link(page: &str, ending: &str) -> String {
    let marked = format!("download=\"usage.{ending}\"");
    let (before, _) = page.split_once(&marked).unwrap_or_else(|| panic!("no {ending}: {page}"));
    let (_, link) = before.rsplit_once("href=\"").expect("a link");
    link.trim_end().trim_end_matches('"').replace("&amp;", "&")
}

#[test]
fn downloads_of_a_page_are_the_files_of_the_command_line() {
    let desk = desk();
    let service = Service::start(&desk);
    let question = "by=day,person&feature=*&from=1990-01-01&until=2099-01-01";
    let german = [("accept", "text/html"), ("accept-language", "de-CH")];
    let page = service.get_with(&format!("/reports/usage?{question}"), &german);
    let ask = |format: &'static str| {
        let period = ["--from", "1990-01-01", "--until", "2099-01-01", "--feature", "*"];
        [&["report", "usage", "--by", "day,person"][..], &period, &["--format", format]].concat()
    };
    let json = of_json(&desk.ok(&ask("json")));
    assert!(json.1.len() > 20);
    let html = service.get(&link(&page.body, "html"));
    assert_eq!(html.header("content-disposition"), Some("attachment; filename=\"usage.html\""));
    assert!(html.body.contains("<html lang=\"de\">"), "in the language of the page");
    assert_same(of_page(&html.body), &json, "html");
    assert_eq!(html.body, desk.ok(&[&ask("html")[..], &["--language", "de"]].concat()), "byte by byte");
    let book = service.get(&link(&page.body, "xlsx"));
    assert_eq!(book.header("content-disposition"), Some("attachment; filename=\"usage.xlsx\""));
    assert_same(of_workbook(&book.bytes), &without_offsets(json), "xlsx");
    for listing in ["sessions", "history"] {
        let json = of_json(&service.get(&format!("/api/v1/{listing}")).body);
        let book = service.get(&format!("/api/v1/{listing}?format=xlsx"));
        assert_same(of_workbook(&book.bytes), &without_offsets(json), listing);
        assert!(page_of(&service, listing).contains(&format!("download=\"{listing}.xlsx\"")));
    }
    let refused = service.get("/api/v1/reports/usage?format=csv&language=de");
    assert_eq!(refused.status, 400, "{refused:?}");
}

fn page_of(service: &Service, listing: &str) -> String {
    service.get_with(&format!("/{listing}"), &[("accept", "text/html")]).body
}

#[test]
fn a_file_for_one_organization_says_so() {
    let desk = desk();
    let service = Service::start(&desk);
    let ran = desk.run_piped(
        &["user", "add", "sanna", "--password-stdin", "--role", "viewer", "--organization", "South"],
        "correct horse battery",
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let basic = "Basic c2FubmE6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
    let page = service.get_as("/api/v1/reports/usage?by=person&format=html", basic).body;
    assert!(page.contains("organization <b>South</b>"), "{page}");
    assert!(page.contains("chidi") && !page.contains("amara"), "{page}");
}
