"""Doubts about claims: what is held, what counts again, what does not stand any more."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting import actions as counting
from orders.counting.errors import OwnBatch, OwnOrganisation
from orders.counting.rules import Subject, Verdict
from orders.external_sales.actions.moving import LINES, line_ids, locked, step
from orders.external_sales.queries import concerns
from orders.external_sales.states import SaleMove, SaleStatus
from orders.ledger import actions as ledger
from orders.outlet_sales.actions import deciding
from shop.core.audit import SYSTEM, Who
from shop.core.db import array
from shop.core.errors import Problem, refuse_some
from shop.identity.actor import Actor

#: SQL: claim ``x``, which an officer has accepted, stays in the figures whatever is open against it: only claims that others made and no officer has
#: accepted, so that nobody takes a stranger's sale out of the figures by claiming it too.
STAYS = """
    x.decided_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM counting_hold d LEFT JOIN external_sale y ON d.other_kind = 'external_sale' AND y.id = d.other_id
        WHERE d.subject_kind = 'external_sale' AND d.subject_id = x.id AND d.status = 'open'
          AND (y.id IS NULL OR y.claimant_id = x.claimant_id OR y.decided_at IS NOT NULL))
"""
_STAYING = text(f"SELECT x.id FROM external_sale x WHERE x.id = ANY (CAST(:ids AS bigint[])) AND {STAYS}")  # noqa: S608
#: Who operates the outlets that batches, or lines of batches, are of.
_OPERATORS = text(
    """
    SELECT g.path FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS bigint[])) AS side (kind, id)
    CROSS JOIN LATERAL (SELECT outlet_id FROM sales_batch WHERE side.kind = 'sales_batch' AND id = side.id
                        UNION ALL SELECT outlet_id FROM sales_batch_line WHERE side.kind = 'sales_batch_line' AND id = side.id) sold
    JOIN outlet o ON o.id = sold.outlet_id JOIN organisation g ON g.id = o.operator_id
    """
)
_ASKED_BY = text("SELECT received_from FROM sales_batch WHERE id = :id AND way = 'file' AND corrects IS NOT NULL")


def judge(session: Session, sale_ids: Sequence[int]) -> set[int]:
    """Look for doubts about claims that stand, and hold whatever collides: what counted is taken back today, unless nothing but unreviewed
    claims of others speak against it. Returns the claims that are held.

    The caller has seen to it that nobody else judges (``counting.alone``).
    """
    doubted = counting.doubt(session, sale_ids)
    staying = _staying(session, doubted)
    rows = [
        row
        for row in locked(session, doubted)
        if row.status in (SaleStatus.SUBMITTED, SaleStatus.ACCEPTED) and row.id not in staying
    ]
    ledger.take_back(session, LINES, line_ids(session, [row.id for row in rows if row.status == SaleStatus.ACCEPTED]))
    for status in (SaleStatus.SUBMITTED, SaleStatus.ACCEPTED):
        step(session, SYSTEM, [row for row in rows if row.status == status], SaleMove.HOLD)
    return {row.id for row in rows}


def settle(session: Session, actor: Who, sale_ids: Sequence[int]) -> None:
    """Set claims free against which nothing speaks any more: they wait for their review again, or count again as of today."""
    judge(session, sale_ids)
    held = counting.still_held(session, Subject.EXTERNAL_SALE, sale_ids) - _staying(session, sale_ids)
    rows = [row for row in locked(session, sale_ids) if row.status == SaleStatus.HELD and row.id not in held]
    accepted = [row for row in rows if row.decided_at is not None]
    ledger.release(session, ledger.taken_back(session, LINES, line_ids(session, [row.id for row in accepted])))
    step(session, actor, accepted, SaleMove.REINSTATE)
    step(session, actor, [row for row in rows if row.decided_at is None], SaleMove.RELEASE)


def fall(session: Session, actor: Who, sales: Sequence[Any], move: SaleMove, reason: str | None) -> None:
    """End claims that are locked, or give them back: what counted is taken back today, their documents are free, and what was held against
    them is judged anew."""
    ids = [row.id for row in sales]
    step(session, actor, sales, move, reason=reason)
    ledger.take_back(session, LINES, line_ids(session, ids))
    lifted = counting.end(session, Subject.EXTERNAL_SALE, ids, f"{', '.join(row.number for row in sales)}: {move}")
    settle(session, SYSTEM, lifted)


def decide(session: Session, actor: Actor, hold_id: int, verdict: Verdict, other: Verdict | None, reason: str) -> None:
    """Decide about a claim that is held, of whatever kind: it is counted or voided here and now.

    Raises:
        NotFound, HoldDecided, CityDecides, DocumentCountsOnce, CorrectsNothing, RefundOfNoSale, RefundExceeds, OtherStays: see ``orders.counting.actions``.
        OwnOrganisation, OwnBatch: see there (403).
    """
    decide_all(session, actor, [hold_id], verdict, reason, other)


def decide_all(
    session: Session, actor: Actor, hold_ids: Sequence[int], verdict: Verdict, reason: str, other: Verdict | None = None
) -> None:
    """Decide about several alike, all or none. Of two that are held against each other both are what is said, if both are named.

    Raises:
        SomeRefused: of several, what :func:`decide` says of each (422).
    """
    counting.alone(session)
    deciding.lock(session, hold_ids)
    said: dict[int, tuple[Row[Any], Verdict]] = {}
    refused: dict[int, Problem] = {}
    for place, hold_id in enumerate(hold_ids):
        if hold_id in said:
            continue
        try:
            found = counting.one(session, actor, hold_id, verdict, other)
            _require_stranger(session, actor, found)
            both = counting.decide(session, actor, found, verdict, other, reason, among=hold_ids)
        except Problem as why:
            refused[place] = why
        else:
            said |= {row.id: (row, each) for row, each in both}
    refuse_some("ids", len(hold_ids), refused)
    deciding.decided(session, list(said))
    ours = [(row.subject_id, each) for row, each in said.values() if row.subject_kind == Subject.EXTERNAL_SALE]
    voided = [id for id, each in ours if each is Verdict.VOID]
    standing = (SaleStatus.HELD, SaleStatus.ACCEPTED)
    fall(session, actor, [row for row in locked(session, voided) if row.status in standing], SaleMove.VOID, reason)
    settle(session, actor, [id for id, each in ours if each is Verdict.COUNT])


def _staying(session: Session, sale_ids: Sequence[int]) -> set[int]:
    """Which of the external sales count, or count again, whatever is open against them: see ``STAYS``."""
    return set(session.execute(_STAYING, {"ids": array(sale_ids)}).scalars())


def _require_stranger(session: Session, actor: Actor, found: Row[Any]) -> None:
    """Nobody decides about claims of the own organisation, or that he handed in himself, on either side, nor about what he asked to be taken back."""
    if found.subject_kind == Subject.SALES_BATCH:
        asked_by = session.execute(_ASKED_BY, {"id": found.subject_id}).scalar()
        if asked_by is not None and asked_by == actor.user_id:
            raise OwnBatch
    sides = [(found.subject_kind, found.subject_id)]
    if found.other_id is not None:
        sides.append((found.other_kind, found.other_id))
    claims = locked(session, [id for kind, id in sides if kind == Subject.EXTERNAL_SALE])
    asked = {"kinds": [kind for kind, _ in sides], "ids": [id for _, id in sides]}
    operators = session.execute(_OPERATORS, asked).scalars()
    if any(concerns(actor, claim) for claim in claims) or any(actor.is_related(path) for path in operators):
        raise OwnOrganisation
