"""The life of an organisation's registration."""

from enum import StrEnum

from shop.core.states import StateTable


class OrganisationStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


class OrganisationMove(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    RESUBMIT = "resubmit"


REGISTRATION = StateTable(
    "organisation registration",
    {
        (OrganisationStatus.PENDING, OrganisationMove.APPROVE): OrganisationStatus.APPROVED,
        (OrganisationStatus.PENDING, OrganisationMove.REJECT): OrganisationStatus.REJECTED,
        (OrganisationStatus.REJECTED, OrganisationMove.RESUBMIT): OrganisationStatus.PENDING,
    },
)
