"""Which organisations an event concerns, and by what each can look it up. One entry for each event that buyers or suppliers hear of.

Every statement gives rows of (organisation_id, subject_type, subject_id) for the ``:id`` that the event names.
"""

# ruff: noqa: S608  statements are put together from constants only

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.effects.rules import OPEN
from shop.core.outbox import Handler
from shop.webhooks.actions import feed

_OPEN = ", ".join(f"'{status}'" for status in OPEN)

#: The buyer, and the unit that ordered.
_BUYERS = "unnest(ARRAY[po.buyer_id, po.ordering_unit_id])"
_ORDER = f"SELECT {_BUYERS}, 'purchase_order', po.id FROM purchase_order po WHERE po.id = :id"
_PARTS = f"{_ORDER} UNION SELECT supplier_id, 'supplier_order', id FROM supplier_order WHERE purchase_order_id = :id"
_PART = """
    SELECT unnest(ARRAY[po.buyer_id, po.ordering_unit_id, so.supplier_id]), '{subject}', {of}.id
    FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id {join} WHERE {by}.id = :id
"""
_SHIPMENT = "JOIN shipment s ON s.supplier_order_id = so.id"
_ACCEPTANCE = f"{_SHIPMENT} JOIN acceptance a ON a.shipment_id = s.id"

_CERTIFICATE = "SELECT supplier_id, 'certificate', id FROM certificate WHERE id = :id"
#: Buyers with open orders under a certificate hear when it stops or goes on. The supplier's open orders are few; its lines are found by them.
_CERTIFICATE_IN_USE = f"""
    {_CERTIFICATE}
    UNION
    SELECT {_BUYERS}, 'open_orders', c.id FROM certificate c
    JOIN supplier_order so ON so.supplier_id = c.supplier_id AND so.status IN ({_OPEN})
    JOIN purchase_order po ON po.id = so.purchase_order_id
    WHERE c.id = :id AND EXISTS (SELECT FROM order_line l WHERE l.supplier_order_id = so.id AND l.certificate_id = c.id)
"""
_REVOCATION = (
    "SELECT c.supplier_id, 'certificate', c.id FROM revocation r JOIN certificate c ON c.id = r.certificate_id WHERE r.id = :id"
)
_CASE = "SELECT supplier_id, 'certification_case', id FROM certification_case WHERE id = :id"
_OBJECTION = """
    SELECT c.supplier_id, 'certification_case', c.id FROM objection j JOIN certification_case c ON c.id = j.case_id WHERE j.id = :id
"""
#: The supplier, and the organisation that complained if it was one.
_COMPLAINT = """
    SELECT organisation, 'complaint', id FROM complaint CROSS JOIN unnest(ARRAY[supplier_id, organisation_id]) organisation
    WHERE id = :id AND organisation IS NOT NULL
"""
_OF_CERTIFICATE = (
    "SELECT c.supplier_id, '{subject}', t.id FROM {table} t JOIN certificate c ON c.id = t.certificate_id WHERE t.id = :id"
)
_BAR = "SELECT organisation_id, 'organisation', organisation_id FROM blacklist_entry WHERE id = :id"
_ORGANISATION = "SELECT id, 'organisation', id FROM organisation WHERE id = :id"

#: Event -> the member of its payload that is ``:id``, and the statement.
CONCERNED: dict[str, tuple[str, str]] = {
    "acceptance.recorded": ("acceptance_id", _PART.format(subject="shipment", of="s", join=_ACCEPTANCE, by="a")),
    "blacklist.lifted": ("entry_id", _BAR),
    "blacklist.listed": ("entry_id", _BAR),
    "capacity.cleared": ("flag_id", _OF_CERTIFICATE.format(subject="capacity_flag", table="capacity_flag")),
    "capacity.flagged": ("flag_id", _OF_CERTIFICATE.format(subject="capacity_flag", table="capacity_flag")),
    "certificate.changed": ("certificate_id", _CERTIFICATE),
    "certificate.held": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.issued": ("certificate_id", _CERTIFICATE),
    "certificate.papers_renewed": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.reinstated": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.released": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.revocation_dropped": ("revocation_id", _REVOCATION),
    "certificate.revocation_opened": ("revocation_id", _REVOCATION),
    "certificate.revoked": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.suspended": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.warned": ("certificate_id", _CERTIFICATE),
    "certification.decided": ("case_id", _CASE),
    "certification.noticed": ("case_id", _CASE),
    "certification.submitted": ("case_id", _CASE),
    "complaint.decided": ("complaint_id", _COMPLAINT),
    "complaint.filed": ("complaint_id", _COMPLAINT),
    "complaint.stated": ("complaint_id", _COMPLAINT),
    "complaint.withdrawn": ("complaint_id", _COMPLAINT),
    "inspection.done": ("inspection_id", _OF_CERTIFICATE.format(subject="inspection", table="inspection")),
    "objection.decided": ("objection_id", _OBJECTION),
    "organisation.approved": ("organisation_id", _ORGANISATION),
    "organisation.rejected": ("organisation_id", _ORGANISATION),
    "payment.recorded": (
        "payment_id",
        f"""SELECT {_BUYERS}, 'purchase_order', po.id FROM payment p JOIN purchase_order po ON po.id = p.purchase_order_id WHERE p.id = :id
        UNION SELECT so.supplier_id, 'supplier_order', so.id FROM payment p JOIN supplier_order so USING (purchase_order_id) WHERE p.id = :id""",
    ),
    "purchase_order.cancelled": ("purchase_order_id", f"{_PARTS} AND status = 'cancelled'"),
    "purchase_order.placed": ("purchase_order_id", _PARTS),
    "shipment.sent": ("shipment_id", _PART.format(subject="shipment", of="s", join=_SHIPMENT, by="s")),
    "supplier_order.confirmed": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "supplier_order.rejected": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "supplier_order.to_deliver": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
}

#: Events for officers, or about our own machinery. An event stands here or above (a test checks it): a decision, made once for each.
NOT_TOLD = frozenset(
    {
        "capacity.explained",
        "catalogue_batch.published",
        "catalogue_batch.withdrawn",
        "certificate.revocation_stated",
        "certification.appealed",
        "notification.made",
        "objection.received",
        "organisation.registered",
        "organisation.resubmitted",
        "price_check.above",
    }
)


def _told(kind: str, member: str, statement: str) -> Handler:
    concerned = text(f"SELECT * FROM ({statement}) AS concerned (organisation_id, subject_type, subject_id)")

    def handle(session: Session, payload: dict[str, Any]) -> None:
        rows = session.execute(concerned, {"id": payload[member]})
        feed.record(session, kind, [feed.Concerned(*row) for row in rows])

    return handle


HANDLERS: dict[str, Handler] = {kind: _told(kind, member, statement) for kind, (member, statement) in CONCERNED.items()}
