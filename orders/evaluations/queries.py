"""Evaluations of one order, of a product and of a supplier."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.evaluations import rules
from orders.evaluations.rules import RATED
from orders.evaluations.schemas import AveragesOut, EvaluationOut, EvaluationRow, EvaluationsOut
from orders.purchasing import queries as purchasing
from shop.core import paging
from shop.core.errors import NotFound
from shop.identity.actor import Actor

_PHOTOS = """
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'content_type', s.content_type, 'size', s.size) ORDER BY s.id)
              FROM evaluation_file f JOIN stored_file s ON s.id = f.file_id WHERE f.evaluation_id = e.id), '[]') AS photos
"""
_SHOWN = f"""
    e.*, buyer.kind AS buyer_kind, r.code AS buyer_district_code, r.name_zh AS buyer_district_name, {_PHOTOS}
"""
_BUYER = "JOIN organisation buyer ON buyer.id = e.buyer_id JOIN region r ON r.code = left(buyer.region_code, 6)"
_ONE = text(
    f"SELECT {_SHOWN}, ARRAY(SELECT product_id FROM evaluation_product WHERE evaluation_id = e.id ORDER BY 1) AS product_ids"
    f" FROM evaluation e {_BUYER} WHERE e.supplier_order_id = :id"
)
#: Totals over all of them beside one page, in one statement.
_PAGE = """
    WITH chosen AS MATERIALIZED ({chosen}),
    totals AS (SELECT count(*) AS all_count, {sums} FROM chosen)
    SELECT totals.*, page.*
    FROM totals LEFT JOIN (
        SELECT {shown} FROM (SELECT * FROM chosen WHERE CAST(:start AS bigint) IS NULL OR id < :start ORDER BY id DESC LIMIT :rows) e {buyer}
    ) page ON true
    ORDER BY page.id DESC
"""
_SUMS = ", ".join(f"coalesce(sum({name}), 0)::bigint AS all_{name}" for name in RATED)


def _page(chosen: str) -> Any:
    return text(_PAGE.format(chosen=chosen, sums=_SUMS, shown=_SHOWN, buyer=_BUYER))


_OF_PRODUCT = _page("SELECT e.* FROM evaluation_product p JOIN evaluation e ON e.id = p.evaluation_id WHERE p.product_id = :id")
_OF_SUPPLIER = _page("SELECT e.* FROM evaluation e WHERE e.supplier_id = :id")
_IS_PRODUCT = text("SELECT EXISTS (SELECT FROM product WHERE id = :id)")
_IS_SUPPLIER = text("SELECT EXISTS (SELECT FROM organisation_role WHERE organisation_id = :id AND role = 'supplier')")
_PHOTO = text(
    "SELECT s.* FROM evaluation_file f JOIN stored_file s ON s.id = f.file_id WHERE f.evaluation_id = :id AND f.file_id = :file_id"
)


def evaluation(session: Session, actor: Actor, supplier_order_id: int) -> EvaluationOut:
    """The evaluation of a supplier order, for its two sides and their officers.

    Raises:
        NotFound: no such order within reach, or it was not rated (404).
    """
    purchasing.supplier_order(session, actor, supplier_order_id)
    row = session.execute(_ONE, {"id": supplier_order_id}).first()
    if row is None:
        raise NotFound
    return EvaluationOut(
        **_row(row).model_dump(),
        supplier_order_id=row.supplier_order_id,
        buyer_id=row.buyer_id,
        supplier_id=row.supplier_id,
        product_ids=row.product_ids,
        changeable_until=row.rated_at + rules.CHANGEABLE,
        version=row.version,
    )


def of_product(session: Session, product_id: int, *, limit: int, after: str | None) -> EvaluationsOut:
    """What buyers who accepted a product say, the newest first, with the averages of all.

    Raises:
        NotFound: there is no such product (404).
    """
    return _evaluations(session, _OF_PRODUCT, _IS_PRODUCT, product_id, limit, after)


def of_supplier(session: Session, supplier_id: int, *, limit: int, after: str | None) -> EvaluationsOut:
    """The same of a supplier.

    Raises:
        NotFound: there is no such supplier (404).
    """
    return _evaluations(session, _OF_SUPPLIER, _IS_SUPPLIER, supplier_id, limit, after)


def photo(session: Session, evaluation_id: int, file_id: int) -> Row[Any]:
    """Where the content of a photo lies.

    Raises:
        NotFound: there is none (404).
    """
    row = session.execute(_PHOTO, {"id": evaluation_id, "file_id": file_id}).first()
    if row is None:
        raise NotFound
    return row


def _evaluations(session: Session, statement: Any, exists: Any, of: int, limit: int, after: str | None) -> EvaluationsOut:
    start = paging.position(after, int)
    if not session.execute(exists, {"id": of}).scalar_one():
        raise NotFound
    rows = session.execute(statement, {"id": of, "start": start[0] if start else None, "rows": limit + 1}).all()
    page = paging.page([row for row in rows if row.id is not None], limit, _row, lambda row: [row.id])
    return EvaluationsOut(averages=_averages(rows[0]), items=page.items, next=page.next)


def _row(row: Row[Any]) -> EvaluationRow:
    return EvaluationRow.model_validate(row, from_attributes=True)


def _averages(row: Row[Any]) -> AveragesOut:
    sums = {name: int(getattr(row, f"all_{name}")) for name in RATED}
    return AveragesOut(
        count=row.all_count,
        **{name: rules.average(total, row.all_count) for name, total in sums.items()},
        overall=rules.average(sum(sums.values()), row.all_count * len(RATED)),
    )
