"""How figures of certification are told: names beside codes, sums, and the moments of a span of days."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.monitoring.rules import Table
from catalog.monitoring.schemas import FiguresOut
from shop.core import clock
from shop.core.errors import Invalid, Language
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig


def span(first: date, last: date) -> dict[str, Any]:
    """The moments that a span of days takes.

    Raises:
        Invalid: it ends before it begins (422).
    """
    if first > last:
        raise Invalid.one("from", "not_before_to", "起始日期不能晚于截止日期", "the first day lies after the last")
    return {"start": clock.start_of_day(first), "end": clock.end_of_day(last)}


class Teller:
    """Puts names beside codes, and sums up."""

    def __init__(self, session: Session, language: Language) -> None:
        self.language = language
        self.config: ProgrammeConfig = programmes.config_of(session, clock.today())
        name = "name_zh" if language == "zh" else "name_en"
        districts = session.execute(text(f"SELECT code, coalesce({name}, name_zh) AS name FROM region WHERE length(code) = 6"))  # noqa: S608
        self.districts: Mapping[str, str] = {row.code: row.name for row in districts}

    def term(self, group: str, code: str) -> str:
        return self.config.term(group, code, self.language)

    def named(self, row: dict[str, Any], *, kind: str = "kind") -> dict[str, Any]:
        """A row with the names of its codes beside them, its numbers as JSON has them."""
        told: dict[str, Any] = {}
        for name, value in row.items():
            told[name] = float(value) if isinstance(value, Decimal) else value
            if name == "county":
                told["county_name"] = self.districts.get(value, value)
            elif name == "step":
                told["step_label"] = self.term("certification_status", value)
            elif name in ("category", "state", "kind"):
                group = {"category": "category", "state": "certificate_state", "kind": kind}[name]
                told[f"{name}_label"] = self.term(group, value)
        return told

    def figures(
        self,
        table: Table,
        keys: list[str],
        rows: list[dict[str, Any]],
        *,
        totals: dict[str, Any] | None = None,
        on: date | None = None,
    ) -> FiguresOut:
        if totals is None:
            totals = {name: sum(row[name] for row in rows) for name in table.columns if name in table.summed}
        return FiguresOut(
            columns=table.titles(self.language, keys),
            rows=rows,
            totals=totals,
            definition=table.zh if self.language == "zh" else table.en,
            exact_to=clock.now(),
            on=on,
        )
