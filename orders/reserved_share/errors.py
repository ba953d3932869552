"""What a reserved share may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class NotABudgetUnit(Conflict):
    code = "not_a_budget_unit"
    zh = "该单位在 {year} 年不是预算单位，无须填报预留份额"
    en = "This organisation is no budget unit in {year}; it files no reserved share"


class YearNotOpen(Conflict):
    code = "year_not_open"
    zh = "只能填报 {first} 年和 {last} 年的预留份额"
    en = "Reserved shares are filed for {first} and {last}"


class ShareRefused(Invalid):
    code = "reserved_share_refused"
    zh = "预留份额填报有 {count} 处错误"
    en = "The reserved share has {count} fault(s)"


class NothingToFile(Conflict):
    code = "nothing_to_file"
    zh = "尚未填写预留份额"
    en = "Nothing was written yet that could be filed"


class SharedCanteenChain(Conflict):
    """One unit reports for all that share a canteen; it cannot itself be reported for by another."""

    code = "shared_canteen_chain"
    zh = "合用食堂只能由一个单位填报：所填单位或本单位已处于另一合用关系中"
    en = "One unit reports for a shared canteen: the unit named, or the own one, already stands in another such relation"


class NoCanteenToShare(Conflict):
    """What one unit leaves to another to report, that one must have: else nobody reports it."""

    code = "no_canteen_to_share"
    zh = "填报无食堂的单位不能为合用食堂的单位填报"
    en = "A unit without a canteen cannot be the one that reports for a shared canteen"


class OwnFiling(Forbidden):
    code = "own_filing"
    zh = "不能审核本单位或本人填报的预留份额"
    en = "Nobody reviews the filing of the own unit, or one that the same person filed"


class NotReviewing(Forbidden):
    code = "not_the_reviewing_department"
    zh = "由主管部门审核；没有主管部门的单位由所在区县或市级主管人员审核"
    en = "The unit above it reviews it; of a unit without one, the officers of its county or city"


class OtherRevision(Conflict):
    """What was reviewed is not what lies there now."""

    code = "other_revision"
    zh = "待审核的是第 {number} 次填报，请重新查看"
    en = "Revision {number} awaits review now; read it first"


class RowsRefused(Invalid):
    code = "rows_refused"
    zh = "未导入：表格有 {count} 处错误"
    en = "Nothing was taken over: the spreadsheet has {count} fault(s)"


class ChangedMeanwhile(Conflict):
    code = "filed_meanwhile"
    zh = "有单位刚刚完成报送，请重新导入"
    en = "A unit filed this very moment; import again"


class _UnknownUnit(Invalid):
    code = "unknown_unit"
    zh = "所填单位不存在"
    en = "The unit named does not exist"


CONSTRAINTS["fk_reserved_share_shared_with_id"] = _UnknownUnit
