"""What a delivery or its acceptance may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Invalid


class LinesWrong(Invalid):
    code = "lines_wrong"
    zh = "有 {count} 行数量或重量有误"
    en = "Wrong quantity or weight in {count} line(s)"


class NothingToShip(Conflict):
    code = "nothing_to_ship"
    zh = "没有待发货的数量"
    en = "Nothing is left to ship"


class DispositionNeeded(Conflict):
    """A certificate was suspended, held or revoked since; the buyer has to say whether it still wants the goods."""

    code = "disposition_needed"
    zh = "证书 {certificates} 已暂停或撤销，须由采购单位先选择继续交付或取消"
    en = "Certificate {certificates} was suspended or revoked; the buyer first chooses to have this order delivered or cancelled"


class AlreadyAccepted(Conflict):
    code = "already_accepted"
    zh = "该批发货已验收"
    en = "This shipment was accepted before"


class AlreadyHeld(DoneBefore):
    code = "shipment_held"
    zh = "该批发货已提出异议"
    en = "The shipment is held already"


class NotHeld(DoneBefore):
    code = "shipment_not_held"
    zh = "该批发货没有未结的异议"
    en = "The shipment is not held"


class TooManyPhotos(Conflict):
    code = "too_many_photos"
    zh = "每批发货最多 {most} 张照片"
    en = "A shipment has at most {most} photos"


class NotAPhoto(Invalid):
    code = "not_a_photo"
    zh = "仅接受 PNG 和 JPEG 照片"
    en = "Only PNG and JPEG photos are accepted"


class InFuture(Invalid):
    code = "in_future"
    zh = "时间不能晚于现在"
    en = "The moment lies in the future"


CONSTRAINTS["uq_acceptance_shipment_id"] = AlreadyAccepted
