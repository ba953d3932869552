"""Finding products: words, filters, order and pages."""

import itertools
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from catalog.products.models import Product
from catalog.products.schemas import Sort
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.catalog import make_certificate, make_product
from tests.factories.identity import make_organisation, make_supplier, signed_in


@pytest.fixture
def market(database):
    """A dozen products of three cooperatives."""
    with database.unit_of_work() as session:
        fengjie, fuling, shizhu = (make_supplier(session, code) for code in ("500236", "500102", "500240"))
        make_product(session, fengjie, name="奉节脐橙", prices=((1, 6990),))
        make_product(session, fengjie, name="奉节脐橙(精品装)", prices=((1, 12800),))
        make_product(session, fengjie, name="平安乡小米", category="grain_oil", township_code="500236T01", prices=((1, 3000),))
        make_product(session, fengjie, name="子和橙子橙", certified=False, prices=((1, 500),))
        make_product(
            session, fuling, name="涪陵榨菜", category="condiment_preserved", prices=((10, 250),), min_quantity=10, stock=9
        )
        make_product(session, fuling, name="涪陵榨菜酱油", category="condiment_preserved", prices=((1, 990),), stock=0)
        make_product(session, shizhu, name="石柱莼菜", category="vegetable", prices=((1, 1500),))
        make_product(session, shizhu, name="中益土蜂蜜", category="honey", prices=((1, 15000),))
        make_product(
            session, shizhu, name="黄水民宿", category="rural_tourism", kind="service", net_grams=None, prices=((1, 16800),)
        )
        make_product(session, shizhu, name="老荫茶", category="tea", prices=((1, 4000),))
    return {"fengjie": fengjie, "fuling": fuling, "shizhu": shizhu}


@pytest.fixture
def buyer(api, database, market):
    with database.unit_of_work() as session:
        school = make_organisation(session, kind="school", role="school")
    return signed_in(api, Role.PURCHASER, school)


def names(client, **filters):
    answer = client.get("/v1/products", params=filters)
    assert answer.status_code == 200, answer.text
    return [product["name"] for product in answer.json()["items"]]


WORDS = [
    ("榨菜", ["涪陵榨菜酱油", "涪陵榨菜"]),
    ("脐橙", ["奉节脐橙(精品装)", "奉节脐橙"]),
    ("茶", ["老荫茶"]),
    ("菜酱", ["涪陵榨菜酱油"]),
    ("zhacai", ["涪陵榨菜酱油", "涪陵榨菜"]),
    ("zhac", ["涪陵榨菜酱油", "涪陵榨菜"]),
    ("zcj", ["涪陵榨菜酱油"]),
    ("fjqc", ["奉节脐橙", "奉节脐橙(精品装)"]),
    ("奉节脐橙", ["奉节脐橙", "奉节脐橙(精品装)"]),
    ("奉节脐橙（精品装）", ["奉节脐橙(精品装)"]),
    ("脐橙 精品", ["奉节脐橙(精品装)"]),
    ("石柱 蜂蜜", ["中益土蜂蜜"]),
    ("橙子橙", ["子和橙子橙"]),
    ("子和橙和", []),
    ("榨", ["涪陵榨菜酱油", "涪陵榨菜"]),
    ("()%_'\\", []),
    ("'; DROP TABLE product; --", []),
]


def test_words(buyer):
    for q, found in WORDS:
        assert sorted(names(buyer, q=q)) == sorted(found), q


def test_the_best_fit_comes_first(buyer):
    assert names(buyer, q="奉节脐橙")[0] == "奉节脐橙"
    # the county is 奉节: products that only come from there follow those that are called so
    assert set(names(buyer, q="奉节")[:2]) == {"奉节脐橙(精品装)", "奉节脐橙"}
    assert set(names(buyer, q="奉节")) == {"奉节脐橙", "奉节脐橙(精品装)", "平安乡小米", "子和橙子橙"}


FILTERS = [
    ({"category": "condiment_preserved"}, {"涪陵榨菜", "涪陵榨菜酱油"}),
    ({"kind": "service"}, {"黄水民宿"}),
    ({"district": "500240"}, {"石柱莼菜", "中益土蜂蜜", "黄水民宿", "老荫茶"}),
    ({"township": "500236T01"}, {"平安乡小米"}),
    ({"district": "500236", "category": "grain_oil"}, {"平安乡小米"}),
    ({"certified": "false"}, {"子和橙子橙"}),
    ({"in_stock": "false"}, {"涪陵榨菜", "涪陵榨菜酱油"}),
    ({"min_price": "128.00", "max_price": "150.00"}, {"奉节脐橙(精品装)", "中益土蜂蜜"}),
    ({"q": "脐橙", "max_price": "100"}, {"奉节脐橙"}),
]


def test_filters(buyer):
    for filters, found in FILTERS:
        assert set(names(buyer, **filters)) == found, filters


def test_the_rest_is_certified_and_in_stock(buyer, market):
    assert len(names(buyer, certified="true")) == 9
    assert len(names(buyer, in_stock="true")) == 8
    assert len(names(buyer, supplier_id=market["fuling"].id)) == 2


CHANGES = {
    "valid_until = :today": True,
    "valid_until = :yesterday": False,
    "valid_from = :tomorrow": False,
    "suspended_at = now()": False,
    "revoked_at = now()": False,
}


def test_certified_means_in_force_today(buyer, database):
    today = clock.today()
    days = {"today": today, "yesterday": today - timedelta(days=1), "tomorrow": today + timedelta(days=1)}
    untouched = "valid_from = '2020-01-01', valid_until = '2099-12-31', suspended_at = NULL, revoked_at = NULL"
    for change, certified in CHANGES.items():
        with database.unit_of_work() as session:
            session.execute(text(f"UPDATE certificate SET {untouched}"))
            session.execute(text(f"UPDATE certificate SET {change} WHERE product_name = '老荫茶'"), days)
        assert ("老荫茶" in names(buyer, certified="true")) == certified, change
        row = buyer.get("/v1/products", params={"q": "老荫茶"}).json()["items"][0]
        assert (row["certified_until"] is not None) == certified, change


def test_a_second_certificate_takes_over_from_an_expired_one(buyer, database, market):
    with database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET valid_until = '2021-01-01' WHERE product_name = '老荫茶'"))
        product = session.get_one(Product, buyer.get("/v1/products", params={"q": "老荫茶"}).json()["items"][0]["id"])
        make_certificate(session, product, market["shizhu"], valid_until=date(2098, 1, 1))
    assert buyer.get("/v1/products", params={"q": "老荫茶"}).json()["items"][0]["certified_until"] == "2098-01-01"


def test_pages_join_without_gap_or_repetition(buyer, database):
    with database.unit_of_work() as session:
        session.execute(text("UPDATE product SET price_fen = NULL WHERE name = '老荫茶'"))
        session.execute(text("UPDATE product SET price_fen = 3000 WHERE name = '石柱莼菜'"))
    for sort, words in itertools.product(Sort, [{}, {"q": "s"}, {"q": "奉节"}]):
        filters = {"sort": sort.value, **words}
        whole = names(buyer, **filters, limit=200)
        assert sorted(whole) == sorted(names(buyer, **words, limit=200))
        assert len(whole) > 3
        assert list(paged(buyer, filters)) == whole, filters


def paged(client, filters):
    after = {}
    while after is not None:
        page = client.get("/v1/products", params={**filters, "limit": 3, **after}).json()
        yield from (product["name"] for product in page["items"])
        after = {"after": page["next"]} if page["next"] else None


def test_orders(buyer):
    assert names(buyer, sort="price")[:3] == ["涪陵榨菜", "子和橙子橙", "涪陵榨菜酱油"]
    assert names(buyer, sort="price_desc")[:2] == ["黄水民宿", "中益土蜂蜜"]
    assert names(buyer, sort="newest")[0] == "老荫茶"
    assert names(buyer, sort="name")[:4] == ["奉节脐橙", "奉节脐橙(精品装)", "涪陵榨菜", "涪陵榨菜酱油"]


def test_a_suspended_suppliers_products_are_not_offered(buyer, database, market):
    with database.unit_of_work() as session:
        session.execute(text("UPDATE organisation SET status = 'suspended' WHERE id = :id"), {"id": market["shizhu"].id})
    assert len(names(buyer)) == 6


def test_facets_count_what_a_search_finds(buyer):
    facets = buyer.get("/v1/products/facets", params={"certified": "true"}).json()
    assert facets["total"] == 9
    assert {f["code"]: f["count"] for f in facets["districts"]} == {"500236": 3, "500102": 2, "500240": 4}
    assert {f["code"]: f["count"] for f in facets["categories"]}["condiment_preserved"] == 2
    assert buyer.get("/v1/products/facets", params={"q": "()"}).json() == {"total": 0, "categories": [], "districts": []}


FAULTY = [
    {"sort": "random"},
    {"limit": 0},
    {"limit": 201},
    {"min_price": "NaN"},
    {"supplier_id": 2**63},
    {"q": "a\x00"},
    {"after": "nonsense"},
    {"after": "WzFd", "sort": "name"},
    {"unknown": 1},
    {"district": "1"},
]


def test_faulty_questions(buyer):
    for filters in FAULTY:
        assert buyer.get("/v1/products", params=filters).status_code == 422, filters
