"""What was seen at the provider, in our own types: the names of its interface end here. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: The only currency of the marketplace.
CURRENCY = "cny"


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment as the provider has it; amounts in fen."""

    id: str
    status: str
    amount_fen: int
    received_fen: int
    currency: str
    metadata: dict[str, str]
    created_at: datetime
    client_secret: str | None = None
    charge_id: str | None = None
    action_url: str | None = None
    qr_code: str | None = None
    error_code: str | None = None
    error_text: str | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    id: str
    #: pending, requires_action, succeeded, failed, canceled.
    status: str
    amount_fen: int
    intent_id: str | None
    metadata: dict[str, str]
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Disputed:
    id: str
    status: str
    amount_fen: int
    reason: str
    charge_id: str
    intent_id: str | None
    evidence_by: datetime | None


@dataclass(frozen=True, slots=True)
class Transferred:
    id: str
    amount_fen: int
    reversed_fen: int
    account_id: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    enabled: bool
    details_submitted: bool
    still_due: list[str]
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the provider's statement of our balance."""

    id: str
    type: str
    source_id: str | None
    amount_fen: int
    fee_fen: int
    net_fen: int
    currency: str
    created_at: datetime
    #: What to look at to understand it: the payment that a charge is of, the transfer that a reversal is of, or the source itself.
    behind: str | None


Seen = Intent | Refunded | Disputed | Transferred | Account | Link


def moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def number_of_ours(metadata: dict[str, str], name: str) -> int | None:
    """A number of ours that is kept with an object there; None for what is none, as anybody may have written it in the dashboard."""
    found = metadata.get(name, "")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 19 else None


def _id(value: Any) -> str | None:
    """The id of what may be an id, or the object itself where it was expanded."""
    found = value["id"] if isinstance(value, dict) else value
    return str(found) if found else None


def intent(raw: dict[str, Any]) -> Intent:
    action = raw.get("next_action") or {}
    detail = action.get(action.get("type"), {}) or {}
    wrong = raw.get("last_payment_error") or {}
    return Intent(
        id=raw["id"],
        status=raw["status"],
        amount_fen=raw["amount"],
        received_fen=raw.get("amount_received") or 0,
        currency=raw["currency"],
        metadata=dict(raw.get("metadata") or {}),
        created_at=moment(raw["created"]),
        client_secret=raw.get("client_secret"),
        charge_id=_id(raw.get("latest_charge")),
        action_url=detail.get("url") or detail.get("hosted_instructions_url"),
        qr_code=detail.get("data"),
        error_code=wrong.get("decline_code") or wrong.get("code"),
        error_text=wrong.get("message"),
    )


def refunded(raw: dict[str, Any]) -> Refunded:
    return Refunded(
        raw["id"],
        raw["status"],
        raw["amount"],
        _id(raw.get("payment_intent")),
        dict(raw.get("metadata") or {}),
        raw.get("failure_reason"),
    )


def disputed(raw: dict[str, Any]) -> Disputed:
    due = (raw.get("evidence_details") or {}).get("due_by")
    return Disputed(
        id=raw["id"],
        status=raw["status"],
        amount_fen=raw["amount"],
        reason=raw["reason"],
        charge_id=_id(raw["charge"]) or "",
        intent_id=_id(raw.get("payment_intent")),
        evidence_by=moment(due) if due else None,
    )


def transferred(raw: dict[str, Any]) -> Transferred:
    return Transferred(
        raw["id"], raw["amount"], raw.get("amount_reversed") or 0, _id(raw["destination"]) or "", dict(raw.get("metadata") or {})
    )


def account(raw: dict[str, Any]) -> Account:
    return Account(
        id=raw["id"],
        enabled=bool(raw.get("payouts_enabled")) and (raw.get("capabilities") or {}).get("transfers") == "active",
        details_submitted=bool(raw.get("details_submitted")),
        still_due=list((raw.get("requirements") or {}).get("currently_due") or []),
        metadata=dict(raw.get("metadata") or {}),
    )


def entry(raw: dict[str, Any]) -> Entry:
    source = raw.get("source")
    return Entry(
        id=raw["id"],
        type=raw["type"],
        source_id=_id(source),
        amount_fen=raw["amount"],
        fee_fen=raw["fee"],
        net_fen=raw["net"],
        currency=raw["currency"],
        created_at=moment(raw["created"]),
        behind=_behind(source),
    )


def _behind(source: Any) -> str | None:
    if isinstance(source, dict) and source.get("object") == "charge":
        return _id(source.get("payment_intent"))
    if isinstance(source, dict) and source.get("object") == "transfer_reversal":
        return _id(source.get("transfer"))
    return _id(source)
