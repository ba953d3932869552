"""The tables of figures: their columns and what they count, in both languages; and the days at which a stock is taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from catalog.monitoring.schemas import Grain
from shop.core.errors import Language


@dataclass(frozen=True)
class Table:
    """One kind of table. ``summed``: the columns of which the total is the sum of the rows."""

    columns: dict[str, tuple[str, str]]
    summed: frozenset[str]
    zh: str
    en: str

    def titles(self, language: Language, keys: list[str]) -> dict[str, str]:
        """The names of the columns that a table with these keys has."""
        place = 0 if language == "zh" else 1
        return {name: titles[place] for name, titles in self.columns.items() if name in keys or name not in KEYS}


#: Columns by which rows are told apart; a table has those that were asked for.
KEYS = {
    "county",
    "county_name",
    "category",
    "category_label",
    "batch",
    "state",
    "state_label",
    "kind",
    "kind_label",
    "period",
    "step",
    "step_label",
}

_KEY_TITLES = {
    "period": ("期末", "until"),
    "step": ("环节代码", "step code"),
    "step_label": ("环节", "step"),
    "county": ("区县代码", "county code"),
    "county_name": ("区县", "county"),
    "category": ("品类代码", "category code"),
    "category_label": ("品类", "category"),
    "batch": ("批次", "batch"),
    "state": ("状态代码", "state code"),
    "state_label": ("状态", "state"),
    "kind": ("类别代码", "kind code"),
    "kind_label": ("类别", "kind"),
}

STOCK = Table(
    columns=_KEY_TITLES
    | {
        "certificates": ("证书数", "certificates"),
        "products": ("产品数", "products"),
        "suppliers": ("供应商数", "suppliers"),
        "households_listed": ("在册户数", "households listed"),
        "persons_listed": ("在册人数", "persons listed"),
        "households_stated": ("申报户数", "households stated"),
        "persons_stated": ("申报人数", "persons stated"),
        "households": ("带动户数", "households"),
        "persons": ("带动人数", "persons"),
    },
    summed=frozenset({"certificates"}),
    zh="当日结束时（今天为此刻）有效的证书。在册人数按名单逐人统计，同一人在同一区县只计一次，在不同区县分别计；没有名单的证书按申报数计入。各组之间同一人、同一供应商可能重复，合计另行去重。无权查看农户名单者，小于 5 的户数、人数和可推算出它们的数不显示，在册与申报之分、按区县和品类以外的分组也不显示。",
    en=(
        "Certificates in force at the end of the day, of today now. Listed persons are counted by name, each once per county, however many products name them; certificates"
        " without a list count what was stated. A person or supplier may stand in several groups; the total counts each once per county."
        " Without the right to read the lists of households, numbers of them or of persons below 5 and what would give them away are not shown; nor"
        " is how they became known, nor anything but by county and category."
    ),
)
STEPS = Table(
    columns=_KEY_TITLES
    | {
        "decisions": ("办结数", "decisions"),
        "average_days": ("平均工作日", "average working days"),
        "median_days": ("中位数", "median"),
        "p90_days": ("九成以内", "90th percentile"),
        "late": ("超期数", "late"),
    },
    summed=frozenset({"decisions", "late"}),
    zh="每一环节从到达到办结的工作日数（国务院公布的日历）；退回补正期间不计。",
    en="Working days (by the State Council's calendar) from a case's arrival at a step to its leaving it; while it lies with the supplier none count.",
)
OVERDUE = Table(
    columns=_KEY_TITLES | {"cases": ("超期件数", "overdue cases"), "oldest_due_on": ("最早期限", "oldest due date")},
    summed=frozenset({"cases"}),
    zh="当前环节的期限已过而未办结的申请。",
    en="Cases that are at a step whose last day is over.",
)
OBJECTIONS = Table(
    columns=_KEY_TITLES
    | {
        "received": ("收到", "received"),
        "open": ("未结", "open"),
        "overdue": ("超期", "overdue"),
        "upheld": ("成立", "upheld"),
        "dismissed": ("不成立", "dismissed"),
        "average_days": ("平均答复天数", "average days to answer"),
    },
    summed=frozenset({"received", "open", "overdue", "upheld", "dismissed"}),
    zh="期间内收到的公示异议；答复天数为日历日。",
    en="Objections received in the period; days to answer are calendar days.",
)
#: What is counted of measures: those against certificates, complaints filed and what became of them, checks and what they found.
MEASURE_LABELS: dict[str, tuple[str, str]] = {
    "warned": ("警告", "warned"),
    "suspended": ("暂停", "suspended"),
    "held": ("暂扣", "held"),
    "revoked": ("撤销", "revoked"),
    "complaint_filed": ("收到投诉", "complaints filed"),
    "complaint_open": ("投诉待处理", "complaints still open"),
    "complaint_upheld": ("投诉属实", "complaints upheld"),
    "complaint_dismissed": ("投诉不属实", "complaints dismissed"),
    "complaint_withdrawn": ("投诉撤回", "complaints withdrawn"),
    "inspection_open": ("检查待完成", "checks still open"),
    "inspection_passed": ("检查合格", "checks passed"),
    "inspection_failed": ("检查不合格", "checks failed"),
    "inspection_cancelled": ("检查取消", "checks cancelled"),
}
MEASURES = Table(
    columns=_KEY_TITLES
    | {
        "measure": ("措施代码", "measure code"),
        "measure_label": ("措施", "measure"),
        "reason": ("原因代码", "reason code"),
        "reason_label": ("原因", "reason"),
        "count": ("次数", "count"),
    },
    summed=frozenset(),
    zh="期间内对证书采取的措施（按记录计次），期间内收到的投诉及其结果，期间内立项的检查及其结果。",
    en=(
        "Measures against certificates on record in the period; complaints filed in it, and what became of them; checks opened in it, and"
        " what they found."
    ),
)
FLOW = Table(
    columns=_KEY_TITLES
    | {
        "submitted": ("提交", "handed in"),
        "returned": ("退回", "returned"),
        "approved": ("通过", "approved"),
        "rejected": ("不予认定", "rejected"),
        "appealed": ("申诉", "appealed"),
        "withdrawn": ("撤回", "withdrawn"),
    },
    summed=frozenset({"submitted", "returned", "approved", "rejected", "appealed", "withdrawn"}),
    zh="期间内申请的进出：提交含补正后重新提交。",
    en="What happened to applications in the period; handing in again after a correction counts too.",
)

#: So many stocks are taken at most for one answer.
MOST_PERIODS = 60


def period_ends(first: date, last: date, grain: Grain) -> Iterator[date]:
    """The last day of every period that begins in ``first`` to ``last``; of the running one ``last`` itself."""
    months = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[grain]
    month = first.year * 12 + (first.month - 1) // months * months
    while True:
        month += months
        end = date(month // 12, month % 12 + 1, 1) - timedelta(days=1)
        yield min(end, last)
        if end >= last:
            return
