"""A log that grows as fast as a disk takes it, followed by the service. See benches/README.md."""

import os
import re
import shutil
import time
import urllib.request

from pinging import Server

# Not asked more often: each answer costs the service something, too.
EVERY = 0.1
PATIENCE = 120
PORT = 18090
BLOCK = 1 << 20


def blocks(log):
    with open(log, "rb") as source:
        yield from iter(lambda: source.read(BLOCK), b"")


def lines_taken():
    text = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics").read().decode()
    return sum(int(number) for number in re.findall(r"seatledger_source_lines\{.*\} (\d+)", text))


def measure(program, place, log):
    """Seconds from the first byte written into a followed file to its last line committed, and the ledger."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    followed, db = os.path.join(place, "debug.log"), os.path.join(place, "followed.db")
    open(followed, "w").close()
    with open(f"{place}/seatledger.toml", "w") as config:
        config.write(f'timezone = "UTC"\n[[source]]\nkind = "follow"\npath = "{followed}"\n')
    lines = sum(block.count(b"\n") for block in blocks(log))
    with Server([program, "--db", db, "serve", "--listen", f"127.0.0.1:{PORT}"], PORT, place, "/metrics"):
        began = time.perf_counter()
        with open(followed, "ab", buffering=0) as to:
            for block in blocks(log):
                to.write(block)
            os.fsync(to.fileno())
        while lines_taken() < lines:
            if time.perf_counter() - began > PATIENCE:
                raise SystemExit(f"of {lines} lines {lines_taken()} are read after {PATIENCE} s")
            time.sleep(EVERY)
        return time.perf_counter() - began, db
