"""Pings beside a bare handler: requests per second and the 99th percentile of their latency. See benches/README.md."""

import os
import re
import shutil
import subprocess
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = int(os.environ.get("SECONDS_EACH", "8"))
CONNECTIONS = 64


class Server:
    """A program that serves on a port until the block ends."""

    def __init__(self, command, port, cwd, alive="/ping?username=a&domainname=b&appcode=1"):
        self.process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = port
        self.alive = alive

    def __enter__(self):
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.alive}").close()
                return self
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def load(self, salt, persons=0, rate=None, app=None):
        """Requests per second, and the 99th percentile in milliseconds. At a rate, connections wait between requests."""
        pause = 0 if rate is None else max(1000 * CONNECTIONS / rate, 0.5)
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", os.path.join(HERE, "pings.lua"),
                   f"http://127.0.0.1:{self.port}", "--", salt, str(persons), str(pause)]
        command += [] if app is None else [str(app)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        requests, duration, p99, bad = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", said).groups())
        if bad:
            raise SystemExit(f"{bad} of {requests} pings were not answered well:\n{said}")
        return requests / (duration / 1e6), p99 / 1000


def needs():
    if shutil.which("wrk") is None:
        raise SystemExit("the step ping needs wrk (apt-get install wrk)")


def compare(bare, ours, times, persons=0, anew=False):
    """The best of some runs of each side, in turn, and the latencies of both at half of our rate. `anew`: known persons whose
    pings are each the first of a bucket, because each is of an application that they have not used in it."""
    rates = {"bare": [], "ours": []}
    runs = iter(range(1000))
    app = lambda: 1000 * (1 + next(runs)) if anew else None
    for nth in range(times):
        for name, server in [("bare", bare), ("ours", ours)]:
            if persons:
                server.load(f"w{nth}", persons, app=app())
            rates[name].append(server.load(f"{name}{nth}", persons, app=app())[0])
    best = {name: max(measured) for name, measured in rates.items()}
    half = best["ours"] / 2
    p99 = {name: min(server.load(f"{name}h{nth}", persons, half, app())[1] for nth in range(times))
           for name, server in [("bare", bare), ("ours", ours)]}
    return best, p99
