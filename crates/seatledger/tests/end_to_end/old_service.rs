//! Coming from the AutoCAD usage measurement service: its configuration, its tables as views, its usage table in Oracle.

use crate::desk::{Desk, postgres_url};
use postgres::{Client, NoTls, SimpleQueryMessage};
use store::heartbeats::{BucketScope, Heartbeat};
use store::{Place, Store};

const OLD: &str = "[Oracle]
user = measure
password = s%%ecret
host = ora1
service_name = tgis1
[Tables]
acad_user_table = GIS.ACAD_USER
user_name_column = USER_NAME
domain_name_column = DOMAIN_NAME
last_ping_column = LAST_PING
user_table = GIS.PERSON
user_login_column = LOGIN
user_orgfid_column = ORGFID
usage_table = GIS.ACAD_USAGE
usage_date_column = UDATE
usage_appcode_column = APPCODE
usage_version_column = VERSION
usage_minutes_column = MINUTES
usage_orgfid_column = ORG FID
[ELK]
url = http://127.0.0.1:9
verify_ssl = false
";

/// 2025-03-03 23:30 UTC.
const LATE: i64 = 1_741_044_600_000;

/// A day's end and the next one's beginning, of five persons.
fn heartbeats(place: &Place) {
    let mut store = Store::create(place).unwrap();
    let persons = [
        ("amara", "1", "24.1"),
        ("bela", "1", "24's & \"more\""),
        ("cleo", "3", ""),
        ("dana", "-2", "unknown"),
        ("emil", "a solver", "1"),
    ];
    for nth in 0..9 {
        let beat = |(user, feature, version): (&str, &str, &str)| Heartbeat {
            domain: "corp".to_owned(),
            user: user.to_owned(),
            host: String::new(),
            feature: feature.to_owned(),
            version: version.to_owned(),
            from: LATE + nth * 600_000,
            until: LATE + (nth + 1) * 600_000,
            scope: BucketScope::Person,
        };
        store.record_heartbeats(&persons.map(beat)).unwrap();
    }
    store.derive(&mut |_, _| {}).unwrap();
}

/// A desk that went the way of docs/migrating.md.
fn migrated(desk: Desk, place: &Place) -> Desk {
    desk.write("config.ini", OLD);
    std::fs::remove_file(desk.path("seatledger.toml")).unwrap();
    desk.ok(&["config", "import", "config.ini"]);
    let text = std::fs::read_to_string(desk.path("seatledger.toml")).unwrap();
    desk.write("seatledger.toml", text.replacen("db = ", "timezone = \"UTC\"\ndb = ", 1));
    desk.write(
        "people.csv",
        "login,domain,organization,external_id\namara,corp,North,17\nbela,,South,4\ncleo,corp,Club,\n",
    );
    desk.ok(&["db", "migrate"]);
    heartbeats(place);
    desk.ok(&["directory", "import", "people.csv"]);
    desk.ok(&["verify"]);
    desk
}

#[test]
fn the_old_configuration_is_imported_once_and_tells_no_secret() {
    let desk = Desk::new();
    desk.write("config.ini", OLD);
    let ran = desk.ends(1, &["config", "import", "config.ini"]);
    assert!(ran.err.contains("seatledger.toml: nothing is overwritten"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(desk.path("seatledger.toml")).unwrap(), "timezone = \"UTC\"\n");
    let said = desk.ok(&["config", "import", "config.ini", "-o", "new.toml"]);
    let written = std::fs::read_to_string(desk.path("new.toml")).unwrap();
    assert!(said.contains("not carried over: [Oracle] user, password, host, service_name:"), "{said}");
    assert!(!said.contains("ecret") && !written.contains("ecret"), "{said}{written}");
    let said = desk.ok(&["--config", "new.toml", "config", "check"]);
    assert!(said.contains("the configuration is right"), "{said}");
    let ran = desk.ends(1, &["config", "import", "nowhere.ini", "-o", "other.toml"]);
    assert!(ran.err.contains("nowhere.ini"), "{}", ran.err);
    assert!(!desk.path("other.toml").exists());
}

const EXPORTED: [&str; 9] = [
    "organization,day,app_code,version,minutes",
    "-1,2025-03-03,-2,unknown,30",
    "-1,2025-03-03,3,,30",
    "-1,2025-03-03,a solver,1,30",
    "-1,2025-03-04,-2,unknown,60",
    "-1,2025-03-04,3,,60",
    "-1,2025-03-04,a solver,1,60",
    "4,2025-03-03,1,\"24's & \"\"more\"\"\",30",
    "4,2025-03-04,1,\"24's & \"\"more\"\"\",60",
];

#[test]
fn the_daily_usage_is_exported_and_queried_alike() {
    let desk = Desk::new();
    let place = Place::Sqlite(desk.db_file());
    let desk = migrated(desk, &place);
    let ran = desk.ends(0, &["export", "usage", "--as", "csv"]);
    let mut expected: Vec<&str> = EXPORTED.to_vec();
    expected.extend(["17,2025-03-03,1,24.1,30", "17,2025-03-04,1,24.1,60"]);
    assert_eq!(ran.out.lines().collect::<Vec<_>>(), expected);
    assert!(ran.err.contains("no external_id, so -1 stands, for: Club"), "{}", ran.err);
    desk.ok(&[
        "export",
        "usage",
        "--as",
        "csv",
        "--from",
        "2025-03-04",
        "--until",
        "2025-03-05",
        "-o",
        "day.csv",
    ]);
    let day = std::fs::read_to_string(desk.path("day.csv")).unwrap();
    let of_day = expected.iter().filter(|line| !line.contains("2025-03-03")).copied();
    assert_eq!(day.lines().collect::<Vec<_>>(), of_day.collect::<Vec<_>>());
    desk.ends(2, &["export", "usage", "--as", "csv", "--from", "2025-03-04", "--until", "2025-03-04"]);
    desk.ends(2, &["export", "usage"]);

    let connection = rusqlite::Connection::open(desk.db_file()).unwrap();
    let mut statement = connection
        .prepare("select \"ORG FID\" || ',' || udate || ',' || appcode || ',' || minutes from ACAD_USAGE order by 1")
        .unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let expected = [
        "-1,2025-03-03,-2,30",
        "-1,2025-03-03,3,30",
        "-1,2025-03-04,-2,60",
        "-1,2025-03-04,3,60",
        "17,2025-03-03,1,30",
        "17,2025-03-04,1,60",
        "4,2025-03-03,1,30",
        "4,2025-03-04,1,60",
    ];
    assert_eq!(rows.map(Result::unwrap).collect::<Vec<_>>(), expected, "app codes are whole numbers there");
    drop(statement);

    // A process without a configuration leaves the views alone; one that does not want them takes them away.
    let there =
        || connection.query_row("select count(*) from acad_usage", [], |row| row.get::<_, i64>(0)).is_ok();
    std::fs::rename(desk.path("seatledger.toml"), desk.path("elsewhere.toml")).unwrap();
    desk.ok(&["rebuild"]);
    assert!(there());
    desk.write("seatledger.toml", "timezone = \"UTC\"\n");
    desk.ok(&["rebuild"]);
    assert!(!there());
}

/// A database of its own in the tests' PostgreSQL, with what makes it look like Oracle.
struct Oracle {
    name: String,
    client: Client,
}

impl Oracle {
    fn new() -> Self {
        let name = format!("oracle_{}", std::process::id());
        let mut server = Client::connect(&postgres_url(), NoTls).unwrap();
        server.batch_execute(&format!("create database {name}")).unwrap();
        let mut config: postgres::Config = postgres_url().parse().unwrap();
        let mut client = config.dbname(&name).connect(NoTls).unwrap();
        client
            .batch_execute(
                "create extension orafce;
                 create schema gis;
                 create table gis.acad_usage (
                     udate date not null, appcode integer not null, version varchar(64) not null,
                     minutes integer not null, \"ORG FID\" integer not null,
                     unique (\"ORG FID\", udate, appcode, version)
                 );
                 set search_path = public, oracle",
            )
            .expect("postgresql-15-orafce is installed by scripts/test");
        Self { name, client }
    }

    /// Runs a script; returns how many rows its statements touched.
    fn run(&mut self, script: &str) -> u64 {
        let messages = self.client.simple_query(script).expect(script);
        messages
            .iter()
            .map(|message| match message {
                SimpleQueryMessage::CommandComplete(rows) => *rows,
                _ => 0,
            })
            .sum()
    }

    fn rows(&mut self) -> Vec<String> {
        let sql = "select concat_ws('|', \"ORG FID\", udate, appcode, version, minutes) from gis.acad_usage order by 1";
        self.client.query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        if let Ok(mut server) = Client::connect(&postgres_url(), NoTls) {
            let _ = server.batch_execute(&format!("drop database {} with (force)", self.name));
        }
    }
}

#[test]
fn the_script_for_oracle_brings_its_table_up_to_date_and_then_changes_nothing() {
    let desk = Desk::on_postgres();
    let place: Place = desk.db().parse().unwrap();
    let desk = migrated(desk, &place);
    let mut oracle = Oracle::new();
    oracle.run(
        "insert into gis.acad_usage values
             ('2025-03-03', 1, '24.1', 20, 17), ('2025-03-04', 1, '24.1', 60, 17), ('2025-02-01', 1, '23', 50, 17)",
    );
    let ran = desk.ends(0, &["export", "usage", "--as", "oracle-merge"]);
    assert!(ran.err.contains("left out, for app codes are whole numbers: a solver"), "{}", ran.err);
    assert_eq!(oracle.run(&ran.out), 7, "one row was right already, and nothing is known of another");
    let expected = [
        "-1|2025-03-03|-2|unknown|30",
        "-1|2025-03-03|3|unknown|30",
        "-1|2025-03-04|-2|unknown|60",
        "-1|2025-03-04|3|unknown|60",
        "17|2025-02-01|1|23|50",
        "17|2025-03-03|1|24.1|30",
        "17|2025-03-04|1|24.1|60",
        "4|2025-03-03|1|24's & \"more\"|30",
        "4|2025-03-04|1|24's & \"more\"|60",
    ];
    assert_eq!(oracle.rows(), expected);
    assert_eq!(oracle.run(&ran.out), 0, "nothing is left to do");
    assert_eq!(oracle.rows(), expected);
    desk.ok(&["export", "usage", "--as", "oracle-merge", "--until", "2025-03-03", "-o", "none.sql"]);
    let none = std::fs::read_to_string(desk.path("none.sql")).unwrap();
    assert!(!none.contains("MERGE"), "{none}");
    assert_eq!(oracle.run(&none), 0);
}
