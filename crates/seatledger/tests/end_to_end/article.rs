//! The article "Application Usage Accounting": its fourteen lines, its figures, its SQL as printed.

use crate::desk::Desk;
use std::process::Command;

const LINES: &str = "\
1. Nov 20 07:47:40 wks12 LIC_ACC: app1 START 20001120-0747 fiore PID: 599
2. Nov 20 08:11:14 wks12 LIC_ACC: app1 STOP 20001120-0811 fiore PID: 599
3. Nov 20 08:11:57 wks12 LIC_ACC: app1 START 20001120-0811 fiore PID: 810
4. Nov 20 08:12:27 wks3 LIC_ACC: app2 START 20001120-0812 burma PID: 732
5. Nov 20 08:12:50 wks3 LIC_ACC: app3.sh START 20001120-0812 burma PID: 761
6. Nov 20 08:23:58 wks10 LIC_ACC: app4 START 20001120-0823 ckent PID: 755
7. Nov 20 08:32:20 wks14 LIC_ACC: app5 START 20001120-0832 norbi PID: 942
8. Nov 20 08:37:08 wks1 LIC_ACC: run_app6 START 20001120-0837 orre PID: 437
9. Nov 20 09:09:04 wks8 LIC_ACC: app5 START 20001120-0909 zuinni PID: 13998
10. Nov 20 09:09:25 wks5 LIC_ACC: app7 START 20001120-0909 brink PID: 454
11. Nov 20 09:12:18 wks5 LIC_ACC: app7 START 20001120-0912 brink PID: 688
12. Nov 20 09:12:53 wks5 LIC_ACC: app5plus START 20001120-0912 brink PID: 717
13. Nov 20 09:13:04 wks5 LIC_ACC: app5plus STOP 20001120-0913 brink PID: 717
14. Nov 20 13:34:24 wks12 LIC_ACC: app1 STOP 20001120-1334 fiore PID: 810
";

const RANKING: &str = r#"select app, aaaa, mm, SUM(uso_en_min) as total_usage
from uso_diario
where (day_of_week !="do" and day_of_week !="sa")
group by app, aaaa, mm order by aaaa,mm, total_usage"#;

const AVERAGE: &str = r#"select app,aaaa, mm, (((SUM(uso_en_min)/60)/6)/22) as num_of_lic from uso_diario
where (day_of_week !="do" and day_of_week !="sa")
group by app,aaaa,mm order by aaaa,mm, num_of_lic"#;

const LONG: &str = "\
Nov 23 22:00:01 wks1 LIC_ACC: app9 START 20001123-2200 orre PID: 7
Nov 25 09:00:01 wks1 LIC_ACC: app9 STOP 20001125-0900 orre PID: 7
";

fn with(lines: &str) -> Desk {
    filled(Desk::new(), lines)
}

fn filled(desk: Desk, lines: &str) -> Desk {
    desk.write("lic_acc.log", lines);
    desk.import(&["lic_acc.log"]);
    desk
}

/// What the `sqlite3` shell prints.
fn sqlite3(desk: &Desk, query: &str) -> String {
    let output = Command::new("sqlite3").arg(desk.db_file()).arg(query).output();
    let output = output.expect("the sqlite3 shell is there: scripts/test installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The rows of a report as CSV, without the header.
fn report(desk: &Desk, arguments: &[&str]) -> Vec<String> {
    let csv = desk.ok(&[&["report"], arguments, &["--format", "csv"]].concat());
    csv.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn the_fourteen_lines_give_three_closed_sessions_and_eight_open_ones() {
    let desk = with(LINES);
    desk.ok(&["verify"]);
    let csv = desk.ok(&["sessions", "--format", "csv"]);
    assert_eq!(csv.lines().filter(|row| row.contains(",checkin,")).count(), 3, "{csv}");
    assert_eq!(desk.ok(&["sessions", "--open", "--format", "csv"]).lines().count(), 9);
}

#[test]
fn the_fourteen_lines_give_the_minutes_of_each_time_class() {
    let desk = with(LINES);
    let by = "feature,user,host,time_class";
    let rows = report(&desk, &["usage", "--by", by, "--feature", "app[15]*", "--from", "2000-11-20"]);
    let minutes = |beginning: &str| {
        let row = rows.iter().find(|row| row.starts_with(beginning));
        row.map(|row| row.split(',').nth(4).unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(minutes("app1,fiore,wks12,regular-overnight,"), "13");
    assert_eq!(minutes("app1,fiore,wks12,prime,"), "334", "11 and 323");
    assert_eq!(minutes("app5plus,brink,wks5,prime,"), "1");
}

#[test]
fn the_ranking_and_the_average_number_of_licenses_are_the_articles() {
    let desk = with(LINES);
    let ranking = report(&desk, &["ranking"]);
    let used: Vec<&String> = ranking.iter().filter(|row| !row.contains(",0,")).collect();
    assert!(used[0].starts_with("2000-11,app5plus,1,"), "{ranking:?}");
    assert!(used[1].starts_with("2000-11,app1,347,"), "{ranking:?}");
    let average = report(&desk, &["average-licenses", "--hours-per-day", "6", "--days-per-month", "22"]);
    assert!(average.iter().any(|row| row.starts_with("2000-11,app1,0.043813")), "{average:?}");
}

#[test]
fn the_articles_sql_runs_verbatim_in_the_sqlite3_shell() {
    let desk = with(LINES);
    let ranking = sqlite3(&desk, RANKING);
    assert_eq!(ranking, "app5plus|2000|11|1.0\napp1|2000|11|347.0\n");
    let average = sqlite3(&desk, AVERAGE);
    let last: Vec<&str> = average.lines().last().unwrap().split('|').collect();
    assert_eq!(last[..3], ["app1", "2000", "11"]);
    assert!((last[3].parse::<f64>().unwrap() - 347.0 / 60.0 / 6.0 / 22.0).abs() < 1e-9, "{average}");
    let overnight = r#"select app, dd from uso_diario where hh_start="00" and mm_start="00""#;
    assert_eq!(sqlite3(&desk, overnight), "", "nobody held anything at midnight");
    let lines = "select count(*), sum(procesado = 'S') from syslog_line";
    assert_eq!(sqlite3(&desk, lines), "14|6\n");
}

#[test]
fn the_articles_sql_runs_on_postgresql_with_single_quotes() {
    let desk = filled(Desk::on_postgres(), LINES);
    let mut client = postgres::Client::connect(desk.db(), postgres::NoTls).unwrap();
    let mut rows = |sql: &str| -> Vec<Vec<String>> {
        let rows = client.simple_query(&sql.replace('"', "'")).unwrap();
        let rows = rows.iter().filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        });
        rows.collect()
    };
    let ranking = rows(RANKING);
    let minutes: Vec<(&str, f64)> =
        ranking.iter().map(|row| (row[0].as_str(), row[3].parse().unwrap())).collect();
    assert_eq!(minutes, [("app5plus", 1.0), ("app1", 347.0)]);
    let average = rows(AVERAGE);
    let average: f64 = average.last().unwrap()[3].parse().unwrap();
    assert!((average - 347.0 / 60.0 / 6.0 / 22.0).abs() < 1e-9);
}

#[test]
fn a_session_over_two_midnights_is_cut_at_days_and_time_classes() {
    let desk = with(LONG);
    let rows =
        sqlite3(&desk, "select mm, dd, hh_start, mm_start, uso_en_min from uso_diario order by 1, 2, 3");
    let expected = "\
11|23|22|00|120.0
11|24|00|00|480.0
11|24|08|00|660.0
11|24|19|00|300.0
11|25|00|00|480.0
11|25|08|00|60.0
";
    assert_eq!(rows, expected);
    let by_class = report(&desk, &["usage", "--by", "day,time_class"]);
    let minutes = |row: &String| row.split(',').nth(2).unwrap().parse::<f64>().unwrap();
    assert_eq!(by_class.len(), 6, "{by_class:?}");
    assert!((by_class.iter().map(minutes).sum::<f64>() - 2100.0).abs() < 1e-9);
    let overnight = report(&desk, &["overnight"]);
    assert_eq!(overnight.len(), 2, "{overnight:?}");
    assert!(overnight[0].starts_with("2000-11-24,app9,orre,wks1,"), "{overnight:?}");
}

#[test]
fn the_nightly_cut_of_the_log_does_not_matter() {
    let desk = Desk::new();
    let whole = with(LINES);
    let lines: Vec<&str> = LINES.split_inclusive('\n').collect();
    for (name, part) in [("evening.log", &lines[8..]), ("morning.log", &lines[..8])] {
        desk.write(name, part.concat());
        desk.import(&[name]);
    }
    desk.books().assert_same(&whole.books(), "cut at night, read backwards");
}
