"""Words and tables of settlements: statements, lists, and the list for the bank."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from orders.money.labels import label
from orders.settlement.rules import Hold
from orders.settlement.schemas.payouts import PayoutRow
from orders.settlement.schemas.settlements import BalanceOut, HeldOut, PeriodOut, SettlementRow, UncoveredOut
from shop.core import clock
from shop.core.errors import Language
from shop.core.exports import Cell, Worksheet, totalled
from shop.core.money import yuan

_WHY: dict[Hold, tuple[str, str]] = {
    Hold.SUPPLIER_BLOCKED: ("供应商被列入黑名单或暂停", "The supplier is barred or suspended"),
    Hold.DISPUTE: ("订单有未决争议", "The order is in dispute"),
    Hold.RETURN_OPEN: ("有未办结的退换货", "A return or exchange is open"),
    Hold.CERTIFICATE_STOPPED: ("认定证书被暂停、暂扣或撤销", "The certificate is suspended, held or revoked"),
    Hold.RETURN_WINDOW: ("验收后退货期未满", "It was accepted lately and may be given back"),
    Hold.NO_INVOICE: ("未收到发票", "No invoice is there"),
    Hold.WENT_BACK: (
        "结算期后有退货或退款，列入下期一并结算",
        "Something went back after the period; the next settlement takes up both",
    ),
    Hold.NOT_RECEIVED: (
        "采购单位已报付款，款项未到账或被拒付",
        "The buyer says that it paid; the money has not arrived, or was taken back by its bank",
    ),
    Hold.UNPAID: ("采购单位未付款", "The buyer has not paid"),
}
_KINDS: dict[str, tuple[str, str]] = {
    "sale": ("销售", "sale"),
    "return": ("退货/更正", "return or correction"),
    "freight": ("运费", "freight"),
    "allowance": ("争议退款", "given back by a dispute"),
    "loss_borne": ("买方银行拒付，由供应商承担", "taken back by the buyer's bank, borne by the supplier"),
    "loss_returned": ("已承担的拒付款退还供应商", "lost payment given back to the supplier"),
}
STATEMENT_HEADER: dict[Language, list[str]] = {
    "zh": ["订单号", "行号", "发货", "产品", "日期", "类型", "金额（元）", "佣金（元）", "净额（元）", "暂缓原因"],
    "en": [
        "order",
        "line",
        "delivery",
        "product",
        "date",
        "kind",
        "amount (yuan)",
        "commission (yuan)",
        "net (yuan)",
        "held because",
    ],
}
#: What a settlement comes to, in the order in which every table tells it; and what of that is taken off.
AMOUNTS = ("sales", "returns", "freight", "other", "commission", "net", "carried", "advance_used", "due", "held")
_TAKEN_OFF = frozenset({"commission", "advance_used"})
_TITLES: dict[Language, tuple[str, str]] = {"zh": ("结算单", "暂缓结算"), "en": ("statement", "held")}
_HEAD: dict[Language, list[str]] = {
    "zh": ["结算单号", "供应商", "起始日", "截止日", "异议期至"],
    "en": ["number", "supplier", "first day", "last day", "objections until"],
}
_SUMS: dict[Language, list[str]] = {
    "zh": ["销售", "退货及更正", "运费", "争议退款及拒付", "佣金", "本期净额", "上期结转", "抵扣预付款", "应付", "暂缓结算"],
    "en": [
        "sales",
        "returns and corrections",
        "freight",
        "disputes and lost payments",
        "commission",
        "net",
        "carried",
        "advance used",
        "due",
        "held",
    ],
}
SETTLEMENTS_HEADER: dict[Language, list[str]] = {
    "zh": [
        "结算单号",
        "供应商",
        "起始日",
        "截止日",
        "行数",
        "销售（元）",
        "退货（元）",
        "运费（元）",
        "争议退款及拒付（元）",
        "佣金（元）",
        "净额（元）",
        "上期结转（元）",
        "抵扣预付（元）",
        "应付（元）",
        "暂缓（元）",
        "状态",
        "付款状态",
    ],
    "en": [
        "number",
        "supplier",
        "first day",
        "last day",
        "lines",
        "sales (yuan)",
        "returns (yuan)",
        "freight (yuan)",
        "disputes, lost payments (yuan)",
        "commission (yuan)",
        "net (yuan)",
        "carried (yuan)",
        "advance used (yuan)",
        "due (yuan)",
        "held (yuan)",
        "status",
        "payout",
    ],
}
HELD_HEADER: dict[Language, list[str]] = {
    "zh": ["供应商", "订单号", "产品", "日期", "类型", "金额（元）", "暂缓原因", "至"],
    "en": ["supplier", "order", "product", "date", "kind", "amount (yuan)", "held because", "until"],
}
UNCOVERED_HEADER: dict[Language, list[str]] = {
    "zh": ["订单号", "采购单位", "供应商", "撤销或拒付日期", "已结算（元）", "已收货款（元）", "缺口（元）"],
    "en": ["order", "buyer", "suppliers", "taken back on", "settled (yuan)", "received (yuan)", "missing (yuan)"],
}
PAYOUTS_HEADER: dict[Language, list[str]] = {
    "zh": [
        "结算单号",
        "供应商",
        "截止日",
        "金额（元）",
        "部分退回（元）",
        "方式",
        "状态",
        "制单人",
        "审批人",
        "审批日期",
        "放行人",
        "放行日期",
        "参考号",
    ],
    "en": [
        "settlement",
        "supplier",
        "last day",
        "amount (yuan)",
        "came back (yuan)",
        "by",
        "status",
        "drafted by",
        "approved by",
        "approved on",
        "released by",
        "released on",
        "reference",
    ],
}
BALANCES_HEADER: dict[Language, list[str]] = {
    "zh": ["供应商", "未结算（元）", "已结算未付（元）", "付款在途（元）", "已付（元）", "预付余额（元）", "佣金（元）"],
    "en": ["supplier", "not settled (yuan)", "settled, not released (yuan)", "on its way (yuan)", "paid (yuan)", "paid ahead (yuan)", "commission (yuan)"],
}  # fmt: skip
_OF_PERIOD = ("sales", "returns", "freight", "other", "commission", "net", "advance_used", "due", "paid")
PERIODS_HEADER: dict[Language, list[str]] = {
    "zh": ["起始日", "截止日", "结算单数", "销售（元）", "退货（元）", "运费（元）", "争议退款及拒付（元）", "佣金（元）", "净额（元）", "抵扣预付（元）", "应付（元）", "已付（元）", "有异议"],
    "en": ["first day", "last day", "settlements", "sales (yuan)", "returns (yuan)", "freight (yuan)", "disputes, lost payments (yuan)", "commission (yuan)", "net (yuan)", "advance used (yuan)", "due (yuan)", "paid (yuan)", "objected to"],
}  # fmt: skip
#: What the sheets are called.
TITLES: dict[str, dict[Language, str]] = {
    "settlements": {"zh": "结算单", "en": "Settlements"},
    "held": {"zh": "暂缓结算", "en": "Held"},
    "uncovered": {"zh": "货款缺口", "en": "Uncovered"},
    "periods": {"zh": "结算期", "en": "Periods"},
    "balances": {"zh": "供应商往来", "en": "Balances"},
    "payouts": {"zh": "付款", "en": "Payouts"},
}
#: What bulk payments of banks ask for, in their usual order; each bank maps the columns to its own template.
BANK_HEADER = ["序号", "收款户名", "收款账号", "开户银行", "金额（元）", "用途", "业务参考号"]


def why(hold: Hold, language: Language) -> str:
    """The reason of a hold in words."""
    return _WHY[hold][0 if language == "zh" else 1]


def kind(code: str, language: Language) -> str:
    """What kind of line it is, in words."""
    return _KINDS[code][0 if language == "zh" else 1]


def statement_cells(rows: Iterable[Any], language: Language) -> Iterator[list[Cell]]:
    """One row of cells for each line of a statement; what was held comes with why."""
    for row in rows:
        yield [
            row.purchase_order_number,
            row.order_line_no,
            row.waybill or (str(row.shipment_id) if row.shipment_id else ""),
            row.product_name or "",
            row.booked_on,
            kind(row.kind, language),
            yuan(row.amount),
            yuan(row.commission),
            yuan(row.net),
            why(Hold(row.hold), language) if row.hold else "",
        ]


def sums(settlement: SettlementRow, language: Language) -> list[tuple[str, int]]:
    """What a statement comes to, in words and fen, as it is added up: what is taken off has a minus sign."""
    fen = (-getattr(settlement, name) if name in _TAKEN_OFF else getattr(settlement, name) for name in AMOUNTS)
    return list(zip(_SUMS[language], fen, strict=True))


def statement_head(settlement: SettlementRow, language: Language) -> list[list[Cell]]:
    """What stands above the lines of a statement: whose it is, of which days, and what it comes to."""
    told: list[Cell] = [
        settlement.number,
        settlement.supplier_name,
        settlement.period_start,
        settlement.period_end,
        settlement.objections_until,
    ]
    named: list[list[Cell]] = [[name, cell] for name, cell in zip(_HEAD[language], told, strict=True)]
    return named + [[name, yuan(fen)] for name, fen in sums(settlement, language)]


def statement_sheets(settlement: SettlementRow, rows: Iterable[Any], language: Language) -> list[Worksheet]:
    """A statement as a workbook: what was taken up, and on a sheet of its own what had to wait and why."""
    cells = list(statement_cells(rows, language))
    header = STATEMENT_HEADER[language]
    taken, held = _TITLES[language]
    return [
        Worksheet(taken, header[:-1], [row[:-1] for row in cells if not row[-1]], statement_head(settlement, language)),
        Worksheet(held, header, [row for row in cells if row[-1]]),
    ]


def settlement_cells(rows: Iterable[SettlementRow], language: Language) -> Iterator[Sequence[Cell]]:
    """One row of cells for each settlement, and what they come to: but for what one hands on to the next."""
    cells: Iterator[list[Cell]] = (
        [
            row.number,
            row.supplier_name,
            row.period_start,
            row.period_end,
            row.line_count,
            *(yuan(getattr(row, name)) for name in AMOUNTS),
            label("settlement_status", row.status, language),
            label("payout_status", row.payout_status, language),
        ]
        for row in rows
    )
    return totalled(cells, language, {5 + AMOUNTS.index(name) for name in ("carried", "held")})


def held_cells(rows: Iterable[HeldOut], language: Language) -> Iterator[list[Cell]]:
    """One row of cells for each thing that waits."""
    for row in rows:
        yield [
            row.supplier_name,
            row.purchase_order_number,
            row.product_name or "",
            row.booked_on,
            kind(row.kind, language),
            yuan(row.amount),
            row.why,
            row.waits_until,
        ]


def uncovered_cells(rows: Iterable[UncoveredOut]) -> Iterator[list[Cell]]:
    """One row of cells for each order."""
    for row in rows:
        yield [
            row.purchase_order_number,
            row.buyer_name,
            "、".join(row.supplier_names),
            row.lost_on,
            *(yuan(fen) for fen in (row.settled, row.received, row.missing)),
        ]


def payout_cells(rows: Iterable[PayoutRow], language: Language) -> Iterator[Sequence[Cell]]:
    """One row of cells for each payout, and what they come to."""
    cells: Iterator[list[Cell]] = (
        [
            row.settlement_number,
            row.supplier_name,
            row.period_end,
            yuan(row.amount),
            yuan(row.returned),
            label("payout_method", row.method, language),
            label("payout_status", row.status, language),
            row.drafted_by_name,
            row.approved_by_name,
            clock.shanghai_date(row.approved_at) if row.approved_at else None,
            row.released_by_name,
            clock.shanghai_date(row.released_at) if row.released_at else None,
            row.reference or "",
        ]
        for row in rows
    )
    return totalled(cells, language)


def period_cells(rows: Iterable[PeriodOut], language: Language) -> Iterator[Sequence[Cell]]:
    """One row of cells for each period, and what they come to."""
    cells: Iterator[list[Cell]] = (
        [row.period_start, row.period_end, row.settlements, *(yuan(getattr(row, name)) for name in _OF_PERIOD), row.objected]
        for row in rows
    )
    return totalled(cells, language)


def balance_cells(rows: Iterable[BalanceOut], language: Language) -> Iterator[Sequence[Cell]]:
    """One row of cells for each supplier, and what they come to."""
    cells: Iterator[list[Cell]] = (
        [row.supplier_name, *map(yuan, (row.owed, row.settled, row.on_its_way, row.paid, row.advances, row.commission))]
        for row in rows
    )
    return totalled(cells, language)


def bank_cells(rows: Sequence[Any], numbers: Sequence[str]) -> Iterator[list[Cell]]:
    """One row of cells for each payout of a list; ``numbers`` are the accounts'. The reference is the settlement's number and the release, so
    that a second transfer after one that failed is told from it. It stands in the text, so that the bank's statement brings it back."""
    for place, (row, number) in enumerate(zip(rows, numbers, strict=True), start=1):
        reference = f"{row.settlement_number}-{row.attempt_id}"
        yield [
            place,
            row.holder,
            number,
            row.bank,
            yuan(row.amount_fen),
            f"{reference} 消费帮扶货款结算",
            reference,
        ]
