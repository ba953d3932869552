"""Declaring what a harvest bears, refusing to promise more, and sharing what was lost of it.

Whatever promises from a supplier's harvest holds the lock of that supplier first, before any agreement; so of two that sign the last of a
month at once, one finds it gone.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import date
from typing import Literal

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements import rules
from orders.agreements.errors import CapacityBelowDrawn, EvidenceGiven, OverCommitted
from orders.agreements.queries import harvest
from orders.agreements.queries.harvest import Months
from orders.agreements.rules import Harvest, Portion, Side
from orders.agreements.schemas.harvest import CapacityIn, CropLossIn
from shop.core import audit, clock, locks, outbox, uploads
from shop.core.errors import Fault, NotFound
from shop.core.models import StoredFile
from shop.identity.actor import Actor

#: What a declared harvest says to an agreement: nothing is declared for its months, for some, or for all of them, and it is within.
Says = Literal["not_declared", "partly_declared", "within_declared"]

_PRODUCT = text(
    "SELECT p.supplier_id, o.path FROM product p JOIN organisation o ON o.id = p.supplier_id WHERE p.id = :id AND p.kind = 'goods'"
)
_PRODUCTS = text(
    "SELECT DISTINCT s.product_id FROM agreement_line l JOIN sku s ON s.id = l.sku_id"
    " WHERE l.agreement_id = ANY (:ids) AND s.net_grams IS NOT NULL"
)
_DECLARE = text(
    """
    INSERT INTO harvest_capacity AS c (supplier_id, product_id, month, grams, declared_by, declared_at)
    SELECT :supplier_id, :product_id, u.month, u.grams, :user_id, :now
    FROM unnest(CAST(:months AS date[]), CAST(:grams AS bigint[])) AS u (month, grams)
    ON CONFLICT (product_id, month) DO UPDATE
    SET grams = excluded.grams, declared_by = excluded.declared_by, declared_at = excluded.declared_at
    """
)


def hold(session: Session, supplier_id: int) -> None:
    """Wait until nobody else promises from this supplier's harvest."""
    locks.hold(session, f"harvest:{supplier_id}")


def products_of(session: Session, agreement_ids: Sequence[int]) -> set[int]:
    """The goods of agreements."""
    return set(session.execute(_PRODUCTS, {"ids": list(agreement_ids)}).scalars())


def refuse_over(before: Months, after: Months, to: Side = Side.SUPPLIER) -> Says:
    """Refuse what promises more of a month than is declared for it. Months that are over, and those in which nothing grew, do not count. What the
    supplier declared and promised to others is for its own eyes.

    Raises:
        OverCommitted: ``errors`` names products, months and sums (409).
    """
    grown = {
        key: found
        for key, found in after.items()
        if key[1] >= harvest.this_month() and found.promised > before.get(key, Harvest(None)).promised
    }
    over = {key: found for key, found in grown.items() if found.over}
    if over:
        raise OverCommitted(months=_listed(over), faults=[_fault(key, found, before.get(key), to) for key, found in over.items()])
    declared = sum(found.declared is not None for found in grown.values())
    return "not_declared" if not declared else "within_declared" if declared == len(grown) else "partly_declared"


def _listed(months: Collection[tuple[int, date]]) -> str:
    return ", ".join(sorted({f"{month:%Y-%m}" for _, month in months}))


def _fault(key: tuple[int, date], found: Harvest, before: Harvest | None, to: Side) -> Fault:
    """A buyer is not told what others were promised."""
    product_id, month = key
    asked = found.promised - (before.promised if before else 0)
    promised, over = found.promised - asked, found.over if to is Side.SUPPLIER else min(found.over, asked)
    zh, en = f"{month:%Y-%m} 本次 {asked} 克，超出 {over} 克", f"{month:%Y-%m}: {asked} g asked, {over} g over"
    data = {"product_id": product_id, "month": f"{month:%Y-%m}", "asked_grams": asked, "over_grams": over}
    if to is Side.SUPPLIER:
        zh = f"{month:%Y-%m} 申报 {found.declared} 克，已承诺 {promised} 克，本次 {asked} 克，超出 {over} 克"
        en = f"{month:%Y-%m}: {found.declared} g declared, {promised} g promised, {asked} g asked, {over} g over"
        data |= {"declared_grams": found.declared, "promised_grams": promised}
    return Fault(f"{month:%Y-%m}", "over_committed", zh, en, data)


def declare(session: Session, actor: Actor, body: CapacityIn) -> None:
    """Say how much of a product can be delivered in which month; a later word takes the place of an earlier one.

    Raises:
        NotFound: no goods of the caller's branch (404). CapacityBelowDrawn: more is promised already (409).
    """
    supplier_id = _own(session, actor, body.product_id)
    hold(session, supplier_id)
    session.execute(
        _DECLARE,
        {
            "supplier_id": supplier_id,
            "product_id": body.product_id,
            "user_id": actor.user_id,
            "now": clock.now(),
            "months": [each.month for each in body.months],
            "grams": [each.grams for each in body.months],
        },
    )
    asked = {(body.product_id, each.month) for each in body.months if each.month >= harvest.this_month()}
    found = harvest.months(session, [body.product_id])
    over = {key: found[key] for key in asked if found[key].schedules + found[key].caps > (found[key].declared or 0)}
    if over:
        raise CapacityBelowDrawn(
            months=_listed(over), faults=[_fault(key, each, each, Side.SUPPLIER) for key, each in sorted(over.items())]
        )
    audit.record(
        session,
        actor,
        "harvest_capacity.declared",
        "product",
        body.product_id,
        months={f"{each.month:%Y-%m}": each.grams for each in body.months},
    )


def _own(session: Session, actor: Actor, product_id: int) -> int:
    row = session.execute(_PRODUCT, {"id": product_id}).first()
    if row is None or not actor.within_branch(row.path):
        raise NotFound
    supplier_id: int = row.supplier_id
    return supplier_id


# Agreements before their instalments, each by id, as everywhere.
_LOCK_AGREEMENTS = text(
    """
    SELECT a.id FROM agreement a
    WHERE a.supplier_id = :supplier_id AND (a.status = 'active' OR a.status = 'proposed' AND a.supplier_signed_at IS NOT NULL)
    ORDER BY a.id FOR NO KEY UPDATE
    """
)
_PORTIONS = text(
    """
    SELECT i.id, i.agreement_line_id AS line_id, i.quantity, s.net_grams, s.step
    FROM instalment i JOIN agreement_line l ON l.id = i.agreement_line_id JOIN sku s ON s.id = l.sku_id
    JOIN agreement a ON a.id = l.agreement_id
    WHERE s.product_id = :product_id AND s.net_grams IS NOT NULL AND a.id = ANY (:agreements) AND i.status IN ('planned', 'drafted')
      AND i.due_on >= :today AND i.due_on <= coalesce(a.terminated_on, a.valid_until)
      AND i.due_on >= :month AND i.due_on < CAST(CAST(:month AS date) + interval '1 month' AS date)
    ORDER BY i.agreement_line_id, i.due_on, i.id FOR UPDATE OF i
    """
)
_CUT = text(
    """
    UPDATE instalment i SET quantity = w.quantity, lost_grams = i.lost_grams + w.grams,
        status = CASE WHEN w.quantity = 0 THEN 'skipped' ELSE i.status END,
        skip_reason = CASE WHEN w.quantity = 0 THEN 'crop_loss' END,
        call_off_draft_id = CASE WHEN w.quantity = 0 THEN NULL ELSE i.call_off_draft_id END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:quantities AS numeric[]), CAST(:grams AS bigint[])) AS w (id, quantity, grams)
    WHERE i.id = w.id
    """
)
_CLOSE_EMPTY_DRAFTS = text(
    """
    UPDATE call_off_draft d SET status = 'discarded', version = version + 1
    WHERE d.agreement_id = ANY (:agreements) AND d.status = 'open'
      AND NOT EXISTS (SELECT FROM instalment i WHERE i.call_off_draft_id = d.id AND i.status = 'drafted')
    """
)
_LOSS = text(
    """
    INSERT INTO crop_loss (supplier_id, product_id, month, grams, cut_grams, reason, declared_by, declared_at)
    VALUES (:supplier_id, :product_id, :month, :grams, :cut_grams, :reason, :user_id, :now) RETURNING id
    """
)
_SHARE = text(
    """
    INSERT INTO crop_loss_share (crop_loss_id, agreement_line_id, planned_grams, cut_grams)
    SELECT :id, u.* FROM unnest(CAST(:lines AS bigint[]), CAST(:planned AS bigint[]), CAST(:cut AS bigint[])) u
    """
)


def declare_loss(session: Session, actor: Actor, body: CropLossIn) -> list[int]:
    """Take a loss from the instalments of its month that are not ordered, pro rata over agreements; one record for each month. Returns their ids.

    Raises:
        NotFound: no goods of the caller's branch (404).
    """
    supplier_id = _own(session, actor, body.product_id)
    hold(session, supplier_id)
    agreements = list(session.execute(_LOCK_AGREEMENTS, {"supplier_id": supplier_id}).scalars())
    made = [
        _lose(session, actor, supplier_id, agreements, body, month=each.month, grams=each.grams)
        for each in sorted(body.months, key=lambda each: each.month)
    ]
    session.execute(_CLOSE_EMPTY_DRAFTS, {"agreements": agreements})
    return made


def _lose(
    session: Session, actor: Actor, supplier_id: int, agreements: list[int], body: CropLossIn, *, month: date, grams: int
) -> int:
    asked = {"product_id": body.product_id, "agreements": agreements, "month": month, "today": clock.today()}
    portions = [Portion(*row) for row in session.execute(_PORTIONS, asked)]
    cuts = rules.shared_loss(grams, portions)
    cut_grams = sum(cut.grams for cut in cuts)
    loss_id: int = session.execute(
        _LOSS,
        {
            "supplier_id": supplier_id,
            "product_id": body.product_id,
            "month": month,
            "grams": grams,
            "cut_grams": cut_grams,
            "reason": body.reason,
            "user_id": actor.user_id,
            "now": clock.now(),
        },
    ).scalar_one()
    if cuts:
        session.execute(
            _CUT,
            {
                "ids": [cut.id for cut in cuts],
                "quantities": [cut.quantity for cut in cuts],
                "grams": [cut.grams for cut in cuts],
            },
        )
        lines = list(dict.fromkeys(portion.line_id for portion in portions))
        session.execute(
            _SHARE,
            {
                "id": loss_id,
                "lines": lines,
                "planned": [sum(each.grams for each in portions if each.line_id == line) for line in lines],
                "cut": [sum(cut.grams for cut in cuts if cut.line_id == line) for line in lines],
            },
        )
    audit.record(session, actor, "crop_loss.declared", "crop_loss", loss_id, reason=body.reason, grams=grams, cut_grams=cut_grams)
    outbox.publish(session, "crop_loss.declared", crop_loss_id=loss_id)
    return loss_id


def give_evidence(session: Session, actor: Actor, loss_id: int, name: str | None, content: bytes) -> StoredFile:
    """Add the paper that proves a loss, once.

    Raises:
        NotFound: no loss of the caller's branch (404). EvidenceGiven: there is one (409).
        TooLarge (413), UnreadableFile (422): as for every upload.
    """
    row = session.execute(
        text(
            "SELECT k.evidence_file_id, f.sha256, o.path FROM crop_loss k JOIN organisation o ON o.id = k.supplier_id"
            " LEFT JOIN stored_file f ON f.id = k.evidence_file_id WHERE k.id = :id FOR UPDATE OF k"
        ),
        {"id": loss_id},
    ).first()
    if row is None or not actor.within_branch(row.path):
        raise NotFound
    if row.evidence_file_id is not None:
        raise EvidenceGiven(as_asked=row.sha256 == hashlib.sha256(content).hexdigest())
    file = uploads.keep(session, actor.user_id, name, content)
    session.execute(text("UPDATE crop_loss SET evidence_file_id = :file WHERE id = :id"), {"file": file.id, "id": loss_id})
    audit.record(session, actor, "crop_loss.evidence_given", "crop_loss", loss_id, sha256=file.sha256)
    return file
