"""The words for the codes of targets, in files that people read. A channel has those of the programme."""

from orders.targets.rules import Light, Method
from shop.core.errors import Language
from shop.programmes.targets import Measure, Unit

MEASURES: dict[Measure, dict[Language, str]] = {
    "amount": {"zh": "销售额", "en": "sales"},
    "tonnes": {"zh": "销售重量", "en": "weight sold"},
    "lane_tonnes": {"zh": "十万吨渝货进山东销售重量", "en": "weight sold to Shandong"},
    "sales_growth": {"zh": "销售额增长率", "en": "growth of sales"},
    "cabinets": {"zh": "专柜数", "en": "cabinets"},
    "coverage": {"zh": "电商覆盖率", "en": "e-commerce coverage"},
    "reserved_share": {"zh": "预留份额", "en": "reserved share"},
    "indicator_growth": {"zh": "上报指标增长率", "en": "growth of a reported indicator"},
}
UNITS: dict[Unit, dict[Language, str]] = {
    "yuan": {"zh": "元", "en": "yuan"},
    "tonnes": {"zh": "吨", "en": "t"},
    "percent": {"zh": "%", "en": "%"},
    "count": {"zh": "个", "en": "number"},
}
METHODS: dict[Method, dict[Language, str]] = {
    Method.FINAL: {"zh": "期间已结束或尚未开始", "en": "the period is over, or has not begun"},
    Method.LAST_YEAR: {"zh": "按上年同期进度", "en": "as last year went"},
    Method.LINEAR: {"zh": "按已过天数", "en": "by the days that are over"},
    Method.LEVEL: {"zh": "按现水平", "en": "as it stands"},
    Method.COUNTED: {"zh": "仅按已计入者现水平（未报齐）", "en": "as those that were counted stand; others are missing"},
}
LIGHTS: dict[Light, dict[Language, str]] = {
    Light.GREEN: {"zh": "绿", "en": "green"},
    Light.YELLOW: {"zh": "黄", "en": "yellow"},
    Light.RED: {"zh": "红", "en": "red"},
    Light.NONE: {"zh": "未开始、无数据或数据不全", "en": "not begun, or not enough known"},
}
