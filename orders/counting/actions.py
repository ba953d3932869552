"""One sale, one count: which documents claims rest on, what speaks against a claim, and what becomes of that.

Claims are judged one after another (:func:`alone`), so that of two that come in the same moment the second one sees the first.
"""

# ruff: noqa: S608  statements are put together from constants only

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting import countable
from orders.counting.colliding import COLLIDING, days
from orders.counting.errors import CityDecides, DocumentCountsOnce, HoldDecided, OtherStays
from orders.counting.rules import DocumentKind, HoldStatus, Reason, Subject, Verdict, document_key
from shop.core import audit, clock, locks, outbox
from shop.core.db import array
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_OPEN = (
    """ON CONFLICT (subject_kind, subject_id, reason_code, coalesce(other_kind, ''), coalesce(other_id, 0)) WHERE status = 'open'"""
)
_HOLD = text(
    f"""
    INSERT INTO counting_hold (subject_kind, subject_id, reason_code, other_kind, other_id, evidence, district_code, amount_fen, opened_at)
    SELECT d.*, CAST(:now AS timestamptz) FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS d (subject_kind text, subject_id bigint,
        reason_code text, other_kind text, other_id bigint, evidence jsonb, district_code text, amount_fen bigint) ORDER BY d.subject_kind, d.subject_id
    {_OPEN} DO UPDATE SET evidence = excluded.evidence, amount_fen = excluded.amount_fen
    RETURNING id, xmax = 0 AS opened
    """
)
_USE = text(
    """
    INSERT INTO document_use AS d (kind, number, subject_kind, subject_id, side, amount_fen, used_at)
    SELECT DISTINCT ON (kind, number, subject_id) kind, number, :subject_kind, subject_id, side, amount_fen, CAST(:now AS timestamptz)
    FROM unnest(CAST(:kinds AS text[]), CAST(:numbers AS text[]), CAST(:subjects AS bigint[]), CAST(:sides AS text[]), CAST(:amounts AS bigint[]))
      AS u (kind, number, subject_id, side, amount_fen)
    ORDER BY kind, number, subject_id, amount_fen DESC NULLS LAST
    ON CONFLICT (kind, number, subject_kind, subject_id) DO UPDATE
    SET released_at = NULL, side = excluded.side, amount_fen = excluded.amount_fen,
        used_at = CASE WHEN d.released_at IS NULL THEN d.used_at ELSE excluded.used_at END
    """
)
_FREE = text(
    """
    UPDATE document_use SET released_at = :now
    WHERE subject_kind = :subject_kind AND subject_id = ANY (CAST(:ids AS bigint[])) AND released_at IS NULL
    """
)
_FREE_OTHERS = text(
    """
    UPDATE document_use SET released_at = :now
    WHERE subject_kind = :subject_kind AND subject_id = ANY (CAST(:ids AS bigint[])) AND kind = :kind AND released_at IS NULL
      AND (subject_id, number) NOT IN (SELECT * FROM unnest(CAST(:subjects AS bigint[]), CAST(:numbers AS text[])))
    """
)
_BESIDE = text(
    """
    SELECT DISTINCT o.subject_id FROM document_use u JOIN document_use o ON o.kind = u.kind AND o.number = u.number AND o.released_at IS NULL
    WHERE u.subject_kind = 'purchase_order' AND u.subject_id = ANY (CAST(:ids AS bigint[])) AND u.released_at IS NULL
      AND o.subject_kind = 'external_sale' ORDER BY 1
    """
)
# Sellers' claims that may be of the same sale, see ``_SUSPECTED``.
_LIKE = """
    WITH sold AS MATERIALIZED ({sold})
    SELECT DISTINCT x.id FROM sold JOIN external_sale_line l ON l.product_id = sold.product_id AND l.amount_fen = sold.amount_fen
    JOIN external_sale x ON x.id = l.sale_id AND x.side = 'seller' AND x.status IN ('submitted', 'accepted')
      AND x.sold_on BETWEEN sold.sold_on - CAST(:days AS int) AND sold.sold_on + CAST(:days AS int) {and_}
    ORDER BY 1
"""
_LIKE_BATCHES = text(
    _LIKE.format(
        sold="""SELECT DISTINCT product_id, amount_fen, sold_on FROM sales_batch_line
                WHERE batch_id = ANY (CAST(:ids AS bigint[])) AND status = 'counted' AND refunds_line_id IS NULL""",
        and_="",
    )
)
_LIKE_ORDERS = text(
    _LIKE.format(
        sold="""SELECT DISTINCT product_id, amount_fen, sold_on, supplier_id FROM sale_entry
                WHERE order_id = ANY (CAST(:ids AS bigint[])) AND reverses_id IS NULL""",
        and_="AND x.supplier_id = sold.supplier_id",
    )
)
# Of each claim the first other one, an order of the marketplace before all others. What stays in the figures beside a claim is doubted anew for an
# order, or what an outlet sold.
_FIRST = """
    SELECT DISTINCT ON (c.id) c.* FROM ({colliding}) c JOIN external_sale x ON x.id = c.id
    WHERE NOT EXISTS (SELECT FROM counting_hold h WHERE h.subject_kind = 'external_sale' AND h.subject_id = c.id
                      AND h.reason_code = '{reason}' AND h.status = 'open'
                      AND NOT (x.status = 'accepted' AND h.other_kind = 'external_sale' AND c.other_kind <> 'external_sale'))
    ORDER BY c.id, c.other_kind = 'external_sale', c.other_kind, c.other_id, c.evidence
"""
# Between two claims both are held; what is held already for the same reason needs no second doubt.
_DOUBT = """
    WITH pair AS MATERIALIZED ({pairs}), wanted AS (
        SELECT id, other_kind, other_id, evidence FROM pair
        UNION ALL
        SELECT * FROM (
            SELECT DISTINCT ON (other_id) other_id AS id, 'external_sale', id AS other_id, evidence FROM pair
            WHERE other_kind = 'external_sale' AND other_id NOT IN (SELECT id FROM pair) ORDER BY other_id, id) back
        WHERE NOT EXISTS (SELECT FROM counting_hold h WHERE h.subject_kind = 'external_sale' AND h.subject_id = back.id
                          AND h.reason_code = '{reason}' AND h.status = 'open')
    )
    INSERT INTO counting_hold (subject_kind, subject_id, reason_code, other_kind, other_id, evidence, district_code, amount_fen, opened_at)
    SELECT 'external_sale', w.id, '{reason}', w.other_kind, w.other_id, w.evidence, x.district_code, x.total_fen, CAST(:now AS timestamptz)
    FROM wanted w JOIN external_sale x ON x.id = w.id ORDER BY w.id, w.other_kind, w.other_id
    {on_conflict} DO NOTHING
    RETURNING id, subject_id
"""
_DOUBTS = [
    text(_DOUBT.format(pairs=_FIRST.format(colliding=colliding, reason=reason), reason=reason, on_conflict=_OPEN))
    for reason, colliding in COLLIDING.items()
]
_ONE = text("SELECT * FROM counting_hold WHERE id = :id FOR UPDATE")
_TWIN = text(
    """
    SELECT * FROM counting_hold WHERE subject_kind = :other_kind AND subject_id = :other_id AND other_kind = :subject_kind
      AND other_id = :subject_id AND reason_code = :reason_code AND status = 'open' FOR UPDATE
    """
)
_SAID_OF_TWIN = text(
    """
    SELECT status FROM counting_hold WHERE subject_kind = :other_kind AND subject_id = :other_id AND other_kind = :subject_kind
      AND other_id = :subject_id AND reason_code = :reason_code ORDER BY id DESC LIMIT 1
    """
)
_CLOSE = text(
    "UPDATE counting_hold SET status = :status, decided_by = :user, decided_at = :now, decision = :decision WHERE id = :id"
)
_COVERED = text(
    """
    SELECT NOT EXISTS (
        SELECT FROM document_use a JOIN document_use b ON b.kind = a.kind AND b.number = a.number
        WHERE a.subject_kind = :subject_kind AND a.subject_id = :subject_id AND b.subject_kind = :other_kind AND b.subject_id = :other_id
          AND a.released_at IS NULL AND b.released_at IS NULL AND coalesce(greatest(a.amount_fen, b.amount_fen), 0) < :together)
    """
)
_OF_SUBJECTS = """
    UPDATE counting_hold SET status = :status, decided_at = :now, decision = :decision
    WHERE {side}_kind = :kind AND {side}_id = ANY (CAST(:ids AS bigint[])) AND status = 'open'
    RETURNING id, subject_kind, subject_id
"""
_CLOSE_OWN = text(_OF_SUBJECTS.format(side="subject"))
_CLOSE_AGAINST = text(_OF_SUBJECTS.format(side="other"))
_RELIEVE = text(
    """
    UPDATE counting_hold h SET status = 'counted', decided_at = :now, decision = :decision
    WHERE h.subject_kind = 'external_sale' AND h.subject_id = ANY (CAST(:ids AS bigint[])) AND h.status = 'open'
      AND h.reason_code = 'document_seen' AND NOT EXISTS (
          SELECT FROM document_use a JOIN document_use b ON b.kind = a.kind AND b.number = a.number
          WHERE a.subject_kind = h.subject_kind AND a.subject_id = h.subject_id AND a.released_at IS NULL
            AND b.subject_kind = h.other_kind AND b.subject_id = h.other_id AND b.released_at IS NULL)
    RETURNING id, subject_kind, subject_id
    """
)
_STILL_HELD = text(
    "SELECT DISTINCT subject_id FROM counting_hold WHERE subject_kind = :kind AND subject_id = ANY (CAST(:ids AS bigint[])) AND status = 'open'"
)


@dataclass(frozen=True, slots=True)
class Use:
    """A document that a claim rests on, as it was written down."""

    subject_id: int
    kind: DocumentKind
    number: str
    issuer: str | None = None
    amount_fen: int | None = None
    side: str | None = None

    @property
    def key(self) -> str:
        return document_key(self.kind, self.number, self.issuer)


@dataclass(frozen=True, slots=True)
class Doubted:
    """A claim, why it does not count yet, and the claim that it is held against. ``district_code``: whose officers decide."""

    subject_kind: Subject
    subject_id: int
    reason_code: str
    evidence: dict[str, Any]
    district_code: str
    amount_fen: int
    other_kind: Subject | None = None
    other_id: int | None = None


_DOUBTED = [field.name for field in fields(Doubted)]


def alone(session: Session) -> None:
    """Wait until nobody else judges claims; held to the end of the transaction, and taken before any claim is locked."""
    locks.hold(session, "claims")


def hold(session: Session, doubted: Sequence[Doubted]) -> list[int]:
    """Put doubts on record, each once while it is open, in one statement; returns their ids. The caller keeps the subjects out of the figures."""
    if not doubted:
        return []
    # a file may hold thousands; asdict would copy each in its depth
    rows = json.dumps([{name: getattr(each, name) for name in _DOUBTED} for each in doubted], ensure_ascii=False)
    made = session.execute(_HOLD, {"rows": rows, "now": clock.now()}).all()
    outbox.publish_each(session, "counting_hold.opened", "hold_id", [row.id for row in made if row.opened])
    return [row.id for row in made]


def use(session: Session, subject_kind: Subject, uses: Sequence[Use]) -> None:
    """Put on record what documents subjects rest on."""
    if not uses:
        return
    values = {
        "subject_kind": subject_kind,
        "kinds": [each.kind for each in uses],
        "numbers": [each.key for each in uses],
        "subjects": [each.subject_id for each in uses],
        "sides": [each.side for each in uses],
        "amounts": [each.amount_fen for each in uses],
        "now": clock.now(),
    }
    session.execute(_USE, values)


def free(session: Session, subject_kind: Subject, ids: Sequence[int]) -> None:
    """Free the documents of subjects that do not stand any more."""
    session.execute(_FREE, {"subject_kind": subject_kind, "ids": array(ids), "now": clock.now()})


def free_others(session: Session, subject_kind: Subject, ids: Sequence[int], kind: DocumentKind, uses: Sequence[Use]) -> None:
    """Free the documents of a kind that subjects rest on, but for these."""
    kept = {"subjects": array(each.subject_id for each in uses), "numbers": [each.key for each in uses]}
    session.execute(_FREE_OTHERS, {"subject_kind": subject_kind, "ids": array(ids), "kind": kind, "now": clock.now(), **kept})


def claims_beside(session: Session, order_ids: Sequence[int]) -> list[int]:
    """External sales that rest on documents of these orders."""
    return list(session.execute(_BESIDE, {"ids": array(order_ids)}).scalars())


def claims_like_batches(session: Session, batch_ids: Sequence[int]) -> list[int]:
    """Sellers' claims that stand and look like something that counts of these batches of outlets."""
    return list(session.execute(_LIKE_BATCHES, {"ids": array(batch_ids), "days": days(session)}).scalars())


def claims_like_orders(session: Session, order_ids: Sequence[int]) -> list[int]:
    """Sellers' claims that stand and look like something that was accepted of these orders."""
    return list(session.execute(_LIKE_ORDERS, {"ids": array(order_ids), "days": days(session)}).scalars())


def doubt(session: Session, sale_ids: Sequence[int]) -> list[int]:
    """Open the doubts there are about external sales that stand, and about those that they collide with; returns the sales that are doubted by it.

    Two claims of one side that rest on one document hold each other; so do two that sold the same product for the same amount within the
    programme's days. An order of the marketplace, or a sale at an outlet, holds a seller's claim alone; a buyer's is matched with the order. What a person has decided about two is not
    asked again.
    """
    values = {"ids": array(sale_ids), "days": days(session), "now": clock.now()}
    opened = [row for statement in _DOUBTS for row in session.execute(statement, values)]
    outbox.publish_each(session, "counting_hold.opened", "hold_id", [row.id for row in opened])
    return sorted({row.subject_id for row in opened})


def one(session: Session, actor: Actor, hold_id: int, verdict: Verdict, other: Verdict | None) -> Row[Any]:
    """A hold, locked, of which ``verdict`` is to be said, and ``other`` of the one against it.

    Raises:
        NotFound: none within the caller's regions (404). HoldDecided: it is not open (409), with ``already`` where just that was said.
    """
    found = session.execute(_ONE, {"id": hold_id}).first()
    if found is None or not actor.covers_region(Permission.COUNTING_DECIDE, found.district_code):
        raise NotFound
    if found.status != HoldStatus.OPEN:
        same = found.status == verdict.status
        if same and other:
            same = session.execute(_SAID_OF_TWIN, dict(found._mapping)).scalar() == other.status
        raise HoldDecided(as_asked=same)
    return found


def decide(
    session: Session,
    actor: Actor,
    found: Row[Any],
    verdict: Verdict,
    other: Verdict | None,
    reason: str,
    among: Collection[int] = (),
) -> list[tuple[Row[Any], Verdict]]:
    """Close a doubt, and the one that the other claim has against this: by ``other``, as this one if it is ``among`` the holds that are decided alike,
    or because one of the two is the sale. Returns both with what was said of them; whoever keeps the claims carries it out.

    Raises:
        CityDecides: the other claim lies in a district that is not the caller's (403).
        DocumentCountsOnce: both are to count, and their document says less than the two together (409).
        CorrectsNothing: it is to count in the place of a batch that is not here, or was corrected before (409).
        RefundOfNoSale, RefundExceeds: it is to give back of no sale that counts, or more than is left of it (409).
        OtherStays: the other side is to be void, and is not held against this one, as no order or sale at an outlet is; or there is none (422).
    """
    said = [(found, verdict)]
    if verdict is Verdict.COUNT:
        countable.require(session, found.subject_kind, found.subject_id)
    if twin := session.execute(_TWIN, dict(found._mapping)).first():
        if not actor.covers_region(Permission.COUNTING_DECIDE, twin.district_code):
            raise CityDecides
        said.append((twin, other or (verdict if twin.id in among else verdict.of_other)))
        if found.reason_code == Reason.DOCUMENT_SEEN and all(each is Verdict.COUNT for _, each in said):
            together = {**found._mapping, "together": found.amount_fen + twin.amount_fen}
            if not session.execute(_COVERED, together).scalar_one():
                raise DocumentCountsOnce
    elif other is Verdict.VOID or (other and found.other_id is None):
        raise OtherStays.at("other")
    for row, each in said:
        values = {"id": row.id, "status": each.status, "user": actor.user_id, "now": clock.now(), "decision": reason}
        session.execute(_CLOSE, values)
        subject = f"{row.subject_kind} {row.subject_id}"
        audit.record(session, actor, f"counting_hold.{each.status}", "counting_hold", row.id, reason=reason, of=subject)
        _decided(session, [row], each.status)
    return said


def end(session: Session, subject_kind: Subject, ids: Sequence[int], why: str) -> list[int]:
    """Close what is open about subjects that do not stand any more, and what others have against them; frees their documents. Returns the
    external sales that this may set free, to be judged anew; what else it does is told by ``counting_hold.decided``."""
    free(session, subject_kind, ids)
    close(session, subject_kind, ids, HoldStatus.VOID, why)
    values = {"kind": subject_kind, "ids": array(ids), "now": clock.now(), "decision": why, "status": HoldStatus.COUNTED}
    lifted = session.execute(_CLOSE_AGAINST, values).all()
    _decided(session, lifted, HoldStatus.COUNTED)
    return sorted({row.subject_id for row in lifted if row.subject_kind == Subject.EXTERNAL_SALE})


def close(session: Session, subject_kind: Subject, ids: Sequence[int], status: HoldStatus, why: str) -> None:
    """Close what is open about subjects, because it needs no decision any more."""
    values = {"kind": subject_kind, "ids": array(ids), "now": clock.now(), "decision": why, "status": status}
    _decided(session, session.execute(_CLOSE_OWN, values).all(), status)


def relieve(session: Session, sale_ids: Sequence[int], why: str) -> None:
    """Close doubts about external sales whose document the other one does not rest on any more."""
    values = {"ids": array(sale_ids), "now": clock.now(), "decision": why}
    _decided(session, session.execute(_RELIEVE, values).all(), HoldStatus.COUNTED)


def still_held(session: Session, subject_kind: Subject, ids: Sequence[int]) -> set[int]:
    """Which of the subjects have an open doubt."""
    return set(session.execute(_STILL_HELD, {"kind": subject_kind, "ids": array(ids)}).scalars())


def _decided(session: Session, rows: Iterable[Any], status: HoldStatus) -> None:
    for row in rows:
        outbox.publish(
            session,
            "counting_hold.decided",
            hold_id=row.id,
            subject_kind=row.subject_kind,
            subject_id=row.subject_id,
            status=status,
        )
