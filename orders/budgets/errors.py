"""What a budget refuses."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden
from shop.core.words import OTHERS


class BudgetExceeded(Conflict):
    code = "budget_exceeded"
    zh = "超出预算：需要 {needed} 元，可用 {available} 元（{unit} {year} 年，{fund_source}）"
    en = "Over budget: {needed} yuan are needed, {available} are left ({unit}, {year}, {fund_source})"
    words = {"fund_source": OTHERS}


class BuyersBudgetShort(Conflict):
    """The same of an order that got dearer: its supplier may be who is told, and what its customer has left is no business of it."""

    code = "buyers_budget_short"
    zh = "采购单位的预算不足"
    en = "The buyer's budget does not suffice for this"


class OwnBudgetShort(BuyersBudgetShort):
    """What the buyer itself is told of it."""

    zh = "采购单位的预算不足：还需 {needed} 元，可用 {available} 元（{unit} {year} 年，{fund_source}）"
    en = "The buyer's budget does not suffice for this: {needed} yuan more are needed, {available} are left ({unit}, {year}, {fund_source})"
    words = {"fund_source": OTHERS}


class BudgetMissing(Conflict):
    code = "budget_missing"
    zh = "本单位要求有预算才能下单，{year} 年尚无此资金来源（{fund_source}）的预算"
    en = "The unit orders within a budget only, and there is none for {fund_source} in {year}"
    words = {"fund_source": OTHERS}


class BudgetExists(Conflict):
    code = "budget_exists"
    zh = "该单位此年度、此资金来源已有预算"
    en = "The unit has a budget for this year and fund source already"


class SetAbove(Forbidden):
    code = "set_above"
    zh = "此预算由上级单位下达，本单位不能设定或调整"
    en = "The limit is the unit's above to set"


class BelowDrawn(Conflict):
    code = "limit_below_drawn"
    zh = "限额不能低于已占用和已使用的 {drawn} 元"
    en = "The limit cannot be less than the {drawn} yuan that are reserved and consumed"


CONSTRAINTS["uq_budget_organisation_id_year_fund_source"] = BudgetExists
