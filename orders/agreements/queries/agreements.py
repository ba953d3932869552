"""Reading agreements, their terms and their changes, each within the caller's reach."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql, pausing_sql
from catalog.products.rules import highest_agreed_sql
from orders.agreements.queries.planned import beyond
from orders.agreements.queries.reach import SEEN, SIDES, moves_of, reach, require_seen
from orders.agreements.rules import beyond_cap
from orders.agreements.schemas.terms import (
    AgreementLineOut,
    AgreementOut,
    AgreementRow,
    ChangeOut,
    EntryOut,
    LineWarningOut,
    ListedAgreementOut,
    PartyOut,
    PlaceOut,
    PriceOut,
    ScheduleWarningOut,
    TermsOut,
    WarnedLineOut,
)
from orders.agreements.states import AGREEMENT, AgreementState, state_sql
from orders.purchasing.rules import Reason, words_of
from shop.core import clock, paging
from shop.core.db import array
from shop.core.errors import Fault, Language, NotFound
from shop.core.money import yuan_from_fen
from shop.core.paging import Page
from shop.core.quantities import plain
from shop.identity.actor import Actor

_ROW = f"""
    SELECT a.*, a.amount_cap_fen AS amount_cap, a.minimum_amount_fen AS minimum_amount, {state_sql("a")} AS state, buyer.name AS buyer_name,
           supplier.name AS supplier_name, buyer.path AS buyer_path, supplier.path AS supplier_path
    FROM agreement a {SIDES}
"""  # noqa: S608
_LIST = text(
    f"""
    SELECT {", ".join(AgreementRow.model_fields)} FROM ({_ROW} WHERE {SEEN}) a
    WHERE (CAST(:state AS text) IS NULL OR a.state = :state)
      AND (CAST(:buyer_id AS bigint) IS NULL OR a.buyer_id = :buyer_id)
      AND (CAST(:supplier_id AS bigint) IS NULL OR a.supplier_id = :supplier_id)
      AND (CAST(:q AS text) IS NULL OR strpos(lower(a.title || ' ' || a.number), lower(:q)) > 0)
      AND (CAST(:start AS bigint) IS NULL OR a.id < :start)
    ORDER BY a.id DESC LIMIT :rows
    """  # noqa: S608
)
_ONE = text(
    f"""
    SELECT a.*, b.name AS buyer_signer, s.name AS supplier_signer, (SELECT min(n.id) FROM agreement n WHERE n.renews_id = a.id) AS renewed_as_id
    FROM ({_ROW} WHERE a.id = :id AND {SEEN}) a
    LEFT JOIN app_user b ON b.id = a.buyer_signed_by LEFT JOIN app_user s ON s.id = a.supplier_signed_by
    """  # noqa: S608
)
#: Why nothing of a line could be ordered today, as an order would find it (:func:`orders.purchasing.rules.reason_against`), but for stock; or why not at
#: each of its prices. What follows the list lies never above the ceiling.
_REASON = f"""
    CASE WHEN s.status <> 'active' OR p.status <> 'active' THEN '{Reason.WITHDRAWN}'
         WHEN o.status <> 'approved' THEN '{Reason.SUPPLIER_NOT_APPROVED}'
         WHEN NOT EXISTS (SELECT FROM certificate f WHERE f.product_id = p.id AND f.supplier_id = p.supplier_id AND {in_force_sql("f")})
         THEN CASE WHEN {pausing_sql("p")} THEN '{Reason.CERTIFICATE_SUSPENDED}' ELSE '{Reason.NOT_CERTIFIED}' END
         WHEN coalesce(l.unit_price_fen, (SELECT max(t.unit_price_fen) FROM agreement_price_tier t WHERE t.agreement_line_id = l.id))
              > {highest_agreed_sql("p", "s")} THEN '{Reason.ABOVE_CEILING}' END
"""  # noqa: S608
_OF_LINE = "agreement_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id JOIN organisation o ON o.id = p.supplier_id"
_WARNED = text(
    f"""
    SELECT * FROM (
        SELECT l.agreement_id, l.line_no, p.name AS product_name, {highest_agreed_sql("p", "s")} AS highest_fen, {_REASON} AS reason
        FROM {_OF_LINE} WHERE l.agreement_id = ANY (CAST(:ids AS bigint[]))
    ) l WHERE l.reason IS NOT NULL ORDER BY l.agreement_id, l.line_no
    """  # noqa: S608
)
_LINES = text(
    f"""
    SELECT l.*, l.amount_cap_fen AS amount_cap, s.code AS sku_code, s.product_id, p.name AS product_name, s.pack, s.unit,
           {_REASON} AS reason, {highest_agreed_sql("p", "s")} AS highest_fen,
           (SELECT array_agg(t.min_quantity ORDER BY t.min_quantity) FROM agreement_price_tier t WHERE t.agreement_line_id = l.id) AS tier_least,
           (SELECT array_agg(t.unit_price_fen ORDER BY t.min_quantity) FROM agreement_price_tier t WHERE t.agreement_line_id = l.id) AS tier_fen
    FROM {_OF_LINE} WHERE l.agreement_id = :id ORDER BY l.line_no
    """  # noqa: S608
)
_PLACES = text("SELECT * FROM delivery_place WHERE agreement_id = :id ORDER BY id")
_ENTRIES = text(
    """
    SELECT e.*, l.line_no FROM schedule_entry e JOIN agreement_line l ON l.id = e.agreement_line_id
    WHERE l.agreement_id = :id AND NOT e.ended ORDER BY e.id
    """
)
_CHANGES = text(
    """
    SELECT c.*, p.name AS proposed_by_name, r.name AS answered_by_name
    FROM agreement_change c JOIN app_user p ON p.id = c.proposed_by LEFT JOIN app_user r ON r.id = c.answered_by
    WHERE c.agreement_id = :id AND (CAST(:change_id AS bigint) IS NULL OR c.id = :change_id)
      AND (CAST(:start AS bigint) IS NULL OR c.id < :start)
    ORDER BY c.id DESC LIMIT :rows
    """
)
#: Nothing is ordered from it any more, or ever.
_OVER = (AgreementState.EXPIRED, AgreementState.TERMINATED, AgreementState.DECLINED, AgreementState.WITHDRAWN)


def agreements(
    session: Session,
    actor: Actor,
    *,
    state: AgreementState | None,
    buyer_id: int | None,
    supplier_id: int | None,
    q: str | None,
    limit: int,
    after: str | None,
    language: Language,
) -> Page[ListedAgreementOut]:
    """Agreements of the own branch or region, newest first, with the lines that could not be ordered today, and the caps that schedules pass."""
    start = paging.position(after, int)
    rows = session.execute(
        _LIST,
        {
            **reach(actor),
            "today": clock.today(),
            "state": state,
            "buyer_id": buyer_id,
            "supplier_id": supplier_id,
            "q": q,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    running = [row.id for row in rows if row.state not in _OVER]
    asked = {"ids": array(running), "today": clock.today(), "now": clock.now()}
    warned: dict[int, list[WarnedLineOut]] = {}
    for line in session.execute(_WARNED, asked):
        told = WarnedLineOut(line_no=line.line_no, product_name=line.product_name, **_warning(line, language))
        warned.setdefault(line.agreement_id, []).append(told)
    schedules = beyond(session, running)

    def shown(row: Row[Any]) -> ListedAgreementOut:
        schedule = _warnings(schedules.get(row.id, []), language)
        return ListedAgreementOut(**row._mapping, warnings=warned.get(row.id, []), schedule_warnings=schedule)

    return paging.page(rows, limit, shown, lambda row: [row.id])


def _warning(line: Row[Any], language: Language) -> dict[str, Any]:
    reason = Reason(line.reason)
    ceiling = line.highest_fen if reason is Reason.ABOVE_CEILING else None
    return {"code": reason, "message": words_of(reason)[language == "en"], "ceiling": ceiling}


def agreement(session: Session, actor: Actor, agreement_id: int, language: Language) -> AgreementOut:
    """One agreement with its lines, places and schedule; as long as it is not over with what there is to say of its lines today.

    Raises:
        NotFound: none within reach.
    """
    row = session.execute(_ONE, {"id": agreement_id, "today": clock.today(), **reach(actor)}).first()
    if row is None:
        raise NotFound
    asked = {"id": agreement_id}
    return AgreementOut(
        **{name: getattr(row, name) for name in AgreementOut.model_fields if hasattr(row, name)},
        buyer=PartyOut(id=row.buyer_id, name=row.buyer_name, signed_at=row.buyer_signed_at, signed_by_name=row.buyer_signer),
        supplier=PartyOut(
            id=row.supplier_id, name=row.supplier_name, signed_at=row.supplier_signed_at, signed_by_name=row.supplier_signer
        ),
        lines=[
            _line(line, None if row.state in _OVER else language)
            for line in session.execute(_LINES, {**asked, "today": clock.today(), "now": clock.now()})
        ],
        places=_all(PlaceOut, session.execute(_PLACES, asked).all()),
        schedule=_all(EntryOut, session.execute(_ENTRIES, asked).all()),
        schedule_warnings=_warnings(beyond(session, [] if row.state in _OVER else [row.id]).get(row.id, []), language),
        possible_actions=AGREEMENT.possible(row.status, moves_of(actor, row)),
    )


def _warnings(faults: Sequence[Fault], language: Language) -> list[ScheduleWarningOut]:
    return [ScheduleWarningOut.model_validate(fault.told(language)) for fault in faults]


def _all(kind: Any, rows: Sequence[Row[Any]]) -> list[Any]:
    return [kind.model_validate(row, from_attributes=True) for row in rows]


def _line(row: Row[Any], warned_in: Language | None) -> AgreementLineOut:
    tiers = [
        {"min_quantity": plain(least), "unit_price": yuan_from_fen(fen)}
        for least, fen in zip(row.tier_least or [], row.tier_fen or [], strict=True)
    ]
    price = PriceOut(kind=row.price_kind, unit_price=row.unit_price_fen, percent_off=row.percent_off, tiers=tiers or None)
    fields = {name: getattr(row, name) for name in AgreementLineOut.model_fields if name not in ("price", "warning")}
    warning = LineWarningOut(**_warning(row, warned_in)) if row.reason and warned_in else None
    return AgreementLineOut(**fields, price=price, warning=warning)


def terms(session: Session, actor: Actor, agreement_id: int) -> TermsOut:
    """The frozen terms of an agreement.

    Raises:
        NotFound: none within reach, or a draft.
    """
    require_seen(session, actor, agreement_id)
    row = session.execute(
        text("SELECT terms_document, terms_hash FROM agreement WHERE id = :id AND terms_hash IS NOT NULL"), {"id": agreement_id}
    ).first()
    if row is None:
        raise NotFound
    return TermsOut(terms_hash=row.terms_hash, document=row.terms_document)


def changes(
    session: Session, actor: Actor, agreement_id: int, language: Language, *, limit: int, after: str | None
) -> Page[ChangeOut]:
    """What was proposed to change, newest first.

    Raises:
        NotFound: no such agreement within reach.
    """
    require_seen(session, actor, agreement_id)
    start = paging.position(after, int)
    asked = {"id": agreement_id, "change_id": None, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_CHANGES, asked).all()
    return paging.page(rows, limit, lambda row: _change(row, language), lambda row: [row.id])


def change(session: Session, actor: Actor, agreement_id: int, change_id: int, language: Language) -> ChangeOut:
    """One proposal to change an agreement.

    Raises:
        NotFound: none within reach.
    """
    require_seen(session, actor, agreement_id)
    asked = {"id": agreement_id, "change_id": change_id, "start": None, "rows": 1}
    row = session.execute(_CHANGES, asked).first()
    if row is None:
        raise NotFound
    return _change(row, language)


def _change(row: Row[Any], language: Language) -> ChangeOut:
    fields = {name: getattr(row, name) for name in ChangeOut.model_fields}
    warnings = _warnings([beyond_cap(**told) for told in row.schedule_warnings], language)
    return ChangeOut(**fields | {"schedule_warnings": warnings})
