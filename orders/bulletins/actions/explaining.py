"""Explaining a figure whose grade is low, so that it is published."""

from sqlmodel import Session

from orders.bulletins.actions.publishing import require_city
from orders.bulletins.errors import NothingToExplain
from orders.bulletins.models import FigureExplanation
from orders.bulletins.queries import ground
from orders.bulletins.queries.facts import MonthDays
from orders.reports.errors import MonthNotOver
from shop.core import audit, clock
from shop.identity.actor import Actor


def explain(session: Session, actor: Actor, month: str, district_code: str, explanation: str) -> None:
    """Say why a district's figure is right though its grade is low: it is published from the next edition on, the explanation in its notes.

    Raises:
        NotYourRegion: not of the city's office (403). MonthNotOver: see there (409). NothingToExplain: its figure is published as it is, or there is none (409).
    """
    of = MonthDays.of(month)
    require_city(actor)
    if of.last >= clock.today():
        raise MonthNotOver(month=month)
    if district_code not in ground.of_month(session, month).doubtful:
        raise NothingToExplain
    session.add(
        FigureExplanation(month=of.first, district_code=district_code, explanation=explanation, by=actor.person, at=clock.now())
    )
    session.flush()
    audit.record(session, actor, "figure.explained", "month", of.subject, reason=explanation, region=district_code)
