"""Bulletins that are published."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any

import jsonschema_rs
from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins.content import digest, frozen
from orders.bulletins.models import Bulletin
from orders.bulletins.queries import building, ground
from shop.core import clock
from shop.identity.actor import CITY
from shop.identity.models import User

# no bulletin is of a month that the city has not closed
_CLOSED = text(
    "INSERT INTO month_close (month, region_code, closed_by, closed_at, items, lacking) VALUES (:month, :city, :by, :now, '{}', '{}')"
    " ON CONFLICT DO NOTHING"
)


def publish(session: Session, officers: Sequence[User], month: str, withheld: Iterable[str] = (), edition: int = 0) -> None:
    """A bulletin of a month such as ``2026-02``, drafted by the first officer and published by the second, or with ``edition`` a revision of it, that leaves some districts out."""
    session.execute(_CLOSED, {"month": date.fromisoformat(f"{month}-01"), "city": CITY, "by": officers[0].id, "now": clock.now()})
    said = building.content(session, ground.of_month(session, month), set(withheld))
    if edition:
        before = {"month": date.fromisoformat(f"{month}-01"), "edition": edition - 1}
        session.execute(text("UPDATE bulletin SET status = 'superseded' WHERE month = :month AND edition = :edition"), before)
    session.add(
        Bulletin(
            month=date.fromisoformat(f"{month}-01"),
            year=int(month[:4]),
            number=int(month[5:]),
            edition=edition,
            status="published",
            content=frozen(said),
            sha256=digest(frozen(said)),
            reason="复核" if edition else None,
            drafted_by=officers[0].id,
            drafted_at=clock.now(),
            published_by=officers[1].id,
            published_at=clock.now(),
        )
    )
    session.flush()


@cache
def _described(components: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"$ref": "#/components/schemas/Content", "components": json.loads(components)})


def described(openapi: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A bulletin's file as the API's own description has it."""
    answer = openapi["paths"]["/v1/public/bulletins/{number}/files/{format}"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Content"}
    return _described(json.dumps(openapi["components"]))
