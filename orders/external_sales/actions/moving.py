"""What all verbs share: claims within reach, locked, and their steps with record and event."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.external_sales.queries import PATHS
from orders.external_sales.states import EXTERNAL_SALE, SaleMove, SaleStatus
from orders.ledger.rules import Claim
from shop.core import audit, clock, outbox
from shop.core.audit import Who
from shop.core.db import array
from shop.core.errors import NotFound
from shop.identity.actor import Actor

#: The lines' claims in the ledger.
LINES = Claim.EXTERNAL_LINE

_LOCK = text(
    f"""
    SELECT x.*, {PATHS}
    FROM external_sale x JOIN organisation claimant ON claimant.id = x.claimant_id JOIN organisation supplier ON supplier.id = x.supplier_id
    LEFT JOIN organisation buyer ON buyer.id = x.buyer_id LEFT JOIN organisation helper ON helper.id = x.helper_id
    WHERE x.id = ANY (CAST(:ids AS bigint[])) ORDER BY x.id FOR UPDATE OF x
    """  # noqa: S608
)
_STEP = text(
    """
    UPDATE external_sale SET status = CAST(:status AS text), reason = coalesce(CAST(:reason AS text), reason), version = version + 1,
        submitted_by = CASE WHEN CAST(:status AS text) = 'submitted' AND CAST(:user AS bigint) IS NOT NULL THEN CAST(:user AS bigint) ELSE submitted_by END,
        submitted_at = CASE WHEN CAST(:status AS text) = 'submitted' AND CAST(:user AS bigint) IS NOT NULL THEN CAST(:now AS timestamptz) ELSE submitted_at END,
        decided_by = CASE WHEN CAST(:decides AS boolean) THEN CAST(:user AS bigint) ELSE decided_by END,
        decided_at = CASE WHEN CAST(:decides AS boolean) THEN CAST(:now AS timestamptz) ELSE decided_at END
    WHERE id = ANY (CAST(:ids AS bigint[]))
    """
)
_LINE_IDS = text("SELECT id FROM external_sale_line WHERE sale_id = ANY (CAST(:ids AS bigint[])) ORDER BY id")
_DECIDES = frozenset({SaleMove.ACCEPT, SaleMove.REFUSE})


def locked(session: Session, ids: Sequence[int]) -> list[Row[Any]]:
    """Claims with whose they are, locked by id; what is not there is left out."""
    return list(session.execute(_LOCK, {"ids": array(sorted(ids))}))


def own(session: Session, actor: Actor, sale_id: int) -> Row[Any]:
    """A claim of the caller's organisation, locked.

    Raises:
        NotFound: there is none (404).
    """
    found = locked(session, [sale_id])
    if not found or not actor.within_branch(found[0].claimant_path):
        raise NotFound
    return found[0]


def step(session: Session, actor: Who, sales: Sequence[Any], move: SaleMove, *, reason: str | None = None) -> None:
    """Move claims that are locked, each to the same state, with record, and event unless they are only edited, which is nobody's news.

    Raises:
        IllegalMove: one of them is in no state for it (409).
    """
    if not sales:
        return
    targets = {EXTERNAL_SALE.after(row.status, move) for row in sales}
    assert len(targets) == 1
    status: SaleStatus = targets.pop()
    by_person = move in _DECIDES or move is SaleMove.SUBMIT
    values = {
        "ids": array(row.id for row in sales),
        "status": status,
        "reason": reason,
        "user": actor.user_id if by_person else None,
        "now": clock.now(),
        "decides": move in _DECIDES,
    }
    session.execute(_STEP, values)
    if reason is None:
        detail = {"status": str(status)}
        audit.record_each(session, actor, f"external_sale.{move}", "external_sale", [(row.id, detail) for row in sales])
    else:
        for row in sales:
            audit.record(session, actor, f"external_sale.{move}", "external_sale", row.id, reason=reason, status=str(status))
    if move is SaleMove.EDIT:
        return
    at = clock.now().isoformat()
    outbox.publish_each(session, "external_sale.moved", "sale_id", [row.id for row in sales], move=move, at=at)


def line_ids(session: Session, sale_ids: Sequence[int]) -> list[int]:
    return list(session.execute(_LINE_IDS, {"ids": array(sale_ids)}).scalars())
