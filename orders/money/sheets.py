"""The money ledger as spreadsheets."""

from collections.abc import Iterable, Sequence

from fastapi.responses import Response

from orders.money.labels import yes
from orders.money.schemas import AgeingOut, BalanceOut, ClearingOut, EntryOut, PartyAgeOut, TrialBalanceOut, TrialOut, TrialRowOut
from shop.core import exports
from shop.core.exports import TOTAL, Cell
from shop.core.money import yuan

_BALANCES = {
    "zh": ["科目", "往来单位", "余额（元）", "过渡科目", "另有：首份对账单前余额（元）"],
    "en": ["Account", "Party", "Balance (yuan)", "Clearing", "Besides: held before the first statement (yuan)"],
}
_TRIAL = {
    "zh": ["科目", "往来单位", "期初借方（元）", "期初贷方（元）", "本期借方（元）", "本期贷方（元）", "期末借方（元）", "期末贷方（元）", "另有：首份对账单前余额（元）"],
    "en": ["Account", "Party", "Opening debit (yuan)", "Opening credit (yuan)", "Debit (yuan)", "Credit (yuan)", "Closing debit (yuan)", "Closing credit (yuan)", "Besides: held before the first statement (yuan)"],
}  # fmt: skip
_ENTRIES = {
    "zh": ["日期", "凭证号", "摘要", "科目", "往来单位", "采购订单", "借方（元）", "贷方（元）", "余额（元）"],
    "en": ["Date", "Transaction", "Kind", "Account", "Party", "Order", "Debit (yuan)", "Credit (yuan)", "Balance (yuan)"],
}
_AGEING = {
    "zh": ["往来单位", "0–30 天", "31–60 天", "61–90 天", "90 天以上", "未清合计", "多付", "余额", "最早日期"],
    "en": ["Party", "0–30 days", "31–60 days", "61–90 days", "over 90 days", "Open", "Credit", "Balance", "Oldest"],
}
_CLEARING = {
    "zh": ["科目", "金额（元）", "起始日期", "天数", "往来单位", "采购订单", "摘要", "编号", "凭证号", "待查明"],
    "en": ["Account", "Amount (yuan)", "Since", "Days", "Party", "Order", "Kind", "Reference", "Transaction", "To be explained"],
}
_TITLES = {
    "zh": ["余额", "对账单", "账龄", "过渡科目", "科目余额表"],
    "en": ["Balances", "Statement", "Ageing", "Clearing", "Trial balance"],
}


def balances(kind: str, language: str, rows: Iterable[BalanceOut]) -> Response:
    cells = ([row.label, row.party_name, yuan(row.balance), yes(row.clearing, language), yuan(row.before_books)] for row in rows)
    return exports.file(kind, "balances", _BALANCES[language], cells, _TITLES[language][0])


def trial_balance(kind: str, language: str, rows: Iterable[TrialRowOut], found: TrialBalanceOut) -> Response:
    def sums(told: TrialOut) -> list[Cell]:
        opening, moved = (told.opening_debit, told.opening_credit), (told.debit, told.credit)
        return [yuan(fen) for fen in (*opening, *moved, told.closing_debit, told.closing_credit)]

    lines: list[list[Cell]] = [[row.label, row.party_name, *sums(row), yuan(row.before_books)] for row in rows]
    name = f"trial_balance_{found.first}_{found.last}"
    return exports.file(
        kind, name, _TRIAL[language], [*lines, [TOTAL[language], None, *sums(found.totals), None]], _TITLES[language][4]
    )


def entries(kind: str, language: str, rows: Iterable[EntryOut]) -> Response:
    cells: Iterable[Sequence[Cell]] = (
        [
            row.booked_on,
            row.transaction_id,
            row.kind_label,
            row.label,
            row.party_name,
            row.purchase_order_number,
            yuan(row.amount) if row.amount > 0 else None,
            yuan(-row.amount) if row.amount < 0 else None,
            yuan(row.balance),
        ]
        for row in rows
    )
    return exports.file(kind, "statement", _ENTRIES[language], cells, _TITLES[language][1])


def ageing(kind: str, language: str, rows: Iterable[PartyAgeOut], found: AgeingOut) -> Response:
    lines = [(row.party_name, row, row.oldest_on) for row in rows]
    cells = (
        [
            name,
            *(yuan(fen) for fen in (age.days_0_30, age.days_31_60, age.days_61_90, age.days_over_90)),
            yuan(age.open),
            yuan(age.credit),
            yuan(age.balance),
            oldest,
        ]
        for name, age, oldest in [*lines, (TOTAL[language], found.totals, None)]
    )
    return exports.file(kind, f"ageing_{found.side}_{found.as_of}", _AGEING[language], cells, _TITLES[language][2])


def clearing(kind: str, language: str, rows: Iterable[ClearingOut]) -> Response:
    cells: Iterable[Sequence[Cell]] = (
        [
            row.label,
            yuan(row.amount),
            row.since,
            row.days,
            row.party_name,
            row.purchase_order_number,
            row.kind_label,
            row.reference,
            row.transaction_id,
            yes(not row.explained, language),
        ]
        for row in rows
    )
    return exports.file(kind, "clearing", _CLEARING[language], cells, _TITLES[language][3])
