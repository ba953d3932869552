"""What an endpoint and a delivery can be."""

from enum import StrEnum


class EndpointStatus(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    #: Kept for the record of its deliveries; nobody sees it any more.
    DELETED = "deleted"


class DisabledReason(StrEnum):
    OWNER = "owner"
    #: It answered 410 Gone.
    GONE = "gone"
    FAILING = "failing"


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    #: The endpoint was disabled or deleted before.
    CANCELLED = "cancelled"
