"""People are told words, not codes and not regular expressions; the codes stand beside them."""

import importlib
import pkgutil
from decimal import Decimal
from typing import Literal, Self

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

import catalog
import orders
import shop
from catalog.certification.states import CaseMove, CaseStatus
from orders.amendments.errors import NotAmendable
from orders.bulletins.errors import ItemsOpen
from orders.bulletins.words import ITEMS
from orders.effects.rules import Choice
from orders.exporting.states import EXPORT, ExportMove, ExportStatus
from orders.ledger.rules import FundSource
from orders.purchasing.states import SupplierOrderStatus
from shop.core.errors import BadValue
from shop.core.faults import fault_of
from shop.core.money import YuanIn
from shop.core.quantities import Quantity
from shop.core.states import IllegalMove, StateTable
from shop.core.words import MOVES, OTHERS, STATES
from shop.identity.permissions import Role
from shop.programmes.reporting import CloseItem
from tests.factories.identity import make_user


def tables():
    found = {}
    for package in (orders, catalog, shop):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.rpartition(".")[2] in ("states", "steps", "rules"):
                values = vars(importlib.import_module(module.name)).values()
                found |= {id(each): each for each in values if isinstance(each, StateTable)}
    return found.values()


def test_every_state_and_every_move_has_its_word():
    found = tables()
    assert len(found) >= 40
    states = {str(state) for table in found for (origin, _), target in table.moves.items() for state in (origin, target)}
    moves = {str(move) for table in found for _, move in table.moves}
    assert {*states, *CaseStatus, *SupplierOrderStatus} <= set(STATES)
    assert {*moves, *CaseMove} <= set(MOVES)
    assert {*FundSource.__args__, *Choice} <= set(OTHERS)
    assert set(CloseItem.__args__) == set(ITEMS)


def test_what_follows_by_itself_is_done_and_not_told_as_allowed():
    """Of a file that is ready a job ends the time; nobody cancels it, or asks for its end."""
    assert EXPORT.after(ExportStatus.DONE, ExportMove.EXPIRE) is ExportStatus.EXPIRED
    with pytest.raises(IllegalMove) as refused:
        EXPORT.after(ExportStatus.DONE, ExportMove.CANCEL)
    assert refused.value.data["allowed"] == []


def test_a_refusal_says_words_and_keeps_the_codes_beside_them():
    refused = IllegalMove(state="partly_shipped", action="cancel", allowed=[])
    assert refused.told("zh")["title"] == "当前状态为“部分发货”，不能取消"
    assert refused.told("en")["title"] == "'cancel' is not possible in state 'partly shipped'"
    assert refused.told("zh")["data"] == {"state": "partly_shipped", "action": "cancel", "allowed": []}
    assert NotAmendable(state="shipped").told("zh")["title"] == "订单当前状态为“已发货”，不能变更"
    standing = ItemsOpen(items=["holds_open", "differences"])
    assert (
        standing.told("zh")["title"] == "尚有未办结或未说明的事项：未处理的疑点（整批暂挂的除外）、对账差异（月末以来未对账的计 1）"
    )
    assert standing.told("en")["title"].endswith("holds open, differences")


@pytest.mark.parametrize(
    ("pattern", "zh", "en"),
    [
        ("^(csv|xlsx)$", "须为 csv、xlsx 之一", "Has to be one of csv, xlsx"),
        ("^[0-9]{6}$", "须为 6 位数字", "Has to be 6 digits"),
        ("^[0-9]{8,14}$", "须为 8–14 位数字", "Has to be 8–14 digits"),
        (
            r"^[0-9]{6}([0-9T][0-9]{2,5})?$",
            "须为行政区划代码，如 500236 或 500236101",
            "Has to be the code of a region, such as 500236 or 500236101",
        ),
        (r"^[A-Za-z0-9_.\-]+$", "只能含字母、数字、_、.、-", "Takes only letters, digits, _, ., -"),
        (r"^[a-z_]{1,40}$", "只能含小写字母、_，1–40 个字符", "Takes only small letters, _; 1–40 characters"),
        ("^([a-z]+ )+$", "格式不符", "Not in the form that is asked for"),
    ],
)
def test_nobody_is_shown_a_regular_expression(pattern, zh, en):
    entry = {
        "type": "string_pattern_mismatch",
        "loc": ("query", "format"),
        "msg": f"String should match pattern '{pattern}'",
        "ctx": {"pattern": pattern},
    }
    fault = fault_of(entry)
    assert (fault.field, fault.code, fault.zh, fault.en) == ("format", "string_pattern_mismatch", zh, en)


class Asked(BaseModel):
    """One field for each kind of limit."""

    above: int = Field(gt=0)
    most: Quantity
    word: str = Field(max_length=5)
    several: list[int] = Field(min_length=1, max_length=2)
    choice: Literal["csv", "xlsx"]
    role: Role
    fund: FundSource
    places: Decimal = Field(decimal_places=2)
    amount: YuanIn


@pytest.mark.parametrize(
    ("field", "value", "zh", "en"),
    [
        ("above", 0, "须大于 0", "Has to be greater than 0"),
        ("most", "1000000001", "不得大于 1000000000", "Has to be 1000000000 or less"),
        ("word", "abcdef", "最多 5 个字符", "Has to have 5 characters or fewer"),
        ("several", [], "至少 1 项", "Takes 1 or more"),
        ("several", [1, 2, 3], "最多 2 项", "Takes 2 or fewer"),
        ("choice", "pdf", "须为 csv、xlsx 之一", "Has to be one of csv, xlsx"),
        ("fund", "x", "须为 canteen、union、welfare、other 之一", "Has to be one of canteen, union, welfare, other"),
        ("places", "1.234", "最多 2 位小数", "Has to have 2 decimal places or fewer"),
        ("amount", "１.００", "请用半角数字，如 1.00", "digits of full width are not taken; write 1.00"),
        ("amount", "１．００", "请用半角数字，如 1.00", "digits of full width are not taken; write 1.00"),
        (
            "amount",
            "1,000.00",
            "须为数字，如 1234.50，不含千分位和货币符号",
            "not a number such as 1234.50, without thousands separators and currency signs",
        ),
        (
            "most",
            "十",
            "须为数字，如 1234.50，不含千分位和货币符号",
            "not a number such as 1234.50, without thousands separators and currency signs",
        ),
    ],
)
def test_a_refusal_says_the_limit_and_the_choices(field, value, zh, en):
    with pytest.raises(ValidationError) as refused:
        Asked.__pydantic_validator__.validate_assignment(Asked.model_construct(), field, value)
    fault = fault_of(refused.value.errors()[0])
    assert (fault.zh, fault.en) == (zh, en)


class Stay(BaseModel):
    first: int
    last: int

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise BadValue("结束早于开始", "it ends before it begins", "last")
        if self.last == self.first:
            raise BadValue("至少一晚", "one night at least")
        return self


class Stays(BaseModel):
    stays: list[Stay]


@pytest.mark.parametrize(("last", "field"), [(1, "stays[0].last"), (2, "stays[0]")])
def test_of_fields_that_do_not_go_together_the_one_to_change_is_named(last, field):
    """Where it is plainly that one."""
    with pytest.raises(ValidationError) as refused:
        Stays.model_validate({"stays": [{"first": 2, "last": last}]})
    assert fault_of(refused.value.errors()[0]).field == field


def test_a_wrong_format_of_a_file_is_told_in_words(api, database):
    with database.unit_of_work() as session:
        clerk = make_user(session, Role.PLATFORM_FINANCE)
    refused = api.as_(clerk).get("/v1/payout-files/1/content", params={"format": "pdf"}, headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (422, "Has to be one of csv, xlsx")
