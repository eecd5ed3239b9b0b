"""Pages of the dashboard over the ledger of ten million sessions, beside the report call that they show. See benches/README.md."""

import statistics
import time
import urllib.request
from datetime import date, timedelta

PORT = 18090
DAYS = 30
# The ledger ends a month later.
LAST = date(2024, 12, 1)
# What the page of a feature shows, each as large as the others.
OF_A_FEATURE = ["utilization?", "concurrency?", "usage?by=person&", "usage?by=version&", "heatmap?", "levels?", "seats-needed?", "denials?"]
# A page, and the report call of which it shows most.
PAGES = [
    ("/?", []),
    ("/features?", ["reports/utilization?"]),
    ("/feature?code=cfd_gui&", [f"reports/{report}feature=cfd_gui&" for report in OF_A_FEATURE]),
    ("/denials?", ["reports/denials?"]),
    ("/overnight?", ["reports/overnight?"]),
    ("/people?", ["reports/usage?by=person&"]),
    ("/servers?", ["reports/coverage?"]),
    ("/history?", []),
    ("/sessions?", []),
    ("/reports/usage?", ["reports/usage?"]),
    ("/alerts?", []),
]


def milliseconds(path):
    accept = "application/json" if path.startswith("/api") else "text/html"
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", headers={"accept": accept, "accept-encoding": "gzip"})
    began = time.perf_counter()
    urllib.request.urlopen(request, timeout=120).read()
    return (time.perf_counter() - began) * 1000


def periods(times):
    """As many months, no two the same: what was computed for one does not serve another."""
    for nth in range(times):
        until = LAST - timedelta(days=nth)
        yield f"from={until - timedelta(days=DAYS)}&until={until}"


def measure(times):
    """By page: milliseconds computed anew, asked again at once, and of the report calls."""
    for page, reports in PAGES:
        milliseconds(page + f"from={LAST - timedelta(days=400)}&until={LAST - timedelta(days=370)}")
        anew, again, call = [], [], []
        for period in periods(times):
            anew.append(milliseconds(page + period))
            again.append(milliseconds(page + period))
            if reports:
                call.append(sum(milliseconds("/api/v1/" + report + period) for report in reports))
        yield page.rstrip("?&"), statistics.median(anew), statistics.median(again), statistics.median(call) if call else None
