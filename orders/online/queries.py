"""Reading online payments, each within the caller's reach."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries import balance
from orders.money.rules import Account
from orders.online.errors import NoAccount
from orders.online.schemas import AccountOut, ChargeDisputeOut, OnlinePaymentOut, PayableOut, StandingOut
from orders.online.states import OPEN, DisputeStatus, OnlineStatus, possible
from shop.core import clock, paging
from shop.core.errors import Forbidden, NotFound
from shop.core.paging import Page
from shop.core.settings import STAND_IN_KEY, settings
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission

_REACH = """
    (buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text) OR buyer.region_code LIKE ANY (CAST(:regions AS text[])))
"""
_ORDER = """
    JOIN purchase_order po ON po.id = o.purchase_order_id JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
"""
_PAYMENT = f"""
    SELECT o.*, o.amount_fen AS amount, o.received_fen AS received, po.number AS purchase_order_number
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
    """One online payment; what it is paid with is shown to the buyer's own people alone.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = session.execute(_ONE, {"id": online_payment_id, **_reach(actor)}).first()
    if row is None:
        raise NotFound
    pays = actor.may(Permission.ONLINE_PAYMENTS_MAKE)
    shown = {name: getattr(row, name) if pays else None for name in ("client_secret", "action_url", "qr_code")}
    key = settings().stripe_publishable_key if pays and row.status in OPEN else None
    return PayableOut(**_shown(row).model_dump(), **shown, publishable_key=key)


def online_payments(
    session: Session, actor: Actor, *, status: OnlineStatus | None, purchase_order_id: int | None, limit: int, after: str | None
) -> Page[OnlinePaymentOut]:
    """Online payments of the caller's branch, or of those whose money it keeps; newest first."""
    start = paging.position(after, int)
    values = {"status": status, "order_id": purchase_order_id, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_MANY, {**values, **_reach(actor)}).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def charge_disputes(
    session: Session, actor: Actor, *, status: DisputeStatus | None, limit: int, after: str | None
) -> Page[ChargeDisputeOut]:
    """Disputes about online payments, as :func:`online_payments`."""
    start = paging.position(after, int)
    values = {"status": status, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_DISPUTES, {**values, **_reach(actor)}).all()
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
    row = session.execute(text("SELECT * FROM connected_account WHERE supplier_id = :id"), {"id": actor.organisation}).first()
    if row is None:
        raise NoAccount
    fresh = bool(row.link_until and row.link_until > clock.now())
    return AccountOut(
        id=row.id,
        supplier_id=row.supplier_id,
        country=row.country,
        opened=row.account_id is not None,
        enabled=row.enabled,
        details_submitted=row.details_submitted,
        still_due=row.still_due.split(",") if row.still_due else [],
        link_url=row.link_url if fresh else None,
        link_until=row.link_until if fresh else None,
    )


def standing(session: Session, actor: Actor) -> StandingOut:
    """How online payment stands.

    Raises:
        Forbidden: the caller does not keep the city's money, which the online balance is (403).
    """
    if not actor.covers_region(Permission.MONEY_MANAGE, CITY):
        raise Forbidden(permission=Permission.MONEY_MANAGE)
    row = session.execute(_STANDING, {"open": list(OPEN)}).one()
    key = settings().stripe_key
    return StandingOut(
        **row._mapping, on=key is not None, stand_in=(key or "").startswith(STAND_IN_KEY), difference=difference_fen(session)
    )


def difference_fen(session: Session) -> int:
    """What the ledger says of the account at the provider, less what the provider's statement sums to, in fen."""
    shown = session.execute(text("SELECT coalesce(sum(net_fen), 0)::bigint FROM provider_entry")).scalar_one()
    return balance(session, Account.ONLINE) - int(shown)


def _reach(actor: Actor) -> dict[str, Any]:
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": [f"{prefix}%" for prefix in actor.regions(Permission.MONEY_READ)],
    }


def _shown(row: Row[Any]) -> OnlinePaymentOut:
    fields = {name: getattr(row, name) for name in OnlinePaymentOut.model_fields if name != "possible_actions"}
    moves = [] if row.cancel_asked_at else possible(row.status)
    return OnlinePaymentOut(**fields, possible_actions=moves)
