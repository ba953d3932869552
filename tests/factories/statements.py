"""Statements as banks write them."""

import csv
import io
from datetime import timedelta
from typing import Any

from shop.core import clock
from shop.core.money import fen_from_yuan, yuan_from_fen

#: The one of every installation that is not in production.
ACCOUNT = "3100021009014400123"
HEADER = ["交易时间", "借方发生额", "贷方发生额", "余额", "对方单位名称", "对方账号", "摘要", "附言", "交易流水号"]


def statement(*lines: Any, opening: int = 0, title: bool = True, encoding: str = "gb18030", days_ago: int = 0) -> bytes:
    """An ICBC statement as CSV. A line: (fen, name, text[, serial[, account]])."""
    out = io.StringIO()
    writer = csv.writer(out)
    if title:
        writer.writerow(["账户明细查询"])
        writer.writerow([f"账号：{ACCOUNT}", "", "币种：人民币"])
    writer.writerow(HEADER)
    balance, day = opening, clock.today() - timedelta(days=days_ago)
    for fen, name, written, *more in lines:
        serial, account = [*more, "", ""][:2]
        balance += fen
        sides = [yuan_from_fen(-fen), ""] if fen < 0 else ["", yuan_from_fen(fen)]
        writer.writerow([f"{day:%Y%m%d}", *sides, yuan_from_fen(balance), name, account, "转账", written, serial])
    writer.writerow(["合计", "", "", "", "", "", "", "", ""])
    return out.getvalue().encode(encoding)


def held_at_bank(cashier: Any) -> int:
    """What the last statement ended with, in fen."""
    statements = cashier.get("/v1/bank-statements", params={"limit": 1}).json()["items"]
    return fen_from_yuan(statements[0]["closing"]) if statements else 0
