"""What is asked of many cases in one request, and what became of each."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from catalog.certification.schemas.applying import In, MissingItem
from catalog.certification.schemas.cases import CorrectionIn
from catalog.certification.states import CaseStatus
from catalog.certification.steps import Decision, Verdict
from shop.core.errors import BadValue
from shop.core.outcomes import OutcomeOut
from shop.core.quantities import Id, ShortText, each_once, whole

#: As many cases as one request is about.
MOST = 200

CaseIds = Annotated[list[Id], AfterValidator(each_once)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1), whole]


class ManyIn(In):
    case_ids: Annotated[CaseIds, Field(min_length=1, max_length=MOST)]


class VersionsIn(ManyIn):
    """Moves many cases. What `If-Match` says of one is said of each in ``versions``."""

    versions: Annotated[
        dict[Id, Version],
        Field(
            max_length=MOST,
            description="case → the version that you read: refused (`changed_meanwhile`) where somebody changed it since. A case that is left out is refused where somebody changes it at the same moment.",
            examples=[{"1": 3}],
        ),
    ] = {}

    @model_validator(mode="after")
    def _of_these(self) -> Self:
        if unknown := self.versions.keys() - set(self.case_ids):
            raise BadValue(
                f"版本所属的申请不在 case_ids 中：{min(unknown)}",
                f"the version of a case that is not named: {min(unknown)}",
                "versions",
            )
        return self


class DecisionsIn(VersionsIn):
    decision: Decision
    reason: ShortText | None = None
    corrections: Annotated[list[CorrectionIn], Field(max_length=50)] = []


class OpinionsIn(VersionsIn):
    department: Annotated[ShortText, Field(examples=["agriculture"])]
    verdict: Verdict
    opinion: ShortText


class SubmissionsIn(VersionsIn):
    pass


class AppealsIn(VersionsIn):
    reason: ShortText


class ListCopyIn(ManyIn):
    from_case_id: Annotated[Id, Field(description="an own case, whose list the others get")]


class CaseResultOut(OutcomeOut):
    """What became of one case."""

    case_id: int
    status: CaseStatus | None = Field(description="its present state, where it is within reach")
    errors: list[MissingItem] = Field(description="why not, field by field, such as everything that an application lacks")


class CaseResultsOut(BaseModel):
    done: int
    failed: int
    results: list[CaseResultOut]
