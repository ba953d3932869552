"""Registering tax invoices, and holding numbers that come twice."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.tax_invoices import rules
from orders.tax_invoices.errors import TaxInvoicesWrong
from orders.tax_invoices.models import TaxInvoice, TaxInvoiceCover
from orders.tax_invoices.rules import Cover
from orders.tax_invoices.schemas import TaxInvoiceIn
from orders.tax_invoices.states import COUNTED, LIVE, TaxInvoiceStatus
from shop.core import audit, clock, locks, outbox
from shop.core.db import array
from shop.core.errors import Fault
from shop.identity.actor import Actor

_COUNTED = ", ".join(f"'{status}'" for status in COUNTED)
_LIVE = ", ".join(f"'{status}'" for status in LIVE)
# What may be covered, of the sellers of the caller's branch.
_COVERS = text(
    """
    SELECT x.kind, x.asked, x.supplier_order_id, x.seller_id, x.buyer_id, x.ordering_unit_id, x.id, x.of_invoice_id, x.taxed
    FROM (
        SELECT 'invoice' AS kind, id AS asked, supplier_order_id, seller_id, buyer_id, ordering_unit_id, id, id AS of_invoice_id, vat_fen > 0 AS taxed
        FROM invoice WHERE id = ANY (CAST(:invoices AS bigint[]))
        UNION ALL
        SELECT 'credit_note', c.id, i.supplier_order_id, c.seller_id, c.buyer_id, c.ordering_unit_id, c.id, i.id, c.vat_fen > 0
        FROM credit_note c JOIN invoice i ON i.id = c.invoice_id WHERE c.id = ANY (CAST(:credit_notes AS bigint[]))
        UNION ALL
        SELECT 'acceptance', a.shipment_id, so.id, so.supplier_id, po.buyer_id, po.ordering_unit_id, a.id, NULL,
               EXISTS (SELECT FROM acceptance_line al JOIN order_line l ON l.id = al.order_line_id WHERE al.acceptance_id = a.id AND l.vat_bp > 0)
        FROM acceptance a JOIN supplier_order so ON so.id = a.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id
        WHERE a.shipment_id = ANY (CAST(:shipments AS bigint[]))
    ) x JOIN organisation seller ON seller.id = x.seller_id WHERE seller.path LIKE CAST(:branch AS text)
    """
)
# The deliveries that stand in invoices.
_STANDING = text(
    """
    SELECT l.invoice_id, a.shipment_id FROM invoice_line l JOIN acceptance a ON a.id = l.acceptance_id
    WHERE l.invoice_id = ANY (CAST(:invoices AS bigint[])) AND a.shipment_id = ANY (CAST(:shipments AS bigint[]))
    """
)
_HOLD_NUMBERS = text(
    "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT k FROM unnest(CAST(:keys AS bigint[])) k ORDER BY k) sorted"
)
_SAME = text(
    f"""
    SELECT id, code, number, status FROM tax_invoice
    WHERE number = ANY (CAST(:numbers AS text[])) AND status IN ({_LIVE}) ORDER BY id FOR UPDATE
    """  # noqa: S608
)
# What a seller has registered and nobody has decided against, with what each is for: the ids of the four kinds, 0 for none.
_THERE = text(
    f"""
    SELECT t.id, t.code, t.number, t.type, t.red, t.red_letter_of_id, t.issued_on, t.gross_fen, t.vat_fen,
           (SELECT array_agg(DISTINCT ARRAY[c.supplier_order_id, coalesce(c.invoice_id, 0), coalesce(c.credit_note_id, 0), coalesce(c.acceptance_id, 0)])
            FROM tax_invoice_cover c WHERE c.tax_invoice_id = t.id) AS covers
    FROM tax_invoice t WHERE t.number = ANY (CAST(:numbers AS text[])) AND t.seller_id = ANY (CAST(:sellers AS bigint[])) AND t.status IN ({_LIVE})
    ORDER BY t.id
    """  # noqa: S608
)
_HOLD = text(
    "UPDATE tax_invoice SET status = 'held', version = version + 1 WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING id, version"
)
# What red-letter invoices take back, and how much of it others took back before, those that wait for a decision included.
_NUMBERS = text("SELECT code, number FROM tax_invoice WHERE id = ANY (CAST(:ids AS bigint[]))")
_BLUE = text(
    f"""
    SELECT b.id, b.seller_id, b.buyer_id,
           (b.gross_fen - coalesce((SELECT sum(r.gross_fen) FROM tax_invoice r WHERE r.red_letter_of_id = b.id AND r.status IN ({_LIVE})), 0))::bigint AS left_fen
    FROM tax_invoice b WHERE b.id = ANY (CAST(:ids AS bigint[])) AND NOT b.red AND b.status IN ({_COUNTED})
    """  # noqa: S608
)
# What they are for: a part of an order as such, invoices, deliveries; an invoice with the deliveries that stand in it, and the other way round.
_BLUE_FOR = text(
    """
    WITH covers AS (SELECT * FROM tax_invoice_cover WHERE tax_invoice_id = ANY (CAST(:ids AS bigint[])))
    SELECT tax_invoice_id, 'part' AS kind, supplier_order_id AS id FROM covers WHERE num_nonnulls(invoice_id, credit_note_id, acceptance_id) = 0
    UNION SELECT tax_invoice_id, 'invoice', invoice_id FROM covers WHERE invoice_id IS NOT NULL
    UNION SELECT c.tax_invoice_id, 'invoice', l.invoice_id FROM covers c JOIN invoice_line l ON l.acceptance_id = c.acceptance_id
    UNION SELECT tax_invoice_id, 'acceptance', acceptance_id FROM covers WHERE acceptance_id IS NOT NULL
    UNION SELECT c.tax_invoice_id, 'acceptance', l.acceptance_id FROM covers c JOIN invoice_line l ON l.invoice_id = c.invoice_id
    WHERE l.acceptance_id IS NOT NULL
    """
)
# What is left of credit notes: of all that the red-letter invoices of each are for, less what these take back.
_NOTES_LEFT = text(
    f"""
    SELECT n.id, (
        (SELECT sum(o.gross_fen) FROM credit_note o
         WHERE o.id = n.id OR o.id IN (SELECT x.credit_note_id FROM tax_invoice_cover x WHERE x.tax_invoice_id = ANY (red.ids)))
        - (SELECT coalesce(sum(t.gross_fen), 0) FROM tax_invoice t WHERE t.id = ANY (red.ids))
    )::bigint AS left_fen
    FROM credit_note n CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT t.id) AS ids FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id AND t.status IN ({_LIVE})
        WHERE c.credit_note_id = n.id
    ) red
    WHERE n.id = ANY (CAST(:ids AS bigint[]))
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Said:
    """What an invoice says of itself; amounts in fen, ``vat_fen`` None where nobody said it."""

    code: str | None
    number: str
    type: str
    red: bool
    red_letter_of_id: int | None
    issued_on: date
    gross_fen: int
    vat_fen: int | None
    note: str | None


@dataclass(slots=True)
class Blue:
    """An invoice that a red-letter one takes back, what is left of it, in fen, and what it is for."""

    seller_id: int
    buyer_id: int
    left_fen: int
    covers: set[tuple[str, int]]


def register(session: Session, actor: Actor, invoices: Sequence[TaxInvoiceIn]) -> list[int]:
    """Register tax invoices for invoices, credit notes or accepted deliveries of the caller's organisation; returns their ids. A number that is
    registered already, by whomever, or that the claim names twice, is held, and so is the one that was there before: somebody decides. What the
    same seller has registered already, word for word and for the same things, is answered as it is there.

    Raises:
        TaxInvoicesWrong: digits, dates or what they are for; all faults at once, and nothing is registered (422).
    """
    asked: dict[str, set[int]] = {
        "invoices": {one for each in invoices for one in each.invoice_ids},
        "credit_notes": {one for each in invoices for one in each.credit_note_ids},
        "shipments": {one for each in invoices for one in each.shipment_ids},
    }
    branch = {"branch": f"{actor.organisation_path}%" if actor.organisation_path else None}
    rows = session.execute(_COVERS, {**{name: array(ids) for name, ids in asked.items()}, **branch}).all()
    known = {(row.kind, row.asked): _cover(row) for row in rows}
    blue = _taken_back(session, invoices)
    notes = _notes_left(session, asked["credit_notes"])
    standing = _standing(session, asked)
    there = _there(session, [each.number for each in invoices], known.values())
    today, faults = clock.today(), []
    #: in the order of the claim: what is to be entered, or the id under which it is there
    entries: list[tuple[Said, list[Cover]] | int] = []
    for index, each in enumerate(invoices):
        path = f"invoices[{index}]"
        covers, missing = _covers(each, known, path)
        wrong = rules.faults(rules.wrong_number(each.code, each.number, each.issued_on, today), path)
        faults += wrong + missing + ([] if missing else rules.wrong_covers(covers, path)) + _twice(each, standing, path)
        faults += rules.wrong_type(each.type, covers, f"{path}.type", red=each.red)
        said = _said(each)
        if before := there.get(_same(said, covers)):
            entries.append(before.pop(0))
            continue
        if each.red_letter_of_id and covers:
            faults += _wrong_red(each, covers, blue, f"{path}.red_letter_of_id")
        faults += _credited_already(each, notes, path)
        entries.append((said, covers))
    if faults:
        raise TaxInvoicesWrong(count=len(faults), faults=faults)
    made = iter(enter(session, actor, [each for each in entries if not isinstance(each, int)]))
    return [each if isinstance(each, int) else next(made) for each in entries]


def enter(session: Session, actor: Actor, entries: Sequence[tuple[Said, Sequence[Cover]]], file_id: int | None = None) -> list[int]:
    """Write tax invoices whose digits and covers are good into the register; returns their ids."""
    keys = [number_key(said.code, said.number) for said, _ in entries]
    _hold_numbers(session, keys)
    wanted = set(keys)
    before = [
        row
        for row in session.execute(_SAME, {"numbers": [said.number for said, _ in entries]})
        if number_key(row.code, row.number) in wanted
    ]
    twice = rules.repeated(keys) | {number_key(row.code, row.number) for row in before}
    made = [
        TaxInvoice(
            **asdict(said),
            seller_id=covers[0].seller_id,
            buyer_id=covers[0].buyer_id,
            ordering_unit_id=covers[0].ordering_unit_id,
            file_id=file_id,
            status=TaxInvoiceStatus.HELD if key in twice else TaxInvoiceStatus.REGISTERED,
            registered_by=actor.user_id or 0,
            registered_at=clock.now(),
        )
        for key, (said, covers) in zip(keys, entries, strict=True)
    ]
    session.add_all(made)
    session.flush()
    session.add_all(
        TaxInvoiceCover(
            tax_invoice_id=row.id,
            supplier_order_id=cover.supplier_order_id,
            invoice_id=cover.invoice_id,
            credit_note_id=cover.credit_note_id,
            acceptance_id=cover.acceptance_id,
        )
        for row, (_, covers) in zip(made, entries, strict=True)
        for cover in covers
    )
    session.flush()
    held_now = [row.id for row in before if row.status == TaxInvoiceStatus.REGISTERED]
    for row in made:
        audit.record(session, actor, "tax_invoice.registered", "tax_invoice", row.id, number=row.number, status=str(row.status))
        outbox.publish(session, "tax_invoice.moved", tax_invoice_id=row.id, status=row.status, version=1)
    for held in session.execute(_HOLD, {"ids": array(held_now)}).all() if held_now else ():
        audit.record(session, actor, "tax_invoice.hold", "tax_invoice", held.id)
        outbox.publish(session, "tax_invoice.moved", tax_invoice_id=held.id, status=TaxInvoiceStatus.HELD, version=held.version)
    # once for each number, named by the last that came with it
    for tax_invoice_id in {key: row.id for key, row in zip(keys, made, strict=True) if key in twice}.values():
        outbox.publish(session, "tax_invoice.repeated", tax_invoice_id=tax_invoice_id)
    return [row.id for row in made]


def number_key(code: str | None, number: str) -> str:
    """What a number is locked by."""
    return f"{code or ''}:{number}"


def _said(each: TaxInvoiceIn) -> Said:
    return Said(
        code=each.code,
        number=each.number,
        type=each.type.value,
        red=each.red,
        red_letter_of_id=each.red_letter_of_id,
        issued_on=each.issued_on,
        gross_fen=each.gross,
        vat_fen=each.vat,
        note=each.note,
    )


def _cover(row: Row[Any]) -> Cover:
    return Cover(
        row.supplier_order_id,
        row.seller_id,
        row.buyer_id,
        row.ordering_unit_id,
        of_invoice_id=row.of_invoice_id,
        taxed=row.taxed,
        **{f"{row.kind}_id": row.id},
    )


def _covers(each: TaxInvoiceIn, known: dict[tuple[str, int], Cover], path: str) -> tuple[list[Cover], list[Fault]]:
    """What one is for, and the faults of what is not there."""
    named: Iterable[tuple[str, str, list[int]]] = (
        ("invoice", "invoice_ids", each.invoice_ids),
        ("credit_note", "credit_note_ids", each.credit_note_ids),
        ("acceptance", "shipment_ids", each.shipment_ids),
    )
    covers, missing = [], []
    for kind, field, ids in named:
        for place, one in enumerate(ids):
            if cover := known.get((kind, one)):
                covers.append(cover)
            else:
                missing.append(
                    Fault(
                        f"{path}.{field}[{place}]",
                        "unknown_cover",
                        "本单位没有此单据，或到货未验收",
                        "None of yours, or not accepted",
                    )
                )
    return covers, missing


def _standing(session: Session, asked: dict[str, set[int]]) -> set[tuple[int, int]]:
    """Which of the deliveries stand in which of the invoices."""
    if not (asked["invoices"] and asked["shipments"]):
        return set()
    values = {name: array(asked[name]) for name in ("invoices", "shipments")}
    return {(row.invoice_id, row.shipment_id) for row in session.execute(_STANDING, values)}


def _twice(each: TaxInvoiceIn, standing: set[tuple[int, int]], path: str) -> list[Fault]:
    """What one is for is named once: an invoice, or its deliveries."""
    return [
        Fault(
            f"{path}.shipment_ids[{place}]",
            "covered_twice",
            "该到货已在所列结算发票中",
            "It stands in an invoice that is named too",
        )
        for place, shipment in enumerate(each.shipment_ids)
        if any((invoice, shipment) in standing for invoice in each.invoice_ids)
    ]


def _hold_numbers(session: Session, keys: Iterable[str]) -> None:
    """Wait for whoever registers, decides or voids one of these numbers, or registers for the same credit note; all are sorted, so that nobody waits
    in a ring."""
    session.execute(_HOLD_NUMBERS, {"keys": array(locks.number(f"tax_invoice:{key}") for key in keys)})


def _there(session: Session, numbers: Iterable[str], covers: Iterable[Cover]) -> dict[Any, list[int]]:
    """What the sellers have registered by these numbers, by all that makes it the same; the numbers are held."""
    found: dict[Any, list[int]] = {}
    values = {"numbers": list(numbers), "sellers": array({cover.seller_id for cover in covers})}
    for row in session.execute(_THERE, values):
        found.setdefault((*row[1:-1], frozenset(map(tuple, row.covers))), []).append(row.id)
    return found


def _same(said: Said, covers: Iterable[Cover]) -> Any:
    """All that makes two registrations the same; a note does not."""
    told = tuple(value for name, value in asdict(said).items() if name != "note")
    named = ((it.supplier_order_id, it.invoice_id or 0, it.credit_note_id or 0, it.acceptance_id or 0) for it in covers)
    return (*told, frozenset(named))


def _taken_back(session: Session, invoices: Sequence[TaxInvoiceIn]) -> dict[int, Blue]:
    """The counted invoices that red-letter ones take back, by id; held by their numbers with those of the claim and its credit notes, in one step."""
    ids = {each.red_letter_of_id for each in invoices if each.red_letter_of_id}
    numbers = session.execute(_NUMBERS, {"ids": array(ids)}).all() if ids else ()
    own = [number_key(each.code, each.number) for each in invoices]
    notes = [f"note:{one}" for each in invoices for one in each.credit_note_ids]
    _hold_numbers(session, own + notes + [number_key(row.code, row.number) for row in numbers])
    if not ids:
        return {}
    covers: dict[int, set[tuple[str, int]]] = {}
    for row in session.execute(_BLUE_FOR, {"ids": array(ids)}):
        covers.setdefault(row.tax_invoice_id, set()).add((row.kind, row.id))
    return {
        row.id: Blue(row.seller_id, row.buyer_id, row.left_fen, covers.get(row.id, set()))
        for row in session.execute(_BLUE, {"ids": array(ids)})
    }


def _notes_left(session: Session, ids: set[int]) -> dict[int, int]:
    """What no red-letter invoice takes back yet of credit notes, in fen, by id; held by :func:`_taken_back`."""
    if not ids:
        return {}
    return {row.id: row.left_fen for row in session.execute(_NOTES_LEFT, {"ids": array(ids)})}


def _credited_already(each: TaxInvoiceIn, left: dict[int, int], path: str) -> list[Fault]:
    """Credit notes that other red-letter invoices take back whole; what is right is taken off there."""
    faults = [
        Fault(
            f"{path}.credit_note_ids[{place}]",
            "credited_already",
            "该红字结算发票已登记足额的红字税务发票",
            "Red-letter invoices for all of it are registered",
        )
        for place, one in enumerate(each.credit_note_ids)
        if left.get(one, 1) <= 0
    ]
    rest = each.gross
    for one in () if faults else each.credit_note_ids:
        taken = min(rest, left.get(one, 0))
        left[one], rest = left.get(one, 0) - taken, rest - taken
    return faults


def _wrong_red(each: TaxInvoiceIn, covers: Sequence[Cover], blue: dict[int, Blue], path: str) -> list[Fault]:
    """What is wrong with what a red-letter invoice says it takes back; what is right is taken off there."""
    taken = blue.get(each.red_letter_of_id or 0)
    if taken is None or (taken.seller_id, taken.buyer_id) != (covers[0].seller_id, covers[0].buyer_id):
        return [
            Fault(path, "unknown_invoice", "不是该销售方开给该购买方的有效蓝字发票", "No such invoice between these two counts")
        ]
    if any(cover.places().isdisjoint(taken.covers) for cover in covers):
        return [Fault(path, "other_invoice", "该蓝字发票不是为所列单据开具的", "That invoice is not for what this one is for")]
    taken.left_fen -= each.gross
    if taken.left_fen < 0:
        return [Fault(path, "more_than_invoiced", "红字金额超过蓝字发票的余额", "More than is left of that invoice")]
    return []
