"""What a campaign brought, as a table."""

from orders.statistics.tables import Column, Kind, Table, percent, text
from shop.core.errors import Language

PLACES: dict[str, dict[Language, str]] = {"online": {"zh": "线上", "en": "online"}, "offline": {"zh": "线下", "en": "offline"}}
EFFECT = Table(
    name="promotion_effect",
    title=("促销效果", "Effect of the campaign"),
    columns={
        "product": text("产品编号", "product id"),
        "product_name": text("产品", "product"),
        "supplier_name": text("供应商", "supplier"),
        "place": text("线上或线下代码", "place code"),
        "place_name": text("线上或线下", "online or offline"),
        "days": Column(Kind.COUNT, "天数", "days", summed=False),
        "sold": Column(Kind.YUAN, "活动期销售额（元）", "sold (yuan)"),
        "expected": Column(Kind.YUAN, "前期同星期平均（元）", "same weekdays before (yuan)"),
        "uplift": percent("提升（%）", "uplift (%)"),
        "other_days": Column(Kind.COUNT, "前期受其他促销影响的天数", "days before under another campaign", summed=False),
    },
    definition=(
        "活动期各日的销售额，与活动开始前若干周同星期几的日均销售额相比；线上为平台订单（按验收日），线下为参与网点的销售。前期没有销售的不计算提升；前期中有同一产品其他促销的天数单独列出，不作扣除。",
        "Sales of the campaign's days against the average of the same weekdays in the weeks before it began; online: orders of the marketplace, on the"
        " day of acceptance; offline: sales at the outlets that take part. Without sales before there is no uplift. How many of the days before"
        " lay in another campaign of the same product is told; they are not left out.",
    ),
)
