//! However many pings of one person meet in however many processes, a bucket counts once.

use crate::desk::Desk;
use crate::listening::Service;
use crate::load::{Line, minutes, one_bucket};
use std::sync::Barrier;

const USERS: usize = 300;
const AT_ONCE: usize = 8;

/// Sends eight pings of each user at the same time, to all services in turn; every one must be answered well.
fn ping_all(services: &[Service], path: impl Fn(usize, usize) -> String + Sync) {
    let together = Barrier::new(AT_ONCE);
    std::thread::scope(|scope| {
        for nth in 0..AT_ONCE {
            let (together, path) = (&together, &path);
            let port = services[nth % services.len()].port();
            scope.spawn(move || {
                let mut line = Line::open(port).unwrap();
                let statuses: Vec<u16> = (0..USERS)
                    .map(|user| {
                        together.wait();
                        line.get(&path(user, nth)).unwrap_or(0)
                    })
                    .collect();
                let wrong = statuses.iter().position(|status| *status != 204);
                assert_eq!(wrong.map(|user| (user, statuses[user])), None, "thread {nth}");
            });
        }
    });
}

/// New users, then known ones with another feature, then with a feature and a version that nobody knew, each of another one.
fn counts_exactly(desk: &Desk, processes: usize) {
    one_bucket(desk, "[http]\nping.bucket_scope = \"person_and_feature\"\n");
    let services: Vec<Service> = (0..processes).map(|_| Service::start(desk)).collect();
    ping_all(&services, |user, _| format!("/ping?username=u{user}&domainname=d&appcode=1&version=v"));
    ping_all(&services, |user, _| format!("/ping?username=u{user}&domainname=d&appcode=2&version=v"));
    ping_all(&services, |user, nth| {
        format!("/ping?username=u{user}&domainname=d&appcode=3&version={user}.{nth}&machinename=m{nth}")
    });
    ping_all(&services, |user, nth| {
        format!("/ping?username=n{user}&domainname=d&appcode=4&version={nth}&machinename=m{user}")
    });
    for service in services {
        assert_eq!(service.stop(), Some(0));
    }
    let minutes = minutes(desk);
    assert_eq!(minutes.len(), 4 * USERS, "a row for each user and feature");
    let wrong: Vec<_> = minutes.iter().filter(|(_, minutes)| **minutes != 60).take(5).collect();
    assert!(wrong.is_empty(), "one bucket each: {wrong:?}");
    assert_eq!(desk.ok(&["sessions", "--format", "csv"]).lines().count(), 1 + 4 * USERS);
    desk.ok(&["verify"]);
}

#[test]
fn four_processes_on_one_postgresql_count_exactly() {
    counts_exactly(&Desk::on_postgres(), 4);
}

#[test]
fn two_processes_on_one_sqlite_file_count_exactly() {
    counts_exactly(&Desk::new(), 2);
}
