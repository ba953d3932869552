"""What closing a month, explaining and publishing may be refused for."""

from orders.bulletins.words import ITEMS
from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, NotFound


class NotAClosingRegion(NotFound):
    code = "not_a_closing_region"
    zh = "{name_zh}（{region}）不参加 {month} 的结账"
    en = "{name_en} ({region}) does not close {month}"


class NotYourRegion(Forbidden):
    code = "not_your_region"
    zh = "只能为本区县（市级人员为全市）办理"
    en = "This is for the officers of that county, and of the city for the city"


class MonthClosed(DoneBefore):
    code = "month_closed"
    zh = "{month} 已结账"
    en = "{month} is closed already"


class MonthNotClosed(Conflict):
    code = "month_not_closed"
    zh = "{month} 全市尚未结账"
    en = "The city has not closed {month}"


class ClosedAlong(Conflict):
    code = "closed_along"
    zh = "{month} 随 {closed_with} 一并结账，没有单独的公报"
    en = "{month} was closed along with {closed_with} and has no bulletin of its own"


class NotInOrder(Conflict):
    """Months are closed one after the other."""

    code = "not_in_order"
    zh = "应先结 {next} 的账"
    en = "{next} has to be closed first"


class ItemsOpen(Conflict):
    """``data.items`` names what is open and was not explained."""

    code = "items_open"
    zh = "尚有未办结或未说明的事项：{items}"
    en = "Something is open and nobody has explained it: {items}"
    words = {"items": {item: said["zh"] for item, said in ITEMS.items()}}


class CountiesLacking(Conflict):
    """``data.lacking`` has the codes of the counties that nobody has named, ``data.names_zh`` and ``names_en`` their names in that order; closing without
    them needs each of them named by its code, and a reason."""

    code = "counties_lacking"
    zh = "尚有 {count} 个区县未结账且未列出，须逐一列出并说明理由：{names_zh}"
    en = "Counties that have not closed and are not named: {count}; name each of them, and the reason: {names_en}"
    words = {"names_zh": {}, "names_en": {}}


class NothingToExplain(Conflict):
    code = "nothing_to_explain"
    zh = "该事项没有需要说明的内容"
    en = "There is nothing open that would need an explanation"


class BulletinThere(Conflict):
    code = "bulletin_there"
    zh = "{month} 的公报已在起草或已发布"
    en = "There is a draft of this month's bulletin, or it was published; a published one is revised"


class NoBulletin(Conflict):
    code = "no_bulletin"
    zh = "{month} 的公报尚未发布"
    en = "This month's bulletin is not published yet"


class NothingChanged(Conflict):
    code = "nothing_changed"
    zh = "自上次发布以来没有变化"
    en = "Nothing has changed since it was published last"


class OwnDraft(Forbidden):
    code = "own_draft"
    zh = "起草人不能发布，须由另一人发布"
    en = "Whoever drafted it does not publish it; a second person does"


class OtherContent(Conflict):
    """What is to be published is not what the caller read."""

    code = "other_content"
    zh = "内容与所阅的不一致（{sha256}）"
    en = "This is not the content that you read ({sha256})"


for _name in ("pk_month_close", "pk_closed_month"):
    CONSTRAINTS[_name] = MonthClosed
for _name in ("uq_bulletin_draft", "uq_bulletin_month_edition", "uq_bulletin_in_force"):
    CONSTRAINTS[_name] = BulletinThere
