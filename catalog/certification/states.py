"""The life of a certification case, and of a certificate after its issue."""

from enum import StrEnum

from shop.core.states import StateTable


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


class CaseAction(StrEnum):
    SUBMIT = "submit"
    TAKE_UP = "take_up"
    PUBLISH_NOTICE = "publish_notice"
    CLOSE_NOTICE = "close_notice"
    CERTIFY = "certify"
    RETURN = "return"
    REJECT = "reject"
    WITHDRAW = "withdraw"


_S, _A = CaseStatus, CaseAction

CASE = StateTable(
    "certification_case",
    {
        (_S.DRAFT, _A.SUBMIT): _S.SUBMITTED,
        (_S.DRAFT, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.SUBMITTED, _A.TAKE_UP): _S.COUNTY_REVIEW,
        (_S.SUBMITTED, _A.RETURN): _S.RETURNED,
        (_S.SUBMITTED, _A.REJECT): _S.REJECTED,
        (_S.SUBMITTED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.COUNTY_REVIEW, _A.PUBLISH_NOTICE): _S.PUBLIC_NOTICE,
        (_S.COUNTY_REVIEW, _A.RETURN): _S.RETURNED,
        (_S.COUNTY_REVIEW, _A.REJECT): _S.REJECTED,
        (_S.COUNTY_REVIEW, _A.WITHDRAW): _S.WITHDRAWN,
        # an objection may end a notice badly on any of its days, but nothing ends it well before its time
        (_S.PUBLIC_NOTICE, _A.CLOSE_NOTICE): _S.CITY_REVIEW,
        (_S.PUBLIC_NOTICE, _A.RETURN): _S.RETURNED,
        (_S.PUBLIC_NOTICE, _A.REJECT): _S.REJECTED,
        (_S.PUBLIC_NOTICE, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.CITY_REVIEW, _A.CERTIFY): _S.CERTIFIED,
        (_S.CITY_REVIEW, _A.RETURN): _S.RETURNED,
        (_S.CITY_REVIEW, _A.REJECT): _S.REJECTED,
        (_S.CITY_REVIEW, _A.WITHDRAW): _S.WITHDRAWN,
        # a returned case is mended, submitted again and goes the whole way once more
        (_S.RETURNED, _A.SUBMIT): _S.SUBMITTED,
        (_S.RETURNED, _A.WITHDRAW): _S.WITHDRAWN,
    },
)

#: States in which the supplier may change what it states and add documents.
EDITABLE = frozenset({_S.DRAFT, _S.RETURNED})


class CertificateState(StrEnum):
    """How a certificate stands on a date. Derived when read, so that nothing must run at midnight for it to be right."""

    NOT_YET = "not_yet"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


class CertificateAction(StrEnum):
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"


_C, _M = CertificateState, CertificateAction

CERTIFICATE = StateTable(
    "certificate",
    {
        (_C.IN_FORCE, _M.SUSPEND): _C.SUSPENDED,
        (_C.SUSPENDED, _M.REINSTATE): _C.IN_FORCE,
        (_C.IN_FORCE, _M.REVOKE): _C.REVOKED,
        (_C.SUSPENDED, _M.REVOKE): _C.REVOKED,
        # one that begins in the future can be taken back as well
        (_C.NOT_YET, _M.REVOKE): _C.REVOKED,
    },
)
