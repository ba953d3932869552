"""Reference data of the regions: the tree, its dated designations and the support relations, from the files in ``data``."""

import csv
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

DATA = Path(__file__).parent / "data"

_REGIONS = text(
    "INSERT INTO region (code, name_zh, name_en, kind, parent_code, valid_from, valid_to, successor_code, note)"
    " VALUES (:code, :name_zh, :name_en, :kind, :parent_code, CAST(:valid_from AS date), CAST(:valid_to AS date),"
    " :successor_code, :note)"
    " ON CONFLICT (code) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, kind = excluded.kind,"
    " parent_code = excluded.parent_code, valid_from = excluded.valid_from, valid_to = excluded.valid_to,"
    " successor_code = excluded.successor_code, note = excluded.note"
)
_DESIGNATIONS = text(
    "INSERT INTO region_designation (region_code, designation, valid_from, valid_to)"
    " VALUES (:region_code, :designation, CAST(:valid_from AS date), CAST(:valid_to AS date))"
    " ON CONFLICT (region_code, designation, valid_from) DO UPDATE SET valid_to = excluded.valid_to"
)
_SUPPORTERS = text(
    "INSERT INTO supporter (name, region_code) VALUES (:supporter, :supporter_region_code)"
    " ON CONFLICT (name) DO UPDATE SET region_code = excluded.region_code"
)
_RELATIONS = text(
    "INSERT INTO support_relation (kind, supporter_id, region_code, valid_from, valid_to, confidence, note)"
    " SELECT :kind, s.id, :region_code, CAST(:valid_from AS date), CAST(:valid_to AS date), :confidence, :note"
    " FROM supporter s WHERE s.name = :supporter"
    " ON CONFLICT (region_code, kind, supporter_id, valid_from) DO UPDATE"
    " SET valid_to = excluded.valid_to, confidence = excluded.confidence, note = excluded.note"
)


def seed(session: Session) -> None:
    """Write the files' rows; a second run only brings changed rows up to date."""
    session.execute(_REGIONS, _rows("regions"))
    session.execute(_DESIGNATIONS, _rows("designations"))
    relations = _rows("support_relations")
    session.execute(_SUPPORTERS, relations)
    session.execute(_RELATIONS, relations)


def _rows(name: str) -> list[dict[str, str | None]]:
    """The rows of a file, in its order: a region stands after its parent and after its successor. Empty cells are null."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [{column: value or None for column, value in row.items()} for row in csv.DictReader(file)]
