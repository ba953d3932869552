"""The words for the items of a close, and for the causes of a change."""

from shop.core.errors import Language
from shop.programmes.reporting import CloseItem

ITEMS: dict[CloseItem, dict[Language, str]] = {
    "batches_waiting": {"zh": "等待前序批次的销售批次", "en": "Sales batches that wait for one before them"},
    "batches_held": {"zh": "暂挂的销售批次", "en": "Sales batches that are held"},
    "holds_open": {
        "zh": "未处理的疑点（整批暂挂的除外）",
        "en": "Counting holds that nobody has decided, those of whole batches apart",
    },
    "claims_undecided": {"zh": "待审核的平台外销售申报", "en": "Claims of sales made elsewhere that nobody has reviewed"},
    "reports_missing": {"zh": "未审核通过的月报", "en": "Monthly reports that are not accepted"},
    "reports_moved": {
        "zh": "审核通过后台账又有变动的月报",
        "en": "Accepted monthly reports whose figures in the ledger have moved since",
    },
    "differences": {
        "zh": "对账差异（月末以来未对账的计 1）",
        "en": "Differences in the books (1 where nobody compared since the month's end)",
    },
    "entries_waiting": {"zh": "待汇总的销售分录", "en": "Sale entries that no rollup holds yet"},
}
#: How an item is cleared.
HINTS: dict[CloseItem, dict[Language, str]] = {
    "reports_moved": {
        "zh": "退回该月报，由报送单位按现在的台账重新提交；或说明原因",
        "en": "Return the report, so that it is submitted again with the figures of now; or say why it stands",
    },
    "differences": {
        "zh": "以最近一次留存的对账为准：每小时自动对账一次，也可用 POST /v1/reconcile/runs 或 shop reconcile 立即对账并留存",
        "en": "What counts is the last run that was kept: one comes every hour, and POST /v1/reconcile/runs or shop reconcile makes one at once",
    },
    "entries_waiting": {"zh": "后台任务会在数秒内汇总", "en": "A job takes them in within seconds"},
}
CAUSES: dict[str, dict[Language, str]] = {
    "late": {"zh": "补报", "en": "told late"},
    "reversal": {"zh": "冲销", "en": "taken back"},
    "again": {"zh": "重新计入", "en": "counted again"},
    "revoked": {"zh": "认定撤销", "en": "certificate revoked"},
    "verified": {"zh": "核实后公布", "en": "published after verification"},
}
