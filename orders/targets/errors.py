"""What a target may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid


class TargetRefused(Invalid):
    code = "target_refused"
    zh = "目标有 {count} 处错误"
    en = "The target has {count} fault(s)"


class TargetThere(Conflict):
    code = "target_there"
    zh = "该地区已有此目标，请修改其数值"
    en = "This region has this target already: set another value of it"


class TargetWithdrawn(Conflict):
    code = "target_withdrawn"
    zh = "该目标已撤销"
    en = "This target was withdrawn"


CONSTRAINTS["uq_target_programme_code_code_region_code"] = TargetThere
