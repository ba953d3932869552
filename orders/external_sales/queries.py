"""Reading sales made elsewhere: whoever claimed them, both parties once they are handed in, and officers of the supplier's district."""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.counting.queries import open_doubts
from orders.counting.rules import Subject, implausible
from orders.external_sales.rules import PaperKind
from orders.external_sales.schemas import CheckOut, FailingLineOut, LineOut, PaperOut, SaleFilter, SaleOut, SaleRow
from orders.external_sales.states import EXTERNAL_SALE, REVIEW, SaleMove
from orders.ledger.booking import CERTIFIED, NOON
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_IN_REACH = """
    (coalesce(claimant.path LIKE CAST(:branch AS text), false)
     OR x.submitted_at IS NOT NULL AND (x.district_code LIKE ANY (CAST(:regions AS text[]))
         OR coalesce(supplier.path LIKE CAST(:branch AS text), false) OR coalesce(buyer.path LIKE CAST(:branch AS text), false)))
"""
#: SQL: whom a claim concerns, see :func:`concerns`.
PATHS = "claimant.path AS claimant_path, supplier.path AS supplier_path, buyer.path AS buyer_path, helper.path AS helper_path"
_SALES = f"""
    SELECT x.*, x.total_fen AS total, claimant.name AS claimant_name, supplier.name AS supplier_name, {PATHS}
    FROM external_sale x JOIN organisation claimant ON claimant.id = x.claimant_id JOIN organisation supplier ON supplier.id = x.supplier_id
    LEFT JOIN organisation buyer ON buyer.id = x.buyer_id LEFT JOIN organisation helper ON helper.id = x.helper_id
    WHERE {_IN_REACH}
"""
_ONE = text(f"{_SALES} AND x.id = :id")
_PAGE = text(
    f"""
    {_SALES}
      AND (CAST(:status AS text) IS NULL OR x.status = :status) AND (CAST(:side AS text) IS NULL OR x.side = :side)
      AND (CAST(:platform AS text) IS NULL OR x.platform = :platform) AND (CAST(:district AS text) IS NULL OR x.district_code = :district)
      AND (CAST(:supplier_id AS bigint) IS NULL OR x.supplier_id = :supplier_id) AND (CAST(:buyer_id AS bigint) IS NULL OR x.buyer_id = :buyer_id)
      AND (CAST(:sold_from AS date) IS NULL OR x.sold_on >= :sold_from) AND (CAST(:sold_to AS date) IS NULL OR x.sold_on <= :sold_to)
      AND (CAST(:start AS bigint) IS NULL OR x.id < :start)
    ORDER BY x.id DESC LIMIT :rows
    """
)
# What the goods are sold for here: by the pack that is named, else by the weight that is told, as a pack of the product costs (of services by the number).
_LISTED = """
    SELECT CASE WHEN l.sku_id IS NULL AND s.net_grams IS NOT NULL THEN t.unit_price_fen * l.grams::numeric / s.net_grams ELSE t.unit_price_fen * l.quantity END
    FROM sku s JOIN price_tier t ON t.sku_id = s.id WHERE s.product_id = l.product_id AND s.id = coalesce(l.sku_id, s.id) ORDER BY s.id, t.min_quantity LIMIT 1
"""
_LINES = text(
    f"""
    SELECT l.*, l.amount_fen AS amount, ({_LISTED}) AS listed_fen,
           (SELECT f.number FROM certificate f WHERE f.product_id = l.product_id AND {CERTIFIED.format(at=NOON)} ORDER BY f.id DESC LIMIT 1)
             AS certificate_number
    FROM external_sale_line l JOIN external_sale x ON x.id = l.sale_id WHERE l.sale_id = :id ORDER BY l.line_no
    """
)
_PAPERS = text(
    """
    SELECT d.*, d.amount_fen AS amount, f.name AS file_name
    FROM external_sale_document d LEFT JOIN stored_file f ON f.id = d.file_id WHERE d.sale_id = :id ORDER BY d.id
    """
)
_FILE = text(
    f"SELECT f.* FROM external_sale_document d JOIN stored_file f ON f.id = d.file_id JOIN ({_SALES}) x ON x.id = d.sale_id WHERE d.sale_id = :id AND d.id = :paper"
)
_ELSEWHERE = text(
    """
    SELECT EXISTS (SELECT FROM document_use u JOIN document_use o ON o.kind = u.kind AND o.number = u.number AND o.released_at IS NULL
                   AND (o.subject_kind, o.subject_id) <> (u.subject_kind, u.subject_id) AND coalesce(o.side = u.side, u.side = 'seller')
                   WHERE u.subject_kind = 'external_sale' AND u.subject_id = :id AND u.released_at IS NULL)
    """
)
#: Places in what is said of a check.
_PASSED, _FAILED = 0, 1
#: What is said of each check: in Chinese and English, where it is passed or has nothing to look at, and where it is not.
_CHECKS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "lines_tie": (
        ("明细合计与发票金额一致", "The lines come to what the invoice says"),
        ("明细合计与发票金额不一致", "The lines do not come to what the invoice says"),
    ),
    "plausible": (
        ("各行重量和金额合理", "No line weighs too much, or costs what cannot be"),
        ("有的行重量或金额不合理", "A line weighs too much, or costs what cannot be"),
    ),
    "certified": (
        ("全部产品在销售当日已认定", "Every product was certified on the day of the sale"),
        ("有的产品在销售当日未认定", "A product was not certified on the day of the sale"),
    ),
    "documents_unused": (
        ("单据未在其他申报或订单中使用", "No other claim or order rests on its documents"),
        ("单据已在其他申报或订单中使用", "Another claim or order rests on its documents"),
    ),
    "no_doubt": (
        ("没有待处理的疑点", "Nothing speaks against it"),
        ("有待处理的疑点", "Something speaks against it; it is to be decided"),
    ),
}
_BY = {"weight": "重量", "price": "价格", "certificate": "认定"}


def sales(session: Session, actor: Actor, asked: SaleFilter, *, limit: int, after: str | None) -> Page[SaleRow]:
    """Claims within reach, newest first."""
    start = paging.position(after, int)
    fields = {name: getattr(asked, name) for name in SaleFilter.model_fields}
    values = {**_reach(actor), **fields, "start": start[0] if start else None, "rows": limit + 1}
    return paging.page(session.execute(_PAGE, values).all(), limit, _row, lambda row: [row.id])


def sale(session: Session, actor: Actor, sale_id: int, language: Language = "zh") -> SaleOut:
    """One claim with its lines, papers, and what was looked at for the reviewer.

    Raises:
        NotFound: none within reach (404).
    """
    row = session.execute(_ONE, {"id": sale_id, **_reach(actor)}).first()
    if row is None:
        raise NotFound
    lines, papers, passed, failing = _looked_at(session, sale_id, row.total_fen)
    doubts = open_doubts(session, Subject.EXTERNAL_SALE, sale_id)
    passed |= {
        "documents_unused": not session.execute(_ELSEWHERE, {"id": sale_id}).scalar_one() if papers else None,
        "no_doubt": not doubts.holds,
    }
    told = 0 if language == "zh" else 1
    return SaleOut(
        **{name: getattr(row, name) for name in SaleOut.model_fields if hasattr(row, name)},
        lines=lines,
        documents=papers,
        checks=[
            CheckOut(
                code=code,
                passed=good,
                message=_CHECKS[code][_FAILED if good is False else _PASSED][told],
                lines=failing.get(code, []),
            )
            for code, good in passed.items()
        ],
        **dict(doubts),
        possible_actions=_possible(actor, row),
    )


def concerns(actor: Actor, sale: Any) -> bool:
    """Whether somebody else has to decide about a claim: the actor handed it in, or is of an organisation that sold, bought, helped or claims."""
    paths = (sale.claimant_path, sale.supplier_path, sale.buyer_path, sale.helper_path)
    return sale.submitted_by == actor.user_id or any(path is not None and actor.is_related(path) for path in paths)


def _possible(actor: Actor, sale: Any) -> list[SaleMove]:
    """What the caller may do with a claim: whoever made it, until an officer has decided; and the officers of its district."""
    mine = actor.may(Permission.EXTERNAL_SALES_CLAIM) and actor.within_branch(sale.claimant_path)
    reviews = actor.covers_region(Permission.EXTERNAL_SALES_REVIEW, sale.district_code) and not concerns(actor, sale)
    moves: set[SaleMove] = set(REVIEW) if reviews else set()
    if mine:
        moves |= {SaleMove.EDIT, SaleMove.SUBMIT} | ({SaleMove.WITHDRAW} if sale.decided_at is None else set())
    return [move for move in EXTERNAL_SALE.possible(sale.status) if move in moves]


def failed(session: Session, sale_id: int, total_fen: int) -> list[tuple[str, str, str]]:
    """The checks of lines and invoices that a claim does not pass, each with its words in Chinese and English, and with its lines. What speaks against
    its documents is decided apart, with a reason of its own."""
    _, _, passed, failing = _looked_at(session, sale_id, total_fen)
    return [(code, *_words(code, failing.get(code, []))) for code, good in passed.items() if good is False]


def _words(code: str, lines: Sequence[FailingLineOut]) -> tuple[str, str]:
    zh, en = _CHECKS[code][_FAILED]
    if not lines:
        return zh, en
    told = [(line.line_no, "和".join(_BY[by] for by in line.by), " and ".join(line.by)) for line in lines]
    rows, numbers = "、".join(f"第{no}行{by}" for no, by, _ in told), ", ".join(f"line {no}: {by}" for no, _, by in told)
    return f"{zh}（{rows}）", f"{en} ({numbers})"


def file(session: Session, actor: Actor, sale_id: int, paper_id: int) -> Any:
    """The stored file of a paper.

    Raises:
        NotFound: no such file within reach (404).
    """
    row = session.execute(_FILE, {"id": sale_id, "paper": paper_id, **_reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def _looked_at(
    session: Session, sale_id: int, total_fen: int
) -> tuple[list[LineOut], list[PaperOut], dict[str, bool | None], dict[str, list[FailingLineOut]]]:
    """The lines and papers of a claim, which of the checks of them it passes (None: there is nothing to look at), and for which lines it does not."""
    rows = session.execute(_LINES, {"id": sale_id}).all()
    papers = [PaperOut.model_validate(paper, from_attributes=True) for paper in session.execute(_PAPERS, {"id": sale_id})]
    limits = programmes.config_of(session, clock.today()).counting
    odd = partial(implausible, price_times=limits.price_times, line_tonnes=limits.line_tonnes)
    failing = {
        "plausible": _failing((row.line_no, odd(row.grams, row.amount_fen, row.listed_fen)) for row in rows),
        "certified": _failing((row.line_no, [] if row.certificate_number else ["certificate"]) for row in rows),
    }
    passed = {"lines_tie": _tie(total_fen, papers), **{code: not lines for code, lines in failing.items()}}
    return [LineOut.model_validate(row, from_attributes=True) for row in rows], papers, passed, failing


def _failing(found: Iterable[tuple[int, Sequence[str]]]) -> list[FailingLineOut]:
    return [FailingLineOut.model_validate({"line_no": line_no, "by": by}) for line_no, by in found if by]


def _tie(total_fen: int, papers: list[PaperOut]) -> bool | None:
    """Whether the invoices come to the total; of those whose amount nobody said nothing is known, and without any there is nothing to look at."""
    amounts = [paper.amount for paper in papers if paper.kind is PaperKind.INVOICE]
    if not amounts:
        return None
    return None not in amounts and sum(amount or 0 for amount in amounts) == total_fen


def _reach(actor: Actor) -> dict[str, Any]:
    regions = actor.region_patterns(Permission.EXTERNAL_SALES_READ)
    return {"branch": f"{actor.organisation_path}%" if actor.organisation_path else None, "regions": regions}


def _row(row: Any) -> SaleRow:
    return SaleRow.model_validate(row, from_attributes=True)
