"""The tables of the panels: their columns and what they count, in both languages."""

from orders.statistics.tables import COUNTY, Column, Kind, Table, percent, text

CERTIFICATION = Table(
    name="certification_stock",
    title=("认定存量", "Certified products"),
    columns={
        **COUNTY,
        "certificates": Column(Kind.COUNT, "有效证书", "certificates"),
        "suppliers": Column(Kind.COUNT, "供应商", "suppliers", summed=False),
        "products": Column(Kind.COUNT, "产品", "products", summed=False),
        "households": Column(Kind.COUNT, "带动户数", "households", summed=False),
        "persons": Column(Kind.COUNT, "带动人数", "persons", summed=False),
    },
    definition=(
        "当日结束时（今天为此刻）有效的证书。户和人是存量：同一人在同一区县只计一次，不按产品相加；没有名单的证书按申报数计入。无权查看农户名单者，小于 5 的户数、人数和可推算出它们的数不显示。",
        "Certificates in force at the end of the day, of today now. Households and persons are a stock: each once per county, never added up over"
        " products; certificates without a list count what was stated. Without the right to read the lists of households, numbers below 5 and what would"
        " give them away are not shown.",
    ),
)

_OUTLET_FIGURES = {
    "outlets": Column(Kind.COUNT, "登记网点数", "outlets registered"),
    "working": Column(Kind.COUNT, "其中已核验", "of which verified"),
    "active": Column(Kind.COUNT, "有销售网点数", "with sales"),
    "active_rate": percent("有销售占比（%）", "with sales (%)"),
    "certified": Column(Kind.YUAN, "认定产品销售额（元）", "certified goods (yuan)"),
    "other": Column(Kind.YUAN, "其他商品销售额（元）", "other goods (yuan)"),
    "weight": Column(Kind.TONNES, "净重（吨）", "net weight (t)"),
}
_OUTLET_KEYS = {
    "county": COUNTY,
    "kind": {"kind": text("类型代码", "kind code"), "kind_name": text("类型", "kind")},
    "status": {"status": text("状态代码", "status code"), "status_name": text("状态", "status")},
}


def outlets(keys: list[str]) -> Table:
    """Outlets by some of county, kind and status."""
    columns = {name: column for key in keys for name, column in _OUTLET_KEYS[key].items()}
    return Table(
        name="outlets",
        title=("销售网点", "Outlets"),
        columns={**columns, **_OUTLET_FIGURES},
        definition=(
            "当日已登记开业的专柜、专馆、专区，按当日状态，含待核验、未通过和已关闭的；已核验＝当日已核验且未关闭，专柜数目标只计此数；有销售＝期间内有上报的销售，含当日尚未登记或开业、不计入登记网点数的网点，其销售额一并计入。销售额按上报批次，认定产品与其他商品分列；其他商品不进入台账。",
            "Cabinets, halls and zones that were registered and opened by the day, in their status on it, those included that"
            " are not verified yet, refused or closed; verified = verified and not closed on the day, which alone targets of cabinets count; with sales = something was sold in the"
            " period, outlets included that were registered or opened after the day, which are not among those registered but whose sales are in the"
            " amounts. Amounts as the batches tell them, certified goods and others apart; others are not in the ledger.",
        ),
        rates={"active_rate": ("active", "outlets")},
    )


RESERVED_SHARE = Table(
    name="reserved_share",
    title=("预留份额", "Reserved share"),
    columns={
        **COUNTY,
        "units": Column(Kind.COUNT, "预算单位", "budget units"),
        "filed": Column(Kind.COUNT, "已报送", "filed"),
        "accepted": Column(Kind.COUNT, "已审核", "accepted"),
        "exempt": Column(Kind.COUNT, "豁免", "exempt"),
        "base": Column(Kind.YUAN, "采购基数（元）", "base (yuan)"),
        "reserved": Column(Kind.YUAN, "预留份额（元）", "reserved (yuan)"),
        "percent": percent("预留比例（%）", "reserved (%)"),
        "done": Column(Kind.YUAN, "已完成（元）", "done (yuan)"),
        "done_of_reserved": Column(Kind.YUAN, "有份额单位已完成（元）", "done by units with a share (yuan)"),
        "rate": percent("完成率（%）", "rate (%)"),
    },
    definition=(
        "按预算单位所在区县；基数和份额只含审核通过的填报，已完成为计入份额的经费对符合条件产品的采购。完成率只比较有份额的单位。",
        "By the county of the budget units; base and share hold what was accepted, done is what was bought of eligible goods with the funds that count."
        " The rate compares units with a share only.",
    ),
    rates={"percent": ("reserved", "base"), "rate": ("done_of_reserved", "reserved")},
)

PLEDGES = Table(
    name="pledges",
    title=("认购", "Pledges"),
    columns={
        **COUNTY,
        "kind": text("类型代码", "kind code"),
        "kind_name": text("类型", "kind"),
        "pledges": Column(Kind.COUNT, "认购数", "pledges"),
        "pledged": Column(Kind.YUAN, "认购金额（元）", "pledged (yuan)"),
        "ordered": Column(Kind.YUAN, "已下单（元）", "ordered (yuan)"),
        "done": Column(Kind.YUAN, "已验收（元）", "accepted (yuan)"),
        "rate": percent("完成率（%）", "rate (%)"),
        "weight": Column(Kind.TONNES, "净重（吨）", "net weight (t)"),
    },
    definition=(
        "以购代捐和以买代帮的认购，有效期与所选期间有重叠且已公布、未取消；按认购单位所在区县。已验收只计认购区域的产品。",
        "Pledges that were opened and not cancelled, whose time overlaps the period; by the county of who pledged. Accepted: goods from the regions"
        " pledged for.",
    ),
    rates={"rate": ("done", "pledged")},
)

AGREEMENTS = Table(
    name="agreements",
    title=("长期协议", "Long-term agreements"),
    columns={
        **COUNTY,
        "agreements": Column(Kind.COUNT, "协议数", "agreements", summed=False),
        "promised": Column(Kind.YUAN, "约定金额（元）", "promised (yuan)"),
        "delivered": Column(Kind.YUAN, "已交付金额（元）", "delivered (yuan)"),
        "rate": percent("金额履约率（%）", "delivered (% of yuan)"),
        "promised_weight": Column(Kind.TONNES, "约定净重（吨）", "promised (t)"),
        "delivered_weight": Column(Kind.TONNES, "已交付净重（吨）", "delivered (t)"),
        "weight_rate": percent("重量履约率（%）", "delivered (% of t)"),
    },
    definition=(
        "约定＝期间内到期的交货批次（不含已取消的），按协议价格；已交付＝期间内协议订单在台账中的验收额，扣除退货和更正。按产品产地区县。",
        "Promised: instalments due in the period, those that were skipped left out, at the price agreed on. Delivered: what the ledger has of the orders"
        " of agreements in the period, less returns and corrections. By the county of origin.",
    ),
    rates={"rate": ("delivered", "promised"), "weight_rate": ("delivered_weight", "promised_weight")},
)

VILLAGES = Table(
    name="villages",
    title=("有销售的村", "Villages with sales"),
    columns={
        **COUNTY,
        "villages": Column(Kind.COUNT, "有销售的村", "villages with sales"),
        "poor_villages": Column(Kind.COUNT, "其中贫困村", "of them poor villages"),
        "listed": Column(Kind.COUNT, "在册贫困村", "poor villages listed"),
        "selling": percent("贫困村有销售占比（%）", "poor villages with sales (%)"),
        "sales": Column(Kind.YUAN, "销售额（元）", "sales (yuan)"),
        "weight": Column(Kind.TONNES, "净重（吨）", "net weight (t)"),
    },
    definition=(
        "所选整月内台账中来自某村的采购额大于零的村；销售额只含注明产地村的产品。贫困村按期末在册名单。",
        "Villages from which the ledger has purchases above zero in the whole months asked for; amounts hold goods whose village is known. Poor villages"
        " as listed on the last day.",
    ),
    rates={"selling": ("poor_villages", "listed")},
)

_LANE_FIGURES = {
    "weight": Column(Kind.TONNES, "净重（吨）", "net weight (t)"),
    "sales": Column(Kind.YUAN, "销售额（元）", "sales (yuan)"),
}
_LANE_WORDS = (
    "重庆产品（服务除外）销往采购单位在山东的，以及在山东的网点售出的，按整月统计；与总额重叠，不另相加。",
    "Goods of Chongqing, services left out, for buyers in Shandong and sold at outlets there, by whole months. It overlaps the total and is never added"
    " to it.",
)
LANE_BY_COUNTY = Table(
    name="shandong_lane",
    title=("渝货进山东", "Goods to Shandong"),
    columns={**COUNTY, **_LANE_FIGURES, "rank": Column(Kind.COUNT, "排名", "rank", summed=False)},
    definition=_LANE_WORDS,
)
LANE_BY_MONTH = Table(
    name="shandong_lane",
    title=("渝货进山东", "Goods to Shandong"),
    columns={
        "month": text("月份", "month"),
        **_LANE_FIGURES,
        "cumulated": Column(Kind.TONNES, "累计（吨）", "cumulated (t)", summed=False),
        "goal": Column(Kind.TONNES, "目标（吨）", "goal (t)", summed=False),
        "of_goal": percent("占目标（%）", "of the goal (%)"),
    },
    definition=_LANE_WORDS,
    rates={"of_goal": ("cumulated", "goal")},
)
INDICATOR_GROWTH = Table(
    name="indicator_growth",
    title=("指标增长", "Growth"),
    columns={
        **COUNTY,
        "value": Column(Kind.NUMBER, "数值", "value"),
        "base": Column(Kind.NUMBER, "上年同期", "year before"),
        "basis": text("基数口径", "base taken from"),
        "growth": percent("增长（%）", "growth (%)"),
        "target": percent("目标（%）", "target (%)"),
        "reached": Column(Kind.YES, "是否达标", "reached", summed=False),
        "counted": Column(Kind.COUNT, "两年数据齐全的区县（个）", "counties with both years"),
        "counties": Column(Kind.COUNT, "应报区县（个）", "counties to report"),
        "own_sales": Column(Kind.YUAN, "本平台销售额（元）", "sales counted here (yuan)"),
    },
    definition=(
        "数值由区县按外部来源上报并经他人审核，不由本平台订单推算。增长＝（本期－上年同期）÷上年同期；统计方法变更的，以来源按新方法重算的上年同期为基数，"
        "没有重算的不比较。合计只含有基数的区县；区县未到齐的，合计不判定是否达标。本平台销售额仅作参照，不计入指标。",
        "Values are reported from outside and accepted by a second person; they are never computed from the orders of the marketplace. Growth ="
        " (this − year before) ÷ year before. Where the method changed, the base is the year before as the source restated it in the new method;"
        " without that there is no growth. Totals hold the counties that have a base; while some are missing they do not say whether the target is"
        " reached. Sales counted here stand beside it and are no part of it.",
    ),
)
