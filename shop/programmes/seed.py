"""The programmes of the files in ``data``."""

import json
import tomllib
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.programmes.rules import merged
from shop.programmes.schemas import ProgrammeFile

DATA = Path(__file__).parent / "data"

#: What has a column of its own.
_COLUMNS = {"code", "name_zh", "name_en", "valid_from", "valid_to"}


def files() -> list[ProgrammeFile]:
    """Every programme file, checked, with the shared labels and rules merged in; in the order of their time.

    Raises:
        ValidationError: a file is incomplete or names something unknown.
    """
    terms, certification = _read("terms"), _read("certification")
    found = []
    for path in DATA.glob("chongqing-*.toml"):
        content = _read(path.stem)
        content["terms"] = merged(terms, content["terms"])
        content["certification"] = certification | content.get("certification", {})
        found.append(ProgrammeFile.model_validate(content))
    return sorted(found, key=lambda file: file.valid_from)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


def seed(session: Session) -> None:
    """Write the files' programmes; a second run only brings changed ones up to date."""
    session.execute(
        text(
            "INSERT INTO programme (code, name_zh, name_en, valid_from, valid_to, config)"
            " VALUES (:code, :name_zh, :name_en, :valid_from, :valid_to, CAST(:config AS jsonb))"
            " ON CONFLICT (code) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en,"
            " valid_from = excluded.valid_from, valid_to = excluded.valid_to, config = excluded.config"
        ),
        [
            {
                **file.model_dump(include=_COLUMNS),
                "config": json.dumps(file.model_dump(mode="json", exclude=_COLUMNS), ensure_ascii=False),
            }
            for file in files()
        ],
    )
