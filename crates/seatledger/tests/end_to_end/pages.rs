//! The dashboard as a browser without scripts gets it: who sees what, and that its figures are the API's.

use crate::desk::Desk;
use crate::flexnet::{self, Shape};
use crate::listening::{Answer, Service};
use serde_json::Value;

const PASSWORD: &str = "correct horse battery";
const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("debug.log", flexnet::log(Shape { seed: 11, days: 3, events_a_day: 120, restarts: false }));
    desk.import(&["debug.log"]);
    let people = "login,domain,organization,project,valid_from,valid_until\n\
                  amara,,North,P1,,\nbela,,North,P1,,\nchidi,,South,P2,,\n";
    desk.write("people.csv", people);
    desk.ok(&["directory", "import", "people.csv"]);
    desk
}

fn add_user(desk: &Desk, name: &str, role: &[&str]) {
    let ran = desk.run_piped(&[&["user", "add", name, "--password-stdin"], role].concat(), PASSWORD);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

fn page(service: &Service, path: &str) -> Answer {
    service.get_with(path, &[HTML])
}

/// The value of a figure of a page.
fn figure(page: &Answer, name: &str) -> i64 {
    let marked = format!("data-figure=\"{name}\" data-value=\"");
    let (_, rest) = page.body.split_once(&marked).unwrap_or_else(|| panic!("no {name}: {}", page.body));
    rest.split('"').next().and_then(|value| value.parse().ok()).expect("a number")
}

fn rows(service: &Service, path: &str, headers: &[(&str, &str)]) -> Vec<Value> {
    let answer = service.get_with(path, headers);
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.body).expect("rows")
}

/// The cookie that a login gives.
fn log_in(service: &Service, name: &str, password: &str) -> Result<String, Answer> {
    let form = format!("name={name}&password={}&to=%2F", password.replace(' ', "+"));
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let answer = service.ask("POST", "/login", &headers, &form);
    match answer.header("set-cookie") {
        Some(cookie) if answer.status == 303 => {
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            Ok(cookie.split(';').next().unwrap_or_default().to_owned())
        }
        _ => Err(answer),
    }
}

#[test]
fn the_first_page_says_what_the_api_says() {
    let desk = desk();
    let service = Service::start(&desk);
    let front = page(&service, "/");
    assert_eq!(front.status, 200);
    let open = rows(&service, "/api/v1/sessions?open=true&format=json", &[]);
    assert!(!open.is_empty(), "the log ends with somebody at work");
    assert_eq!(figure(&front, "open-sessions"), open.len() as i64);
    let seats: i64 = open.iter().filter_map(|row| row["seats"].as_i64()).sum();
    assert_eq!(figure(&front, "seats-in-use"), seats);
    let policy = front.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(
        !front.body.contains("style=\"") && !front.body.contains("<script>"),
        "nothing stands in the page itself"
    );
}

#[test]
fn whoever_has_the_page_already_gets_it_not_again() {
    let service_desk = desk();
    let service = Service::start(&service_desk);
    let front = page(&service, "/");
    let tag = front.header("etag").expect("a tag").to_owned();
    let again = service.get_with("/", &[HTML, ("if-none-match", &tag)]);
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let (_, style) = front.body.split_once("href=\"/assets/style.").expect("a style sheet");
    let name = style.split('"').next().unwrap_or_default();
    let style = service.get(&format!("/assets/style.{name}"));
    assert_eq!(style.status, 200);
    assert_eq!(style.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert!(style.body.contains("color-scheme"), "{}", style.body);
    assert_eq!(service.get("/assets/style.css").status, 404);
}

#[test]
fn once_there_is_a_user_a_browser_logs_in_and_out() {
    let desk = desk();
    let service = Service::start(&desk);
    add_user(&desk, "amara", &["--role", "admin"]);
    for path in ["/?open=f1", "/login"] {
        let form = page(&service, path);
        assert!(form.status == 200 && form.body.contains("name=\"password\""), "{form:?}");
    }
    let refused = log_in(&service, "amara", "wrong horse").expect_err("refused");
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("Wrong name or password"), "{}", refused.body);
    let cookie = log_in(&service, "amara", PASSWORD).expect("a cookie");
    let (other, headers) =
        (log_in(&service, "amara", PASSWORD).expect("another"), [HTML, ("cookie", cookie.as_str())]);
    let front = service.get_with("/", &headers);
    assert_eq!(front.status, 200);
    assert_eq!(
        figure(&front, "open-sessions"),
        rows(&service, "/api/v1/sessions?open=true", &[("cookie", &cookie)]).len() as i64
    );
    let (_, token) = front.body.split_once("name=\"token\" value=\"").expect("a form");
    let token = token.split('"').next().unwrap_or_default();
    let log_out = |token: &str, site: &str| {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers = [kind, ("cookie", cookie.as_str()), ("sec-fetch-site", site)];
        service.ask("POST", "/logout", &headers, &format!("token={token}&where=everywhere")).status
    };
    assert_eq!(log_out("", "same-origin"), 403, "a form of another page");
    assert_eq!(log_out(token, "cross-site"), 403, "a form of another site");
    assert_eq!(log_out(token, "same-origin"), 303);
    for cookie in [&cookie, &other] {
        assert_eq!(
            service.get_with("/api/v1/sessions", &[("cookie", cookie)]).status,
            401,
            "logged out everywhere"
        );
    }
}

#[test]
fn sessions_go_on_to_the_last_one_each_told_once() {
    let desk = Desk::new();
    desk.write("debug.log", flexnet::log(Shape { seed: 12, days: 8, events_a_day: 200, restarts: false }));
    desk.import(&["debug.log"]);
    let service = Service::start(&desk);
    // The first instant of each row is its start; to the minute, for seconds are shown where there are any.
    let begins = |body: &str| {
        let time =
            |row: &str| row.split('>').find(|text| text.starts_with("20")).map(|text| text[..16].to_owned());
        body.split("<tr").skip(1).filter_map(time).collect::<Vec<_>>()
    };
    for filter in ["", "&feature=f2"] {
        let first = page(&service, &format!("/sessions?{}", filter.trim_start_matches('&')));
        let (_, downloads) = first.body.split_once("/api/v1/sessions?").expect("a download");
        let question = downloads.split('"').next().unwrap_or_default().replace("&amp;", "&");
        let question = question.replace("format=csv", "format=json");
        let expected: Vec<String> = rows(&service, &format!("/api/v1/sessions?{question}"), &[])
            .iter()
            .map(|row| row["from"].as_str().expect("an instant")[..16].replace('T', " "))
            .collect();
        let (mut told, mut next, mut pages) = (begins(&first.body), first.body, 1);
        while let Some((_, rest)) = next.split_once("data-more href=\"") {
            let address = rest.split('"').next().unwrap_or_default().replace("&amp;", "&");
            let more = page(&service, &address);
            assert_eq!(more.status, 200, "{address}: {}", more.body);
            told.extend(begins(&more.body));
            (next, pages) = (more.body, pages + 1);
        }
        assert!(
            pages > 2 || !filter.is_empty(),
            "{} sessions are no listing of several pages",
            expected.len()
        );
        let other = told.iter().zip(&expected).position(|(told, expected)| told != expected);
        let other = other.map(|nth| (nth, &told[nth], &expected[nth]));
        assert_eq!(
            (told.len(), other),
            (expected.len(), None),
            "{filter}: the first that differs, in {pages} pages"
        );
    }
    // A link from a page that cuts time leads to whole sessions.
    for path in ["/sessions", "/history"] {
        assert_eq!(page(&service, &format!("{path}?time-class=prime&days=working")).status, 200, "{path}");
    }
    for wrong in ["250", "1.2", "x.y.z"] {
        let refused = page(&service, &format!("/sessions?behind={wrong}"));
        assert!(refused.status == 400 && refused.body.contains("follow a link"), "{wrong}: {refused:?}");
    }
}

/// The link of a page to its further rows.
fn further(page: &Answer) -> Option<String> {
    let (_, rest) = page.body.split_once("data-more href=\"")?;
    Some(rest.split('"').next().unwrap_or_default().replace("&amp;", "&"))
}

/// The texts of the first cells of a page's rows.
fn first_cells(page: &Answer) -> Vec<String> {
    let (_, body) = page.body.split_once("<tbody>").expect("a table");
    let text = |row: &str| Some(row.split_once("<td")?.1.split_once('>')?.1.split_once('<')?.0.to_owned());
    body.split("</tbody>").next().unwrap_or_default().split("<tr>").filter_map(text).collect()
}

/// Records of a wrapper: these users, a minute each, on a day of March 2025.
fn wrapped(day: u8, users: impl IntoIterator<Item = String>) -> String {
    let users: Vec<String> = users.into_iter().collect();
    let records = |what: &str, minute: u8| {
        let record = |user: &String| {
            format!(
                "Mar  {day} 09:0{minute}:10 host1 LIC_ACC: app1 {what} 2025030{day}-090{minute} {user} PID: 7\n"
            )
        };
        users.iter().map(record).collect::<String>()
    };
    records("START", 0) + &records("STOP", 1)
}

#[test]
fn a_report_that_was_computed_anew_goes_on_or_says_that_other_rows_stand_there() {
    let desk = Desk::new();
    let told = |from: i32, until: i32| (from..until).map(|nth| format!("u{nth:03}")).collect::<Vec<_>>();
    desk.write("first.log", wrapped(3, told(0, 150)));
    desk.import(&["first.log"]);
    let service = Service::start(&desk);
    let start = "/reports/usage?by=user&from=2025-03-01&until=2025-04-01";
    let first = page(&service, start);
    let link = further(&first).expect("further rows");
    assert_eq!(first_cells(&first), told(0, 100));
    // More of the same users, and one behind what was shown: the answer differs, and goes on.
    desk.write("second.log", wrapped(4, [told(0, 150), vec!["v".to_owned()]].concat()));
    desk.import(&["second.log"]);
    let until = |is_there: &dyn Fn(&Answer) -> bool| loop {
        let answer = page(&service, &link);
        assert_eq!(answer.status, 200, "{answer:?}");
        if is_there(&answer) {
            return answer;
        }
        std::thread::yield_now();
    };
    let more = until(&|answer| first_cells(answer).contains(&"v".to_owned()));
    assert_eq!(first_cells(&more), [told(100, 150), vec!["v".to_owned()]].concat());
    assert!(!more.body.contains("data-anew"), "{}", more.body);
    // A user before them: where the link led stands another row, which had been shown already.
    desk.write("third.log", wrapped(5, ["amara".to_owned()]));
    desk.import(&["third.log"]);
    let anew = until(&|answer| answer.body.contains("data-anew"));
    assert!(anew.body.contains("Meanwhile the books know more"), "{}", anew.body);
    assert!(anew.body.contains(&format!("href=\"{}\"", start.replace('&', "&amp;"))), "{}", anew.body);
    assert_eq!(first_cells(&anew), [vec!["amara".to_owned()], told(0, 99)].concat(), "from the start");
    let rest = page(&service, &further(&anew).expect("further rows"));
    assert_eq!(first_cells(&rest), [told(99, 150), vec!["v".to_owned()]].concat());
    assert!(!page(&service, start).body.contains("data-anew"));
    for wrong in ["100", "x.1", "100.x"] {
        let refused = page(&service, &format!("{start}&behind={wrong}"));
        assert!(refused.status == 400 && refused.body.contains("follow a link"), "{wrong}: {refused:?}");
    }
}

#[test]
fn a_login_ends_with_its_user() {
    let desk = desk();
    let service = Service::start(&desk);
    add_user(&desk, "amara", &["--role", "viewer"]);
    let cookie = log_in(&service, "amara", PASSWORD).expect("a cookie");
    assert_eq!(service.get_with("/", &[HTML, ("cookie", &cookie)]).status, 200);
    desk.ok(&["user", "remove", "amara"]);
    add_user(&desk, "amara", &["--role", "viewer"]);
    assert!(service.get_with("/", &[HTML, ("cookie", &cookie)]).body.contains("name=\"password\""));
}

#[test]
fn whoever_may_see_one_organization_sees_its_figures_only() {
    let desk = desk();
    let service = Service::start(&desk);
    add_user(&desk, "sanna", &["--role", "viewer", "--organization", "South"]);
    let cookie = log_in(&service, "sanna", PASSWORD).expect("a cookie");
    let headers = [HTML, ("cookie", cookie.as_str())];
    let front = service.get_with("/", &headers);
    let open = rows(&service, "/api/v1/sessions?open=true", &[("cookie", &cookie)]);
    assert_eq!(figure(&front, "open-sessions"), open.len() as i64);
    assert!(
        !front.body.contains("amara") && !front.body.contains("data-figure=\"license-servers\""),
        "{}",
        front.body
    );
}

#[test]
fn every_page_is_there_and_shows_no_more_than_may_be_seen() {
    let desk = desk();
    let service = Service::start(&desk);
    let pages = [
        "/features",
        "/feature?code=f1",
        "/denials",
        "/overnight",
        "/people",
        "/servers",
        "/alerts",
        "/history",
        "/sessions",
        "/reports",
        "/reports/usage",
        "/reports/concurrency?step=hour",
        "/reports/levels",
        "/reports/coverage",
        "/reports/expiry",
    ];
    let feature =
        rows(&service, "/api/v1/features", &[])[0]["feature"].as_str().expect("a feature").to_owned();
    let pages = pages.map(|path| path.replace("f1", &feature));
    for path in &pages {
        let shown = page(&service, path);
        assert_eq!(shown.status, 200, "{path}: {}", shown.body);
        assert!(shown.body.contains("<h1"), "{path}");
    }
    for (path, status, words) in [
        ("/feature?code=nobody", 404, "no such feature"),
        ("/reports/usages", 404, "no report"),
        ("/features?from=yesterday", 400, "yesterday"),
        ("/denials?colour=red", 400, "no parameter"),
        ("/reports/usage?from=2000-01-02&until=2000-01-01", 400, "is not before"),
    ] {
        let refused = page(&service, path);
        assert_eq!(refused.status, status, "{path}");
        assert!(refused.body.contains(words), "{path}: {}", refused.body);
    }
    add_user(&desk, "sanna", &["--role", "viewer", "--organization", "South"]);
    assert_eq!(page(&service, "/features").header("location"), Some("/login?to=%2Ffeatures"));
    let cookie = log_in(&service, "sanna", PASSWORD).expect("a cookie");
    for path in pages.iter().filter(|path| {
        !["/servers", "/alerts", "/reports/coverage", "/reports/expiry"].contains(&path.as_str())
    }) {
        let shown = service.get_with(path, &[HTML, ("cookie", &cookie)]);
        assert!(matches!(shown.status, 200 | 404), "{path}: {}", shown.body);
        assert!(!shown.body.contains("amara") && !shown.body.contains("bela"), "{path} tells of others");
    }
    for path in ["/servers", "/alerts", "/reports/coverage"] {
        assert_eq!(service.get_with(path, &[HTML, ("cookie", &cookie)]).status, 403, "{path}");
    }
}

/// The numbers of a table, ascending.
fn numbers(section: &str) -> Vec<f64> {
    let cells = section.split("data-v=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok());
    let mut numbers: Vec<f64> = cells.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

#[test]
fn what_is_read_once_for_several_tables_is_what_each_report_says() {
    let desk = desk();
    let service = Service::start(&desk);
    let cases: [(&str, &str, &[&str]); 2] = [
        ("/people", "usage", &["by=organization", "by=project", "by=person"]),
        ("/denials", "denials", &["", "by=person"]),
    ];
    for (path, report, questions) in cases {
        for filter in ["", "&feature=*1&time-class=prime"] {
            let shown = page(&service, &format!("{path}?from=2025-01-01&until=2027-01-01{filter}"));
            let sections: Vec<&str> = shown.body.split("<section>").skip(1).collect();
            assert_eq!(sections.len(), questions.len(), "{path}: {shown:?}");
            for (section, question) in sections.into_iter().zip(questions) {
                let asked =
                    format!("/api/v1/reports/{report}?from=2025-01-01&until=2027-01-01{filter}&{question}");
                let mut told: Vec<f64> = rows(&service, asked.trim_end_matches('&'), &[])
                    .iter()
                    .flat_map(|row| {
                        row.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_f64())
                    })
                    .collect();
                told.sort_by(f64::total_cmp);
                assert_eq!(numbers(section), told, "{path} {question} {filter}");
                assert!(!filter.is_empty() || told.len() > 4, "{path} {question}: {told:?}");
            }
        }
    }
}
