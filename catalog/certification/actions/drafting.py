"""Many drafts from one spreadsheet: all of them or none."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlmodel import Session

from catalog.certification import sheets
from catalog.certification.actions import applying
from catalog.certification.errors import RowsRefused
from catalog.certification.schemas.applying import CaseIn
from catalog.certification.schemas.drafting import MOST_ROWS, DraftRow, DraftsOut
from catalog.certification.sheets import Row, Words
from catalog.products import actions as products
from shop.core import clock, locks
from shop.core.errors import Problem
from shop.core.sheets import by_row
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

#: As many faults as are told at once.
MOST_FAULTS = 500

_KNOWN = text("SELECT name, id FROM product WHERE supplier_id = :supplier_id AND name = ANY (:names)")


def draft(session: Session, actor: Actor, content: bytes, sheet: str | None, *, dry_run: bool) -> DraftsOut:
    """Draw up an application for every product of a spreadsheet; a product that the organisation has not got is made. With ``dry_run``
    everything is tried and nothing kept.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
        RowsRefused: every fault by row and column (422).
    """
    table = sheets.read(content, MOST_ROWS, sheet)
    found = table.rows
    # two sheets with the same names in another order would wait for one another; the second finds what the first made
    locks.hold(session, f"drafting:{actor.organisation}")
    words = Words(session, programmes.config_of(session, clock.today()))
    known = _known(session, actor, [cell["name"] for _, cell in found])
    rows = [sheets.understood(number, cell, words, known.get(cell["name"])) for number, cell in found]
    repeated = _refuse_repeated(rows)
    trial = session.begin_nested() if dry_run else None
    drafts = _draw_up(session, actor, [row for row in rows if row.number not in repeated], known)
    if faults := by_row([*table.not_told, *(fault for row in rows for fault in row.faults)]):
        raise RowsRefused(count=len(faults), faults=faults[:MOST_FAULTS])
    if trial is not None:
        trial.rollback()
        drafts = [made.model_copy(update={"product_id": known.get(made.product_name), "case_id": None}) for made in drafts]
    new = sum(made.new_product for made in drafts)
    return DraftsOut(
        dry_run=dry_run, products_new=new, products_known=len(drafts) - new, drafts=drafts, ignored_columns=table.ignored
    )


def _known(session: Session, actor: Actor, names: Sequence[str]) -> dict[str, int]:
    """The products of these names that the organisation has; with NUL in any of them PostgreSQL would refuse all."""
    wanted = {"supplier_id": actor.organisation, "names": [name for name in names if "\x00" not in name]}
    return {row.name: row.id for row in session.execute(_KNOWN, wanted)}


def _draw_up(session: Session, actor: Actor, rows: Sequence[Row], known: Mapping[str, int]) -> list[DraftRow]:
    """Make the products that are not known, and an application for each; what a row is refused for hinders no other from being looked at."""
    product_ids: dict[int, int] = {row.number: known[row.name] for row in rows if row.name in known}
    new = [(row, row.product) for row in rows if row.product is not None]
    for (row, _), made in zip(new, products.create_many(session, actor, [product for _, product in new]), strict=True):
        if isinstance(made, Problem):
            row.blame(made)
        else:
            product_ids[row.number] = made
    # what is wrong with the words of the application hinders no look at the product
    stated = [(row, row.case or CaseIn(product_id=1)) for row in rows if row.number in product_ids]
    bodies = [case.model_copy(update={"product_id": product_ids[row.number]}) for row, case in stated]
    case_ids: dict[int, int] = {}
    for (row, _), started in zip(stated, applying.apply_many(session, actor, bodies), strict=True):
        if isinstance(started, Problem):
            row.blame(started)
        else:
            case_ids[row.number] = started
    return [
        DraftRow(
            row=row.number,
            product_name=row.name,
            product_id=product_ids.get(row.number),
            new_product=row.name not in known,
            case_id=case_ids.get(row.number),
        )
        for row in rows
    ]


def _refuse_repeated(rows: list[Row]) -> set[int]:
    """Tell which rows name a product that stands above already; returns their numbers."""
    seen: set[str] = set()
    repeated = set()
    for row in rows:
        if row.name and row.name in seen:
            row.refuse("name", "product_twice", "产品重复出现", "the product stands in the sheet twice")
            repeated.add(row.number)
        seen.add(row.name)
    return repeated
