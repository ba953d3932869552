"""What a saved list, or a re-order, may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class ListNameTaken(Conflict):
    code = "list_name_taken"
    zh = "已有同名清单"
    en = "There is a list of this name already"


class NotYourList(Forbidden):
    code = "not_your_list"
    zh = "只能修改本人的清单，或本单位共享的清单"
    en = "Only the own lists, and the shared ones of the own unit, can be changed"


class ListFull(Conflict):
    code = "list_full"
    zh = "清单最多 {limit} 行"
    en = "A list has at most {limit} lines"


class ListEmpty(Conflict):
    code = "list_empty"
    zh = "清单没有可以下单的行"
    en = "The list has no line that can be ordered"


class UnknownSkus(Invalid):
    code = "unknown_skus"
    zh = "有 {count} 个规格不存在"
    en = "There is no such SKU; codes that are none: {count}"


CONSTRAINTS["uq_saved_list_organisation_id_owner_id_name"] = ListNameTaken
