"""What a reconciliation may be refused for."""

from shop.core.errors import Conflict


class ReconciliationUnfinished(Conflict):
    """A result is kept whole or not at all."""

    code = "reconciliation_unfinished"
    zh = "有 {count} 项核对未能在 {seconds} 秒内完成，本次未留存；请等每小时的自动对账，或运行 shop reconcile"
    en = "{count} checks did not end within {seconds} seconds, so nothing was kept; wait for the hourly run, or run shop reconcile"
