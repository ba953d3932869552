"""Targets as tables."""

from collections.abc import Iterable, Iterator, Mapping

from orders.statistics.tables import Column, Kind, Table, percent, text
from orders.targets.schemas import TargetOut
from orders.targets.words import LIGHTS, MEASURES, METHODS, UNITS
from shop.core.errors import Language
from shop.core.exports import Cell

HEADER: dict[Language, list[str]] = {
    "zh": [
        *(
            "方案",
            "目标代码",
            "目标",
            "区划代码",
            "区划",
            "指标",
            "单位",
            "渠道",
            "起",
            "止",
            "目标值",
            "已完成",
            "完成率（%）",
            "应完成",
        ),
        *("应完成口径", "预计完成", "预测方法", "已计入区县或单位（个）", "应报区县（个）", "应报单位（个）", "信号灯", "来源"),
    ],
    "en": [
        *(
            "programme",
            "code",
            "target",
            "region code",
            "region",
            "measure",
            "unit",
            "channel",
            "from",
            "to",
            "value",
            "done",
            "rate (%)",
        ),
        *(
            "expected by today",
            "expected by",
            "forecast",
            "forecast by",
            "counties or units counted",
            "counties to report",
            "units to file",
            "light",
            "source",
        ),
    ],
}
TITLE: dict[Language, str] = {"zh": "目标", "en": "Targets"}


def cells(targets: Iterable[TargetOut], channels: Mapping[str, str], language: Language) -> Iterator[list[Cell]]:
    """One row for each target, in the order of the header."""
    for each in targets:
        of = each.progress
        yield [
            *(each.programme, each.code, each.name, each.region_code, each.region_name),
            *(
                MEASURES[each.measure][language],
                UNITS[each.unit][language],
                each.channel and channels.get(each.channel, each.channel),
            ),
            *(each.first, each.due, each.value, of.done, of.rate, of.expected, METHODS[of.expected_method][language]),
            *(of.forecast, of.forecast_method and METHODS[of.forecast_method][language], of.counted, of.counties, of.units),
            *(LIGHTS[of.light][language], each.source),
        ]


RANK = Table(
    name="target_rank",
    title=("目标完成排名", "Targets by rank"),
    columns={
        "rank": Column(Kind.COUNT, "排名", "rank", summed=False),
        "county": text("区县代码", "county code"),
        "county_name": text("区县", "county"),
        "value": Column(Kind.VALUE, "目标值", "value", summed=False),
        "done": Column(Kind.VALUE, "已完成", "done", summed=False),
        "rate": percent("完成率（%）", "rate (%)"),
        "expected": Column(Kind.VALUE, "应完成", "expected by the day", summed=False),
        "forecast": Column(Kind.VALUE, "预计完成", "forecast", summed=False),
        "light": text("信号灯", "light"),
    },
    definition=(
        "按完成率由高到低排名，完成率相同的并列；只含下达了此项目标的区县。",
        "By the rate that was reached, the highest first; equal rates share a rank. Only districts that were given this target.",
    ),
)
