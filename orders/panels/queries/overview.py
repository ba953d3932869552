"""One answer for the dashboard: this month, this year, growth, channels of credit, the overlay of the townships, and the targets' lights."""

from collections.abc import Iterable
from datetime import date

from sqlmodel import Session

from orders.ledger.selection import EVERYWHERE, NOWHERE, Dimension, Selection
from orders.panels.schemas import ChannelOut, LightOut, OverlayOut, OverviewOut, SpanOut
from orders.statistics.queries import Figures, ask
from orders.statistics.question import Compare, Measure, Question
from orders.statistics.rules import growth, shares, tonnes
from orders.targets import queries as targets
from shop.core import clock
from shop.core.errors import Language
from shop.core.months import month_start
from shop.programmes import queries as programmes
from shop.programmes.rules import Channel
from shop.regions import queries as regions
from shop.regions.rules import Designation

_SUMS = (Measure.AMOUNT, Measure.TONNES)
DEFINITION: dict[Language, str] = {
    "zh": "本月、本年至今与上年同期相比。渠道互斥，相加等于总额；深度贫困乡镇（18个）为叠加口径，已含在总额内，不另相加。仅含采购，不含帮助销售。",
    "en": "This month and this year so far beside the same days last year. Channels exclude each other and add up to the total; the 18 townships are"
    " an overlay, which the total holds already. Purchases only; helped sales are apart.",
}


def overview(session: Session, language: Language) -> OverviewOut:
    """The dashboard as of now. Sales are by channel, of which rollups know every day; the overlay is by whole months."""
    today = clock.today()
    this_month = month_start(today)
    selection = Selection(today.replace(month=1, day=1), today)
    answer = ask(session, Question(selection, (Dimension.CHANNEL, Dimension.MONTH), _SUMS, EVERYWHERE, Compare.LAST_YEAR))

    def sums(channel: str | None, first: date = selection.first) -> list[Figures]:
        return _added(row for (by, month), row in answer.rows.items() if channel in (None, by) and month >= first)

    programme = programmes.in_force(session, today)
    config = programmes.parsed(programme)
    years = [sums(channel) for channel in config.channel_priority]
    of_year = shares([now.amount_fen for now, _ in years])
    return OverviewOut(
        programme=programme.code,
        month=_span(this_month, today, sums(None, this_month)),
        year=_span(selection.first, today, answer.totals),
        channels=[
            _channel(channel, config.term("channel", channel, language), sums(channel, this_month), year, share)
            for channel, year, share in zip(config.channel_priority, years, of_year, strict=True)
        ],
        overlays=[_deep_townships(session, today, config.term("designation", Designation.DEEP_TOWNSHIP, language))],
        targets=[
            LightOut(
                **each.model_dump(include={"id", "code", "name", "unit", "value", "due"}),
                **each.progress.model_dump(
                    include={"done", "rate", "expected", "forecast", "counted", "counties", "units", "light"}
                ),
            )
            for each in targets.lights(session, programme.code, language, today)
        ],
        definition=DEFINITION[language],
        exact_to=answer.exact_to,
    )


def _added(rows: Iterable[list[Figures]]) -> list[Figures]:
    """The sums of some rows: of the period, and of the same days last year."""
    now, before = Figures(), Figures()
    for row in rows:
        for total, one in zip((now, before), row, strict=True):
            total.amount_fen += one.amount_fen
            total.grams += one.grams
    return [now, before]


def _span(first: date, last: date, sums: list[Figures]) -> SpanOut:
    now, before = sums
    return SpanOut(
        first=first,
        last=last,
        amount=now.amount_fen,
        tonnes=tonnes(now.grams),
        grams=now.grams,
        last_year=before.amount_fen,
        growth=growth(now.amount_fen, before.amount_fen),
    )


def _channel(code: Channel, label: str, month: list[Figures], year: list[Figures], share: str | None) -> ChannelOut:
    now, before = year
    return ChannelOut(
        code=code,
        label=label,
        month=month[0].amount_fen,
        year=now.amount_fen,
        tonnes=tonnes(now.grams),
        grams=now.grams,
        share=share,
        last_year=before.amount_fen,
        growth=growth(now.amount_fen, before.amount_fen),
    )


def _deep_townships(session: Session, today: date, label: str) -> OverlayOut:
    codes = sorted(regions.designated(session, [Designation.DEEP_TOWNSHIP], today))
    only = {Dimension.TOWNSHIP: codes or [NOWHERE]}
    # not by month: the year is read from the years of places, which are a tenth of their months
    [month], [year] = (
        ask(session, Question(Selection(first, today, only), (), _SUMS, EVERYWHERE)).totals
        for first in (month_start(today), today.replace(month=1, day=1))
    )
    return OverlayOut(
        code=Designation.DEEP_TOWNSHIP,
        label=label,
        places=len(codes),
        month=month.amount_fen,
        year=year.amount_fen,
        tonnes=tonnes(year.grams),
        grams=year.grams,
    )
