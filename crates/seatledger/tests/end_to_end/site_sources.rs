//! How the sources of sites are, as the central service shows it.

use crate::desk::Desk;
use crate::flexnet::{self, Shape};
use crate::listening::Service;
use serde_json::{Value, json};

fn sources(service: &Service) -> Vec<Value> {
    let answer = service.get("/api/v1/sources");
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn front_page(service: &Service) -> String {
    service.get_with("/", &[("Accept", "text/html")]).body
}

/// Waits until the central service tells so of a source of a site.
fn until(central: &Service, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let found = sources(central).into_iter().find(|source| source["name"] == name);
        if let Some(found) = found.filter(&is_so) {
            return found;
        }
        std::thread::yield_now();
    }
}

/// What was told was told ten minutes ago.
fn earlier(desk: &Desk) {
    let connection = rusqlite::Connection::open(desk.db_file()).unwrap();
    connection.execute("update source_state set told_at = told_at - 600000", []).unwrap();
}

#[test]
fn a_site_tells_how_its_sources_are_and_when_it_is_not_heard_any_more_that_is_told() {
    let (site, central) = (Desk::new(), Desk::new());
    let at_central = Service::start(&central);
    let text = flexnet::log(Shape { seed: 5, days: 1, events_a_day: 30, restarts: false });
    site.write("debug.log", &text);
    let forward = format!("[forward]\nurl = \"http://127.0.0.1:{}\"\nsite = \"basel\"\n", at_central.port());
    let source = |name: &str, path: &str| {
        format!("[[source]]\nkind = \"follow\"\nname = \"{name}\"\npath = \"{path}\"\n")
    };
    let followed = source("acme", "debug.log") + &source("boltd", "there/is/none.log");
    site.write("seatledger.toml", format!("timezone = \"UTC\"\n{forward}\n{followed}"));
    let at_site = Service::start(&site);
    let acme = until(&at_central, "acme", |acme| acme["state"] == "up" && acme["lines"] != 0);
    assert_eq!(
        (&acme["site"], &acme["kind"], &acme["what"]),
        (&"basel".into(), &"follow".into(), &"debug.log".into())
    );
    assert_eq!(acme["lines"], text.lines().count());
    let own = sources(&at_site).into_iter().find(|source| source["name"] == "acme").unwrap();
    for same in
        ["last_event", "events", "notes", "noise", "unrecognized", "lag_bytes", "restarts", "polls_failed"]
    {
        assert_eq!(acme[same], own[same], "{same}");
    }
    assert_eq!((&own["site"], &own["told_at"]), (&Value::Null, &Value::Null));
    let boltd = until(&at_central, "boltd", |boltd| boltd["state"] == "waiting");
    assert_eq!(boltd["why"], "there is no file there/is/none.log yet");
    assert!(until(&at_central, "[forward]", |forward| forward["state"] == "up")["last_event"].is_string());
    let coverage = central.ok(&["report", "coverage", "--format", "csv"]);
    assert!(coverage.contains("\nbasel: acme,"), "{coverage}");
    assert!(at_central.get("/servers").body.contains("basel: acme"));
    assert!(!front_page(&at_central).contains("data-figure=\"sources-silent\""));
    // A source that was taken out of the site's configuration is told of no more.
    assert_eq!(at_site.stop(), Some(0));
    earlier(&site);
    site.write("seatledger.toml", format!("timezone = \"UTC\"\n{forward}\n{}", source("acme", "debug.log")));
    let at_site = Service::start(&site);
    while sources(&at_central).iter().any(|source| source["name"] == "boltd") {
        std::thread::yield_now();
    }
    until(&at_central, "acme", |acme| acme["state"] == "up");
    assert_eq!(at_site.stop(), Some(0));
    // The site is heard of no more.
    earlier(&central);
    let acme = until(&at_central, "acme", |acme| acme["state"] == "silent");
    let why = acme["why"].as_str().unwrap();
    assert!(why.starts_with("not heard from since 20") && why.ends_with("; it was up"), "{why}");
    assert!(acme["remedy"].as_str().unwrap().contains("`seatledger serve` runs on "), "{acme}");
    let front = loop {
        // What a page was told a moment ago is shown for a moment.
        let front = front_page(&at_central);
        if front.contains("data-figure=\"sources-silent\"") {
            break front;
        }
    };
    assert!(front.contains("not heard from since"), "{front}");
    assert_eq!(at_central.stop(), Some(0));
}

/// The body of a site that tells of one source.
fn body(site: &str, collector: &str, told: &Value) -> String {
    let mut one =
        json!({"key": "acme on log-1", "name": "acme", "kind": "follow", "what": "a.log", "state": "up"});
    one.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
    json!({"site": site, "collector": collector, "sources": [{"host": "log-1", "told_ms_ago": 900, "told": one}]})
        .to_string()
}

#[test]
fn who_may_tell_of_a_site_and_what() {
    let central = Desk::new();
    let added = central.run_piped(
        &["user", "add", "root", "--role", "admin", "--password-stdin"],
        "correct horse battery\n",
    );
    assert_eq!(added.code, Some(0), "{}", added.err);
    let service = Service::start(&central);
    let token = |arguments: &[&str]| {
        let secret = central.ok(&[&["token", "add"], arguments].concat()).trim().to_owned();
        format!("Bearer {secret}")
    };
    let basel = token(&["basel", "--site", "basel"]);
    let others =
        [token(&["ws", "--events"]), token(&["plug-ins", "--heartbeats"]), token(&["zug", "--site", "zug"])];
    let admin = token(&["admin", "--role", "admin"]);
    let of_basel = body("basel", "1a", &json!({}));
    let post = |by: Option<&str>, body: &str| service.post("/api/v1/sources", by, body).status;
    for other in &others {
        assert_eq!(post(Some(other), &of_basel), 403);
    }
    assert_eq!(post(None, &of_basel), 401);
    assert_eq!(service.get_as("/api/v1/sources", &basel).status, 403, "who tells sees nothing");
    let seen =
        || -> Vec<Value> { serde_json::from_str(&service.get_as("/api/v1/sources", &admin).body).unwrap() };
    assert_eq!(seen(), Vec::<Value>::new());
    for wrong in ["{}", "[]", &of_basel.replace("\"basel\"", "\"\""), &of_basel.replace("900", "\"long\"")] {
        assert_eq!(post(Some(&admin), wrong), 400, "{wrong}");
    }
    assert_eq!(post(Some(&basel), &of_basel), 200);
    // Another collector of the site tells of its own; what one of them tells stands for what it told before.
    assert_eq!(post(Some(&basel), &body("basel", "2b", &json!({"key": "boltd", "name": "boltd"}))), 200);
    let long = json!({"name": "n\u{0}".repeat(5000), "since_at": i64::MAX, "last_event_at": i64::MAX, "lag_ms": -5,
                      "lines": [u64::MAX, 1, 1, 1]});
    assert_eq!(post(Some(&basel), &body("basel", "1a", &long)), 200);
    let names: Vec<String> =
        seen().iter().map(|source| source["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("n\u{fffd}n") && names[0].chars().count() == 1000, "{names:?}");
    assert_eq!(names[1], "boltd");
    let year = |text: &Value| text.as_str().unwrap()[..4].parse::<i64>().unwrap();
    assert!(seen().iter().all(|source| source["last_event"].is_null() || year(&source["last_event"]) < 2200));
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_rule_sees_the_sources_of_sites() {
    let central = Desk::new();
    central.write(
        "seatledger.toml",
        "[[alert]]\nwhen = \"source-silent\"\nnotify = [\"webhook:http://127.0.0.1:1/\"]\n",
    );
    let service = Service::start(&central);
    // 2025-03-03 10:00 UTC.
    let now = 1_740_996_000_000_i64;
    for (site, heard) in [("basel", now - 65 * 60_000), ("zug", now - 1000)] {
        let told = body(site, "1a", &json!({"last_event_at": heard, "since_at": now - 7_200_000}));
        assert_eq!(service.post("/api/v1/sources", None, &told).status, 200);
    }
    assert_eq!(service.stop(), Some(0));
    let found = central.ok(&["alert", "check", "--at", "2025-03-03T10:00:00Z", "--format", "csv"]);
    assert!(found.contains("basel: acme"), "{found}");
    assert!(!found.contains("zug: acme"), "{found}");
}
