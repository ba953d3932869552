"""Awards and contracts of public buyers, read for everybody: awards of quotations, agreements, contracts of orders above a sum.

What is published: who bought from whom, what, when and for how much. Who asked, decided or signed, and what others had offered, is not.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.ledger.errors import PeriodBackwards
from orders.opendata import rules
from orders.opendata.rules import Deal, Document, Item, Organisation, Source
from shop.core import clock, paging
from shop.core.errors import Invalid, NotFound
from shop.core.settings import settings
from shop.identity.rules import OrganisationKind

#: Releases in a package.
PAGE = 100
#: Buyers that spend public money, or that of their members; what a firm buys is its own affair.
PUBLIC_BUYERS = [
    OrganisationKind.AGENCY,
    OrganisationKind.SCHOOL,
    OrganisationKind.HOSPITAL,
    OrganisationKind.PUBLIC_INSTITUTION,
    OrganisationKind.TRADE_UNION,
]
#: An order belongs to the process that it came from: the request for quotation, the agreement, or itself.
_PROCESS = """
    CASE po.source_kind WHEN 'quotation' THEN (SELECT number FROM quotation_request WHERE id = po.source_id)
                        WHEN 'agreement' THEN (SELECT coalesce(q.number, a.number) FROM agreement a
                                               LEFT JOIN quotation_request q ON q.id = a.quotation_request_id WHERE a.id = po.source_id)
                        ELSE po.number END
"""
# Award to one supplier: OCDS reads several suppliers of an award as a consortium.
_DEALS = f"""
    SELECT 1 AS place, w.id, o.supplier_id, w.awarded_at AS at, q.number AS process, q.buyer_id, q.title, sum(l.amount_fen)::bigint AS fen,
           CASE q.kind WHEN 'invited' THEN 'limited' ELSE 'open' END AS method, CAST(NULL AS date) AS starts_on, CAST(NULL AS date) AS ends_on
    FROM quotation_award w
    JOIN quotation_request q ON q.id = w.quotation_request_id
    JOIN quotation_award_line l ON l.quotation_award_id = w.id AND l.given_back_at IS NULL
    JOIN quotation_line ql ON ql.id = l.quotation_line_id
    JOIN quotation o ON o.id = ql.quotation_id
    WHERE w.voided_at IS NULL GROUP BY w.id, q.id, o.supplier_id
    UNION ALL
    SELECT 2, a.id, a.supplier_id, greatest(a.buyer_signed_at, a.supplier_signed_at), coalesce(q.number, a.number), a.buyer_id, a.title,
           a.amount_cap_fen, 'direct', a.valid_from, coalesce(a.terminated_on, a.valid_until)
    FROM agreement a LEFT JOIN quotation_request q ON q.id = a.quotation_request_id WHERE a.status = 'active'
    UNION ALL
    SELECT 3, k.id, so.supplier_id, k.made_at, {_PROCESS}, po.buyer_id, '采购合同 ' || k.number, so.total_fen + so.freight_fen, 'direct', NULL, NULL
    FROM contract k JOIN supplier_order so ON so.id = k.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id
    WHERE k.supplement_no = 0 AND so.status NOT IN ('rejected', 'cancelled') AND so.total_fen + so.freight_fen >= :from_fen
"""  # noqa: S608
_FOUND = f"""
    SELECT d.*, buyer.uscc AS buyer_uscc, buyer.name AS buyer_name, buyer.kind AS buyer_kind, buyer_place.name_zh AS buyer_place,
           supplier.uscc AS supplier_uscc, supplier.name AS supplier_name, supplier_place.name_zh AS supplier_place,
           left(buyer.region_code, 2) AS buyer_province, left(supplier.region_code, 2) AS supplier_province
    FROM ({_DEALS}) d
    JOIN organisation buyer ON buyer.id = d.buyer_id
    JOIN organisation supplier ON supplier.id = d.supplier_id
    LEFT JOIN region buyer_place ON buyer_place.code = buyer.region_code
    LEFT JOIN region supplier_place ON supplier_place.code = supplier.region_code
    WHERE buyer.kind = ANY (CAST(:kinds AS text[]))
"""  # noqa: S608
_PAGE = text(
    f"""
    {_FOUND} AND d.at >= :first AND d.at < :until
      AND (CAST(:start_at AS timestamptz) IS NULL OR (d.at, d.place, d.id, d.supplier_id) > (:start_at, :start_place, :start_id, :start_supplier))
    ORDER BY d.at, d.place, d.id, d.supplier_id LIMIT :rows
    """
)
_OF_PROCESS = text(f"{_FOUND} AND d.process = :process ORDER BY d.at, d.place, d.id, d.supplier_id")
_ITEMS = text(
    """
    SELECT 1 AS place, w.id, o.supplier_id, l.position AS at, p.name, s.pack, s.unit, p.category, l.packs AS quantity, l.unit_price_fen
    FROM quotation_award w
    JOIN quotation_award_line l ON l.quotation_award_id = w.id AND l.given_back_at IS NULL
    JOIN quotation_line ql ON ql.id = l.quotation_line_id
    JOIN quotation o ON o.id = ql.quotation_id
    JOIN sku s ON s.id = ql.sku_id JOIN product p ON p.id = s.product_id
    WHERE w.id = ANY (CAST(:awards AS bigint[]))
    UNION ALL
    SELECT 2, a.id, a.supplier_id, l.line_no, p.name, s.pack, s.unit, p.category, l.quantity_cap, l.unit_price_fen
    FROM agreement a JOIN agreement_line l ON l.agreement_id = a.id JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
    WHERE a.id = ANY (CAST(:agreements AS bigint[]))
    UNION ALL
    SELECT 3, k.id, so.supplier_id, l.line_no, p.name, s.pack, s.unit, p.category, l.quantity, l.unit_price_fen
    FROM contract k JOIN supplier_order so ON so.id = k.supplier_order_id JOIN order_line l ON l.supplier_order_id = so.id AND l.quantity > 0
    JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = l.product_id
    WHERE k.id = ANY (CAST(:contracts AS bigint[]))
    ORDER BY 1, 2, 3, 4
    """
)
_SOURCES = {1: Source.AWARD, 2: Source.AGREEMENT, 3: Source.CONTRACT}
_METHODS = {
    "limited": "邀请询价",
    "open": "公开询价",
    "direct": "定向采购脱贫地区农副产品",
}
_PROVINCES = {"50": "重庆市", "37": "山东省"}
_EARLIEST, _LATEST = date(2016, 1, 1), date(2100, 12, 31)


def releases(session: Session, *, first: date | None, last: date | None, after: str | None) -> Document:
    """A package of releases of these days (Shanghai), the oldest first, with the address of the next one.

    Raises:
        PeriodBackwards: ``first`` lies after ``last`` (422).
    """
    if first is not None and last is not None and first > last:
        raise PeriodBackwards.at("from")
    start = paging.position(after, str, int, int, int)
    values = {
        "first": clock.start_of_day(first or _EARLIEST),
        "until": clock.end_of_day(last or _LATEST),
        "start_at": _moment(start[0]) if start else None,
        "start_place": start[1] if start else 0,
        "start_id": start[2] if start else 0,
        "start_supplier": start[3] if start else 0,
        "rows": PAGE + 1,
    }
    rows = session.execute(_PAGE, {**_general(), **values}).all()
    shown = rows[:PAGE]
    address = f"{settings().public_url.rstrip('/')}/v1/public/ocds/releases"
    asked = {"from": first, "to": last, "after": after}
    following = {**asked, "after": paging.cursor(_place(shown[-1]))} if len(rows) > PAGE else None
    return rules.release_package(
        _released(session, shown),
        uri=_address(address, asked),
        at=clock.now(),
        publisher=settings().publisher,
        following=_address(address, following) if following else None,
    )


def record(session: Session, ocid: str) -> Document:
    """Everything that is known of a process: its releases, and what they come to.

    Raises:
        NotFound: no process of ours has that number, or nothing of it is published (404).
    """
    prefix = f"{settings().ocds_prefix}-"
    if not ocid.startswith(prefix):
        raise NotFound
    rows = session.execute(_OF_PROCESS, {**_general(), "process": ocid.removeprefix(prefix)}).all()
    if not rows:
        raise NotFound
    found = _released(session, rows)
    address = f"{settings().public_url.rstrip('/')}/v1/public/ocds/records/{ocid}"
    return rules.record_package(ocid, found, uri=address, at=clock.now(), publisher=settings().publisher)


def _general() -> dict[str, Any]:
    return {"kinds": PUBLIC_BUYERS, "from_fen": settings().open_contracts_from_fen}


def _address(address: str, asked: Mapping[str, Any]) -> str:
    query = urlencode({name: str(value) for name, value in asked.items() if value is not None})
    return f"{address}?{query}" if query else address


def _moment(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid.one("after", "bad_cursor", "分页游标无效", "The cursor is not valid")
    return found


def _place(row: Row[Any]) -> list[Any]:
    return [row.at.isoformat(), row.place, row.id, row.supplier_id]


def _released(session: Session, rows: Sequence[Row[Any]]) -> list[Document]:
    ids = {
        name: [row.id for row in rows if row.place == place] for place, name in enumerate(("awards", "agreements", "contracts"), 1)
    }
    items: dict[tuple[int, int, int], list[Item]] = {}
    for row in session.execute(_ITEMS, ids):
        item = Item(f"{row.name} {row.pack}".strip(), row.category, row.unit, row.quantity, row.unit_price_fen)
        items.setdefault((row.place, row.id, row.supplier_id), []).append(item)
    prefix = settings().ocds_prefix
    return [rules.release(_deal(row, items.get((row.place, row.id, row.supplier_id), [])), prefix) for row in rows]


def _deal(row: Row[Any], items: Sequence[Item]) -> Deal:
    source = _SOURCES[row.place]
    return Deal(
        source=source,
        # an award stands once for each supplier; agreements and contracts have one
        id=f"{source}-{row.id}-{row.supplier_id}" if source is Source.AWARD else f"{source}-{row.id}",
        process=row.process,
        at=row.at.astimezone(clock.SHANGHAI),
        buyer=Organisation(row.buyer_uscc, row.buyer_name, _PROVINCES.get(row.buyer_province), row.buyer_place),
        supplier=Organisation(row.supplier_uscc, row.supplier_name, _PROVINCES.get(row.supplier_province), row.supplier_place),
        title=row.title,
        method=row.method,
        method_details=_METHODS[row.method],
        fen=row.fen,
        items=items,
        starts_at=_day(row.starts_on),
        ends_at=_day(row.ends_on),
    )


def _day(day: date | None) -> datetime | None:
    return None if day is None else clock.start_of_day(day).astimezone(clock.SHANGHAI)
