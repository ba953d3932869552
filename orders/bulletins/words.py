"""The words for the items of a close, for the causes of a change, and for what figures of a bulletin mean."""

from orders.statistics.labels import BASIS
from shop.core.errors import Language
from shop.programmes.reporting import CloseItem

ITEMS: dict[CloseItem, dict[Language, str]] = {
    "batches_waiting": {
        "zh": "等待前序批次或原销售的销售批次",
        "en": "Sales batches that wait for one before them, or for the sale of a refund",
    },
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
        "zh": "以最近一次留存的对账为准：每小时自动对账一次，也可用 POST /v1/reconcile/runs 在后台立即对账并留存（GET /v1/reconcile/asked 查看进度），或用 shop reconcile",
        "en": "What counts is the last run that was kept: one comes every hour, and POST /v1/reconcile/runs has one made in the background (GET /v1/reconcile/asked says how far it is), as shop reconcile does",
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
#: By what days sales count in a revision.
RESTATED: dict[Language, str] = {
    "zh": f"{BASIS['zh']}在本月入账的退货和更正以负数计入本月。本修订版按销售日期重述本月：本月的销售在月末以后补报、退货、更正或重新计入的，"
    "不论在结账之前还是之后，均计入原销售所在的本月，逐因列于“修订差异”；统计查询和以后月份的公报则仍将其计入入账的月份。",
    "en": f"{BASIS['en']}returns and corrections that were booked in the month as negative figures in it. This revision restates the month by "
    "the day of the sale: sales of the month that were told, taken back, put right or counted again after the month's end, be it before the close "
    "or after it, are so in the month of the sale, by cause under Differences; in the statistics, and in bulletins of later months, such changes "
    "stand in the month in which they were booked.",
}
#: What certified sales are.
CERTIFIED_IN_BULLETIN: dict[Language, str] = {
    "zh": "其中认定产品：按下单当日（网点和平台外销售按销售当日）证书是否有效判定，与统计查询的 certified 口径一致；"
    "结账后证书被撤销的，由修订版扣除。",
    "en": "Certified: by the day of the order (at outlets and elsewhere: of the sale), as the statistics have it; what lost its certificate "
    "after the close is taken off by revisions.",
}
CERTIFIED_IN_REVISION: dict[Language, str] = {
    "zh": "其中认定产品：按下单当日（网点和平台外销售按销售当日）证书是否有效判定，再扣除结账后证书被撤销的销售（原因“认定撤销”）；"
    "统计查询的 certified 口径不因撤销而改变，两数之差即撤销数和补报、冲销数。",
    "en": "Certified: by the day of the order (at outlets and elsewhere: of the sale), less the sales whose certificate was revoked after the "
    "close (cause: certificate revoked). The statistics do not change by that; they differ by what was revoked, told late and taken back.",
}
OUTLETS: dict[Language, str] = {
    "zh": "网点：专柜、专馆、专区为月末已核验且在营的网点；本月有销售的网点以销售记录为准，含月末尚未核验或已关闭的。",
    "en": "Outlets: cabinets, halls and zones are those verified and open at the month's end; outlets with sales go by what was sold, whether "
    "they were verified or open at the month's end or not.",
}
DISTRICTS: dict[Language, str] = {
    "zh": "区县：承担结账任务的区县均列出，销售额 0.00 表示台账中没有该区县本月的销售；其他区县有销售的列出，核实中未公布的不列。",
    "en": "Districts: all that have to close the month are listed, 0.00 where the ledger has no sale of the month; others where they have "
    "sales. Those under verification are not listed.",
}
