"""Searching 12,000 products: the query function beside a bare scan for the same words in the same run."""

import itertools
import random
import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
from sqlalchemy import event, text
from sqlmodel import Session

from catalog.products import listing, queries
from catalog.products.schemas import ProductRow, ProductSearch, Sort
from shop.core.db import Database
from shop.core.paging import Page

PLACES = [
    "奉节",
    "涪陵",
    "石柱",
    "巫山",
    "城口",
    "酉阳",
    "彭水",
    "秀山",
    "云阳",
    "开州",
    "武隆",
    "丰都",
    "万州",
    "黔江",
    "巫溪",
    "忠县",
    "梁平",
    "江津",
]
KINDS = ["生态", "高山", "手工", "农家", "精品", "散养", "有机", "老字号", "土家", "三峡", "林下", "富硒"]
GOODS = [
    "脐橙", "榨菜", "莼菜", "脆李", "老腊肉", "茶油", "苦荞", "青花椒", "土蜂蜜", "羊肚菌", "白茶", "核桃", "土鸡", "织锦", "黑木耳", "红薯粉条",
    "辣椒酱", "豆腐干", "黑猪肉", "柠檬", "洋芋", "晚李", "忠橙", "柚子", "秀芽茶", "金水梨", "猕猴桃", "牛肉干", "烤鱼", "大米", "银杏", "天麻",
    "黄精", "竹笋", "魔芋", "土鸡蛋", "山羊肉", "葛根粉", "蓝莓", "桑葚酒",
]  # fmt: skip
PACKS = ["礼盒", "散装", "真空装", "特级", "一级", "家庭装"]
WORDS = [
    "榨菜", "脐橙", "茶", "腊肉", "土蜂蜜", "红薯粉条", "辣椒酱", "羊肚菌", "奉节脐橙", "石柱 莼菜", "礼盒", "米", "没有这种东西", "zhacai", "zc",
    "fjqc", "qicheng", "yangdujun", "tuji", "s", "白茶 特级", "三峡", "xin", "高山土鸡蛋",
]  # fmt: skip
FILTERS: list[dict[str, object]] = [
    {},
    {"certified": True, "in_stock": True},
    {"district": "500236"},
    {"category": "tea", "certified": True},
    {"min_price": "50.00", "max_price": "90.00"},
    {"certified": False},
    {"in_stock": False},
]
GOAL_MS = 50


def run(database_url: str, base_url: str | None = None, token: str | None = None) -> list[dict[str, object]]:
    """Name the products that the ground holds, and measure. With ``base_url`` and ``token`` also over HTTP."""
    database = Database(database_url, pool_size=1, statement_timeout_ms=0)
    indexed = _name_products(database)
    with database.session() as session:
        asked = _with_next_pages(session, list(_searches()))
        milliseconds = _timed(lambda search: _search(session, search), asked)
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        bare = _timed(lambda search: _scan(connection, search.q or ""), asked)
    database.dispose()
    rows = [
        _row("products indexed for search", indexed, "products/s"),
        _row("search of 12,000 products: p95", _p(milliseconds, 0.95), "ms", floor=_p(bare, 0.95), goal=True),
        _row("search of 12,000 products: p50", _p(milliseconds, 0.5), "ms", floor=_p(bare, 0.5)),
        _row("search of 12,000 products: slowest", max(milliseconds), "ms", floor=max(bare)),
    ]
    if base_url:
        with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}) as client:
            over_http = _timed(lambda search: _ask(client, search), asked)
        rows.append(_row("search of 12,000 products over HTTP: p95", _p(over_http, 0.95), "ms", floor=_p(bare, 0.95), goal=True))
    return rows


def plans(database_url: str) -> Iterator[str]:
    """What PostgreSQL does for some typical searches, for those who tune: ``python -m tests.bench.search``."""
    database = Database(database_url, pool_size=1, statement_timeout_ms=0)
    typical = [
        {"q": "榨菜"},
        {"q": "zc", "certified": True, "in_stock": True},
        {"sort": "price", "certified": True},
        {"q": "茶", "sort": "name"},
    ]
    with database.session() as session:
        seen: list[tuple[str, dict[str, object]]] = []
        event.listen(database.engine, "before_cursor_execute", lambda *call: seen.append((call[2], call[3])))
        for filters in typical:
            _search(session, ProductSearch.model_validate(filters))
        for filters, (statement, values) in zip(typical, list(seen), strict=True):
            plan = session.connection().exec_driver_sql("EXPLAIN (ANALYZE, BUFFERS) " + statement, values).scalars()
            yield f"{filters}\n" + "\n".join(plan)
    database.dispose()


def _searches() -> Iterator[ProductSearch]:
    """Every word with one filter and order in turn, then every filter and order without words; the same in every run."""
    turns = itertools.cycle(itertools.product(FILTERS, Sort))
    for word, (filters, sort) in zip(WORDS * 8, turns, strict=False):
        yield ProductSearch.model_validate({**filters, "q": word, "sort": sort})
    for filters, sort in itertools.product(FILTERS, Sort):
        yield ProductSearch.model_validate({**filters, "sort": sort})


def _with_next_pages(session: Session, asked: list[ProductSearch]) -> list[ProductSearch]:
    """The searches, and for each that has more the page that follows."""
    pages = [_search(session, search) for search in asked]
    return asked + [search.model_copy(update={"after": page.next}) for search, page in zip(asked, pages, strict=True) if page.next]


def _search(session: Session, asked: ProductSearch) -> Page[ProductRow]:
    return queries.products(session, asked, sort=asked.sort, limit=asked.limit, after=asked.after)


def _scan(connection: psycopg.Connection, words: str) -> None:
    like = [f"%{word}%" for word in words.split()]
    connection.execute("SELECT id, name FROM product WHERE name LIKE ALL (%s) ORDER BY id DESC LIMIT 21", [like]).fetchall()


def _ask(client: httpx.Client, asked: ProductSearch) -> None:
    answer = client.get("/v1/products", params=asked.model_dump(mode="json", exclude_defaults=True))
    assert answer.status_code == 200, answer.text


def _timed(one: Callable[[ProductSearch], object], asked: list[ProductSearch]) -> list[float]:
    """Milliseconds of each search, in a shuffled order, after a first round that warms caches and prepares statements."""
    for search in asked:
        one(search)
    taken = []
    for search in random.Random(1).sample(asked * 3, len(asked) * 3):
        started = time.perf_counter()
        one(search)
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def _name_products(database: Database) -> float:
    """Give the products names that differ as real ones do, and index them; returns how many a second."""
    names = ["".join(parts) for parts in itertools.product(PLACES, KINDS, GOODS, PACKS)]
    random.Random(1).shuffle(names)
    with database.unit_of_work() as session:
        session.execute(
            text(
                "UPDATE product SET name = u.name, village = NULL FROM (SELECT * FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS u (name, n)) u"
                " WHERE u.n = product.id"
            ),
            {"names": names},
        )
        session.execute(text("UPDATE price_tier SET unit_price_fen = 500 + (sku_id * 7919) % 20000"))
        session.execute(text("UPDATE certificate SET valid_until = '2021-01-01' WHERE product_id % 5 = 0"))
        session.execute(text("UPDATE stock SET reserved = on_hand WHERE sku_id % 7 = 0"))
        count = session.execute(text("SELECT count(*) FROM product")).scalar_one()
        started = time.perf_counter()
        listing.refresh(session)
        taken = time.perf_counter() - started
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return float(count / taken)


def _p(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


def _row(name: str, value: float, unit: str, *, floor: float | None = None, goal: bool = False) -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "floor": round(floor, 3) if floor else None,
        "ratio": round(value / floor, 3) if floor else None,
        "goal": f"below {GOAL_MS} ms" if goal else None,
        "met": value < GOAL_MS if goal else None,
    }


if __name__ == "__main__":
    from tests.bench.ground import ground

    with ground() as made:
        for row in run(made.database_url):
            print(row)
        for plan in plans(made.database_url):
            print(plan, end="\n\n")
