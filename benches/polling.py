"""License servers polled at once: what the service costs while a program plays lmutil. See benches/README.md."""

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
MINUTES = float(os.environ.get("MINUTES", "3"))
# A tenth of the holders change from answer to answer; the program goes through so many answers.
ANSWERS = 6
PORT = 18089
HERE = os.path.dirname(os.path.abspath(__file__))


def answer(server, nth):
    """What lmstat prints of a server: each feature with a holder, a tenth of whom are others in each answer."""
    out = ["lmutil - Copyright (c) 1989-2018 Flexera. All Rights Reserved.",
           "Flexible License Manager status on Mon 3/3/2025 09:00", "",
           f"License server status: 27000@lic{server}", f"lic{server}: license server UP (MASTER) v11.16",
           f"Vendor daemon status (on lic{server}):", f"     vend{server}: UP v11.16", "Feature usage info:", ""]
    for feature in range(FEATURES):
        out += [f"Users of f{server}_{feature}:  (Total of 20 licenses issued;  Total of {HOLDERS // FEATURES} licenses in use)", "",
                f"  \"f{server}_{feature}\" v1.0, vendor: vend{server}, expiry: 31-dec-2030", "  floating license", ""]
        for holder in range(HOLDERS // FEATURES):
            user = feature if feature % 10 else feature + 1000 * nth
            out.append(f"    user{user} host{user} /dev/tty (v1.0) (lic{server}/27000 {100 + user}), start Sat 1/4 8:00")
        out.append("")
    out += ["NOTE: lmstat -i does not give information from the server,", "      but only reads the license file.", "",
            "Feature                         Version     #licenses    Vendor        Expires",
            "_______                         _________   _________    ______        _______"]
    out += [f"f{server}_{feature}   1.0   20   vend{server}   31-dec-2030" for feature in range(FEATURES)]
    return "\n".join(out) + "\n"


def prepare(place, interval=INTERVAL):
    """A directory with the answers, the program and the configuration; one more server hangs."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    for server in range(SERVERS):
        for nth in range(ANSWERS):
            with open(f"{place}/{server}.{nth}", "w") as file:
                file.write(answer(server, nth))
    with open(f"{place}/seatledger.toml", "w") as config:
        config.write('timezone = "UTC"\n')
        for server in range(SERVERS):
            # Each answer for a while, without a process more than cat.
            line = f"exec cat {place}/{server}.$(( $(date +%s) / {interval} % {ANSWERS} ))"
            config.write(f'[[source]]\nkind = "poll"\nformat = "lmstat"\nserver = "27000@lic{server}"\n'
                         f'command = ["/bin/sh", "-c", "{line}"]\ninterval = {interval}\n')
        config.write('[[source]]\nkind = "poll"\nname = "hangs"\nformat = "lmstat"\nserver = "27000@hangs"\n'
                     f'command = ["sleep", "1000"]\ninterval = {interval}\n')


def used(process):
    """CPU seconds of the service itself, without the programs that it ran, and its memory in MB."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{process}/status") as file:
        memory = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), memory


def answered():
    text = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics").read().decode()
    return sum(int(number) for number in re.findall(r'seatledger_source_polls\{.*outcome="answered"\} (\d+)', text))


def answered_or_none():
    try:
        return answered()
    except OSError:
        return 0


def measure(program, place, db):
    """Cores used by the service, its memory in MB at the beginning and the end, polls, and how many there should be."""
    prepare(place)
    service = subprocess.Popen([program, "--db", db, "serve", "--listen", f"127.0.0.1:{PORT}"], cwd=place,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # The first answers are all new: they are no part of the rest.
        while answered_or_none() < SERVERS:
            time.sleep(1)
        time.sleep(INTERVAL)
        began, (cpu, memory), polls = time.time(), used(service.pid), answered()
        time.sleep(MINUTES * 60)
        took, (cpu_now, memory_now), polls_now = time.time() - began, used(service.pid), answered()
    finally:
        service.terminate()
        service.wait()
    return (cpu_now - cpu) / took, memory, memory_now, polls_now - polls, SERVERS * took / INTERVAL


if __name__ == "__main__":
    import sys
    cores, memory, memory_now, polls, due = measure(os.path.abspath(sys.argv[1]), os.path.join(HERE, "data", "polling"), "sqlite:polls.db")
    print(f"{100 * cores:.1f} % of a core; {memory:.0f} MB, then {memory_now:.0f} MB; {polls} polls of {due:.0f}")
