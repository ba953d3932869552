"""1,000 rows, and probes."""
import time, cProfile, pstats, os
from tests.catalog.certification.test_drafting import line, send, counts
from tests.catalog.households.test_households import person, bring, upload
from catalog.certification import sheets
from shop.core import exports
import pytest
from catalog.certification.actions import drafting
from shop.identity.actor import Actor

def test_measure(office, monkeypatch):
    rows = [line(f"产品{n}") for n in range(1000)]
    orig = drafting.draft
    def prof(*a, **k):
        p = cProfile.Profile()
        s = time.monotonic()
        try:
            return p.runcall(orig, *a, **k) if os.environ.get("PROF") else orig(*a, **k)
        finally:
            print("inside", time.monotonic() - s)
            if os.environ.get("PROF"):
                pstats.Stats(p).sort_stats("cumulative").print_stats(45)
    monkeypatch.setattr(drafting, "draft", prof)
    for data in ({"dry_run": "true"}, {}):
        s = time.monotonic()
        a = send(office, rows, kind="xlsx", **data)
        print("DRAFTS", data, a.status_code, round(time.monotonic() - s, 2), len(a.content))
        if os.environ.get("PROF"): break
    print(counts(office))
    bad = [line(f"坏{n}", category="石头", price="-1", unit="斗", comparable_price_on="昨天") for n in range(1000)]
    s = time.monotonic(); a = send(office, bad); print("FAULTS", a.status_code, round(time.monotonic() - s, 2), len(a.json()["errors"]), a.json()["title"] if "title" in a.json() else "")
    s = time.monotonic(); a = send(office, rows); print("CASE_OPEN", a.status_code, round(time.monotonic() - s, 2), len(a.json()["errors"]))
