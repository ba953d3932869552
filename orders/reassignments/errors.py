"""What a change of the budget unit may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, Invalid


class Dispatched(Conflict):
    code = "dispatched"
    zh = "已有货物发出，变更预算单位须提交申请"
    en = "Goods are on their way; another budget unit takes an application"


class NotDispatched(Conflict):
    code = "not_dispatched"
    zh = "尚未发货，可直接变更预算单位"
    en = "Nothing was sent yet; change the budget unit directly"


class SameUnit(DoneBefore):
    code = "same_unit"
    zh = "订单已属于该预算单位"
    en = "The order belongs to this unit already"


class NothingLeft(Conflict):
    code = "nothing_left"
    zh = "订单已全部取消"
    en = "Every part of the order is cancelled"


class NotOfYourTree(Invalid):
    code = "not_of_your_tree"
    zh = "新预算单位须为同一单位体系内已审核的采购单位"
    en = "The new unit is an approved buyer of the same tree of units"


class ApplicationOpen(Conflict):
    code = "application_open"
    zh = "该订单已有待处理的申请"
    en = "An application for this order waits already"


class OwnUnit(Forbidden):
    code = "own_unit"
    zh = "不能处理涉及本单位的申请"
    en = "Nobody decides on an application of the own unit"


CONSTRAINTS["uq_budget_unit_application_open"] = ApplicationOpen
