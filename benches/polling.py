"""License servers polled at once, and sources that are quiet: what the service costs. See benches/README.md."""

import os
import re
import shutil
import subprocess
import time
import urllib.request

SERVERS = int(os.environ.get("SERVERS", "200"))
FEATURES = 100
HOLDERS = 100
INTERVAL = 30
MINUTES = float(os.environ.get("MINUTES", "1"))
# The first answers are all new, and no part of the rest: so long they are waited for, then one interval more.
PATIENCE = 60
QUIET_SECONDS = 30
PORT = 18089
HERE = os.path.dirname(os.path.abspath(__file__))


def answer(server, nth, began):
    """What lmstat prints of a server: each feature with a holder, a tenth of whom came since the answer before it."""
    stamp = lambda at: time.strftime("%a ", time.gmtime(at)) + time.strftime("%m/%d %H:%M", time.gmtime(at)).replace("/0", "/").lstrip("0")
    out = ["lmutil - Copyright (c) 1989-2018 Flexera. All Rights Reserved.",
           f"Flexible License Manager status on {stamp(began + nth * INTERVAL)}", "",
           f"License server status: 27000@lic{server}", f"lic{server}: license server UP (MASTER) v11.16",
           f"Vendor daemon status (on lic{server}):", f"     vend{server}: UP v11.16", "Feature usage info:", ""]
    for feature in range(FEATURES):
        out += [f"Users of f{server}_{feature}:  (Total of 20 licenses issued;  Total of {HOLDERS // FEATURES} licenses in use)", "",
                f"  \"f{server}_{feature}\" v1.0, vendor: vend{server}, expiry: 31-dec-2030", "  floating license", ""]
        for holder in range(HOLDERS // FEATURES):
            # Those who stay came within the last ten hours.
            stays = feature % 10 != 0
            user, since = (feature, began - feature * 360) if stays else (feature + 1000 * nth, began + nth * INTERVAL)
            out.append(f"    user{user} host{user} /dev/tty (v1.0) (lic{server}/27000 {100 + user}), start {stamp(since)}")
        out.append("")
    out += ["NOTE: lmstat -i does not give information from the server,", "      but only reads the license file.", "",
            "Feature                         Version     #licenses    Vendor        Expires",
            "_______                         _________   _________    ______        _______"]
    out += [f"f{server}_{feature}   1.0   20   vend{server}   31-dec-2030" for feature in range(FEATURES)]
    return "\n".join(out) + "\n"


def source(server, line, interval):
    return (f'[[source]]\nkind = "poll"\nformat = "lmstat"\nserver = "27000@lic{server}"\n'
            f'command = ["/bin/sh", "-c", "{line}"]\ninterval = {interval}\n')


def prepare(place):
    """A directory with the answers, the program and the configuration; one more server hangs."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    began = int(time.time())
    answers = int((PATIENCE + INTERVAL + MINUTES * 60) / INTERVAL) + 2
    for server in range(SERVERS):
        for nth in range(answers):
            with open(f"{place}/{server}.{nth}", "w") as file:
                file.write(answer(server, nth, began))
    with open(f"{place}/seatledger.toml", "w") as config:
        config.write('timezone = "UTC"\n')
        for server in range(SERVERS):
            # Each answer for a while, without a process more than cat and date.
            config.write(source(server, f"n=$(( ($(date +%s) - {began}) / {INTERVAL} )); exec cat {place}/{server}.$n", INTERVAL))
        config.write('[[source]]\nkind = "poll"\nname = "hangs"\nformat = "lmstat"\nserver = "27000@hangs"\n'
                     f'command = ["sleep", "1000"]\ninterval = {INTERVAL}\n')


def prepare_quiet(place):
    """Twenty logs that nobody writes to, and five license servers that say the same each time."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    with open(f"{place}/seatledger.toml", "w") as config:
        config.write('timezone = "UTC"\n')
        for log in range(20):
            with open(f"{place}/debug{log}.log", "w") as file:
                file.write(f"10:00:00 (lmgrd) FlexNet Licensing (v11.16.2.0) started on quiet{log} (linux) (11/20/2026)\n"
                           f'10:17:20 (acmed) OUT: "solver" user{log}@host{log}\n')
            config.write(f'[[source]]\nkind = "follow"\npath = "{place}/debug{log}.log"\n')
        for server in range(5):
            with open(f"{place}/{server}.0", "w") as file:
                file.write(answer(server, 0, int(time.time())))
            config.write(source(server, f"exec cat {place}/{server}.0", INTERVAL))


def used(process):
    """CPU seconds of the service itself, of the programs that it ran, and its memory in MB."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{process}/status") as file:
        memory = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024
    tick = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / tick, (int(fields[13]) + int(fields[14])) / tick, memory


def answered():
    try:
        text = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics").read().decode()
    except OSError:
        return 0
    return sum(int(number) for number in re.findall(r'seatledger_source_polls\{.*outcome="answered"\} (\d+)', text))


def run(program, place, db, polled, settle, seconds):
    """Runs the service; what it used in so many seconds, after each of so many servers has answered."""
    service = subprocess.Popen([program, "--db", db, "serve", "--listen", f"127.0.0.1:{PORT}"], cwd=place,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.time() + PATIENCE
        while answered() < polled:
            if time.time() > until or service.poll() is not None:
                raise SystemExit(f"of {polled} servers {answered()} answered within {PATIENCE} s")
            time.sleep(1)
        time.sleep(settle)
        began, (cpu, others, memory), polls = time.time(), used(service.pid), answered()
        time.sleep(seconds)
        took, (cpu_now, others_now, memory_now), polls_now = time.time() - began, used(service.pid), answered()
    finally:
        service.terminate()
        service.wait()
    return {"cores": (cpu_now - cpu) / took, "others": (others_now - others) / took, "memory": memory,
            "memory_now": memory_now, "polls": polls_now - polls, "due": polled * took / INTERVAL}


def measure(program, place, db):
    """License servers whose holders change."""
    prepare(place)
    return run(program, place, db, SERVERS, INTERVAL, MINUTES * 60)


def measure_quiet(program, place, db):
    """Sources at which nothing happens."""
    prepare_quiet(place)
    return run(program, place, db, 5, 5, QUIET_SECONDS)


if __name__ == "__main__":
    import sys
    for what in [measure, measure_quiet]:
        name = what.__name__
        place = os.path.join(HERE, "data", name)
        of = what(os.path.abspath(sys.argv[1]), place, sys.argv[2] if len(sys.argv) > 2 else "sqlite:polls.db")
        print(f"{name}: {100 * of['cores']:.2f} % of a core, its programs {100 * of['others']:.1f} %; "
              f"{of['memory']:.0f} MB, then {of['memory_now']:.0f} MB; {of['polls']} polls of {of['due']:.0f}", flush=True)
