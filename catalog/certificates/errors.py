"""Refusals about certificates."""

from shop.core.errors import Forbidden


class OwnCase(Forbidden):
    code = "own_case"
    zh = "不能审核本单位的申请"
    en = "Nobody decides on the own organisation's application"


class NotYourRegion(Forbidden):
    code = "not_your_region"
    zh = "该申请不在您的管辖区域或职责内"
    en = "This application is not before you"
