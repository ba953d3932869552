"""The dashboard as a table: the channels, their total, and the overlays below it."""

from collections.abc import Iterator
from decimal import Decimal

from orders.panels.schemas import OverviewOut
from shop.core.errors import Language
from shop.core.exports import TOTAL, Cell
from shop.core.money import yuan

HEADER: dict[Language, list[str]] = {
    "zh": ["代码", "渠道", "本月（元）", "本年（元）", "本年净重（吨）", "占比（%）", "上年同期（元）", "增长（%）"],
    "en": ["code", "channel", "month (yuan)", "year (yuan)", "year (t)", "share (%)", "last year (yuan)", "growth (%)"],
}
TITLE: dict[Language, str] = {"zh": "总览", "en": "Overview"}
_OVERLAY: dict[Language, str] = {"zh": "其中（叠加口径，不另相加）：", "en": "of it (an overlay, not to be added): "}


def cells(of: OverviewOut, language: Language) -> Iterator[list[Cell]]:
    """One row for each channel, the total, one for each overlay."""
    for each in of.channels:
        yield [
            *(each.code.value, each.label, yuan(each.month), yuan(each.year), Decimal(each.tonnes), _percent(each.share)),
            *(yuan(each.last_year), _percent(each.growth)),
        ]
    year = of.year
    yield [
        *(
            "total",
            TOTAL[language],
            yuan(of.month.amount),
            yuan(year.amount),
            Decimal(year.tonnes),
            Decimal(100) if year.amount else None,
        ),
        *(yuan(year.last_year), _percent(year.growth)),
    ]
    for overlay in of.overlays:
        yield [
            *(overlay.code, _OVERLAY[language] + overlay.label, yuan(overlay.month), yuan(overlay.year), Decimal(overlay.tonnes)),
            *(None, None, None),
        ]


def _percent(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
