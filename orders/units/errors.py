"""What settings and addresses of a unit may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class NotAboveUnit(Invalid):
    code = "not_above_unit"
    zh = "预算单位须为本单位或其上级单位"
    en = "The budget unit is the unit itself or one above it"


class NotABuyingUnit(Conflict):
    code = "not_a_buying_unit"
    zh = "该单位不是采购单位"
    en = "The organisation does not buy"


class RequiredAbove(Forbidden):
    code = "required_above"
    zh = "上级单位要求有预算才能下单，本单位不能取消此要求"
    en = "A unit above wants orders within a budget only; it alone lifts that"


class AddressNotInUse(Conflict):
    code = "address_not_in_use"
    zh = "已停用的地址不能设为默认地址"
    en = "An address that is not used cannot be the default one"


class DefaultTaken(Conflict):
    code = "default_taken"
    zh = "默认地址刚刚被他人修改，请重试"
    en = "The default address was changed this moment; try again"


class AddressMissing(Invalid):
    code = "delivery_address_missing"
    zh = "请填写收货地址，或为单位设置默认地址"
    en = "Give a delivery address, or set a default one for the unit"


class UnknownAddress(Invalid):
    code = "unknown_address"
    zh = "没有此收货地址，或已停用"
    en = "There is no such delivery address, or it is no longer used"


CONSTRAINTS["uq_delivery_address_default"] = DefaultTaken
