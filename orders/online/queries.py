"""Reading online payments, each within the caller's reach."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries import balance
from orders.money.queries.reach import reach, require_keeper
from orders.money.rules import Account
from orders.online.errors import NoAccount
from orders.online.schemas import (
    AccountOut,
    ChargeDisputeOut,
    EntryFilter,
    OnlinePaymentOut,
    PayableOut,
    ProviderEntryOut,
    StandingOut,
)
from orders.online.states import OPEN, DisputeStatus, OnlineStatus, possible
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.core.settings import STAND_IN_KEY, settings
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_REACH = """
    (buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text) OR buyer.region_code LIKE ANY (CAST(:regions AS text[])))
"""
_ORDER = """
    JOIN purchase_order po ON po.id = o.purchase_order_id JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
"""
_PAYMENT = f"""
    SELECT o.*, o.amount_fen AS amount, o.received_fen AS received, po.number AS purchase_order_number,
           buyer.path AS buyer_path, unit.path AS unit_path
    FROM online_payment o {_ORDER} WHERE {_REACH}
"""  # noqa: S608
_ONE = text(f"{_PAYMENT} AND o.id = :id")
_MANY = text(
    f"""{_PAYMENT} AND (CAST(:status AS text) IS NULL OR o.status = :status)
    AND (CAST(:order_id AS bigint) IS NULL OR o.purchase_order_id = :order_id)
    AND (CAST(:start AS bigint) IS NULL OR o.id < :start) ORDER BY o.id DESC LIMIT :rows"""
)
_DISPUTES = text(
    f"""
    SELECT d.*, d.amount_fen AS amount, o.purchase_order_id, po.number AS purchase_order_number
    FROM charge_dispute d JOIN online_payment o ON o.id = d.online_payment_id {_ORDER}
    WHERE {_REACH} AND (CAST(:status AS text) IS NULL OR d.status = :status)
    AND (CAST(:start AS bigint) IS NULL OR d.id < :start) ORDER BY d.id DESC LIMIT :rows"""  # noqa: S608
)
_ACCOUNT = text(
    """
    SELECT a.*, CASE WHEN a.account_id IS NULL AND c.status = 'refused' THEN c.last_error END AS refused
    FROM connected_account a
    LEFT JOIN LATERAL (SELECT status, last_error FROM provider_call WHERE operation = 'account' AND subject_id = a.id ORDER BY id DESC LIMIT 1) c ON true
    WHERE a.supplier_id = :id
    """
)
# Newest first, as they were read; what was charged names its order.
_ENTRIES = text(
    """
    SELECT e.*, e.amount_fen AS amount, e.fee_fen AS fee, e.net_fen AS net, po.number AS purchase_order_number,
           CASE WHEN e.failed THEN 'failed' WHEN e.unexplained THEN 'unexplained' ELSE 'matched' END AS state
    FROM provider_entry e LEFT JOIN online_payment o ON o.charge_id = e.source_id LEFT JOIN purchase_order po ON po.id = o.purchase_order_id
    WHERE (CAST(:type AS text) IS NULL OR e.type = :type)
    AND (CAST(:matched AS boolean) IS NULL OR (e.failed OR e.unexplained) <> :matched)
    AND (CAST(:first AS timestamptz) IS NULL OR e.created_at >= :first) AND (CAST(:until AS timestamptz) IS NULL OR e.created_at < :until)
    AND (CAST(:start AS bigint) IS NULL OR e.id < :start) ORDER BY e.id DESC LIMIT :rows
    """
)
_STANDING = text(
    """
    SELECT (SELECT count(*) FROM online_payment WHERE status = ANY (:open)) AS open_payments,
           (SELECT count(*) FROM online_payment WHERE status = 'unknown') AS unknown_payments,
           (SELECT min(created_at) FROM online_payment WHERE status = 'unknown') AS oldest_unknown,
           (SELECT count(*) FROM provider_call WHERE status IN ('due', 'sending', 'unknown')) AS waiting_calls,
           (SELECT min(created_at) FROM provider_call WHERE status IN ('due', 'sending', 'unknown')) AS oldest_waiting,
           (SELECT count(*) FROM provider_call WHERE status = 'parked') AS parked_calls,
           (SELECT count(*) FROM charge_dispute WHERE status IN ('inquiry', 'open')) AS open_disputes,
           (SELECT count(*) FROM provider_entry WHERE unexplained) AS unexplained_entries,
           (SELECT count(*) FROM provider_entry WHERE failed) AS failed_entries,
           (SELECT max(created_at) FROM provider_entry) AS statement_read_to,
           (SELECT coalesce(sum(net_fen), 0)::bigint FROM provider_entry) AS at_provider
    """
)


def online_payment(session: Session, actor: Actor, online_payment_id: int) -> PayableOut:
    """One online payment; what it is paid with is shown to those alone of its buyer who may pay.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = session.execute(_ONE, {"id": online_payment_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    pays = _pays(actor, row)
    shown = {name: getattr(row, name) if pays else None for name in ("client_secret", "action_url", "qr_code")}
    key = settings().stripe_publishable_key if pays and row.status in OPEN else None
    return PayableOut(**_shown(actor, row).model_dump(), **shown, publishable_key=key)


def online_payments(
    session: Session, actor: Actor, *, status: OnlineStatus | None, purchase_order_id: int | None, limit: int, after: str | None
) -> Page[OnlinePaymentOut]:
    """Online payments of the caller's branch, or of those whose money it keeps; newest first."""
    start = paging.position(after, int)
    values = {"status": status, "order_id": purchase_order_id, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_MANY, {**values, **reach(actor)}).all()
    return paging.page(rows, limit, lambda row: _shown(actor, row), lambda row: [row.id])


def charge_disputes(
    session: Session, actor: Actor, *, status: DisputeStatus | None, limit: int, after: str | None
) -> Page[ChargeDisputeOut]:
    """Disputes about online payments, as :func:`online_payments`."""
    start = paging.position(after, int)
    values = {"status": status, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_DISPUTES, {**values, **reach(actor)}).all()
    return paging.page(
        rows,
        limit,
        lambda row: ChargeDisputeOut(**{name: getattr(row, name) for name in ChargeDisputeOut.model_fields}),
        lambda row: [row.id],
    )


def connected_account(session: Session, actor: Actor) -> AccountOut:
    """The account of the caller's organisation at the provider.

    Raises:
        NoAccount: none was opened (409).
    """
    row = session.execute(_ACCOUNT, {"id": actor.organisation}).first()
    if row is None:
        raise NoAccount
    fresh = bool(row.link_until and row.link_until > clock.now())
    return AccountOut(
        id=row.id,
        supplier_id=row.supplier_id,
        country=row.country,
        opened=row.account_id is not None,
        enabled=row.enabled,
        refused=row.refused,
        details_submitted=row.details_submitted,
        still_due=row.still_due.split(",") if row.still_due else [],
        link_url=row.link_url if fresh else None,
        link_until=row.link_until if fresh else None,
    )


def provider_entries(
    session: Session, actor: Actor, asked: EntryFilter, *, limit: int, after: str | None
) -> Page[ProviderEntryOut]:
    """The lines of the provider's statement, as they were read.

    Raises:
        Forbidden: see :func:`require_keeper` (403).
    """
    require_keeper(actor)
    start = paging.position(after, int)
    values = {
        "type": asked.type,
        "matched": asked.matched,
        "first": clock.start_of_day(asked.first) if asked.first else None,
        "until": clock.end_of_day(asked.last) if asked.last else None,
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    rows = session.execute(_ENTRIES, values).all()
    return paging.page(
        rows,
        limit,
        lambda row: ProviderEntryOut(**{name: getattr(row, name) for name in ProviderEntryOut.model_fields}),
        lambda row: [row.id],
    )


def standing(session: Session, actor: Actor) -> StandingOut:
    """How online payment stands.

    Raises:
        Forbidden: see :func:`require_keeper` (403).
    """
    require_keeper(actor)
    row = session.execute(_STANDING, {"open": list(OPEN)}).one()
    key = settings().stripe_key
    return StandingOut(
        **row._mapping, on=key is not None, stand_in=(key or "").startswith(STAND_IN_KEY), difference=difference_fen(session)
    )


def difference_fen(session: Session) -> int:
    """What the ledger says of the account at the provider, less what the provider's statement sums to, in fen."""
    shown = session.execute(text("SELECT coalesce(sum(net_fen), 0)::bigint FROM provider_entry")).scalar_one()
    return balance(session, Account.ONLINE) - int(shown)


def _pays(actor: Actor, row: Any) -> bool:
    """Whether the actor pays online for the order, or stops doing so."""
    own = actor.within_branch(row.buyer_path) or actor.within_branch(row.unit_path)
    return own and actor.may(Permission.ONLINE_PAYMENTS_MAKE)


def _shown(actor: Actor, row: Row[Any]) -> OnlinePaymentOut:
    fields = {name: getattr(row, name) for name in OnlinePaymentOut.model_fields if name != "possible_actions"}
    moves = possible(row.status) if _pays(actor, row) and not row.cancel_asked_at else []
    return OnlinePaymentOut(**fields, possible_actions=moves)
