//! Settings in the browser: who may change what, and that a form changes what the commands do.

use crate::desk::{Desk, Ran};
use crate::flexnet::{self, Shape};
use crate::listening::{Answer, Service};

const PASSWORD: &str = "correct horse battery";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");
const HTML: (&str, &str) = ("accept", "text/html");

pub(crate) fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("debug.log", flexnet::log(Shape { seed: 11, days: 2, events_a_day: 60, restarts: false }));
    desk.import(&["debug.log"]);
    desk
}

pub(crate) fn add_user(desk: &Desk, name: &str, role: &str) {
    let ran = desk.run_piped(&["user", "add", name, "--role", role, "--password-stdin"], PASSWORD);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// Somebody's browser.
pub(crate) struct Browser<'s> {
    service: &'s Service,
    cookie: String,
}

impl<'s> Browser<'s> {
    pub(crate) fn of(service: &'s Service, name: &str) -> Self {
        let form = format!("name={name}&password={}&to=%2F", PASSWORD.replace(' ', "+"));
        let answer = service.ask("POST", "/login", &[FORM, OURS], &form);
        let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{answer:?}"));
        Self { service, cookie: cookie.split(';').next().unwrap_or_default().to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.service.get_with(path, &[HTML, ("cookie", &self.cookie)])
    }

    /// What forms of this login carry.
    pub(crate) fn token(&self) -> String {
        let page = self.get("/").body;
        let (_, rest) = page.split_once("name=\"token\" value=\"").expect("a form");
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    fn post(&self, path: &str, fields: &str) -> Answer {
        let body = format!("token={}&{fields}", self.token());
        self.service.ask("POST", path, &[HTML, FORM, OURS, ("cookie", &self.cookie)], &body)
    }

    /// Sends a form of several fields.
    pub(crate) fn send(&self, path: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
        let part = |(name, content): &(&str, &str)| {
            format!("--x7\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
        };
        let body: String = [&[("token", token)], fields].concat().iter().map(part).collect();
        let kind = ("content-type", "multipart/form-data; boundary=x7");
        let headers = [HTML, kind, OURS, ("cookie", self.cookie.as_str())];
        self.service.ask("POST", path, &headers, &format!("{body}--x7--\r\n"))
    }

    /// Sends a form with a file, or with a field of text.
    fn upload(&self, token: &str, name: &str, file: &str, content: &str) -> Answer {
        let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
        let body = format!(
            "--x7\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n\
             --x7\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n--x7--\r\n"
        );
        let kind = ("content-type", "multipart/form-data; boundary=x7");
        self.service.ask("POST", "/settings/directory", &[HTML, kind, OURS, ("cookie", &self.cookie)], &body)
    }
}

#[test]
fn settings_are_for_admins_and_their_own_forms() {
    let desk = desk();
    let service = Service::start(&desk);
    let open = service.get_with("/settings", &[HTML]);
    assert_eq!(open.status, 200, "while there are no users whoever is on the machine may all: {open:?}");
    for name in ["amara", "bela"] {
        add_user(&desk, name, if name == "amara" { "admin" } else { "viewer" });
    }
    assert_eq!(service.get_with("/settings", &[HTML]).header("location"), Some("/login?to=%2Fsettings"));
    let (amara, bela) = (Browser::of(&service, "amara"), Browser::of(&service, "bela"));
    assert!(amara.get("/").body.contains("href=\"/settings\""));
    assert!(!bela.get("/").body.contains("href=\"/settings\""));
    for path in ["/settings", "/settings/catalog"] {
        assert_eq!(amara.get(path).status, 200, "{path}");
        assert_eq!(bela.get(path).status, 403, "{path}");
    }
    let add = "do=add&name=chidi&password=correct+horse&role=admin&organization=";
    assert_eq!(bela.post("/settings/users", add).status, 403);
    assert_eq!(bela.post("/settings/tokens", "do=add&name=t&purpose=admin").status, 403);
    assert_eq!(bela.post("/settings/catalog", "feature=f1&product=P").status, 403);
    assert_eq!(bela.upload(&bela.token(), "shown", "", "login\ndora\n").status, 403);
    let foreign = format!("token={}&{add}", bela.token());
    let of_amara = [HTML, FORM, OURS, ("cookie", amara.cookie.as_str())];
    assert_eq!(service.ask("POST", "/settings/users", &of_amara, &foreign).status, 403, "another's form");
    assert_eq!(service.ask("POST", "/settings/users", &of_amara, add).status, 403, "no form of ours");
    assert_eq!(amara.upload("", "shown", "", "login\ndora\n").status, 403);
    let other_site = [HTML, FORM, ("sec-fetch-site", "cross-site"), ("cookie", amara.cookie.as_str())];
    let own = format!("token={}&{add}", amara.token());
    assert_eq!(service.ask("POST", "/settings/users", &other_site, &own).status, 403);
    assert_eq!(desk.ok(&["user", "list", "--format", "csv"]).lines().count(), 3, "nobody was added");
    assert!(!desk.ok(&["token", "list", "--format", "csv"]).contains("admin"));
}

#[test]
fn the_first_admin_is_made_in_the_browser_once() {
    let desk = desk();
    let service = Service::start_at(&desk, "0.0.0.0:0");
    let secret = service.first_admin_secret().expect("a link is printed where nobody could log in");
    let stale = service.get_with("/first-admin?secret=first_guess", &[HTML]);
    assert!(stale.status == 403 && stale.body.contains("not good"), "{stale:?}");
    let page = service.get_with(&format!("/first-admin?secret={secret}"), &[HTML]);
    assert!(page.status == 200 && page.body.contains(&format!("value=\"{secret}\"")), "{page:?}");
    let send = |password: &str, site: &str| {
        let form = format!("secret={secret}&name=amara&password={password}");
        service.ask("POST", "/first-admin", &[HTML, FORM, ("sec-fetch-site", site)], &form)
    };
    let short = send("short", "same-origin");
    assert!(short.status == 400 && short.body.contains("at least 8 characters"), "{short:?}");
    assert!(short.body.contains("value=\"amara\""), "what was typed stays");
    assert_eq!(send("correct+horse+battery", "cross-site").status, 403);
    let made = send("correct+horse+battery", "same-origin");
    assert_eq!(made.header("location"), Some("/settings"), "{made:?}");
    let cookie = made.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("logged in");
    assert_eq!(service.get_with("/settings", &[HTML, ("cookie", cookie)]).status, 200);
    assert_eq!(send("correct+horse+battery", "same-origin").status, 403, "once");
    let again = service.get_with(&format!("/first-admin?secret={secret}"), &[HTML]);
    assert!(again.status == 403 && again.body.contains("name=\"password\""), "to the login: {again:?}");
    assert_eq!(desk.ok(&["user", "list", "--format", "csv"]).lines().count(), 2);
}

#[test]
fn users_come_and_go_as_with_the_commands() {
    let desk = desk();
    let service = Service::start(&desk);
    add_user(&desk, "amara", "admin");
    let amara = Browser::of(&service, "amara");
    let add = "do=add&name=bela&password=correct+horse+battery&role=viewer&organization=R%26D";
    assert_eq!(amara.post("/settings/users", add).header("location"), Some("/settings?done=added"));
    assert!(desk.ok(&["user", "list", "--format", "csv"]).contains("bela,organization-viewer,R&D,"));
    for (fields, status, words) in [
        (add, 409, "taken"),
        ("do=add&name=c&password=short&role=viewer", 400, "at least 8 characters"),
        ("do=add&name=a%3Ab&password=correct+horse&role=viewer", 400, "no colon"),
        ("do=add&name=c&password=correct+horse&role=admin&organization=x", 400, "belongs to a viewer"),
        ("do=add&name=c&password=correct+horse&role=root", 400, "belongs to a viewer"),
        ("do=remove&name=amara", 409, "another admin"),
        ("name=bela", 400, "cannot be read"),
    ] {
        let refused = amara.post("/settings/users", fields);
        assert_eq!(refused.status, status, "{fields}: {refused:?}");
        assert!(refused.body.contains(words), "{fields}: {}", refused.body);
    }
    let bela = Browser::of(&service, "bela");
    assert_eq!(bela.get("/features").status, 200);
    amara.post("/settings/users", "do=out&name=bela");
    assert_eq!(bela.get("/features").status, 303, "logged out everywhere");
    amara.post("/settings/users", "do=remove&name=bela");
    assert!(!desk.ok(&["user", "list", "--format", "csv"]).contains("bela"));
}

#[test]
fn the_first_user_of_an_open_service_is_an_admin() {
    for desk in [Desk::new(), Desk::on_postgres()] {
        let service = Service::start(&desk);
        let form = || service.get_with("/settings", &[HTML]).body;
        let open = form();
        let users = open.split_once("id=\"users\"").and_then(|(_, rest)| rest.split_once("</section>"));
        let (users, _) = users.expect("the section of users");
        assert!(users.contains("Somebody must be an admin"), "{users}");
        assert!(users.contains("<option value=\"admin\">") && !users.contains("\"viewer\""), "{users}");
        assert!(!users.contains("name=\"organization\""), "{users}");
        let add = |name: &str, role: &str| {
            let fields = format!("do=add&name={name}&password=correct+horse+battery&{role}");
            service.ask("POST", "/settings/users", &[HTML, FORM, OURS], &fields)
        };
        for viewer in ["role=viewer", "role=viewer&organization=North"] {
            let refused = add("bela", viewer);
            assert_eq!(refused.status, 409, "{viewer}: {refused:?}");
            assert!(refused.body.contains("role=\"alert\">Somebody must be an admin"), "{}", refused.body);
        }
        assert_eq!(desk.ok(&["user", "list", "--format", "csv"]).lines().count(), 1, "nobody was added");
        assert_eq!(form(), open, "whoever is on the machine may still all");
        assert_eq!(add("amara", "role=admin").header("location"), Some("/settings?done=added"));
        let amara = Browser::of(&service, "amara");
        let page = amara.get("/settings");
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body.contains("<option value=\"viewer\">"), "{}", page.body);
        assert!(!page.body.contains("Somebody must be an admin"), "{}", page.body);
        let add = "do=add&name=bela&password=correct+horse+battery&role=viewer&organization=North";
        assert_eq!(amara.post("/settings/users", add).header("location"), Some("/settings?done=added"));
    }
}

#[test]
fn the_command_says_what_to_do_where_nobody_is_an_admin() {
    let desk = Desk::new();
    let add = |name: &str, role: &str| {
        desk.run_piped(&["user", "add", name, "--role", role, "--password-stdin"], PASSWORD)
    };
    let is_warned =
        |ran: &Ran| ran.err.contains("no user is an admin") && ran.err.contains("user add NAME --role admin");
    let first = add("bela", "viewer");
    assert!(first.code == Some(0) && is_warned(&first), "{first:?}");
    for (name, role) in [("amara", "admin"), ("chidi", "viewer")] {
        let next = add(name, role);
        assert!(next.code == Some(0) && next.err.is_empty(), "{next:?}");
    }
    let left = desk.ends(0, &["user", "remove", "amara"]);
    assert!(is_warned(&left), "{left:?}");
    desk.ok(&["user", "remove", "bela"]);
    let none = desk.ends(0, &["user", "remove", "chidi"]);
    assert!(none.err.contains("no user is left") && !is_warned(&none), "{none:?}");
}

#[test]
fn a_token_is_shown_once_and_is_good_until_it_is_taken_out() {
    let desk = desk();
    let service = Service::start(&desk);
    add_user(&desk, "amara", "admin");
    let amara = Browser::of(&service, "amara");
    let made = amara.post("/settings/tokens", "do=add&name=charts&purpose=viewer&organization=");
    assert_eq!((made.status, made.header("cache-control")), (200, Some("no-store")));
    let (_, rest) = made.body.split_once("slt_").expect("a token");
    let secret = format!("slt_{}", rest.split('<').next().unwrap_or_default());
    let bearer = format!("Bearer {secret}");
    assert_eq!(service.get_as("/api/v1/features", &bearer).status, 200);
    let page = amara.get("/settings").body;
    assert!(!page.contains(&secret) && page.contains(&format!("…{}", &secret[secret.len() - 4..])), "{page}");
    assert_eq!(amara.post("/settings/tokens", "do=add&name=charts&purpose=events").status, 409);
    assert_eq!(amara.post("/settings/tokens", "do=add&name=x&purpose=events&organization=y").status, 400);
    let of_site = |site: &str| {
        amara.post(
            "/settings/tokens",
            &format!("do=add&name=collector&purpose=site&organization=&site={site}"),
        )
    };
    assert_eq!((of_site("+").status, of_site("Basel+2").status), (400, 200), "a collector is of one site");
    assert!(amara.get("/settings").body.contains("<td>Basel 2</td>"));
    amara.post("/settings/tokens", "do=remove&name=charts");
    assert_eq!(service.get_as("/api/v1/features", &bearer).status, 401);
    let admin =
        service.ask("POST", "/settings/tokens", &[OURS, FORM, ("authorization", &bearer)], "do=add&name=y");
    assert_eq!(admin.status, 303, "to the login: {admin:?}");
}

#[test]
fn a_directory_changes_nothing_before_it_was_seen() {
    let desk = desk();
    desk.write(
        "people.csv",
        "login,organization,valid_from\namara,North,\nbela,North,2025-01-01\nchidi,South,\n",
    );
    desk.ok(&["directory", "import", "people.csv"]);
    let service = Service::start(&desk);
    add_user(&desk, "root", "admin");
    let root = Browser::of(&service, "root");
    let by_organization = || desk.ok(&["report", "usage", "--by", "organization,person", "--format", "csv"]);
    let before = by_organization();
    let file =
        "login;organization;valid_from\r\namara;West <1>;\r\nbela;North;2025-01-01\r\ndora;\"a;b\";\r\n";
    let token = root.token();
    let preview = root.upload(&token, "csv", "people 2.csv", file);
    assert_eq!(preview.status, 200, "{preview:?}");
    for words in [
        "<b>1</b> added",
        "<b>1</b> changed",
        "<b>1</b> as they are",
        "people 2.csv",
        "West &lt;1&gt;",
        "<td>North</td>",
    ] {
        assert!(preview.body.contains(words), "{words}: {}", preview.body);
    }
    assert_eq!(by_organization(), before, "only shown");
    let applied = root.upload(&token, "shown", "", &shown(&preview));
    assert_eq!(applied.header("location"), Some("/settings?done=directory&added=1&changed=1&unchanged=1"));
    let said = root.get("/settings?done=directory&added=1&changed=1&unchanged=1").body;
    assert!(said.contains("The directory is taken in: 1 added, 1 changed, 1 as they are"), "{said}");
    let after = by_organization();
    assert!(after.contains("West <1>") && !after.contains("North,amara"), "{after}");
    desk.ok(&["verify"]);
    let again = root.upload(&token, "csv", "people.csv", file);
    assert!(again.body.contains("says all of this already"), "{}", again.body);
    for (wrong, words) in [
        ("login,organisation\n", "did you mean `organization`?"),
        ("login,valid_from\nbela,yesterday\n", "people.csv:2: column `valid_from`"),
        ("", "the file is empty"),
    ] {
        let refused = root.upload(&token, "csv", "people.csv", wrong);
        assert_eq!(refused.status, 400, "{wrong}");
        assert!(refused.body.contains(words), "{wrong}: {}", refused.body);
    }
}

/// What a page of ours shows of a directory, as a browser sends it back.
fn shown(preview: &Answer) -> String {
    let (_, shown) = preview.body.split_once("<textarea name=\"shown\"").expect("what was shown");
    let shown = shown.split_once('>').expect("its text").1.split("</textarea>").next().unwrap_or_default();
    let shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    shown.trim_start_matches('\n').replace('\n', "\r\n")
}

#[test]
fn what_could_be_previewed_can_be_applied() {
    const LONGEST: usize = 8 << 20;
    let desk = Desk::new();
    let service = Service::start(&desk);
    add_user(&desk, "root", "admin");
    let root = Browser::of(&service, "root");
    let token = root.token();
    // Its separator needs no quotes around this; what the service writes does.
    let organization = format!("Plant 7, hall 3, {}", "group ".repeat(330).trim_end());
    let persons = |count: usize| {
        let rows = (0..count).map(|nth| format!("person{nth:04};{organization}\n"));
        format!("login;organization\n{}", rows.collect::<String>())
    };
    let row = persons(1).len() - persons(0).len();
    let most = (LONGEST - 1_000) / row;
    let file = persons(most);
    let preview = root.upload(&token, "csv", "people.csv", &file);
    assert_eq!(preview.status, 200, "{}", preview.body.len());
    let shown = shown(&preview);
    assert!(shown.len() > LONGEST, "it is longer than what one may upload: {}", shown.len());
    let applied = root.upload(&token, "shown", "", &shown);
    let done = format!("/settings?done=directory&added={most}&changed=0&unchanged=0");
    assert_eq!(applied.header("location"), Some(done.as_str()), "{}: {}", applied.status, applied.body);
    let again = root.upload(&token, "csv", "people.csv", &file);
    assert!(again.body.contains("says all of this already"), "{}", again.status);
    let refused = root.upload(&token, "csv", "people.csv", &persons(LONGEST / row + 1));
    assert!(refused.status == 413 && refused.body.contains("seatledger directory import"), "{refused:?}");
}

#[test]
fn the_catalog_is_edited_entry_by_entry() {
    let desk = desk();
    let service = Service::start(&desk);
    add_user(&desk, "amara", "admin");
    let amara = Browser::of(&service, "amara");
    let features = desk.ok(&["report", "usage", "--by", "feature", "--format", "csv"]);
    let feature = features.lines().nth(1).and_then(|line| line.split(',').next()).expect("a feature");
    let saved = amara
        .post("/settings/catalog", &format!("feature={feature}&product=Great+Solver&type=CAE&price=1200.50"));
    assert_eq!(saved.header("location"), Some(format!("/settings/catalog?saved={feature}").as_str()));
    let by_product = desk.ok(&["report", "usage", "--by", "product,type", "--format", "csv"]);
    assert!(by_product.contains("Great Solver,CAE"), "{by_product}");
    let page = amara.get(&format!("/settings/catalog?feature={feature}")).body;
    assert!(page.contains("value=\"Great Solver\"") && page.contains("value=\"1200.50\""), "{page}");
    assert!(!amara.get("/settings/catalog?q=nothing+like+it").body.contains("<td>Great Solver</td>"));
    for (fields, words) in
        [("feature=x&product=", "are needed"), ("feature=x&product=y&price=12+CHF", "without a currency")]
    {
        let refused = amara.post("/settings/catalog", fields);
        assert_eq!(refused.status, 400);
        assert!(refused.body.contains(words) && refused.body.contains("value=\"x\""), "{}", refused.body);
    }
}
