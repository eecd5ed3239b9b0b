//! Users, tokens, and how the first admin comes in.

use crate::ledger::Ledger;
use std::sync::Barrier;
use store::accounts::{Added, FirstAdmin, Purpose, Removed, Role, Token, User, complaint_about_name};
use store::browsers::{InBrowser, Provided};

fn user(name: &str, role: Role) -> User {
    User {
        name: name.to_owned(),
        role,
        password_hash: format!("hash of {name}"),
        created_at: 1_700_000_000_000,
    }
}

fn token(name: &str, purpose: Purpose) -> Token {
    Token { name: name.to_owned(), purpose, last_four: "wxyz".to_owned(), created_at: 1_700_000_000_001 }
}

fn names(users: Vec<User>) -> Vec<String> {
    users.into_iter().map(|user| user.name).collect()
}

pub(crate) fn users_are_found_by_their_name_as_it_is_written(ledger: &mut Ledger) {
    let mut store = ledger.store();
    assert!(!store.has_users().unwrap());
    let all = [
        user("amara", Role::Admin),
        user("bela", Role::OrganizationViewer("R&D 'north'".to_owned())),
        user("chen", Role::Viewer),
    ];
    for user in all.iter().rev() {
        assert!(store.add_user(user).unwrap());
    }
    assert!(store.has_users().unwrap());
    assert_eq!(store.users().unwrap(), all, "in order of their names");
    assert_eq!(
        ledger.store().user("bela").unwrap().as_ref(),
        Some(&all[1]),
        "another process knows them too"
    );
    assert_eq!(store.user("Bela").unwrap(), None);
    assert_eq!(store.user("' or name <> '").unwrap(), None);
}

pub(crate) fn a_user_of_a_name_that_is_taken_changes_nothing(ledger: &mut Ledger) {
    let mut store = ledger.store();
    assert!(store.add_user(&user("amara", Role::Viewer)).unwrap());
    assert!(!store.add_user(&user("amara", Role::Admin)).unwrap());
    assert_eq!(store.user("amara").unwrap().unwrap().role, Role::Viewer);
    assert!(store.remove_user("amara").unwrap());
    assert!(!store.remove_user("amara").unwrap());
    assert!(store.add_user(&user("amara", Role::Admin)).unwrap());
}

pub(crate) fn of_two_admins_who_take_each_other_out_one_is_left(ledger: &mut Ledger) {
    let mut store = ledger.store();
    assert!(store.add_user(&user("amara", Role::Admin)).unwrap());
    assert!(store.add_user(&user("vera", Role::Viewer)).unwrap());
    assert_eq!(store.remove_user_by("vera", "amara").unwrap(), Removed::NoAdmin, "a viewer takes nobody out");
    assert_eq!(store.remove_user_by("amara", "nobody").unwrap(), Removed::NoSuchUser);
    for _ in 0..8 {
        store.add_user(&user("amara", Role::Admin)).unwrap();
        store.add_user(&user("bela", Role::Admin)).unwrap();
        let (mut one, mut other) = (ledger.store(), ledger.store());
        let both_ready = Barrier::new(2);
        let told = std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                both_ready.wait();
                one.remove_user_by("amara", "bela").unwrap()
            });
            both_ready.wait();
            [other.remove_user_by("bela", "amara").unwrap(), first.join().unwrap()]
        });
        assert!(told.contains(&Removed::Removed) && told.contains(&Removed::NoAdmin), "{told:?}");
        let admins = store.users().unwrap().into_iter().filter(|user| user.role == Role::Admin).count();
        assert_eq!(admins, 1);
    }
}

pub(crate) fn nobody_is_added_beside_an_admin_who_is_not_there(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let north = Role::OrganizationViewer("North".to_owned());
    assert_eq!(store.add_user_beside_admin(&user("bela", Role::Viewer)).unwrap(), Added::NoAdmin);
    assert_eq!(store.add_user_beside_admin(&user("bela", north.clone())).unwrap(), Added::NoAdmin);
    assert!(!store.has_users().unwrap() && !store.has_admin().unwrap());
    assert!(store.add_user(&user("chen", Role::Viewer)).unwrap(), "as the command does");
    assert_eq!(store.add_user_beside_admin(&user("bela", Role::Viewer)).unwrap(), Added::NoAdmin);
    assert!(store.has_users().unwrap() && !store.has_admin().unwrap());
    assert_eq!(store.add_user_beside_admin(&user("amara", Role::Admin)).unwrap(), Added::Added);
    assert_eq!(store.add_user_beside_admin(&user("amara", Role::Viewer)).unwrap(), Added::NameTaken);
    assert_eq!(store.add_user_beside_admin(&user("bela", north)).unwrap(), Added::Added);
    assert!(store.has_admin().unwrap());
    assert_eq!(names(store.users().unwrap()), ["amara", "bela", "chen"]);
}

pub(crate) fn a_token_is_found_by_the_hash_of_its_secret_until_it_is_removed(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let sender = token("plug-ins", Purpose::Heartbeats);
    let reader = token("charts", Purpose::Role(Role::OrganizationViewer("R&D".to_owned())));
    assert!(store.add_token(&sender, "hash 1").unwrap());
    assert!(store.add_token(&reader, "hash 2").unwrap());
    assert!(!store.add_token(&token("charts", Purpose::Heartbeats), "hash 3").unwrap(), "the name is taken");
    assert_eq!(store.tokens().unwrap(), [reader.clone(), sender.clone()]);
    assert_eq!(store.token_of_secret("hash 1").unwrap(), Some(sender));
    assert_eq!(store.token_of_secret("hash 2").unwrap(), Some(reader));
    assert_eq!(store.token_of_secret("hash 3").unwrap(), None);
    let others = [token("basel", Purpose::Site("Basel (2)".to_owned())), token("ws", Purpose::Events)];
    for (token, hash) in others.iter().zip(["hash 4", "hash 5"]) {
        assert!(store.add_token(token, hash).unwrap());
        assert_eq!(store.token_of_secret(hash).unwrap().as_ref(), Some(token));
    }
    assert!(ledger.store().remove_token("plug-ins").unwrap());
    assert_eq!(store.token_of_secret("hash 1").unwrap(), None);
    assert!(!store.remove_token("plug-ins").unwrap());
}

pub(crate) fn the_first_admin_is_made_once(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let (now, later) = (1_000, 2_000);
    // Two processes that start at once each print a link: both are good until one is used.
    assert!(store.offer_first_admin("one", now, later).unwrap());
    assert!(ledger.store().offer_first_admin("two", now, later).unwrap());
    let admin = user("amara", Role::Admin);
    assert_eq!(store.make_first_admin("three", now, &admin).unwrap(), FirstAdmin::UnknownSecret);
    assert_eq!(store.make_first_admin("one", later, &admin).unwrap(), FirstAdmin::UnknownSecret, "too late");
    assert!(!store.has_users().unwrap());
    assert_eq!(store.make_first_admin("one", now, &admin).unwrap(), FirstAdmin::Made);
    let other = user("bela", Role::Admin);
    assert_eq!(store.make_first_admin("two", now, &other).unwrap(), FirstAdmin::UnknownSecret);
    assert_eq!(names(store.users().unwrap()), ["amara"]);
    assert!(!store.offer_first_admin("four", now, later).unwrap(), "there is a user");
}

pub(crate) fn a_link_is_void_once_a_user_was_added_otherwise(ledger: &mut Ledger) {
    let mut store = ledger.store();
    assert!(store.offer_first_admin("one", 0, 10).unwrap());
    assert!(store.add_user(&user("bela", Role::Viewer)).unwrap());
    let made = store.make_first_admin("one", 5, &user("amara", Role::Admin)).unwrap();
    assert_eq!(made, FirstAdmin::NotTheFirst);
    assert_eq!(names(store.users().unwrap()), ["bela"]);
}

pub(crate) fn links_whose_time_has_passed_are_forgotten(ledger: &mut Ledger) {
    let mut store = ledger.store();
    assert!(store.offer_first_admin("one", 0, 10).unwrap());
    assert!(store.offer_first_admin("two", 10, 20).unwrap());
    assert_eq!(ledger.query("select secret_hash from first_admin"), ["two"]);
}

fn provided(person: &str, name: &str, role: Role) -> Provided {
    Provided { person: person.to_owned(), name: name.to_owned(), role }
}

pub(crate) fn somebody_of_whom_a_provider_tells_is_logged_in_on_the_terms_of_then(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let sanna = provided("p1", "sanna", Role::OrganizationViewer("South 'x'".to_owned()));
    store.begin_provided_session("one", "terms", &sanna, 100, 200).unwrap();
    let mut of = |hash: &str, terms: Option<&str>, now| store.in_browser(hash, terms, now).unwrap();
    assert_eq!(of("one", Some("terms"), 199), Some(InBrowser::Provided(sanna.clone())));
    assert_eq!(of("one", Some("terms"), 200), None, "its time has passed");
    assert_eq!(of("one", Some("others"), 150), None, "the configuration says otherwise now");
    assert_eq!(of("one", None, 150), None, "there is no provider any more");
    assert_eq!(of("two", Some("terms"), 150), None);
    let other = provided("p2", "bela", Role::Viewer);
    store.begin_provided_session("two", "terms", &other, 200, 300).unwrap();
    assert_eq!(
        ledger.query("select secret_hash from provided_session"),
        ["two"],
        "what has passed is forgotten"
    );
}

pub(crate) fn whoever_logs_out_everywhere_logs_nobody_else_out(ledger: &mut Ledger) {
    let mut store = ledger.store();
    // A user and somebody of the provider are called the same.
    let amara = user("amara", Role::Admin);
    assert!(store.add_user(&amara).unwrap());
    for hash in ["u1", "u2"] {
        store.begin_browser_session(hash, &amara, 100, 900).unwrap();
    }
    for (hash, person, role, now) in
        [("a1", "p1", Role::Viewer, 100), ("a2", "p1", Role::Admin, 101), ("b1", "p2", Role::Viewer, 102)]
    {
        store.begin_provided_session(hash, "terms", &provided(person, "amara", role), now, 900).unwrap();
    }
    let logins = store.provided_logins("terms", 150).unwrap();
    let found = logins.iter().map(|login| (login.who.role.clone(), login.last_at, login.browsers));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [(Role::Admin, 101, 2), (Role::Viewer, 102, 1)],
        "as the last login tells"
    );
    assert_eq!(store.provided_logins("others", 150).unwrap(), []);
    let logged_in = |store: &mut store::Store| {
        let mut hashes = vec!["u1", "u2", "a1", "a2", "b1"];
        hashes.retain(|hash| store.in_browser(hash, Some("terms"), 150).unwrap().is_some());
        hashes
    };
    store.end_all_browser_sessions("a1").unwrap();
    assert_eq!(logged_in(&mut store), ["u1", "u2", "b1"]);
    store.end_browser_session("b1").unwrap();
    assert_eq!(logged_in(&mut store), ["u1", "u2"]);
    store.begin_provided_session("b1", "terms", &provided("p2", "amara", Role::Viewer), 100, 900).unwrap();
    store.end_all_browser_sessions("u2").unwrap();
    assert_eq!(logged_in(&mut store), ["b1"]);
    store.end_provided_sessions_of("p2").unwrap();
    assert_eq!(logged_in(&mut store), Vec::<&str>::new());
}

#[test]
fn names_that_a_login_could_not_carry_are_refused() {
    for wrong in ["", " amara", "amara ", "am:ara", "am\nara", &"a".repeat(101)] {
        assert!(complaint_about_name(wrong).is_some(), "{wrong:?}");
    }
    for right in ["amara", "Amara Ní Bhriain", "amara@example.com", "村上", &"ä".repeat(100)] {
        assert_eq!(complaint_about_name(right), None, "{right:?}");
    }
}
