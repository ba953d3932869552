"""What the public is told with a notice, and what a change would change in words that everybody may read: pure functions."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shop.core.errors import Language
from shop.core.money import yuan_from_fen

#: How long after its end a notice can still be read, in calendar days.
ENDED_DAYS = 90
#: As many objections may wait against one notice; more are no news, but abuse.
MOST_OPEN = 200
MOST_FILES = 10

_HOW = (
    "对公示内容有异议的，可于 {last_day}（含当日）前提交：{address}（姓名、电话、异议内容）。联系方式加密保存，仅供核查人员查看。"
    "收到后 {days} 个工作日内答复，可凭回执编号查询。",
    "Objections can be raised until {last_day}, that day included: POST {address} with name, phone and text. Your contact is kept encrypted and"
    " seen only by those who investigate. The answer comes within {days} working days; the receipt lets you follow it up.",
)
_OVER = ("公示已结束，不再受理异议。", "This notice has ended; objections are no longer taken.")


def how_to_object(address: str, last_day: date, days: int, language: Language) -> str:
    """What somebody who objects must know. ``days``: working days to the answer."""
    return _HOW[0 if language == "zh" else 1].format(address=address, last_day=last_day.isoformat(), days=days)


def over(language: Language) -> str:
    return _OVER[0 if language == "zh" else 1]


def proposed(changes: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a change proposes, for everybody: prices in yuan, and none of our own numbers."""
    if changes is None:
        return None
    told = {field: value for field, value in changes.items() if field not in ("sku_id", "tiers")}
    if "tiers" in changes:
        told["tiers"] = [{"min_quantity": least, "unit_price": yuan_from_fen(fen)} for least, fen in changes["tiers"]]
    return told
