"""A bulletin as tables, from its content alone: what the page, the PDF and the workbook show."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from orders.bulletins import states
from orders.bulletins.content import Content, Difference, Graded, Overlay, Row, Sums
from orders.bulletins.words import CAUSES
from orders.statistics.rules import reached, share, shares
from shop.core.clock import shanghai_text
from shop.core.exports import Cell
from shop.core.money import yuan

R = TypeVar("R", bound=Row)

_GRAMS_IN_TONNE = 6
#: A tonne is told to the kilogram; the content has grams.
_KILOGRAM = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Table:
    """Titles and headers in both languages, one above the other where there is room."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def _tonnes(grams: int) -> Decimal:
    return Decimal(grams).scaleb(-_GRAMS_IN_TONNE).quantize(_KILOGRAM, ROUND_HALF_UP)


def _percent(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


_FIGURES = (
    "销售额（元） Sales (yuan)",
    "同比（%） On last year (%)",
    "环比（%） On last month (%)",
    "其中认定产品（元） Certified (yuan)",
    "净重（吨） Net weight (t)",
    "本年累计（元） Year to date (yuan)",
)


def _figures(row: Row) -> tuple[Cell, ...]:
    now = row.figures.now
    return (
        yuan(now.amount_fen),
        _percent(row.growth_year),
        _percent(row.growth_period),
        yuan(now.certified_fen),
        _tonnes(now.grams),
        yuan(row.figures.to_date.amount_fen),
    )


def _letter(grade: Graded | None) -> str:
    return "" if grade is None else grade.letter


def _names(row: Row) -> str:
    return f"{row.zh} {row.en}"


_TOTAL = "合计 Total"


def _by_amount(rows: Iterable[R]) -> list[R]:
    """The largest first."""
    return sorted(rows, key=lambda row: (-row.figures.now.amount_fen, row.code))


def _rows(title: str, rows: Iterable[Row], of: Row) -> Table:
    """Parts of one total, whose shares come to 100.00. Editions that were published before keep theirs, rounded each by itself."""
    parts = _by_amount(rows)

    def line(name: str, row: Row, part: str | None) -> tuple[Cell, ...]:
        return (name, *_figures(row), _percent(part), _letter(row.grade))

    said = shares([row.figures.now.amount_fen for row in parts])
    found = tuple(line(_names(row), row, part) for row, part in zip(parts, said, strict=True))
    whole = share(of.figures.now.amount_fen, of.figures.now.amount_fen)
    return Table(
        title, ("名称 Name", *_FIGURES, "占比（%） Share (%)", "数据等级 Grade"), (*found, line(_TOTAL, of, whole)) if found else ()
    )


def _districts(said: Content) -> Table:
    """By amount, with their ranks; those of the same amount share one."""
    rows = _by_amount(said.districts)
    amounts = [row.figures.now.amount_fen for row in rows]
    found = tuple(
        (
            1 + sum(each > row.figures.now.amount_fen for each in amounts),
            row.code,
            _names(row),
            *_figures(row),
            row.certificates,
            _letter(row.grade),
        )
        for row in rows
    )
    certificates = sum(row.certificates for row in rows)
    total = ("", "", _TOTAL, *_figures(said.totals), certificates, _letter(said.totals.grade))
    return Table(
        "区县 Districts",
        ("名次 Rank", "代码 Code", "区县 District", *_FIGURES, "认定证书 Certificates", "数据等级 Grade"),
        (*found, total) if found else (),
    )


def tables(said: Content) -> list[Table]:
    """All sections that have something to say."""
    found = [
        _totals(said),
        _closed(said),
        _districts(said),
        _rows("销售渠道 Channels", said.channels, said.totals),
        _rows("销售来源 Sources", said.sources, said.totals),
        _rows("产品类别 Categories", said.categories, said.totals),
        _overlays(said.overlays),
        _targets(said),
        _stock(said),
        _grades(said),
        _notes(said),
    ]
    return [table for table in [*found, *_revision(said)] if table.rows]


def _totals(said: Content) -> Table:
    now, counts = said.totals.figures.now, said.counts
    rows: list[tuple[Cell, ...]] = [
        ("销售额（元） Sales (yuan)", yuan(now.amount_fen)),
        ("其中认定产品（元） of which certified (yuan)", yuan(now.certified_fen)),
        ("净重（吨） Net weight (t)", _tonnes(now.grams)),
        ("同比（%） Growth on last year (%)", _percent(said.totals.growth_year)),
        ("环比（%） Growth on last month (%)", _percent(said.totals.growth_period)),
        ("本年累计（元） Year to date (yuan)", yuan(said.totals.figures.to_date.amount_fen)),
        (
            "其中以前月份的补报和冲销（元；与以前月份公报的修订版相加时应扣除）"
            " of which of earlier months (yuan; taken off where this is added to revised bulletins of those months)",
            yuan(said.of_earlier_months.amount_fen),
        ),
        ("帮助销售（另计，元） Helped sales, apart (yuan)", yuan(said.helped.figures.now.amount_fen)),
        ("订单 Orders", counts.orders),
        ("采购单位 Buyers", counts.buyers),
        ("产品 Products", counts.products),
        ("供应商 Suppliers", counts.suppliers),
        ("数据等级 Grade", _letter(said.totals.grade)),
    ]
    definition = " ".join(f"{each.zh} {each.en}" for each in (said.definition, *said.definitions))
    return Table("全市 The whole city", ("指标 Measure", "数值 Figure"), tuple(rows), definition)


def _closed(said: Content) -> Table:
    """The counties that had not closed the month when the city did."""
    closed = said.closed
    if closed is None or not closed.without:
        return Table("", (), ())
    count, of = len(closed.without), closed.counties
    return Table(
        "未结账区县 Counties not closed",
        ("代码 Code", "区县 District"),
        tuple((each.code, f"{each.zh} {each.en}") for each in closed.without),
        f"全市结账时 {of} 个区县中有 {count} 个尚未结账，其数据未经本区县核对确认。{count} of {of} counties had not closed the month when the city did; "
        f"they have not confirmed their figures. 理由 Reason：{closed.reason}",
    )


def _overlays(overlays: Iterable[Overlay]) -> Table:
    return Table(
        "交叉口径（不计入合计） Views across (never added to the total)",
        ("名称 Name", *_FIGURES),
        tuple((_names(row), *_figures(row)) for row in overlays),
    )


def _targets(said: Content) -> Table:
    return Table(
        "目标 Targets",
        (
            "目标 Target",
            "目标值（元） Goal (yuan)",
            "累计完成（元） Done (yuan)",
            "完成（%） Reached (%)",
            "期限 Due",
            "依据 Source",
        ),
        tuple(
            (
                f"{row.zh} {row.en}",
                yuan(row.goal_fen),
                yuan(row.done_fen),
                reached(row.done_fen, row.goal_fen),
                row.due,
                row.source,
            )
            for row in said.targets
        ),
    )


def _stock(said: Content) -> Table:
    outlets, held = said.outlets, said.certificates
    besides: list[tuple[Cell, ...]] = []
    if outlets.sold_besides is not None:
        named = "其中月末未核验或已关闭、不在上列专柜、专馆、专区中的 of which not verified or not open at the month's end, and in none of the three above"
        besides = [(named, outlets.sold_besides)]
    return Table(
        "网点与认定（月末） Outlets, certificates (month's end)",
        ("指标 Measure", "数值 Figure"),
        (
            ("专柜 Cabinets", outlets.cabinets),
            ("专馆 Halls", outlets.halls),
            ("专区 Zones", outlets.zones),
            ("本月有销售的网点 Outlets with sales", outlets.sold),
            *besides,
            ("有效证书 Certificates in force", held.certificates),
            ("认定产品 Certified products", held.products),
            ("认定供应商 Certified suppliers", held.suppliers),
        ),
    )


def _grades(said: Content) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{row.zh} {row.en}",
            row.grade.letter,
            row.grade.points,
            _reasons(row.grade),
            "核实中，未公布 Under verification, not published",
        )
        for row in said.withheld
    ]
    rows += [
        (_names(row), row.grade.letter, row.grade.points, _reasons(row.grade), "")
        for row in said.districts
        if row.grade is not None and row.grade.letter != "A"
    ]
    return Table(
        "数据等级 Grades",
        ("区县 District", "等级 Grade", "凭证得分 Points", "依据 Reasons", "公布 Publication"),
        tuple(rows),
        "未公布区县的数据不在本公报任何合计中。 Districts that are not published are in no total of this bulletin."
        if said.withheld
        else "",
    )


def _reasons(grade: Graded) -> str:
    return "；".join(f"{each.zh} {each.en}" for each in grade.reasons)


def _notes(said: Content) -> Table:
    return Table(
        "说明 Notes",
        ("区县 District", "说明 Explanation", "日期 Date"),
        tuple((f"{note.zh} {note.en}", note.explanation, note.on) for note in said.notes),
    )


_CAUSES = {**{cause: f"{words['zh']} {words['en']}" for cause, words in CAUSES.items()}, "total": "合计 Total"}


def _revision(said: Content) -> Iterator[Table]:
    """Of a revision: by district and cause, in yuan, tonnes and yuan of certified products."""
    if said.revision is None:
        return
    told, of = said.revision, states.titled(said.revision.of)
    lines = [*told.districts, told.total, *([told.helped] if any(_sums(told.helped)) else [])]
    yield Table(
        "修订差异 Differences",
        (
            "区县 District",
            "原因 Cause",
            "销售额（元） Sales (yuan)",
            "净重（吨） Net weight (t)",
            "认定产品（元） Certified (yuan)",
            "分录 Entries",
        ),
        tuple(_line(line, cause) for line in lines for cause in _CAUSES if _says(line, cause)),
        f"对比 Against {of['zh']} {of['en']}。{told.reason}。逐笔 {told.lines} 行 lines，SHA-256 {told.lines_sha256}",
    )


def _says(line: Difference, cause: str) -> bool:
    return cause == "total" or getattr(line, cause) != Sums()


def _sums(line: Difference) -> list[bool]:
    return [getattr(line, cause) != Sums() for cause in _CAUSES]


def _line(line: Difference, cause: str) -> tuple[Cell, ...]:
    sums: Sums = getattr(line, cause)
    return (
        f"{line.zh} {line.en}",
        _CAUSES[cause],
        yuan(sums.amount_fen),
        _tonnes(sums.grams),
        yuan(sums.certified_fen),
        sums.entries,
    )


def plain(cell: Cell) -> str:
    """A cell as text: figures with all their decimals."""
    if cell is None:
        return "—"
    return f"{cell:,f}" if isinstance(cell, Decimal) else f"{cell:,}" if isinstance(cell, int) else str(cell)


def heading(said: Content) -> tuple[str, str, str]:
    """Chinese and English title, and below it the number, the date, and the minute to which the figures are exact in China time."""
    year, month = said.month.split("-")
    of = "" if said.revision is None else "（修订{zh} revises {en}）".format(**states.titled(said.revision.of))
    number = "草稿 Draft" if said.number is None else "{zh} {en}".format(**states.titled(said.number))
    exact_to = shanghai_text(datetime.fromisoformat(said.exact_to), "minutes")
    return (
        f"重庆市消费帮扶销售统计公报（{year}年{int(month)}月）",
        f"Bulletin of consumption assistance in Chongqing, {said.month}",
        f"{number}{of}　发布日期 Issued {said.issued_on or '—'}　数据截至（北京时间） Exact to (China time) {exact_to}",
    )
