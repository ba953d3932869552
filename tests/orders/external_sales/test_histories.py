"""Random histories of claims against a small oracle: the ledger holds what counts, at every step."""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from orders.counting.errors import OtherStays
from orders.counting.rules import Verdict
from orders.external_sales.actions import drafting, judging, reviewing
from orders.external_sales.rules import Claim, Line, Paper, PaperKind, Platform, Side
from shop.core import clock
from shop.core.db import array
from shop.core.errors import Conflict, Forbidden, NotFound
from shop.identity import tokens
from shop.identity.models import User
from tests.factories.catalog import PDF
from tests.factories.claims import make_trading
from tests.factories.identity import access_token

HISTORIES = int(os.environ.get("SHOP_CLAIM_HISTORIES", "8"))
#: Few amounts and few invoices, so that claims collide.
AMOUNTS = [1_000, 2_000]
INVOICES = [f"0500019001041234567{n}" for n in range(3)]
MOVES = [
    *["claim"] * 6,
    *["accept"] * 4,
    *["count", "discard", "count both"] * 2,
    *["discard both", "submit", "return", "refuse", "withdraw", "void"],
]
#: The states from which most tries start; the others are refused.
FROM = {
    "accept": ("submitted",),
    "submit": ("returned",),
    "return": ("submitted",),
    "refuse": ("submitted",),
    "withdraw": ("submitted", "held"),
    "void": ("accepted", "held"),
}
STEPS = st.lists(
    st.tuples(st.sampled_from(MOVES), st.integers(0, 50), st.integers(0, 2), st.integers(0, 1)), min_size=20, max_size=40
)


class Oracle:
    """What counts: claims of sellers that were accepted, as long as nothing speaks against them."""

    def __init__(self) -> None:
        self.claims: dict[int, tuple[str, int]] = {}

    def counted(self, statuses: dict[int, str]) -> int:
        return sum(amount for id, (side, amount) in self.claims.items() if side == "seller" and statuses[id] == "accepted")


def actor(session, user: User):
    return tokens.actor_of(session, token=access_token(session, user), api_key=None, address="test")


def move(session, people, oracle, name, pick, invoice, amount):
    """One step of a history; what is refused changes nothing."""
    seller, buyer, officer, trading = people
    if name == "claim":
        side = Side.BUYER if pick % 5 == 0 else Side.SELLER
        who = buyer if side is Side.BUYER else seller
        claim = Claim(
            side,
            Platform.OFFLINE,
            trading.supplier.id,
            clock.today(),
            [Line(trading.product.product_id, 1, AMOUNTS[amount], trading.product.sku_id)],
            buyer_id=trading.buyer.id,
        )
        sale_id = drafting.draft(session, who, claim)
        for kind, number in (
            (PaperKind.INVOICE, INVOICES[invoice]),
            (PaperKind.BANK_RECEIPT, f"R{sale_id}"),
            (PaperKind.CONTRACT, None),
        ):
            drafting.add_paper(session, who, sale_id, Paper(kind, number, amount_fen=3_000), "a.pdf", PDF)
        oracle.claims[sale_id] = (side, AMOUNTS[amount])
        reviewing.submit(session, who, [sale_id])
        return
    if name in ("count", "discard", "count both", "discard both"):
        holds = session.execute(text("SELECT id FROM counting_hold WHERE status = 'open' ORDER BY id")).scalars().all()
        if holds:
            verdict = Verdict.COUNT if name.startswith("count") else Verdict.VOID
            judging.decide(session, officer, holds[pick % len(holds)], verdict, verdict if "both" in name else None, "核对")
        return
    if not oracle.claims:
        return
    statement = text("SELECT id FROM external_sale WHERE status = ANY (CAST(:statuses AS text[])) OR :any ORDER BY id")
    fitting = session.execute(statement, {"statuses": list(FROM[name]), "any": pick % 7 == 0}).scalars().all()
    if not fitting:
        return
    sale_id = fitting[pick % len(fitting)]
    mine = buyer if oracle.claims[sale_id][0] == "buyer" else seller
    if name == "submit":
        reviewing.submit(session, mine, [sale_id])
    elif name == "withdraw":
        reviewing.withdraw(session, mine, sale_id, lambda version: None)
    elif name == "accept":
        reviewing.accept(session, officer, sale_id, "已核实", lambda version: None)
    else:
        verb = {"return": reviewing.give_back, "refuse": reviewing.refuse, "void": reviewing.void}[name]
        verb(session, officer, sale_id, "核对", lambda version: None)


def require_agreement(session, oracle):
    """Returns what the history has come to so far."""
    statuses = dict(session.execute(text("SELECT id, status FROM external_sale")).all())
    total = session.execute(text("SELECT coalesce(sum(amount_fen), 0)::bigint FROM sale_entry")).scalar_one()
    assert total == oracle.counted(statuses)
    held = {id for id, status in statuses.items() if status == "held"}
    open_holds = set(session.execute(text("SELECT subject_id FROM counting_hold WHERE status = 'open'")).scalars())
    assert held == open_holds
    standing = [id for id, status in statuses.items() if status in ("submitted", "held", "accepted")]
    used = set(session.execute(text("SELECT subject_id FROM document_use WHERE released_at IS NULL")).scalars())
    assert used == set(standing)
    # of claims of one side that rest on one invoice no two count, unless a person said so and the invoice is of enough
    twice = text(
        """
        SELECT u.number, x.side, sum(x.total_fen) AS fen FROM document_use u JOIN external_sale x ON x.id = u.subject_id
        WHERE u.kind = 'invoice' AND x.status = 'accepted' AND x.id = ANY (CAST(:ids AS bigint[])) GROUP BY 1, 2 HAVING count(*) = 2
        """
    )
    assert all(row.fen <= 3_000 for row in session.execute(twice, {"ids": array(statuses)}))
    return {*statuses.values(), *session.execute(text("SELECT DISTINCT origin_kind FROM sale_entry")).scalars()}


@pytest.mark.slow
def test_the_ledger_holds_what_counts_at_every_step_of_any_history(api, database):
    trading = make_trading(api, database)
    with database.unit_of_work() as session:
        people = (actor(session, trading.seller), actor(session, trading.purchaser), actor(session, trading.officer), trading)
    seen: set[str] = set()

    @settings(
        max_examples=HISTORIES, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None, derandomize=True
    )
    @given(STEPS)
    def history(steps):
        oracle = Oracle()
        with database.session() as session:  # nothing of it stays
            for step in steps:
                point = session.begin_nested()
                try:
                    move(session, people, oracle, *step)
                    point.commit()
                except (Conflict, NotFound, Forbidden, OtherStays):
                    point.rollback()
                seen.update(require_agreement(session, oracle))
            session.rollback()

    history()
    assert seen >= {"held", "accepted", "void", "returned", "withdrawn", "correction", "release"}
