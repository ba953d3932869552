"""The month before last as the demo's officers left it: closed by the counties and the city, its bulletin published, and revised when a sale was told
late; through the actions of the domains."""

from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins.actions import closing, publishing
from orders.bulletins.queries import checklists
from orders.bulletins.queries.facts import MonthDays
from orders.bulletins.rules.closing import standing
from orders.bulletins.schemas.closing import CloseIn
from shop.core import audit
from shop.core.months import days_of, month_before
from shop.demo.claims import Claims
from shop.demo.people import People, acting, as_it_is
from shop.identity import tokens
from shop.identity.actor import CITY, Actor
from shop.programmes.reporting import CloseItem

#: What an officer says of an item that is open when a month is closed.
SAID: dict[CloseItem, str] = {
    "batches_held": "暂挂批次正在核对，核实后计入当月",
    "holds_open": "疑似重复正在核对，核实后计入当月",
    "claims_undecided": "申报材料正在审核，审结后计入当月",
    "reports_missing": "未报月报已逐户催报，下月补齐",
    "reports_moved": "变动已与报送单位核对，以台账为准",
    "differences": "月末以来尚未自动对账，已由专人核对账目",
}
_SHA256 = text("SELECT sha256 FROM bulletin WHERE id = :id")


def load(session: Session, folk: People, claims: Claims, today: date) -> None:
    """Close the month before last, county by county and then the city's, publish its bulletin, and revise it by a late claim; seal the records."""
    month = month_before(days_of(month_before(today))[0])
    of = MonthDays.of(month)
    for code in checklists.counties(session, of, checklists.rules_of(session, of)):
        _close(session, tokens.actor_of_user(session, folk.officers[code]), of, code)
    city = acting(session, "city")
    _close(session, city, of, CITY)
    _publish(session, publishing.draft(session, city, month))
    claims.late(of.last)
    _publish(session, publishing.revise(session, city, month, "结账后补报一笔线下销售"))
    while audit.seal(session):
        pass


def _publish(session: Session, drafted: int) -> None:
    """By another person than the one who drafted it."""
    sha256 = session.execute(_SHA256, {"id": drafted}).scalar_one()
    publishing.publish(session, acting(session, "publisher"), drafted, sha256, as_it_is)


def _close(session: Session, officer: Actor, of: MonthDays, region: str) -> None:
    """Explain what is open, and close."""
    month = f"{of.first:%Y-%m}"
    for item in standing(checklists.open_items(session, of, region), {}, checklists.rules_of(session, of)):
        closing.explain(session, officer, month, region, item, SAID[item])
    closing.close(session, officer, month, region, CloseIn())
