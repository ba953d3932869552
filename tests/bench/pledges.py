"""A basket that fits a budget, from 12,000 packs on sale: by the solver, beside the greedy basket of the same question."""

import resource
import time

from sqlalchemy import text

from orders.pledges import solver
from orders.pledges.queries import baskets
from orders.pledges.rules.asking import Aim, Demand
from orders.pledges.rules.choosing import Facts, broken, greedy, offers, score, totals
from shop.core.db import Database
from shop.identity.permissions import Role
from tests.bench.ground import Ground, Row, row
from tests.factories.identity import make_organisation, make_user

#: Prices, places and stock that differ, a twentieth of the products from deep-poverty townships, half of them with a village.
_SPREAD = [
    "UPDATE price_tier SET unit_price_fen = unit_price_fen * (20 + sku_id * 7919 % 400) / 100",
    "UPDATE stock SET on_hand = 50 + sku_id * 104729 % 5000",
    "UPDATE product SET village = '村' || id % 900 WHERE id % 2 = 0",
    "UPDATE product p SET township_code = t.code FROM region t WHERE t.kind = 'township' AND t.parent_code = p.district_code AND p.id % 10 = 0",
]
_PLEDGE = """
    INSERT INTO pledge (number, organisation_id, title, kind, amount_fen, purpose, valid_from, valid_until, fund_source, status, created_by, created_at)
    VALUES ('YG-B', :firm, 'x', 'buy_to_help', 100000000, 'x', '2020-01-01', '2099-12-31', 'welfare', 'open', :user, now()) RETURNING id
"""
QUESTIONS = {
    "200,000 yuan": Demand(20_000_000, deep_bp=1000, supplier_bp=2000, max_products=20),
    "5 million yuan": Demand(500_000_000, deep_bp=1000, new_village_bp=2000, supplier_bp=1000, max_products=40),
    "320 equal baskets": Demand(20_000_000, heads=320, identical=True, per_head_cap_fen=62_500, deep_bp=1000, max_products=8),
    "most from deep townships": Demand(20_000_000, supplier_bp=2000, max_products=30, aim=Aim.DEEP_TOWNSHIPS),
}
SECONDS = 15


def run(made: Ground) -> list[Row]:
    database = Database(made.database_url, pool_size=2, statement_timeout_ms=600_000)
    with database.unit_of_work() as session:
        for statement in _SPREAD:
            session.execute(text(statement))
        firm = make_organisation(session, kind="enterprise", role="enterprise", region_code="500103")
        user = make_user(session, Role.PURCHASER, firm)
        pledge_id = session.execute(text(_PLEDGE), {"firm": firm.id, "user": user.id}).scalar_one()
        session.execute(
            text("INSERT INTO pledge_region SELECT :id, code FROM region WHERE code ~ '^50[0-9]{4}$'"), {"id": pledge_id}
        )
        started = time.perf_counter()
        catalogue = baskets.catalogue(session, pledge_id, firm.id)
        rows = [row(f"buying.basket_proposal: {len(catalogue):,} packs read", time.perf_counter() - started, "s")]
    for name, demand in QUESTIONS.items():
        rows += _question(f"buying.basket_proposal, {name}", demand, catalogue)
    rows.append(row("buying.basket_proposal: memory of the process at most", _memory(), "MB"))
    database.dispose()
    return rows


def _question(name: str, demand: Demand, catalogue: list[Facts]) -> list[Row]:
    started = time.perf_counter()
    baseline = greedy(demand, offers(catalogue, demand))
    floor = time.perf_counter() - started
    started = time.perf_counter()
    found = solver.propose(demand, catalogue)
    seconds = time.perf_counter() - started
    missed = broken(demand, baseline)
    good = found.basket is not None and not broken(demand, found.basket)
    if good and not missed:
        good = score(demand, found.basket) >= score(demand, baseline)
    amount = totals(found.basket).amount_fen if found.basket else 0
    off = abs(amount - demand.budget_fen) / demand.budget_fen * 100
    beside = abs(totals(baseline).amount_fen - demand.budget_fen) / demand.budget_fen * 100
    told = f" (the greedy one misses {', '.join(missed)})" if missed else ""
    goal = f"below {SECONDS} s, everything met, never worse than the greedy one"
    return [
        row(name, seconds, "s", floor=floor, goal=goal, met=good and seconds < SECONDS),
        row(f"{name}: off the budget{told}", off, "%", floor=beside),
    ]


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
