"""What outlets and their devices may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, Invalid


class NoOperator(Invalid):
    code = "no_outlet_operator"
    zh = "该单位不是已核准的网点运营单位"
    en = "The organisation is no approved operator of outlets"


class UnknownPlace(Invalid):
    code = "unknown_place"
    zh = "没有该区县或乡镇，或乡镇不属于该区县"
    en = "There is no such district or township, or the township lies in another district"


class AlreadyRegistered(Conflict):
    code = "outlet_already_registered"
    zh = "该运营单位已登记过此设备或渠道编号"
    en = "The operator has registered this device or channel number before"


class PlaceFixed(Conflict):
    code = "outlet_place_fixed"
    zh = "网点核验后，或已有销售计入后，其类型和所在地不能更改，请关闭后重新登记"
    en = "Kind and place of an outlet stay once it was verified, or sales of it have counted; close it and register another"


class OwnOutlet(Forbidden):
    code = "own_outlet"
    zh = "不能核验或裁定本单位的网点"
    en = "An outlet of one's own organisation is decided on by somebody else"


class ClosedBeforeOpened(Invalid):
    code = "closed_before_opened"
    zh = "关闭日期不能早于启用日期，也不能晚于今天"
    en = "It cannot be closed before the day on which it opened, nor in the future"


class SoldLater(Conflict):
    code = "outlet_sold_later"
    zh = "该网点 {day} 仍有已统计的销售，关闭日期不能早于该日"
    en = "Sales of the outlet on {day} count; it cannot be closed before that day"


class DeviceNumberTaken(Conflict):
    code = "device_number_taken"
    zh = "该网点已有此编号的设备"
    en = "The outlet has a device of this number"


class OutletClosed(Conflict):
    code = "outlet_is_closed"
    zh = "网点已关闭"
    en = "The outlet is closed"


class OutletRefused(Conflict):
    code = "outlet_is_refused"
    zh = "网点未通过核验，更正并重新提交后方可生成设备密钥"
    en = "The outlet was refused; its devices get keys once it was corrected"


class NotYourOutlet(Forbidden):
    """Officers decide about the sales that a key tells."""

    code = "not_your_outlet"
    zh = "设备密钥只能由网点的运营单位生成"
    en = "Only the outlet's operator makes keys for its devices"


class KeyRevoked(DoneBefore):
    code = "key_revoked"
    zh = "该密钥已停用"
    en = "The key was revoked before"


class DeviceNeeded(Forbidden):
    code = "device_needed"
    zh = "此接口只供网点设备使用"
    en = "Only a device of an outlet may do this, with its own key"


class RowsRefused(Invalid):
    code = "rows_refused"
    zh = "表格有 {count} 处错误，未导入任何行"
    en = "The spreadsheet has {count} fault(s); nothing of it was taken"


CONSTRAINTS["uq_outlet_operator_id_external_number"] = AlreadyRegistered
CONSTRAINTS["uq_outlet_device_outlet_id_number"] = DeviceNumberTaken
