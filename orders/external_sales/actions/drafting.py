"""Writing claims down, and bringing their papers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.counting.rules import document_key
from orders.external_sales import checking, rules
from orders.external_sales.actions.moving import own, step
from orders.external_sales.checking import Checked
from orders.external_sales.errors import ClaimWrong, HasFile, TooManyPapers
from orders.external_sales.rules import Claim, Paper
from orders.external_sales.states import EXTERNAL_SALE, SaleMove
from shop.core import audit, clock, numbers, uploads
from shop.core.db import array
from shop.core.errors import IfMatch, Invalid, NotFound
from shop.identity.actor import Actor

#: As many papers one claim has.
MOST_PAPERS = 50

_FIELDS = [
    "side",
    "platform",
    "supplier_id",
    "direction",
    "helper_id",
    "invoice_seller",
    "invoice_seller_uscc",
    "buyer_id",
    "order_number",
    "sold_on",
    "fund_source",
    "declared_relation_id",
    "note",
]
_COLUMNS = [*_FIELDS, "buyer_name", "buyer_kind", "buyer_region_code", "district_code", "total_fen", "total_grams"]
_TYPES = {
    **dict.fromkeys(_COLUMNS, "text"),
    **dict.fromkeys(["supplier_id", "helper_id", "buyer_id", "declared_relation_id", "total_fen", "total_grams"], "bigint"),
    "sold_on": "date",
}
_GIVEN = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _TYPES.items())
_INSERT = text(
    f"""
    INSERT INTO external_sale (number, claimant_id, created_by, created_at, {", ".join(_COLUMNS)})
    SELECT u.number, :claimant, :user, :now, {", ".join(f"u.{name}" for name in _COLUMNS)}
    FROM unnest(CAST(:numbers AS text[]), {_GIVEN}) WITH ORDINALITY AS u (number, {", ".join(_COLUMNS)}, place) ORDER BY u.place
    RETURNING id, number
    """  # noqa: S608
)
_UPDATE = text(
    f"UPDATE external_sale SET {', '.join(f'{name} = CAST(:{name} AS {kind})' for name, kind in _TYPES.items())} WHERE id = :id"  # noqa: S608
)
_LINES = text(
    """
    INSERT INTO external_sale_line (sale_id, line_no, product_id, sku_id, product_name, quantity, unit, grams, amount_fen)
    SELECT * FROM unnest(CAST(:sales AS bigint[]), CAST(:numbers AS int[]), CAST(:products AS bigint[]), CAST(:skus AS bigint[]),
        CAST(:names AS text[]), CAST(:quantities AS numeric[]), CAST(:units AS text[]), CAST(:grams AS bigint[]), CAST(:amounts AS bigint[]))
    """
)
_PAPERS = text(
    """
    INSERT INTO external_sale_document (sale_id, kind, number, issuer, dated_on, amount_fen)
    SELECT * FROM unnest(CAST(:sales AS bigint[]), CAST(:kinds AS text[]), CAST(:numbers AS text[]), CAST(:issuers AS text[]),
        CAST(:days AS date[]), CAST(:amounts AS bigint[]))
    """
)
_DOCUMENTS = text("SELECT * FROM external_sale_document WHERE sale_id = :id ORDER BY id")


def write(session: Session, actor: Actor, checked: Sequence[Checked]) -> list[int]:
    """Write claims that were checked as drafts, in a statement for each table; returns their ids."""
    year = clock.today().year
    series = numbers.next_numbers(session, f"external_sale:{year}", len(checked))
    names = [f"WX{year}-{number:06}" for number in series]
    rows = [_row(each) for each in checked]
    values = {column: [row[column] for row in rows] for column in _COLUMNS}
    common = {"numbers": names, "claimant": actor.organisation, "user": actor.user_id, "now": clock.now()}
    by_number = {row.number: row.id for row in session.execute(_INSERT, {**common, **values})}
    ids = [by_number[name] for name in names]
    _write_lines(session, list(zip(ids, checked, strict=True)))
    papers = [(id, paper) for id, each in zip(ids, checked, strict=True) for paper in each.claim.papers]
    if papers:
        session.execute(
            _PAPERS,
            {
                "sales": array(id for id, _ in papers),
                "kinds": [paper.kind for _, paper in papers],
                "numbers": [paper.number for _, paper in papers],
                "issuers": [paper.issuer for _, paper in papers],
                "days": [paper.dated_on for _, paper in papers],
                "amounts": array(paper.amount_fen for _, paper in papers),
            },
        )
    said = [(id, {"number": name, "amount_fen": each.total_fen}) for id, name, each in zip(ids, names, checked, strict=True)]
    audit.record_each(session, actor, "external_sale.drafted", "external_sale", said)
    return ids


def draft(session: Session, actor: Actor, claim: Claim) -> int:
    """Write a claim down; returns its id.

    Raises:
        ClaimWrong: what it names is not there, or does not fit; all faults at once (422).
    """
    return write(session, actor, [_good(session, actor, claim)])[0]


def edit(session: Session, actor: Actor, sale_id: int, claim: Claim, if_match: IfMatch) -> None:
    """Write a draft, or what was returned, anew; its papers stay.

    Raises:
        NotFound: not a claim of the caller's organisation (404). Changed: see there (412). IllegalMove: it was handed in (409).
        ClaimWrong: as :func:`draft` (422).
    """
    row = own(session, actor, sale_id)
    if_match(row.version)
    EXTERNAL_SALE.after(row.status, SaleMove.EDIT)
    checked = _good(session, actor, claim)
    session.execute(_UPDATE, {"id": sale_id, **_row(checked)})
    session.execute(text("DELETE FROM external_sale_line WHERE sale_id = :id"), {"id": sale_id})
    _write_lines(session, [(sale_id, checked)])
    step(session, actor, [row], SaleMove.EDIT)


def add_paper(session: Session, actor: Actor, sale_id: int, paper: Paper, name: str | None, content: bytes | None) -> int:
    """Bring a paper of a claim; one whose number is there already without its file gets the file. Returns the paper's id.

    Raises:
        NotFound: not a claim of the caller's organisation (404). IllegalMove: it was handed in (409). Invalid: no such number (422).
        HasFile, TooManyPapers: see there (409). TooLarge (413), UnreadableFile (422): as for every upload.
    """
    row = own(session, actor, sale_id)
    EXTERNAL_SALE.after(row.status, SaleMove.EDIT)
    if faults := rules.wrong_paper(paper, clock.today()):
        raise Invalid(faults=faults)
    there = session.execute(_DOCUMENTS, {"id": sale_id}).all()
    same = next((each for each in there if paper.number and _key(each) == _key(paper)), None)
    if same is not None and (same.file_id or content is None):
        raise HasFile
    if same is None and len(there) >= MOST_PAPERS:
        raise TooManyPapers(most=MOST_PAPERS)
    kept = uploads.keep(session, actor.user_id, name, content) if content is not None else None
    paper_id = same.id if same else _insert_paper(session, sale_id, paper)
    if kept:
        statement = text("UPDATE external_sale_document SET file_id = :file WHERE id = :id")
        session.execute(statement, {"id": paper_id, "file": kept.id})
    step(session, actor, [row], SaleMove.EDIT)
    return int(paper_id)


def remove_paper(session: Session, actor: Actor, sale_id: int, paper_id: int) -> None:
    """Take a paper away from a claim that was not handed in.

    Raises:
        NotFound: no such paper of a claim of the caller's organisation (404). IllegalMove: it was handed in (409).
    """
    row = own(session, actor, sale_id)
    EXTERNAL_SALE.after(row.status, SaleMove.EDIT)
    statement = text("DELETE FROM external_sale_document WHERE id = :id AND sale_id = :sale RETURNING id")
    if session.execute(statement, {"id": paper_id, "sale": sale_id}).first() is None:
        raise NotFound
    step(session, actor, [row], SaleMove.EDIT)


def _good(session: Session, actor: Actor, claim: Claim) -> Checked:
    checked, faults = checking.check(session, actor, [claim])
    if faults:
        raise ClaimWrong(count=len(faults[0]), faults=faults[0])
    return checked[0]


def _row(checked: Checked) -> dict[str, Any]:
    row = {name: getattr(checked.claim, name) for name in _FIELDS}
    return {**row, **{name: getattr(checked, name) for name in _COLUMNS if name not in _FIELDS}}


def _write_lines(session: Session, checked: Sequence[tuple[int, Checked]]) -> None:
    lines = [(id, n, goods) for id, each in checked for n, goods in enumerate(each.goods, 1)]
    session.execute(
        _LINES,
        {
            "sales": array(id for id, _, _ in lines),
            "numbers": array(n for _, n, _ in lines),
            "products": array(goods.product_id for _, _, goods in lines),
            "skus": array(goods.sku_id for _, _, goods in lines),
            "names": [goods.product_name for _, _, goods in lines],
            "quantities": array(goods.line.quantity for _, _, goods in lines),
            "units": [goods.unit for _, _, goods in lines],
            "grams": array(goods.grams for _, _, goods in lines),
            "amounts": array(goods.line.amount_fen for _, _, goods in lines),
        },
    )


def _insert_paper(session: Session, sale_id: int, paper: Paper) -> int:
    statement = text(
        "INSERT INTO external_sale_document (sale_id, kind, number, issuer, dated_on, amount_fen)"
        " VALUES (:sale, :kind, :number, :issuer, :dated_on, :amount) RETURNING id"
    )
    values = {"kind": paper.kind, "number": paper.number, "issuer": paper.issuer, "dated_on": paper.dated_on}
    return int(session.execute(statement, {"sale": sale_id, "amount": paper.amount_fen, **values}).scalar_one())


def _key(paper: Any) -> tuple[str, str]:
    return paper.kind, document_key(paper.kind, paper.number or "", paper.issuer)
