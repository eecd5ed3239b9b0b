"""Compares Seatledger with what the machine could do; `scripts/bench` runs it. See benches/README.md."""

import contextlib
import csv
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime

import following
import paging
import pinging
import polling
import questions

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")
PROGRAMS = os.environ.get("SEATLEDGER_PROGRAMS", "target/release")
TIMES = int(os.environ.get("TIMES", "3"))
ROWS = []


def program(name):
    return os.path.abspath(os.path.join(PROGRAMS, name))


def run(*command):
    """Runs a command to its end: seconds, peak memory in MB, what it printed."""
    with tempfile.TemporaryFile("w+", dir=DATA) as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, cwd=DATA, text=True)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status != 0:
            raise SystemExit(f"failed: {' '.join(command)}\n{said}")
        out.seek(0)
        return seconds, usage.ru_maxrss / 1024, out.read()


def best(*command, before=lambda: None):
    """The quickest of TIMES runs, with the highest memory."""
    runs = []
    for _ in range(TIMES):
        before()
        runs.append(run(*command))
    quickest = min(runs)
    return quickest[0], max(run[1] for run in runs), quickest[2]


def seconds_said(*command):
    """The seconds that a program prints last: it takes the best of its runs itself."""
    return float(re.findall(r"([\d.]+) s\b", run(*command)[2])[-1])


def row(what, ours, theirs, ratio, bar):
    ROWS.append((what, ours, theirs, ratio, bar))
    print(f"  {what}: {ours} / {theirs} = {ratio} (bar: {bar})", flush=True)


def ratio(what, ours, theirs, bar):
    row(what, f"{ours:.3f} s", f"{theirs:.3f} s", f"{ours / theirs:.2f}", bar)


def path(name):
    return os.path.join(DATA, name)


def remove(name):
    for ending in ["", "-wal", "-shm"]:
        if os.path.exists(path(name) + ending):
            os.remove(path(name) + ending)


def generated(name, *arguments):
    if not os.path.exists(path(name)):
        print(f"  generating {name}", flush=True)
        run(program("generate"), *arguments, "-o", name + ".part")
        os.rename(path(name + ".part"), path(name))
    return name


def seatledger(db, *arguments):
    return (program("seatledger"), "--db", db, *arguments)


def importing(db, log):
    return seatledger(db, "import", "--timezone", "UTC", log)


def dense():
    return generated("flexnet-200MB.log", "flexnet", "--size", "200MB")


def parse_limit():
    return seconds_said(program("parse_limit"), dense(), str(TIMES))


def step_import():
    log, limit = dense(), parse_limit()
    scan = seconds_said(program("line_scan"), log, str(TIMES))
    ours, _, _ = best(*importing("fresh.db", log), before=lambda: remove("fresh.db"))
    again, _, _ = best(*importing("fresh.db", log))
    bare = seconds_said(program("session_rows"), "insert", "fresh.db", "bare.db", str(TIMES))
    ratio("200 MB into SQLite, beside the parse limit", ours, limit, "<= 10, goal 7")
    ratio("the same, beside parse limit + bare insertion", ours, limit + bare, "<= 1.5")
    ratio("the same, beside a count of its lines", ours, scan, "-")
    ratio("the same log again, beside the first time", again, ours, "<= 0.1")
    remove("fresh.db")
    remove("bare.db")


def step_postgres():
    log, limit = dense(), parse_limit()
    script = os.path.join(HERE, "..", "scripts", "postgres")
    with tempfile.TemporaryDirectory() as cluster:
        os.chmod(cluster, 0o755)
        url = run(script, "start", os.path.join(cluster, "pg"))[2].strip()
        try:
            times = []
            for nth in range(TIMES):
                name = f"bench{nth}"
                make = ["psql", url, "-qc", f"create database {name}"]
                run(*make)
                times.append(run(*importing(url.rsplit("/", 1)[0] + "/" + name, log))[0])
        finally:
            run(script, "stop", os.path.join(cluster, "pg"))
    ratio("200 MB into PostgreSQL, beside the parse limit", min(times), limit, "<= 15")


def step_memory():
    sizes = {}
    for size in ["200MB", "1GB"]:
        log = generated(f"flexnet-{size}.log", "flexnet", "--size", size)
        remove("fresh.db")
        sizes[size] = run(*importing("fresh.db", log))[1]
        remove("fresh.db")
    small, large = sizes["200MB"], sizes["1GB"]
    row("memory, 1 GB beside 200 MB", f"{large:.0f} MB", f"{small:.0f} MB", f"{large / small:.2f}", "<= 1.2, <= 300 MB")


def step_dsls():
    log = generated("dsls-1M.log", "dsls", "--events", "1000000")
    ours, _, _ = best(*importing("fresh.db", log), before=lambda: remove("fresh.db"))
    bare = seconds_said(program("session_rows"), "insert", "fresh.db", "bare.db", str(TIMES))
    row("DSLS, 1 M events into SQLite: rate beside bare insertion", f"{ours:.3f} s", f"{bare:.3f} s",
        f"{bare / ours:.2f}", ">= 0.6")
    remove("fresh.db")
    remove("bare.db")


def ledger():
    """The ledger of ten million sessions, imported once, and the same sessions as CSV for DuckDB."""
    if not os.path.exists(path("ledger.db")):
        log = generated("ledger.log", "ledger")
        remove("ledger.part.db")
        print("  importing the ledger", flush=True)
        run(*importing("ledger.part.db", log))
        os.rename(path("ledger.part.db"), path("ledger.db"))
        os.remove(path(log))
    return "ledger.db"


def rows():
    """Its sessions as plain rows, written once."""
    if not os.path.exists(path("rows.db")):
        remove("rows.part.db")
        run(program("session_rows"), "rows", ledger(), "rows.part.db")
        os.rename(path("rows.part.db"), path("rows.db"))
    return "rows.db"


def duckdb():
    import duckdb

    name = path("sessions.duckdb")
    if not os.path.exists(name):
        print("  loading DuckDB", flush=True)
        run(program("session_rows"), "export", ledger(), "sessions.csv")
        connection = duckdb.connect(name + ".part")
        connection.execute(
            f"create table session as select * from read_csv('{path('sessions.csv')}', "
            "columns = {'feature': 'varchar', 'person': 'varchar', 'from_at': 'bigint', 'until_at': 'bigint', "
            "'seats': 'integer'}) order by feature, from_at"
        )
        connection.execute("create table watched as select min(from_at) as from_at, max(until_at) as until_at from session")
        connection.close()
        os.rename(name + ".part", name)
        os.remove(path("sessions.csv"))
    connection = duckdb.connect(name, read_only=True)
    connection.execute("pragma threads = 2")
    return connection


def asked(connection, sql):
    """The quickest of TIMES answers of DuckDB, taken out of it as whole columns."""
    times, answer = [], None
    for _ in range(TIMES):
        start = time.perf_counter()
        answer = connection.execute(sql).fetchall()
        times.append(time.perf_counter() - start)
    return min(times), answer


def report(*arguments):
    seconds, _, text = best(*seatledger(ledger(), "report", *arguments, "--format", "csv"))
    return seconds, csv.DictReader(text.splitlines())


def same(what, ours, theirs):
    """Stops where two answers (dictionaries by key) differ; what is nothing need not be there."""
    ours = {key: value for key, value in ours.items() if value}
    theirs = {key: value for key, value in theirs.items() if value}
    if ours != theirs:
        different = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
        key = min(different)
        raise SystemExit(f"{what}: {len(different)} differ, first {key}: {ours.get(key)} here, {theirs.get(key)} there")
    print(f"  {what}: {len(ours)} equal figures")


def faster(what, ours, theirs, bar=">= 3 x"):
    row(what, f"{ours:.3f} s", f"{theirs:.3f} s", f"{theirs / ours:.1f} x faster", bar)


def step_reports():
    connection = duckdb()
    reports_minutes(connection)
    reports_peaks(connection)
    reports_hours(connection)


def reports_minutes(connection):
    theirs, answer = asked(connection, questions.MINUTES)
    there = {}
    for feature, month, *classes in answer:
        for name, ms in zip(["regular-overnight", "prime", "regular-overtime"], classes):
            there[feature, month, name] = ms
    by = "feature,month,time_class"
    alone = ["--columns", f"{by},seat_seconds"]
    for told, columns in [("minutes by feature, month, time class", alone), ("the same with sessions and persons", [])]:
        ours, rows = report("usage", "--by", by, *columns)
        here = {(r["feature"], r["month"], r["time_class"]): round(float(r["seat_seconds"]) * 1000) for r in rows}
        same(told, here, there)
        # DuckDB is asked for minutes only.
        faster(f"{told}, beside DuckDB", ours, theirs, ">= 3 x" if columns else "")


def reports_peaks(connection):
    theirs, answer = asked(connection, questions.PEAKS)
    first = date(1970, 1, 1).toordinal()
    there = {(feature, date.fromordinal(first + day).isoformat()): peak for feature, day, peak in answer}
    ours, rows = report("concurrency", "--step", "day")
    here = {(r["feature"], r["from"][:10]): int(r["seats_peak"]) for r in rows}
    same("peaks", here, there)
    faster("peak per feature and day, beside DuckDB", ours, theirs)


def reports_hours(connection):
    theirs, answer = asked(connection, questions.HOURS)
    watched = hours_watched(connection)
    there = {(feature, hour): ms / watched[hour] for feature, hour, ms in answer}
    days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    # Averages are printed with six decimals.
    rounded = lambda figures: {key: round(value, 5) for key, value in figures.items()}
    alone = ["--columns", "feature,weekday,hour,seats_average"]
    for told, columns in [("averages by feature and hour of the week", alone), ("the same with peaks and denials", [])]:
        ours, rows = report("heatmap", *columns)
        here = {}
        for r in rows:
            day = next(nth for nth, name in enumerate(days) if name.startswith(r["weekday"].lower()[:2]))
            here[r["feature"], day * 24 + int(r["hour"][:2])] = float(r["seats_average"])
        close = {key: here.get(key, 0) for key, value in there.items() if abs(value - here.get(key, 0)) < 2e-6}
        same(told, rounded(here), rounded({**there, **close}))
        # DuckDB is asked for averages only.
        faster(f"{told}, beside DuckDB", ours, theirs, ">= 3 x" if columns else "")


def hours_watched(connection):
    """Milliseconds of each hour of the week between the first line of the log and the last."""
    with sqlite3.connect(path(ledger())) as ledger_file:
        # A service that served it has spans of its own.
        of_log = "where input_id in (select input_id from input where format = 'flexnet')"
        start, end = ledger_file.execute(f"select min(from_at), max(until_at) from span {of_log}").fetchone()
    watched = [0] * 168
    for hour in range(start // 3_600_000, end // 3_600_000 + 1):
        watched[(hour + 72) % 168] += max(0, min(end, (hour + 1) * 3_600_000) - max(start, hour * 3_600_000))
    return watched


def step_sql():
    """The first question in plain SQL over the ledger's rows; it takes minutes."""
    ours, rows = report("usage", "--by", "feature,month,time_class")
    here = {(r["feature"], r["month"], r["time_class"]): round(float(r["seat_seconds"]) * 1000) for r in rows}
    connection = sqlite3.connect(path(ledger()))
    connection.execute(questions.SQLITE_SESSION)
    connection.execute("create temp table slot (from_at integer primary key, until_at integer, day text, time_class text)")
    first, last = connection.execute("select min(from_at), max(until_at) from part").fetchone()
    for day in range(first // questions.DAY, last // questions.DAY + 1):
        name = date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()
        for time_class, start, end in [("regular-overnight", 0, 8), ("prime", 8, 19), ("regular-overtime", 19, 24)]:
            at = day * questions.DAY
            slot = (at + start * questions.HOUR, at + end * questions.HOUR, name, time_class)
            connection.execute("insert into slot values (?, ?, ?, ?)", slot)
    start = time.perf_counter()
    there = {(f, month, c): ms for f, month, c, ms in connection.execute(questions.SQLITE_MINUTES)}
    theirs = time.perf_counter() - start
    same("minutes in plain SQL", here, there)
    row("the same minutes, beside plain SQL on SQLite", f"{ours:.3f} s", f"{theirs:.3f} s", f"{theirs / ours:.0f} x faster", "-")


def step_month():
    """A month of one feature: every report that this program has, the whole process."""
    help_text = run(program("seatledger"), "report", "--help")[2]
    names = re.findall(r"^  ([a-z-]+) {2,}\S", help_text.split("Reports:")[1].split("Keys of")[0], re.M)
    for name in names:
        if name in ("coverage", "allocation"):
            continue
        filters = ["--feature", "cfd_gui", "--from", "2024-03-01", "--until", "2024-04-01"]
        command = seatledger(ledger(), "report", name, *filters, "--format", "csv")
        try:
            ours = min(run(*command)[0] for _ in range(TIMES * 3))
        except SystemExit as error:
            print(f"  {name}: left out, {str(error).splitlines()[-1]}")
            continue
        row(f"{name}: a month of one feature", f"{ours * 1000:.0f} ms", "-", "-", "<= 50 ms")


def step_rebuild():
    scan = seconds_said(program("session_rows"), "scan", rows(), str(TIMES))
    ours, _, _ = best(*seatledger(ledger(), "rebuild"))
    ratio("rebuild of ten million sessions, beside a scan of their rows", ours, scan, "<= 3")


def step_ping():
    """New persons on SQLite, known persons, both on PostgreSQL, each beside a handler that does nothing."""
    pinging.needs()
    bare = [program("bare_server"), "127.0.0.1:18087"]
    serve = ["serve", "--listen", "127.0.0.1:18088"]
    remove("pings.db")
    with pinging.Server(bare, 18087, DATA) as server, \
            pinging.Server(seatledger("pings.db", *serve), 18088, DATA) as service:
        pings("pings of new persons, SQLite", server, service, ">= 0.3, goal 0.5", 0)
        pings("pings of persons already counted", server, service, ">= 0.8", 1000)
    remove("pings.db")
    with tempfile.TemporaryDirectory() as cluster:
        os.chmod(cluster, 0o755)
        script = os.path.join(HERE, "..", "scripts", "postgres")
        url = run(script, "start", os.path.join(cluster, "pg"))[2].strip()
        try:
            with pinging.Server(bare, 18087, DATA) as server, \
                    pinging.Server(seatledger(url, "--config", each_application(cluster), *serve), 18088, DATA) as service:
                pings("pings of known persons in a new bucket, PostgreSQL", server, service, ">= 0.15, goal 0.3", 5000, True)
                pings("pings of new persons, PostgreSQL", server, service, "-", 0)
        finally:
            run(script, "stop", os.path.join(cluster, "pg"))


def step_poll():
    """A program plays the vendors' one for many license servers; what it costs itself does not count."""
    of = polling.measure(program("seatledger"), path("polling"), "sqlite:polls.db")
    row(f"{polling.SERVERS} license servers polled every {polling.INTERVAL} s: cores", f"{of['cores']:.3f}", "1", f"{of['cores']:.3f}", "<= 0.25")
    row("cores of the program that plays lmutil", f"{of['others']:.3f}", "1", f"{of['others']:.3f}", "-")
    row("memory then, and before", f"{of['memory_now']:.0f} MB", f"{of['memory']:.0f} MB", f"{of['memory_now'] / of['memory']:.2f}", "-")
    row("polls answered, and due, beside one server that hangs", f"{of['polls']}", f"{of['due']:.0f}", f"{of['polls'] / of['due']:.2f}", ">= 0.95")


def books(db):
    """How many sessions a ledger holds, and how long they are together."""
    uri = f"file:{path(db)}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        return connection.execute("select count(*), sum(until_at - from_at) from session").fetchone()


def step_follow():
    """What is written at once into a log that the service follows, beside an import of the same."""
    log = dense()
    imported, _, _ = best(*importing("fresh.db", log), before=lambda: remove("fresh.db"))
    runs = [following.measure(program("seatledger"), path("following"), path(log)) for _ in range(TIMES)]
    seconds, db = min(runs)
    if books(db) != books("fresh.db"):
        raise SystemExit(f"followed {books(db)}, imported {books('fresh.db')}")
    row("200 MB written into a log that is followed: rate beside its import", f"{seconds:.2f} s", f"{imported:.2f} s",
        f"{imported / seconds:.2f}", ">= 0.5")
    shutil.rmtree(path("following"))
    remove("fresh.db")


def step_idle():
    """Twenty logs that nobody writes to, and five license servers that say the same each time."""
    of = polling.measure_quiet(program("seatledger"), path("quiet"), "sqlite:quiet.db")
    row("20 quiet logs followed, 5 license servers polled: cores", f"{of['cores']:.4f}", "1", f"{of['cores']:.4f}", "<= 0.01")


def step_pages():
    """Pages over the ledger of ten million sessions, for a month: computed, and asked again, beside the report call."""
    with pinging.Server(seatledger(ledger(), "serve", "--listen", f"127.0.0.1:{paging.PORT}"), paging.PORT, DATA, "/health"):
        for page, anew, again, call in paging.measure(TIMES * 2 + 1):
            beside, of = (f"{call:.0f} ms", f"{anew / call:.1f}") if call else ("-", "-")
            row(f"`{page}` computed", f"{anew:.0f} ms", beside, of, "<= 100 ms, <= 3")
            row(f"`{page}` asked again", f"{again:.1f} ms", "-", "-", "<= 100 ms")


def each_application(directory):
    """A configuration in which a person has a bucket for each application."""
    name = os.path.join(directory, "seatledger.toml")
    with open(name, "w") as file:
        file.write('[http]\nping.bucket_scope = "person_and_feature"\n')
    return name


def pings(what, bare, ours, bar, persons, anew=False):
    rate, p99 = pinging.compare(bare, ours, TIMES, persons, anew)
    row(what, f"{rate['ours']:.0f} /s", f"{rate['bare']:.0f} /s", f"{rate['ours'] / rate['bare']:.2f}", bar)
    row("99th percentile of the latency at half of that rate", f"{p99['ours']:.1f} ms", f"{p99['bare']:.1f} ms",
        f"{p99['ours'] / p99['bare']:.1f}", "<= 10")


STEPS = ["import", "postgres", "memory", "dsls", "reports", "sql", "month", "rebuild", "pages", "ping", "poll", "follow", "idle"]


def main(chosen):
    unknown = [step for step in chosen if step not in STEPS]
    if unknown:
        raise SystemExit(f"no step `{unknown[0]}`: {' '.join(STEPS)}")
    for step in chosen or STEPS:
        print(f"{step}:", flush=True)
        globals()[f"step_{step}"]()
    print(f"\n{datetime.now():%Y-%m-%d}, best of {TIMES}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| what | Seatledger | beside | ratio | bar |\n|---|---|---|---|---|")
    for columns in ROWS:
        print("| " + " | ".join(columns) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
