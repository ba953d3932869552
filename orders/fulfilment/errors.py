"""What a delivery or its acceptance may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid


class LinesWrong(Invalid):
    code = "lines_wrong"
    zh = "有 {count} 行数量或重量有误"
    en = "{count} lines have a wrong quantity or weight"


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


CONSTRAINTS["uq_acceptance_shipment_id"] = AlreadyAccepted
