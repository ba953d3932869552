"""Goods of an order that must not be sent, because something stands against their certificate."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import cause_at_sql, stopped_at_sql
from shop.core import clock

#: Certificates against which a measure stands, and for which the buyer has not chosen delivery since; ``order_disposition`` has its choices.
_UNDECIDED = text(
    f"""
    SELECT DISTINCT c.number
    FROM order_line l JOIN certificate c ON c.id = l.certificate_id
    WHERE l.supplier_order_id = :id AND l.shipped_quantity + l.closed_quantity < l.quantity AND {stopped_at_sql("c")} IS NOT NULL
      AND NOT EXISTS (SELECT FROM order_disposition d WHERE d.supplier_order_id = l.supplier_order_id AND d.certificate_id = c.id
                      AND d.choice = 'deliver' AND d.at >= {cause_at_sql("c")})
    ORDER BY c.number
    """
)


def undecided(session: Session, supplier_order_id: int) -> list[str]:
    """Numbers of the certificates for which a supplier order waits for its buyer's choice; while there are any, nothing of it is shipped."""
    return list(session.execute(_UNDECIDED, {"id": supplier_order_id, **clock.present()}).scalars())
