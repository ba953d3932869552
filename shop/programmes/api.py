"""Programmes over HTTP."""

from typing import Annotated

from fastapi import Path, Query

from shop.core import clock
from shop.core.errors import Language
from shop.core.quantities import AnyDay
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries
from shop.programmes.models import Programme
from shop.programmes.schemas import ProgrammeOut, ProgrammeSummaryOut, TargetOut, TermsOut

routes = Routes("programmes", "/v1/programmes")

ProgrammeCode = Annotated[str, Path(pattern=r"^[a-z0-9-]+$", max_length=64, examples=["chongqing-2021"])]


def _summary(row: Programme, language: Language) -> ProgrammeSummaryOut:
    today = clock.today()
    return ProgrammeSummaryOut(
        code=row.code,
        name=row.name_zh if language == "zh" else row.name_en,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        in_force=row.valid_from <= today and (row.valid_to is None or today < row.valid_to),
    )


def _out(row: Programme, language: Language) -> ProgrammeOut:
    config = queries.parsed(row)
    return ProgrammeOut(
        **_summary(row, language).model_dump(),
        modes=list(config.modes),
        relations=list(config.relations),
        channel_priority=list(config.channel_priority),
        counting_rule=config.counting_rule,
        certification=config.certification,
        reserved_share=config.reserved_share,
        ordering=config.ordering,
        payment=config.payment,
        returns=config.returns,
        invoicing=config.invoicing,
        counting=config.counting,
        disputes=config.disputes,
        vouchers=config.vouchers,
        settlement=config.settlement,
        reporting=config.reporting,
        closing=config.closing,
        grading=config.grading,
        targets=[
            TargetOut(label=target.zh if language == "zh" else target.en, **target.model_dump(exclude={"zh", "en"}))
            for target in config.targets
        ],
        target_rules=config.target_rules,
        indicators=list(config.indicators),
        promotions=config.promotions,
    )


@routes.get("", Permission.PROGRAMMES_READ)
def programmes(call: Call) -> list[ProgrammeSummaryOut]:
    """All programmes, oldest first. They are few and never overlap."""
    return [_summary(row, call.language) for row in queries.programmes(call.session)]


@routes.get("/current", Permission.PROGRAMMES_READ)
def current(call: Call, on: Annotated[AnyDay | None, Query(description="Shanghai date; default today")] = None) -> ProgrammeOut:
    """The programme in force on a date."""
    return _out(queries.in_force(call.session, on or clock.today()), call.language)


@routes.get("/{code}", Permission.PROGRAMMES_READ)
def programme(call: Call, code: ProgrammeCode) -> ProgrammeOut:
    """The rules and targets of one programme."""
    return _out(queries.programme(call.session, code), call.language)


@routes.get("/{code}/terms", Permission.PROGRAMMES_READ)
def terms(call: Call, code: ProgrammeCode) -> TermsOut:
    """The programme's words for every code, in the caller's language."""
    config = queries.parsed(queries.programme(call.session, code))
    return TermsOut(
        programme=code,
        language=call.language,
        terms={group: {name: label.in_(call.language) for name, label in labels.items()} for group, labels in config.terms.items()},
    )
