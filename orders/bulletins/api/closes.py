"""The close of a month's figures over HTTP, and the grades of what it holds."""

import re
from typing import Annotated

from fastapi import Path, Query

from orders.bulletins.actions import closing, explaining
from orders.bulletins.queries import bulletins, checklists
from orders.bulletins.schemas.bulletins import FigureExplainIn, GradesOut
from orders.bulletins.schemas.closing import CloseIn, CloseOut, ExplainIn
from orders.ledger.filters import RegionCode
from shop.core.errors import Invalid
from shop.core.months import MONTH_PATTERN
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("monthly_closes", "/v1/monthly-closes")

#: Who may not ask is refused before anybody looks whether there is such a month.
OfMonth = Annotated[str, Path(max_length=10, examples=["2026-10"])]
Region = Annotated[RegionCode | None, Query(description="a county, or 500000 for the city; default: the own one")]


def _month(written: str) -> str:
    """A month of a path.

    Raises:
        Invalid: it is none (422).
    """
    if not re.fullmatch(MONTH_PATTERN, written):
        raise Invalid.one("month", "no_month", "须为月份，如 2026-11", "Has to be a month, such as 2026-11")
    return written


def _close(call: Call, month: str, region: str | None) -> CloseOut:
    return checklists.close(call.session, call.actor, month, region or checklists.own_region(call.actor), call.language)


@routes.get("/{month}", Permission.BULLETINS_READ)
def read_close(call: Call, month: OfMonth, region: Region = None) -> CloseOut:
    """What is open before a month is closed, with counts and where to look; of the city also which counties have closed. Explanations, and who closed, are
    told of the own region."""
    return _close(call, _month(month), region)


@routes.post("/{month}/explanations", Permission.MONTHS_CLOSE)
def explain_item(call: Call, month: OfMonth, body: ExplainIn, region: Region = None) -> CloseOut:
    """Say why the month may be closed though something is open."""
    of = region or checklists.own_region(call.actor)
    closing.explain(call.session, call.actor, _month(month), of, body.item, body.explanation)
    return _close(call, month, of)


@routes.post("/{month}/close", Permission.MONTHS_CLOSE)
def close_month(call: Call, month: OfMonth, body: CloseIn, region: Region = None) -> CloseOut:
    """Close a month: a county, then the city. After the city's close the ledger takes no entry of it any more."""
    of = region or checklists.own_region(call.actor)
    closing.close(call.session, call.actor, _month(month), of, body)
    return _close(call, month, of)


@routes.get("/{month}/grades", Permission.BULLETINS_READ)
def read_grades(call: Call, month: OfMonth) -> GradesOut:
    """How far papers prove each district's figure, what makes it doubtful, and whether it is published."""
    return bulletins.grades(call.session, call.actor, _month(month), call.language)


@routes.post("/{month}/figure-explanations", Permission.BULLETINS_PUBLISH)
def explain_figure(call: Call, month: OfMonth, body: FigureExplainIn) -> GradesOut:
    """Say why a district's figure is right though its grade is low; it is published with the explanation in the notes."""
    explaining.explain(call.session, call.actor, _month(month), body.district, body.explanation)
    return bulletins.grades(call.session, call.actor, _month(month), call.language)
