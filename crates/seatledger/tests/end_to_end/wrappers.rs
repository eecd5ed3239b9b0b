//! `seatledger run` and `seatledger record`: what passes through to the command, and what the ledger is told.

use crate::desk::{Desk, Ran};
use crate::listening::Service;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";
/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_mins(1);

/// `seatledger run` of a shell's command, with a spool of the desk's own.
fn run(desk: &Desk, to: &str, options: &[&str], script: &str) -> Command {
    let mut arguments = vec!["run", "--app", "solver", "--to", to];
    arguments.extend(options);
    arguments.extend(["--", "sh", "-c", script]);
    let mut command = desk.command(&arguments);
    command.env("SEATLEDGER_SPOOL", desk.path("spool"));
    command
}

fn record(desk: &Desk, to: &str, what: &str, pid: &str) -> Ran {
    let mut command = desk.command(&["record", what, "viewer", "--user", "ines", "--pid", pid, "--to", to]);
    command.env("SEATLEDGER_SPOOL", desk.path("spool")).output().unwrap().into()
}

/// The files of events that wait in the spool.
fn spooled(desk: &Desk) -> usize {
    let mut found = 0;
    for target in std::fs::read_dir(desk.path("spool")).into_iter().flatten() {
        let files = std::fs::read_dir(target.unwrap().path()).unwrap();
        found += files
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "json"))
            .count();
    }
    found
}

fn sessions(desk: &Desk, options: &[&str]) -> Vec<Value> {
    let text = desk.ok(&[&["sessions", "--format", "json"], options].concat());
    serde_json::from_str(&text).unwrap()
}

/// Asks until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < STUCK, "{what} does not happen");
        std::thread::yield_now();
    }
}

fn kill(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Starts it and waits for its first line.
fn started(mut command: Command) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, out)
}

#[test]
fn streams_arguments_and_the_exit_code_pass_through() {
    let desk = Desk::new();
    let mut child = run(&desk, NOBODY, &[], "cat; echo oops >&2; exit 7");
    let mut child =
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"what comes in").unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(7), "what comes in", "oops\n"));
    assert_eq!(spooled(&desk), 1, "nobody has heard of it");
    let run = |command: &[&str]| {
        let mut run = desk.command(&[&["run", "--to", NOBODY, "--"], command].concat());
        run.env("SEATLEDGER_SPOOL", desk.path("spool")).output().unwrap()
    };
    assert_eq!(run(&["./no-such-command"]).status.code(), Some(127));
    desk.write("no-program", "");
    assert_eq!(run(&["./no-program"]).status.code(), Some(126));
    assert_eq!(String::from_utf8_lossy(&run(&["echo", "--help", "-x"]).stdout), "--help -x\n");
}

#[test]
fn signals_pass_through() {
    let desk = Desk::new();
    let script = "trap 'exit 9' USR1; echo ready; while :; do read line; done";
    for (signal, code) in [("-USR1", 9), ("-TERM", 143), ("-HUP", 129), ("-INT", 130)] {
        let script = if signal == "-USR1" { script } else { "echo ready; exec sleep 1000" };
        let inner = run(&desk, NOBODY, &[], script);
        // Who runs the tests in the background may have had signals ignored, which everything that is started inherits.
        let mut outer = Command::new("env");
        outer.arg("--default-signal=HUP,INT").arg(inner.get_program()).args(inner.get_args());
        outer.env("SEATLEDGER_SPOOL", desk.path("spool"));
        let (mut child, _out) = started(outer);
        kill(signal, &child);
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
    }
}

#[test]
fn who_ignores_hangups_goes_on_to() {
    let desk = Desk::new();
    let inner = run(&desk, NOBODY, &[], "kill -HUP $$; echo goes on");
    let mut outer = Command::new("sh");
    outer.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(inner.get_program()).args(inner.get_args());
    let out = outer.env("SEATLEDGER_SPOOL", desk.path("spool")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "goes on\n");
}

#[test]
fn a_run_is_open_while_it_runs_and_has_ended_at_its_end() {
    let desk = Desk::new();
    let service = Service::start(&desk);
    let url = format!("http://127.0.0.1:{}", service.port());
    let (mut child, _out) =
        started(run(&desk, &url, &["--app-version", "9.1"], "echo ready; read line; exit 3"));
    until("a session", || !sessions(&desk, &["--open"]).is_empty());
    let open = &sessions(&desk, &["--open"])[0];
    assert_eq!(
        (&open["feature"], &open["version"], &open["ended"]),
        (&json!("solver"), &json!("9.1"), &json!("open"))
    );
    assert_eq!(open["until"], Value::Null);
    let history = desk.ok(&["history", "--format", "csv"]);
    assert!(!history.contains("heartbeats_ceased"), "{history}");
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(sessions(&desk, &["--open"]), [] as [Value; 0]);
    let all = sessions(&desk, &[]);
    assert_eq!((all.len(), &all[0]["ended"]), (1, &json!("checkin")));
    assert_eq!(all[0]["from"], open["from"]);
    assert_eq!(spooled(&desk), 0);
    desk.ok(&["verify"]);
}

#[test]
fn a_run_that_is_killed_ends_at_its_last_heartbeat() {
    let desk = Desk::new();
    let service = Service::start(&desk);
    let url = format!("http://127.0.0.1:{}", service.port());
    let (mut child, _out) = started(run(&desk, &url, &["--heartbeat", "1"], "echo ready; read line"));
    // It was heard twice at least.
    until("a heartbeat", || sessions(&desk, &[]).first().is_some_and(|one| one["held_seconds"] != json!(0)));
    kill("-KILL", &child);
    child.wait().unwrap();
    until("the end", || sessions(&desk, &["--open"]).is_empty());
    let all = sessions(&desk, &[]);
    assert_eq!((all.len(), &all[0]["ended"]), (1, &json!("heartbeats_ceased")));
    desk.ok(&["verify"]);
}

#[test]
fn what_nobody_heard_is_told_by_the_next_in_order_and_once() {
    let desk = Desk::new();
    for nth in 0..3 {
        let ran: Ran = run(&desk, NOBODY, &[], &format!("exit {nth}")).output().unwrap().into();
        assert_eq!(ran.code, Some(nth));
    }
    assert_eq!(record(&desk, NOBODY, "start", "71").code, Some(0));
    assert_eq!(record(&desk, NOBODY, "stop", "71").code, Some(0));
    assert_eq!(spooled(&desk), 5);
    let service = Service::start(&desk);
    let url = format!("http://127.0.0.1:{}", service.port());
    // What was meant for nobody is told to the service, as if it had been meant for it.
    let folders: Vec<_> = std::fs::read_dir(desk.path("spool")).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(record(&desk, &url, "start", "72").code, Some(0));
    let other = std::fs::read_dir(desk.path("spool")).unwrap().map(|f| f.unwrap().path());
    let other = other.into_iter().find(|path| !folders.contains(path)).unwrap();
    let copies: Vec<_> = std::fs::read_dir(&folders[0]).unwrap().map(|file| file.unwrap().path()).collect();
    for round in 0..2 {
        for file in copies.iter().filter(|file| file.extension().is_some()) {
            std::fs::copy(file, other.join(file.file_name().unwrap())).unwrap();
        }
        let ran = record(&desk, &url, "stop", "73");
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{round}");
        let runs = sessions(&desk, &["--feature", "solver"]);
        assert_eq!(runs.len(), 3);
        let ended = |row: &Value| row["ended"].as_str().unwrap().to_owned();
        assert!(runs.iter().all(|row| ended(row) == "checkin"), "{runs:?}");
        let records = sessions(&desk, &["--feature", "viewer"]);
        let records: Vec<(String, Value)> =
            records.iter().map(|row| (ended(row), row["user"].clone())).collect();
        assert_eq!(records, [("checkin".to_owned(), json!("ines")), ("open".to_owned(), json!("ines"))]);
    }
    desk.ok(&["verify"]);
}

/// `seatledger record deliver`, with the desk's spool.
fn deliver(desk: &Desk, to: &str) -> Ran {
    let mut command = desk.command(&["record", "deliver", "--to", to]);
    command.env("SEATLEDGER_SPOOL", desk.path("spool")).output().unwrap().into()
}

#[test]
fn what_a_killed_wrapper_left_is_delivered_without_another_run() {
    let desk = Desk::new();
    let service = Service::start(&desk);
    let port = service.port();
    let url = format!("http://127.0.0.1:{port}");
    // Nothing was ever left.
    let ran = deliver(&desk, &url);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), &*format!("0 events told to {url}\n")), "{}", ran.err);
    drop(service);
    // Both the service and the wrapper go while the application runs.
    let (mut child, _out) = started(run(&desk, &url, &["--heartbeat", "1"], "echo ready; read line"));
    until("a first state", || spooled(&desk) == 1);
    kill("-KILL", &child);
    child.wait().unwrap();
    assert_eq!(record(&desk, &url, "start", "71").code, Some(0));
    assert_eq!(record(&desk, &url, "stop", "71").code, Some(0));
    let ran = deliver(&desk, &url);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.err.contains("nobody answers") && ran.err.contains("3 events are kept"), "{}", ran.err);
    let service = Service::start_at(&desk, &format!("127.0.0.1:{port}"));
    let ran = deliver(&desk, &url);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), &*format!("3 events told to {url}\n")), "{}", ran.err);
    assert_eq!((spooled(&desk), deliver(&desk, &url).code), (0, Some(0)));
    until("the end", || sessions(&desk, &["--open"]).is_empty());
    let mut ended: Vec<Value> = sessions(&desk, &[]).iter().map(|row| row["ended"].clone()).collect();
    ended.sort_by_key(ToString::to_string);
    assert_eq!(ended, [json!("checkin"), json!("heartbeats_ceased")]);
    assert_eq!(service.stop(), Some(0));
    desk.ok(&["verify"]);
}

#[test]
fn a_list_says_what_is_not_taken_in() {
    let desk = Desk::new();
    let service = Service::start(&desk);
    let run = json!({"what": "run", "id": "a1", "feature": "solver", "user": "chen", "host": "ws-12",
                     "from": "2026-03-02T08:00:00.250Z", "until": "2026-03-02T09:00:00.250+01:00"});
    let start = json!({"what": "start", "id": "e1", "at": "2026-03-02T08:00:00Z", "feature": "viewer",
                       "user": "chen", "host": "ws-12", "pid": 4711});
    let mut late = start.clone();
    late["at"] = json!("2999-01-01T00:00:00Z");
    let list = json!({"events": [run, start, late, {"what": "stop"}, run, start]}).to_string();
    let answer = service.post("/api/v1/events", None, &list);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&body["accepted"], &body["already_taken"]), (&json!(4), &json!(1)));
    let refused: Vec<_> =
        body["refused"].as_array().unwrap().iter().map(|one| one["index"].clone()).collect();
    assert_eq!(refused, [json!(2), json!(3)]);
    let all = sessions(&desk, &[]);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(service.post("/api/v1/events", None, "{\"event\": []}").status, 400);
    assert_eq!(service.get("/api/v1/events").status, 405);
}

#[test]
fn only_whose_token_is_for_events_may_send_them() {
    let desk = Desk::new();
    let add = ["user", "add", "amara", "--role", "admin", "--password-stdin"];
    assert_eq!(desk.run_piped(&add, "correct horse battery staple").code, Some(0));
    let token =
        |name: &str, kind: &[&str]| desk.ok(&[&["token", "add", name], kind].concat()).trim().to_owned();
    let (sender, beats) = (token("ws", &["--events"]), token("plug-ins", &["--heartbeats"]));
    let service = Service::start(&desk);
    let url = format!("http://127.0.0.1:{}", service.port());
    let ran: Ran = run(&desk, &url, &["--token", &beats], "exit 0").output().unwrap().into();
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("token add NAME --events"), "{}", ran.err);
    assert_eq!((spooled(&desk), sessions(&desk, &[]).len()), (1, 0));
    desk.write("token", format!("{sender}\n"));
    let file = desk.path("token");
    let ran: Ran =
        run(&desk, &url, &["--token-file", file.to_str().unwrap()], "exit 0").output().unwrap().into();
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!((spooled(&desk), sessions(&desk, &[]).len()), (0, 2));
    let list = desk.ok(&["token", "list", "--format", "csv"]);
    assert!(list.contains("ws,events,"), "{list}");
}

#[test]
fn a_command_does_not_get_the_token() {
    let desk = Desk::new();
    let mut command = run(&desk, NOBODY, &[], "echo \"<$SEATLEDGER_TOKEN>\"");
    let mut out = String::new();
    let mut child = command.env("SEATLEDGER_TOKEN", "secret").stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.wait().unwrap();
    assert_eq!(out, "<>\n");
}

#[test]
fn the_example_wrapper_runs_the_next_of_its_name() {
    let desk = Desk::new();
    let service = Service::start(&desk);
    desk.write("bin/solver", "#!/bin/sh\necho solved \"$@\"\nexit 5\n");
    std::fs::create_dir(desk.path("wrappers")).unwrap();
    let wrapper = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/wrapper.sh");
    std::os::unix::fs::symlink(wrapper, desk.path("wrappers/solver")).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(desk.path("bin/solver")).status().unwrap().success());
    let path = |with: &[&str]| {
        let mut folders: Vec<_> = with.iter().map(|name| desk.path(name)).collect();
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        std::env::join_paths(folders).unwrap()
    };
    let call = |with: &[&str]| -> Ran {
        let mut solver = Command::new(desk.path("wrappers/solver"));
        solver.args(["a b", "c"]).env("PATH", path(with)).env("SEATLEDGER_SPOOL", desk.path("spool"));
        solver.env("SEATLEDGER_TO", format!("http://127.0.0.1:{}", service.port()));
        solver.output().unwrap().into()
    };
    // Where there is no seatledger.
    let ran = call(&["wrappers", "bin"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(5), "solved a b c\n"));
    assert_eq!(sessions(&desk, &[]).len(), 0);
    std::fs::create_dir(desk.path("ours")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_seatledger"), desk.path("ours/seatledger")).unwrap();
    let ran = call(&["wrappers", "bin", "ours"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(5), "solved a b c\n", ""));
    assert_eq!(sessions(&desk, &[])[0]["feature"], json!("solver"));
    assert_eq!(call(&["wrappers", "ours"]).code, Some(127));
}
