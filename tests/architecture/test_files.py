"""Every table that can be had as a workbook speaks one language: the names of its sheets, and its headings."""

import importlib
import io
import pkgutil
import re
import zipfile

import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import select

from orders.exporting import kinds
from orders.exporting.table import Column
from shop.app import domain_routes
from shop.core import exports
from shop.identity.models import User
from tests.architecture.test_owner_matrix import filled
from tests.factories.world import make_world

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def headings(content):
    """The names of the sheets, and the cells of their frozen rows' last."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.read(f"xl/worksheets/sheet{number}.xml") for number in range(1, len(book.sheet_names) + 1)]
    for name, part in zip(book.sheet_names, parts, strict=True):
        yield name
        frozen = re.search(rb'ySplit="(\d+)"', part)
        rows = book.get_sheet_by_name(name).to_python()
        if frozen and len(rows) >= int(frozen[1]):
            yield from (str(cell) for cell in rows[int(frozen[1]) - 1] if cell != "")


#: Forms that are filled in here, and lists that a bank takes: in Chinese, whatever language somebody reads.
FORMS = {
    "/v1/certification-cases/spreadsheet-template",
    "/v1/household-list-template",
    "/v1/order-imports/template",
    "/v1/outlets/template",
    "/v1/outlet-goods/template",
    "/v1/sales-batches/template",
    "/v1/indicators/template",
    "/v1/coverage/villages/template",
    "/v1/external-sales/template",
    "/v1/payout-files/{payout_file_id}/content",
    # with the headings of the list that somebody sent
    "/v1/order-imports/{import_id}/result.xlsx",
}
#: Of what the world has none; most have headings of their own in their tests.
NOT_THERE = {
    "/v1/catalogue-batches/{batch_id}/export",
    "/v1/quotation-requests/{request_id}/comparison/export",
    "/v1/refund-files/{file_id}/file",
    "/v1/supplier-orders/{supplier_order_id}/vouchers",
    "/v1/promotions/{promotion_id}/effect",
    "/v1/exports/{export_id}/file",
    # in both languages, from one frozen content
    "/v1/bulletins/{bulletin_id}/files/{format}",
    "/v1/public/bulletins/{number}/files/{format}",
    # the file that somebody sent, and the same as a workbook, of which that is looked at
    "/v1/order-imports/{import_id}/result.csv",
    "/v1/order-imports/{import_id}/file",
}
QUERIES = {"/v1/money/entries": {"account": "bank"}}
#: What is no word: a number of a paper, a unit, or what is called so in Chinese, too.
_NO_WORD = re.compile(r"[^a-z]*")


def not_chinese(said):
    return [each for each in said if not _CHINESE.search(each) and not _NO_WORD.fullmatch(each)]


def not_english(said):
    return [each for each in said if _CHINESE.search(each) or "_" in each]


def workbooks(api, database):
    """The path of each table as its route has it, and how to ask for it in a language."""
    world = make_world(api, database)
    with database.session() as session:
        clients = [api.as_(user) for user in session.exec(select(User)).all()]
    for routes in domain_routes():
        for operation, route in zip(routes.operations, routes.router.routes, strict=True):
            if operation.method == "GET" and exports.XLSX in str(route.responses) and route.path not in NOT_THERE:
                yield route.path, clients, filled(route.path, world)


def in_both_languages(clients, path, asked):
    """A workbook as the first who may have it gets it."""
    for client in clients:
        for params in ({"format": "xlsx", **asked}, asked):
            zh, en = (client.get(path, params=params, headers={"Accept-Language": each}) for each in ("zh", "en"))
            if zh.content.startswith(b"PK"):
                return zh.content, en.content
    return None


@pytest.mark.slow(seconds=75)
def test_a_workbook_speaks_one_language(api, database):
    wrong, missed, looked = {}, set(), 0
    for route, clients, path in workbooks(api, database):
        found = in_both_languages(clients, path, QUERIES.get(route, {}))
        if found is None:
            missed.add(route)
            continue
        looked += 1
        zh, en = (list(headings(each)) for each in found)
        if told := [*not_chinese(zh), *(not_english(en) if route not in FORMS else [])]:
            wrong[route] = told
    assert wrong == {}
    assert missed == set()
    assert looked > 60


def test_a_column_of_exports_speaks_both_languages():
    modules = [importlib.import_module(f"{kinds.__name__}.{found.name}") for found in pkgutil.iter_modules(kinds.__path__)]
    kept = [value for module in modules for value in vars(module).values() if isinstance(value, list | tuple)]
    columns = [each for value in kept for each in value if isinstance(each, Column)]
    assert len(columns) > 60
    assert not_chinese(each.zh for each in columns) + not_english(each.en for each in columns) == []
