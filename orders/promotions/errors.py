"""What a campaign may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid


class PromotionRefused(Invalid):
    code = "promotion_refused"
    zh = "促销活动有 {count} 处错误"
    en = "The campaign has {count} fault(s)"


class NotStarted(Conflict):
    code = "not_started"
    zh = "活动尚未开始，请取消而非结束"
    en = "It has not begun: cancel it instead of ending it"


class NoEffectYet(Conflict):
    code = "no_effect_yet"
    zh = "活动未发布或尚未开始，没有效果数据"
    en = "It was not published, or has not begun: there is no effect yet"


class _UnknownSku(Invalid):
    code = "unknown_sku"
    zh = "没有此规格"
    en = "There is no such pack"


class _UnknownOutlet(Invalid):
    code = "unknown_outlet"
    zh = "没有此网点"
    en = "There is no such outlet"


CONSTRAINTS["fk_promotion_line_sku_id"] = _UnknownSku
CONSTRAINTS["fk_promotion_outlet_outlet_id"] = _UnknownOutlet
