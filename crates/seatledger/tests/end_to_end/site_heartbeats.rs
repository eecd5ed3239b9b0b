//! Heartbeats that a site collector takes in are those of the central service.

use crate::desk::Desk;
use crate::listening::Service;
use serde_json::Value;

/// Who uses what where since when, as a service tells it.
fn used(service: &Service) -> Vec<[String; 4]> {
    let answer = service.get("/api/v1/sessions");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let sessions: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
    let text = |session: &Value, name: &str| session[name].as_str().unwrap_or_default().to_owned();
    let mut used: Vec<_> = sessions
        .iter()
        .map(|session| ["feature", "user", "host", "from"].map(|name| text(session, name)))
        .collect();
    used.sort();
    used
}

fn forwards(site: &Desk, central: &Desk) -> (Service, String) {
    let at_central = Service::start(central);
    let address = format!("127.0.0.1:{}", at_central.port());
    let forward = format!("[forward]\nurl = \"http://{address}\"\nsite = \"basel\"\n");
    site.write("seatledger.toml", format!("timezone = \"UTC\"\n{forward}"));
    (at_central, address)
}

fn arrive_once(site: &Desk, central: &Desk) {
    let (at_central, address) = forwards(site, central);
    let at_site = Service::start(site);
    let ping = |service: &Service, user: &str| {
        let answer = service.get(&format!("//ping?userName={user}&domainName=CORP&appCode=7&version=24"));
        assert!([200, 204].contains(&answer.status), "{}", answer.body);
    };
    for user in ["Amara", "bela", "amara"] {
        ping(&at_site, user);
    }
    // A client that changes its service within a bucket is one person.
    ping(&at_central, "bela");
    drop(at_central);
    // Nobody answers there; the site is killed, and both come again.
    ping(&at_site, "chen");
    let list =
        r#"{"heartbeats": [{"user": "dana", "host": "ws-12", "feature": "viewer", "version": "2025.1"}]}"#;
    assert_eq!(at_site.post("/api/v1/heartbeats", None, list).status, 200);
    drop(at_site);
    let (at_central, at_site) = (Service::start_at(central, &address), Service::start(site));
    let expected = used(&at_site);
    let persons: std::collections::BTreeSet<&str> =
        expected.iter().map(|[_, user, ..]| user.as_str()).collect();
    assert_eq!(persons.into_iter().collect::<Vec<_>>(), ["corp\\amara", "corp\\bela", "corp\\chen", "dana"]);
    // Where a bucket of ten minutes has ended meanwhile bela has used two at the central service.
    let is_told = |told: &[[String; 4]]| expected.iter().all(|session| told.contains(session));
    while !is_told(&used(&at_central)) {
        std::thread::yield_now();
    }
    let others: Vec<_> =
        used(&at_central).into_iter().filter(|session| !expected.contains(session)).collect();
    assert!(others.iter().all(|[_, user, ..]| user == "corp\\bela"), "{others:?}");
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    site.ok(&["verify"]);
    central.ok(&["verify"]);
}

#[test]
fn heartbeats_of_a_site_arrive_once_through_kills_with_sqlite() {
    arrive_once(&Desk::new(), &Desk::new());
}

#[test]
fn heartbeats_of_a_site_arrive_once_through_kills_with_postgresql() {
    arrive_once(&Desk::on_postgres(), &Desk::on_postgres());
}
