"""The course of an application and the life of a certificate.

An application passes three levels: the supplier states, the county reviews and publishes, the city decides (国开办发〔2020〕11号:
county certification with public notice, then review above).
"""

from datetime import date
from enum import StrEnum

from shop.core.states import StateTable
from shop.identity.permissions import Permission


class CaseStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    COUNTY_REVIEW = "county_review"
    PUBLIC_NOTICE = "public_notice"
    CITY_REVIEW = "city_review"
    CERTIFIED = "certified"
    RETURNED = "returned"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class CaseMove(StrEnum):
    SUBMIT = "submit"
    RESUBMIT = "resubmit"
    TAKE_UP = "take_up"
    PUBLISH_NOTICE = "publish_notice"
    CLOSE_NOTICE = "close_notice"
    CERTIFY = "certify"
    RETURN = "return"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class Level(StrEnum):
    """Who acts, with the permission that it takes."""

    SUPPLIER = Permission.CERTIFICATIONS_APPLY.value
    COUNTY = Permission.CERTIFICATIONS_COUNTY_REVIEW.value
    CITY = Permission.CERTIFICATIONS_CITY_REVIEW.value

    @property
    def permission(self) -> Permission:
        return Permission(self.value)


_S, _M = CaseStatus, CaseMove
_OPEN = [_S.DRAFT, _S.RETURNED, _S.SUBMITTED, _S.COUNTY_REVIEW, _S.PUBLIC_NOTICE, _S.CITY_REVIEW]
_IN_REVIEW = [_S.SUBMITTED, _S.COUNTY_REVIEW, _S.PUBLIC_NOTICE, _S.CITY_REVIEW]

CASE = StateTable(
    "certification case",
    {
        (_S.DRAFT, _M.SUBMIT): _S.SUBMITTED,
        (_S.RETURNED, _M.RESUBMIT): _S.SUBMITTED,
        (_S.SUBMITTED, _M.TAKE_UP): _S.COUNTY_REVIEW,
        (_S.COUNTY_REVIEW, _M.PUBLISH_NOTICE): _S.PUBLIC_NOTICE,
        (_S.PUBLIC_NOTICE, _M.CLOSE_NOTICE): _S.CITY_REVIEW,
        (_S.CITY_REVIEW, _M.CERTIFY): _S.CERTIFIED,
        **{(status, _M.RETURN): _S.RETURNED for status in _IN_REVIEW},
        **{(status, _M.REJECT): _S.REJECTED for status in _IN_REVIEW},
        **{(status, _M.WITHDRAW): _S.WITHDRAWN for status in _OPEN},
    },
)

#: While the supplier may change what it states.
EDITABLE = frozenset({_S.DRAFT, _S.RETURNED})


def level_of(status: CaseStatus | str, move: CaseMove) -> Level:
    """Who makes a move: returns and rejections are made by the level that has the case before it."""
    if move in (_M.SUBMIT, _M.RESUBMIT, _M.WITHDRAW):
        return Level.SUPPLIER
    return Level.CITY if status == _S.CITY_REVIEW else Level.COUNTY


class CertificateState(StrEnum):
    NOT_YET = "not_yet"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


class CertificateMove(StrEnum):
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"


_C, _T = CertificateState, CertificateMove

CERTIFICATE = StateTable(
    "certificate",
    {
        (_C.IN_FORCE, _T.SUSPEND): _C.SUSPENDED,
        (_C.NOT_YET, _T.SUSPEND): _C.SUSPENDED,
        (_C.SUSPENDED, _T.REINSTATE): _C.IN_FORCE,
        (_C.IN_FORCE, _T.REVOKE): _C.REVOKED,
        (_C.NOT_YET, _T.REVOKE): _C.REVOKED,
        (_C.SUSPENDED, _T.REVOKE): _C.REVOKED,
    },
)


def certificate_state(*, suspended: bool, revoked: bool, valid_from: date, valid_until: date, on: date) -> CertificateState:
    """Whether a certificate is in force on a date; its first and last day belong to its time.

    Derived when read, so no task has to come by at midnight for it to be true.
    """
    if revoked:
        return CertificateState.REVOKED
    if on > valid_until:
        return CertificateState.EXPIRED
    if suspended:
        return CertificateState.SUSPENDED
    return CertificateState.NOT_YET if on < valid_from else CertificateState.IN_FORCE
