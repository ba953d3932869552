"""Files of any size: the same figures as on the screen, made in the background, fetched in parts."""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from orders.exporting import actions
from orders.exporting.actions import running
from orders.exporting.kinds import entries
from orders.ledger import actions as ledger
from orders.ledger.rules import Claim
from shop.core import clock, outbox
from shop.core.audit import SYSTEM
from shop.identity.permissions import Role
from tests.factories.claims import make_trading
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.factories.outlets import make_batch_line, make_outlet
from tests.orders.exporting.shop import FIRST, LAST, SPAN, asked, content, made
from workers.handlers import HANDLERS


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def pages(client, path, **query):
    found, after = [], None
    while True:
        page = client.get(path, params={**query, "limit": 200, **({"after": after} if after else {})}).json()
        found += page["items"]
        after = page["next"]
        if after is None:
            return found


def test_sale_entries_are_those_of_the_list_to_the_fen(monitor):
    export = made(monitor, "entries", **SPAN)
    body = content(monitor, export)
    listed = pages(monitor, "/v1/sale-entries", **SPAN)
    assert body.startswith(b"\xef\xbb\xbf")
    rows = rows_of(body)
    assert {row["Entry"]: row["Amount (yuan)"] for row in rows} == {str(each["id"]): each["amount"] for each in listed}
    assert "Fengjie" in {row["District"] for row in rows}
    assert export["rows_total"] == export["rows_done"] == len(listed) > 100
    assert (export["size"], export["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


def test_a_statistic_is_the_answer_of_the_same_question(monitor):
    question = {**SPAN, "group_by": ["month", "district"], "measure": ["amount", "tonnes", "orders"], "compare": "last_period"}
    extras = {"extra": ["share", "rank"], "sort": "amount", "top": 7}
    export = made(monitor, "sales", "json", **question, **extras)
    rows = json.loads(content(monitor, export))
    answer = monitor.get("/v1/statistics/sales", params={**question, **extras}).json()
    assert [row["amount"] for row in rows] == [row["figures"]["amount"] for row in answer["rows"]]
    assert rows[0]["district_code"] == answer["rows"][0]["keys"]["district"]["code"]
    assert len(rows) == export["rows_total"] == export["rows_done"] == 7
    assert rows[0]["amount_rank"] == 1


def test_an_export_compares_the_same_days_as_the_answer(monitor):
    """Of a period that was not over when its figures were known, the days until then."""
    then = FIRST + timedelta(days=50)
    question = {**SPAN, "group_by": ["month"], "measure": ["amount"], "compare": "last_period"}

    def compare(**asked):
        rows = json.loads(content(monitor, made(monitor, "sales", "json", **question, **asked)))
        answer = monitor.get("/v1/statistics/sales", params={**question, **asked}).json()
        assert answer["period"]["last"] == str(then)
        assert [row["amount_before"] for row in rows] == [row["previous"]["amount"] for row in answer["rows"]]

    compare(known_on=str(then))
    with clock.fixed(clock.start_of_day(then) + timedelta(hours=12)):
        compare()


def test_every_grouping_of_a_statistic_can_be_recomputed_from_the_entries(monitor):
    rows = json.loads(content(monitor, made(monitor, "entries", "json", **SPAN)))
    keys = {"kind": "kind", "product": "product_id", "supplier": "supplier_id", "buyer": "buyer_id", "category": "category"}
    for dimension, column in keys.items():
        sums = Counter()
        for row in rows:
            sums[str(row[column])] += Decimal(row["amount"])
        answer = monitor.get("/v1/statistics/sales", params={**SPAN, "group_by": dimension}).json()
        assert sums == {row["keys"][dimension]["code"]: Decimal(row["figures"]["amount"]) for row in answer["rows"]}, dimension
    assert {row["direction"] for row in rows} == {"purchase"}
    orders = monitor.get("/v1/statistics/sales", params={**SPAN, "measure": "orders"}).json()["totals"]["figures"]["orders"]
    assert len({row["order_id"] for row in rows}) == orders


def test_a_figure_as_it_was_known_on_a_day_is_followed_to_its_lines(monitor, database):
    then = clock.today()
    asked = {**SPAN, "to": str(then + timedelta(days=2)), "known_on": str(then)}
    before = monitor.get("/v1/sale-entries", params={**SPAN, "limit": 1}).json()["items"][0]
    with clock.fixed(clock.now() + timedelta(days=2)):
        with database.unit_of_work() as session:
            back = ledger.reverse(session, SYSTEM, before["id"], reason="退货")
        figure = monitor.get("/v1/statistics/sales", params=asked).json()["totals"]["figures"]["amount"]
        lines = pages(monitor, "/v1/sale-entries", **asked)
        assert sum(Decimal(line["amount"]) for line in lines) == Decimal(figure)
        assert back not in [line["id"] for line in lines]
        assert back in [line["id"] for line in pages(monitor, "/v1/sale-entries", **{**asked, "known_on": asked["to"]})]
        exported = json.loads(content(monitor, made(monitor, "entries", "json", **asked)))
        assert {line["id"] for line in exported} == {line["id"] for line in lines}
        to_come = {**asked, "known_on": str(then + timedelta(days=3))}
        assert monitor.get("/v1/sale-entries", params=to_come).status_code == 422
        for kind in ("entries", "sales"):
            refused = monitor.post("/v1/exports", json={"kind": kind, "parameters": to_come})
            assert refused.json()["errors"][0]["field"].endswith("parameters.known_on")


@pytest.mark.parametrize("format", ["csv", "xlsx", "json", "parquet"])
def test_totals_are_a_row_for_people_only(monitor, format, tmp_path):
    export = made(monitor, "sales", format, **SPAN, group_by=["district"], measure=["amount"])
    answer = monitor.get("/v1/statistics/sales", params={**SPAN, "group_by": "district", "measure": "amount"}).json()
    total, body = Decimal(answer["totals"]["figures"]["amount"]), content(monitor, export)
    assert export["rows_total"] == export["rows_done"] == answer["row_count"]
    match format:
        case "csv":
            *rows, last = csv.reader(io.StringIO(body.decode("utf-8-sig")))
            assert (last[0], Decimal(last[2]), len(rows) - 1) == ("Total", total, answer["row_count"])
        case "xlsx":
            from python_calamine import CalamineWorkbook

            *rows, last = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
            assert (last[0], Decimal(str(last[2])), len(rows) - 1) == ("Total", total, answer["row_count"])
        case "json":
            assert sum(Decimal(row["amount"]) for row in json.loads(body)) == total
        case _:
            import duckdb

            (tmp_path / "a.parquet").write_bytes(body)
            assert duckdb.sql(f"SELECT sum(amount) FROM '{tmp_path}/a.parquet'").fetchall() == [(total,)]


@pytest.mark.parametrize("format", ["csv", "xlsx", "json", "parquet"])
def test_every_format_says_the_same(monitor, format, tmp_path):
    export = made(monitor, "entries", format, **SPAN)
    body = content(monitor, export)
    total = sum(Decimal(each["amount"]) for each in pages(monitor, "/v1/sale-entries", **SPAN))
    match format:
        case "csv":
            found = [Decimal(row["Amount (yuan)"]) for row in rows_of(body)]
        case "json":
            found = [Decimal(row["amount"]) for row in json.loads(body)]
        case "xlsx":
            from python_calamine import CalamineWorkbook

            [sheet] = [sheet.to_python() for sheet in map(CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index, [0])]
            at = sheet[0].index("Amount (yuan)")
            assert isinstance(sheet[1][sheet[0].index("Counted on")], type(FIRST))
            found = [Decimal(str(row[at])) for row in sheet[1:]]
        case _:
            import duckdb

            (tmp_path / "a.parquet").write_bytes(body)
            shown = duckdb.sql(f"SELECT amount, sold_on, certified, recorded_at FROM '{tmp_path}/a.parquet'")
            assert [str(kind) for kind in shown.types] == ["DECIMAL(18,2)", "DATE", "BOOLEAN", "TIMESTAMP WITH TIME ZONE"]
            found = [row[0] for row in shown.fetchall()]
    assert len(found) == export["rows_total"]
    assert sum(found) == total


def test_openapi_names_the_types_of_files(server):
    documented = server.app.openapi()["paths"]["/v1/exports/{export_id}/file"]["get"]["responses"]
    types = {"text/csv", "application/json", "application/vnd.apache.parquet"}
    for status in ("200", "206"):
        assert types < set(documented[status]["content"])


def test_files_for_people_are_in_words_and_those_for_programs_in_codes(monitor, trade):
    coded = (
        "source",
        "direction",
        "kind",
        "origin_kind",
        "unit",
        "category",
        "buyer_kind",
        "fund_source",
        "mode",
        "relation",
        "channel",
        "channel_basis",
    )
    monitor.headers["Accept-Language"] = "zh"
    rows = {row["id"]: row for row in json.loads(content(monitor, made(monitor, "entries", "json", **SPAN)))}
    heads = {name: column.zh for name in coded for column in entries.COLUMNS if column.name == name}
    read = rows_of(content(monitor, made(monitor, "entries", **SPAN)))
    assert len(read) == len(rows)
    for row in read:
        for head in heads.values():
            assert not re.search("[a-z]", row[head]), (head, row[head])
        assert re.fullmatch("[a-z0-9_:]+", rows[int(row["分录编号"])]["channel_basis"])
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(content(monitor, made(monitor, "entries", "xlsx", **SPAN))))
    header, *lines = book.get_sheet_by_index(0).to_python()
    at = {head: header.index(head) for head in heads.values()}
    assert [[line[at[head]] for head in heads.values()] for line in lines] == [
        [row[head] for head in heads.values()] for row in read
    ]
    assert {row["销售渠道"] for row in read} > {"市场销售"}
    monitor.headers["Accept-Language"] = "en"
    english = rows_of(content(monitor, made(monitor, "entries", **SPAN)))
    assert {row["Source"] for row in english} == {"Ordered here"}
    # which code each word stands for is told in a sheet of its own
    [codes] = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names[1:]]
    assert codes[0] == ["列", "代码", "说明"]
    assert ["销售渠道", "market", "市场销售"] in codes
    # figures say of what they are; their codes stand beside their names
    assert made_sheets(monitor, "sales") == ["Sales", "About"]


def made_sheets(monitor, kind):
    from python_calamine import CalamineWorkbook

    return CalamineWorkbook.from_filelike(io.BytesIO(content(monitor, made(monitor, kind, "xlsx", **SPAN)))).sheet_names


def test_sales_of_outlets_can_be_followed_to_outlet_batch_and_line(monitor, trade, database):
    with database.unit_of_work() as session:
        outlet = make_outlet(session, trade.clerk)
        line = make_batch_line(session, outlet, trade.goods[0].made, sold_at=clock.start_of_day(LAST), amount_fen=5_000)
        ledger.book_claims(session, Claim.OUTLET_LINE, [line.id])
        taken = ledger.take_back(session, Claim.OUTLET_LINE, [line.id])
        ledger.release(session, taken)
        told = session.execute(
            text("SELECT b.batch_id, l.line_id FROM sales_batch_line l JOIN sales_batch b ON b.id = l.batch_id WHERE l.id = :id"),
            {"id": line.id},
        ).one()
        expected = (outlet.name, *told)
    monitor.headers["Accept-Language"] = "zh"
    rows = rows_of(content(monitor, made(monitor, "entries", **{**SPAN, "to": str(clock.today())})))
    # the sale, what took it back, and what booked it again
    at_outlet = [row for row in rows if row["网点"]]
    assert [(row["网点"], row["批次号"].strip(), row["销售流水号"].strip()) for row in at_outlet] == [expected] * 3
    assert {(row["批次号"], row["申报单号"]) for row in rows if row["订单号"]} == {("", "")}
    for row in rows:
        assert bool(row["乡镇代码"]) == bool(row["乡镇"])
        assert row["采购单位所在地"]


def test_claims_can_be_found_by_their_number(api, database):
    sale = make_trading(api, database).accepted()
    client = signed_in(api, Role.MONITOR)
    assert [row["Claim"] for row in rows_of(content(client, made(client, "entries")))] == [sale["number"]]


def test_orders_dues_and_payments_are_in_words_too(api, trade, database):
    with database.unit_of_work() as session:
        city = make_user(session, Role.CITY_OFFICER)
    client = api.as_(city)
    client.headers["Accept-Language"] = "zh"
    for row in rows_of(content(client, made(client, "orders"))):
        assert not re.search("[a-z]", row["状态"] + row["经费来源"])


def test_nothing_in_a_file_is_calculated(monitor, trade):
    with monitor.database.unit_of_work() as session:
        session.execute(
            text("UPDATE organisation SET name = '=HYPERLINK(\"http://x\")' WHERE id = :id"), {"id": trade.buyers[0].id}
        )
    body = content(monitor, made(monitor, "entries", **SPAN))
    named = {row["Buyer"] for row in rows_of(body)}
    assert '\'=HYPERLINK("http://x")' in named
    assert not [name for name in named if name.startswith("=")]
    import zipfile

    book = zipfile.ZipFile(io.BytesIO(content(monitor, made(monitor, "entries", "xlsx", **SPAN))))
    assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_a_long_table_goes_on_to_further_sheets(monitor, monkeypatch):
    monkeypatch.setattr("orders.exporting.writers.SHEET_ROWS", 100)
    export = made(monitor, "entries", "xlsx", **SPAN)
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(content(monitor, export)))
    *names, codes = book.sheet_names
    assert codes == "Codes"
    counts = [len(book.get_sheet_by_name(name).to_python()) - 1 for name in names]
    assert len(counts) > 1
    assert counts[:-1] == [100] * (len(counts) - 1)
    assert sum(counts) == export["rows_total"]


def test_too_many_exports_say_which_limit_and_from_when_on(monitor, database):
    path, body = "/v1/exports", {"kind": "entries", "parameters": SPAN}
    first = asked(monitor, "entries", **SPAN)
    for _ in range(2):
        asked(monitor, "entries", **SPAN)
    refused = monitor.post(path, json=body).json()
    assert (refused["code"], refused["data"]) == ("too_many_exports", {"limit": 3})
    with database.unit_of_work() as session:
        session.execute(text("UPDATE export SET status = 'cancelled'"))
        copied = "user_id, kind, parameters, format, language, status"
        session.execute(
            text(
                f"INSERT INTO export ({copied}, requested_at) SELECT {copied}, requested_at + interval '1 hour' FROM export, generate_series(1, 47)"
                " WHERE id = :id"
            ),
            {"id": first["id"]},
        )
        session.execute(text("UPDATE export SET requested_at = requested_at - interval '20 hours'"))
    answer = monitor.post(path, json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]["limit"]) == (409, "too_many_exports_a_day", 50)
    assert 0 < int(answer.headers["retry-after"]) <= 4 * 3600
    assert answer.json()["data"]["again_at"] in answer.json()["title"]


def test_a_fault_is_named_as_it_stands_in_the_body(monitor):
    """Where ``kind`` says which form a body has, the form is no field of it."""
    parameters = {"group_by": ["nonsense"], "measure": ["amount"], "odd": 1}
    schedule = {"title": "日报", "period": "yesterday", "rhythm": "daily", "hour": 8, "way": "email"}
    for path, body, before in (
        ("/v1/exports", {"kind": "sales", "parameters": parameters}, ""),
        ("/v1/export-schedules", {**schedule, "export": {"kind": "sales", "parameters": parameters}}, "export."),
    ):
        refused = monitor.post(path, json=body)
        assert refused.status_code == 422
        fields = {fault["field"] for fault in refused.json()["errors"]}
        assert fields == {f"{before}parameters.group_by[0]", f"{before}parameters.odd"}


def test_an_interrupted_download_goes_on_where_it_stopped(monitor):
    export = made(monitor, "entries", **SPAN)
    path, whole = export["file"], content(monitor, export)
    first = monitor.get(path, headers={"Range": "bytes=0-999"})
    assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-999/{len(whole)}")
    etag = first.headers["etag"]
    rest = monitor.get(path, headers={"Range": "bytes=1000-", "If-Range": etag})
    assert rest.status_code == 206
    assert first.content + rest.content == whole
    assert monitor.get(path, headers={"Range": "bytes=-10"}).content == whole[-10:]
    other = monitor.get(path, headers={"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole)
    beyond = monitor.get(path, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "no_such_range")
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
    head = monitor.head(path, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.headers["etag"], head.headers["content-length"]) == (200, etag, str(len(whole)))
    assert monitor.head("/v1/exports").headers["allow"] == "GET, POST"
    assert monitor.post(path).headers["allow"] == "GET, HEAD"
    for odd in ("bytes=5-1", "lines=1-2", "bytes=0-1,5-6", "bytes=" + "9" * 5000 + "-", "bytes=-"):
        assert monitor.get(path, headers={"Range": odd}).content == whole


def test_an_export_is_its_askers_and_nobody_elses(monitor, api):
    export = made(monitor, "entries", **SPAN)
    other = signed_in(api, Role.MONITOR)
    for path in (f"/v1/exports/{export['id']}", export["file"]):
        assert other.get(path).status_code == 404
    assert other.get("/v1/exports").json()["items"] == []
    assert [each["id"] for each in monitor.get("/v1/exports").json()["items"]] == [export["id"]]


def test_rights_are_those_at_the_time_of_running(api, trade):
    with api.database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR, region_code="500236")
    county = api.as_(user)
    export = asked(county, "entries", **SPAN)
    with api.database.unit_of_work() as session:
        session.execute(text("UPDATE user_role SET region_code = '500240' WHERE user_id = :id"), {"id": user.id})
    outbox.drain(api.database, HANDLERS)
    export = county.get(f"/v1/exports/{export['id']}").json()
    assert {row["District code"] for row in rows_of(content(county, export))} == {"500240"}


def test_rights_are_those_at_the_time_of_downloading_too(api, trade):
    with api.database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
    client = api.as_(user)
    export = made(client, "entries", **SPAN)
    with api.database.unit_of_work() as session:
        session.execute(text("UPDATE user_role SET region_code = '500240' WHERE user_id = :id"), {"id": user.id})
    refused = client.get(export["file"])
    assert (refused.status_code, refused.json()["code"]) == (403, "rights_changed")
    with api.database.unit_of_work() as session:
        session.execute(text("UPDATE user_role SET region_code = '500000' WHERE user_id = :id"), {"id": user.id})
    assert client.get(export["file"]).status_code == 200


def test_who_lost_the_permission_meanwhile_gets_a_reason_and_no_file(api, trade):
    with api.database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
    client = api.as_(user)
    export = asked(client, "certified")
    with api.database.unit_of_work() as session:
        session.execute(text("UPDATE user_role SET role = 'platform_finance' WHERE user_id = :id"), {"id": user.id})
    outbox.drain(api.database, HANDLERS)
    export = client.get(f"/v1/exports/{export['id']}").json()
    assert (export["status"], export["fault"]["code"], export["file"]) == ("failed", "forbidden", None)
    assert client.get(f"/v1/exports/{export['id']}/file").json()["code"] == "export_not_ready"
    told = client.get("/v1/notifications").json()["items"]
    assert [each["kind"] for each in told] == ["export.failed"]


def test_a_kind_that_there_is_not_is_named(monitor):
    for body, code in (({"kind": "bread"}, "union_tag_invalid"), ({}, "union_tag_not_found")):
        answer = monitor.post("/v1/exports", json=body)
        assert answer.status_code == 422
        assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [("kind", code)]


def test_a_kind_takes_its_own_permission(api, trade):
    monitor = signed_in(api, Role.MONITOR)
    for kind in ("orders", "dues", "payments"):
        answer = monitor.post("/v1/exports", json={"kind": kind})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.slow
def test_every_kind_is_made(api, trade):
    with api.database.unit_of_work() as session:
        clerk = make_user(session, Role.BUYER_ADMIN, trade.buyers[0])
    buyer, monitor = api.as_(clerk), signed_in(api, Role.MONITOR)
    for client, kinds in ((buyer, ("orders", "dues", "payments", "ties", "entries", "sales")), (monitor, ("certified", "ties"))):
        for kind in kinds:
            for format in ("xlsx", "parquet"):
                assert made(client, kind, format)["name"].endswith(format)
                with api.database.unit_of_work() as session:
                    session.execute(text("UPDATE export SET requested_at = requested_at - interval '2 days'"))
    orders = json.loads(content(buyer, made(buyer, "orders", "json")))
    with api.database.unit_of_work() as session:
        mine = (
            "SELECT count(*) FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id WHERE po.buyer_id = :id"
        )
        assert len(orders) == session.execute(text(mine), {"id": trade.buyers[0].id}).scalar_one() > 0
    assert {row["buyer_name"] for row in orders} == {trade.buyers[0].name}


def test_no_more_than_so_many_at_once_also_of_requests_that_come_together(monitor):
    from tests.factories.racing import at_once

    answers = at_once([lambda: monitor.post("/v1/exports", json={"kind": "sales"}).status_code] * 8)
    assert sorted(answers) == [202] * 3 + [409] * 5
    outbox.drain(monitor.database, HANDLERS)
    assert monitor.post("/v1/exports", json={"kind": "sales"}).status_code == 202


def test_a_cancelled_export_is_not_made(monitor):
    export = asked(monitor, "entries", **SPAN)
    cancelled = monitor.post(f"/v1/exports/{export['id']}/cancel").json()
    assert cancelled["status"] == "cancelled"
    outbox.drain(monitor.database, HANDLERS)
    assert monitor.get(f"/v1/exports/{export['id']}").json()["status"] == "cancelled"
    again = monitor.post(f"/v1/exports/{export['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")


def test_progress_is_seen_while_it_runs_and_cancelling_stops_it(monitor, monkeypatch, files):
    monkeypatch.setattr("orders.exporting.table.AT_ONCE", 50)
    monkeypatch.setattr(running, "TOLD_EVERY", 0)
    export, seen = asked(monitor, "entries", **SPAN), []
    told = running._tell

    def watching(*arguments):
        told(*arguments)
        shown = monitor.get(f"/v1/exports/{export['id']}").json()
        seen.append((shown["status"], shown["rows_done"], shown["rows_total"]))
        if len(seen) == 3:
            monitor.post(f"/v1/exports/{export['id']}/cancel")

    monkeypatch.setattr(running, "_tell", watching)
    outbox.drain(monitor.database, HANDLERS)
    assert [(status, done) for status, done, _ in seen] == [("running", 0), ("running", 50), ("running", 100)]
    assert seen[0][2] > 100
    assert monitor.get(f"/v1/exports/{export['id']}").json()["status"] == "cancelled"
    assert [path for path in files.rglob("*") if path.is_file()] == []


def test_a_file_is_of_one_moment(monitor, trade, monkeypatch):
    """A sale that is booked while the file is written is not in it."""
    from tests.factories.ledger import sell

    told, before = running._tell, len(pages(monitor, "/v1/sale-entries", **SPAN))

    def selling(engine, run_of, total, done):
        if done == 0:
            with monitor.database.unit_of_work() as session:
                sell(session, trade, 5, first=FIRST, last=LAST, seed=9)
        told(engine, run_of, total, done)

    monkeypatch.setattr(running, "_tell", selling)
    export = made(monitor, "entries", **SPAN)
    assert export["rows_total"] == len(rows_of(content(monitor, export))) == before
    assert len(pages(monitor, "/v1/sale-entries", **SPAN)) > before


@pytest.mark.parametrize(
    ("kind", "format", "field"),
    [("entries", "csv", "parameters.from"), ("entries", "xlsx", "format"), ("sales", "csv", "parameters.group_by")],
)
def test_too_long_a_table_says_so_and_what_to_change(monitor, monkeypatch, kind, format, field):
    monkeypatch.setattr("orders.exporting.actions.running.MOST_ROWS", dict.fromkeys(["csv", "xlsx"], 10))
    monkeypatch.setattr("orders.statistics.queries.MAX_ROWS", 1)
    by = {"group_by": ["month"]} if kind == "sales" else {}
    export = asked(monitor, kind, format, **SPAN, **by)
    outbox.drain(monitor.database, HANDLERS)
    shown = monitor.get(f"/v1/exports/{export['id']}").json()
    assert (shown["status"], shown["fault"]["code"], shown["fault"]["field"]) == ("failed", "too_many_rows", field)


def test_beside_a_period_that_has_not_begun_stands_nothing(monitor):
    days = {"from": str(clock.today() + timedelta(days=1)), "to": str(clock.today() + timedelta(days=9))}
    export = asked(monitor, "sales", **days, compare="last_year")
    outbox.drain(monitor.database, HANDLERS)
    fault = monitor.get(f"/v1/exports/{export['id']}").json()["fault"]
    assert (fault["code"], fault["field"]) == ("nothing_to_compare", "parameters.compare")
    assert fault["message"] != fault["code"]


def test_what_goes_wrong_inside_is_told_without_its_insides(monitor, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr("orders.exporting.actions.running.writer", broken)
    export = asked(monitor, "entries", "xlsx", **SPAN)
    outbox.drain(monitor.database, HANDLERS)
    shown = monitor.get(f"/v1/exports/{export['id']}").json()
    assert (shown["status"], shown["fault"]["code"]) == ("failed", "internal")
    assert "secret" not in str(shown)


@pytest.mark.parametrize(("kind", "where"), [("entries", "rows"), ("entries", "statement"), ("sales", "statement")])
def test_what_takes_too_long_says_so_wherever_its_time_ends(monitor, monkeypatch, kind, where):
    monkeypatch.setattr(running, "LONGEST", 0)
    if where == "statement":
        monkeypatch.setattr("orders.exporting.table.LONGEST", 0.001)
    export = asked(monitor, kind, **SPAN)
    outbox.drain(monitor.database, HANDLERS)
    shown = monitor.get(f"/v1/exports/{export['id']}").json()
    assert (shown["status"], shown["fault"]["code"]) == ("failed", "took_too_long")


def test_a_worker_that_was_thought_dead_leaves_the_file_of_the_other_alone(monitor, monkeypatch, files):
    export, put, others = asked(monitor, "entries", **SPAN), running.storage.put_file, []

    def overtaken(key, path):
        if not others:
            others.append(key)
            with monitor.database.unit_of_work() as session:
                actions.run(session, export["id"])
        return put(key, path)

    monkeypatch.setattr(running.storage, "put_file", overtaken)
    outbox.drain(monitor.database, HANDLERS)
    shown = monitor.get(f"/v1/exports/{export['id']}").json()
    assert shown["status"] == "done"
    assert hashlib.sha256(content(monitor, shown)).hexdigest() == shown["sha256"]
    assert len([path for path in files.rglob("*") if path.is_file()]) == 1


def test_files_go_when_their_time_is_over(monitor, files):
    export = made(monitor, "entries", **SPAN)
    later = clock.now() + timedelta(days=8)
    with clock.fixed(later):
        assert monitor.get(export["file"]).json()["code"] == "export_expired"
        # though nobody has swept it yet
        shown = monitor.get(f"/v1/exports/{export['id']}").json()
        assert (shown["status"], shown["file"]) == ("expired", None)
        assert [each["id"] for each in monitor.get("/v1/exports?status=expired").json()["items"]] == [export["id"]]
        assert monitor.get("/v1/exports?status=done").json()["items"] == []
        with monitor.database.unit_of_work() as session:
            assert actions.expire(session) == 1
        with monitor.database.unit_of_work() as session:
            assert actions.expire(session) == 0
    assert [path for path in files.rglob("*") if path.is_file()] == []
    assert monitor.get(f"/v1/exports/{export['id']}").json()["status"] == "expired"


def test_an_unknown_parameter_is_refused(monitor):
    answer = monitor.post("/v1/exports", json={"kind": "entries", "parameters": {"districts": ["500236"]}})
    assert answer.status_code == 422
    answer = monitor.post("/v1/exports", json={"kind": "sales", "parameters": {"sort": "buyers"}})
    assert answer.status_code == 422
    assert monitor.post("/v1/exports", json={"kind": "everything"}).status_code == 422
    answer = monitor.post("/v1/exports", json={"kind": "certified", "parameters": {"since": "2026-01-01"}})
    assert answer.status_code == 422, "the stock is that of one day"


def test_small_numbers_of_households_are_for_those_who_may_read_the_lists(api, database):
    with database.unit_of_work() as session:
        from tests.factories.catalog import make_product
        from tests.factories.identity import make_supplier

        for district, category, households in (
            ("500236", "fruit", 3),
            ("500236", "tea", 45),
            ("500240", "fruit", 36),
            ("500240", "tea", 24),
        ):
            made_product = make_product(session, make_supplier(session, district), category=category, district_code=district)
            session.execute(
                text("UPDATE certificate SET households = :n, persons = 2 * :n WHERE id = :id"),
                {"n": households, "id": made_product.certificate_id},
            )
    monitor, city = signed_in(api, Role.MONITOR), signed_in(api, Role.CITY_OFFICER)

    def counts(client):
        rows = json.loads(content(client, made(client, "certified", "json")))
        return {(row["county"], row["category"]): (row["households"], row["persons"]) for row in rows}

    assert counts(city)[("500236", "fruit")] == (3, 6)
    hidden = counts(monitor)
    assert hidden[("500236", "fruit")] == (None, None)
    assert len(hidden) == 4  # nothing that is a sum of others
    # neither by the county nor by the category can it be worked out
    for beside in (("500236", "tea"), ("500240", "fruit")):
        assert hidden[beside] == (None, None)
    told = made(monitor, "certified", "csv")
    by_place = {(row["County"], row["Category"]): row["Households"] for row in rows_of(content(monitor, told))}
    assert (by_place["Total", "Total"], told["rows_total"], len(by_place)) == ("108", 4, 4 + 2 + 2 + 1)


def test_somebody_of_no_organisation_or_region_has_nothing_to_export(api, database):
    with database.unit_of_work() as session:
        user = make_user(session, Role.VIEWER, make_organisation(session, kind="school", role="school"))
    export = made(api.as_(user), "entries")
    assert export["rows_total"] == 0
