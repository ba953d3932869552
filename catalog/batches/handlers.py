"""Who hears of batches: the officers of every county whose products are in it. Suppliers hear of their certificates."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.notifications.actions import notify

_COUNTIES = text(
    "SELECT b.number, b.title, c.district_code, count(*) AS certificates FROM catalogue_batch b JOIN certificate c ON c.batch_id = b.id"
    " WHERE b.id = :id GROUP BY 1, 2, 3 ORDER BY 3"
)


def _tell_counties(kind: str) -> Handler:
    def tell(session: Session, payload: dict[str, Any]) -> None:
        for row in session.execute(_COUNTIES, {"id": payload["batch_id"]}).all():
            notify(
                session,
                origin=f"{kind}:{payload['batch_id']}:{row.district_code}",
                kind=kind,
                subject_type="catalogue_batch",
                subject_id=payload["batch_id"],
                region_code=row.district_code,
                number=row.number,
                title=row.title,
                count=row.certificates,
            )

    return tell


HANDLERS: dict[str, Handler] = {
    "catalogue_batch.published": _tell_counties("catalogue_batch.published"),
    "catalogue_batch.withdrawn": _tell_counties("catalogue_batch.withdrawn"),
}
