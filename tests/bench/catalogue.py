"""The catalogue over HTTP: first page, search, detail; and the search statement by itself."""

import random
from urllib.parse import quote

from tests.bench import load, search
from tests.bench.ground import PRODUCTS, Ground, Row, api, row

SECONDS = 5
WORDS = ["榨菜", "脐橙", "茶", "腊肉", "蜂蜜", "zhacai", "fjqc", "辣椒酱", "红薯粉条", "羊肚菌"]


def run(made: Ground) -> list[Row]:
    rows: list[Row] = []
    headers = {"Authorization": f"Bearer {made.token}"}
    requests = {
        "catalogue page": lambda n: "/v1/products?limit=20",
        "catalogue search": lambda n: f"/v1/products?limit=20&q={quote(random.Random(n).choice(WORDS))}",
        "product detail": lambda n: f"/v1/products/{1 + random.Random(n).randrange(PRODUCTS)}",
    }
    with api(made) as address:
        rows += [Row(**each) for each in search.run(made.database_url, address, made.token)]  # type: ignore[typeddict-item]
        floor = load.run(address, lambda n: load.request("GET", "/healthz"), 8, SECONDS).per_second
        for name, path in requests.items():
            result = load.run(address, lambda n, path=path: load.request("GET", path(n), headers=headers), 8, SECONDS)
            assert set(result.statuses) == {200}, result.statuses
            rows.append(row(f"{name}, 8 at once", result.per_second, "requests/s", floor=floor))
            rows.append(row(f"{name}: p50", result.percentile(0.5), "ms"))
            rows.append(row(f"{name}: p99", result.percentile(0.99), "ms"))
    return rows
