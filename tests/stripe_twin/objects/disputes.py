"""Dispute: a customer takes money back through the bank. It is withdrawn at once, and returns if the dispute is won."""

import copy

from tests.stripe_twin import ledger
from tests.stripe_twin.errors import StripeError
from tests.stripe_twin.lists import listed
from tests.stripe_twin.objects import charges, refunds
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import Call, Object, World, job

# what the holders of the cards made for it complain of, and whether it is only an inquiry, which moves no money
BY_CARD = {"dispute": ("fraudulent", False), "not_received": ("product_not_received", False), "inquiry": ("fraudulent", True)}
_CODES = {"fraudulent": "10.4", "product_not_received": "13.1", "duplicate": "12.6.1", "product_unacceptable": "13.3"}
_EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
_OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


@job
def by_card(world: World, charge: str, what: str) -> None:
    reason, inquiry = BY_CARD[what]
    found = world.objects["charge"][charge]
    if charges.refundable(found) > 0 and not found["disputed"]:
        begin(world, found, None, reason, inquiry)


def begin(world: World, charge: Object, amount: int | None, reason: str, inquiry: bool = False) -> Object:
    """Opens a dispute over what is left of the charge, or over ``amount`` of it.

    Raises:
        StripeError: nothing was captured, or less is left, or the charge is in dispute already.
    """
    if not charge["captured"] or charge["disputed"]:
        raise StripeError(f"Charge {charge['id']} cannot be disputed.", param="charge")
    refunds.fail_pending(world, charge)
    left = charges.refundable(charge)
    taken = left if amount is None else amount
    if not 0 < taken <= left:
        raise StripeError(f"Only {left} of charge {charge['id']} can be disputed.", param="amount")
    charges.book(world, charge["id"])
    card = charge["payment_method_details"].get("card")
    now = world.clock.seconds()
    dispute = world.add(
        {
            "id": world.new_id("du"),
            "object": "dispute",
            "amount": taken,
            "balance_transactions": [],
            "charge": charge["id"],
            "created": now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": int(world.ahead(world.settings.evidence_for)),
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": inquiry,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        }
    )
    if card:
        dispute["payment_method_details"] = {
            "card": {
                "brand": card["brand"],
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": card["brand"],
                "network_reason_code": _CODES.get(reason, "10.4"),
            },
            "type": "card",
        }
    before = world.change(charge, disputed=True)
    if not inquiry:
        fee = world.settings.dispute_fee
        owner = world.owners[charge["id"]]
        world.ledger.move(
            "dispute", dispute["id"], charge["currency"], {ledger.balance_of(owner): -taken - fee, "disputes": taken, "fees": fee}
        )
        _line(world, dispute, owner, -taken, fee, "dispute", f"Chargeback withdrawal for {charge['id']}")
    world.emit("charge.updated", charge, before)
    world.emit("charge.dispute.created", dispute)
    if not inquiry:
        world.emit("charge.dispute.funds_withdrawn", dispute)
    world.later(world.settings.evidence_for, overdue, dispute["id"])
    return dispute


def _line(world: World, dispute: Object, owner: str, amount: int, fee: int, reported_as: str, description: str) -> None:
    line = ledger.transaction(
        world,
        owner,
        "adjustment",
        dispute["id"],
        dispute["currency"],
        amount,
        fee=fee,
        fee_description="Dispute fee",
        description=description,
        reported_as=reported_as,
    )
    dispute["balance_transactions"].append(copy.deepcopy(line))


@job
def overdue(world: World, id: str) -> None:
    """Nobody answered in time."""
    dispute = world.objects["dispute"][id]
    if dispute["status"] in ("needs_response", "warning_needs_response"):
        world.change(dispute, evidence_details=dispute["evidence_details"] | {"past_due": True})
        decide(world, dispute, won=dispute["status"] == "warning_needs_response")


@job
def decided(world: World, id: str, won: bool) -> None:
    dispute = world.objects["dispute"][id]
    if dispute["status"] in ("under_review", "warning_under_review"):
        decide(world, dispute, won)


def decide(world: World, dispute: Object, won: bool) -> Object:
    """The bank's decision. An inquiry closes without money; its fee is never given back. What was lost may be won after all.

    Raises:
        StripeError: the dispute is closed already.
    """
    reversed_ = dispute["status"] == "lost" and won
    if dispute["status"] not in _OPEN and not reversed_:
        raise StripeError("This dispute is already closed.", code="dispute_already_closed")
    inquiry = dispute["status"].startswith("warning")
    amount, currency = dispute["amount"], dispute["currency"]
    owner = world.owners[dispute["charge"]]
    if inquiry:
        world.change(dispute, status="warning_closed")
    elif won:
        held = "cards" if reversed_ else "disputes"
        world.ledger.move("dispute_won", dispute["id"], currency, {ledger.balance_of(owner): amount, held: -amount})
        _line(world, dispute, owner, amount, 0, "dispute_reversal", f"Chargeback reversal for {dispute['charge']}")
        world.change(dispute, status="won")
    else:
        world.ledger.move("dispute_lost", dispute["id"], currency, {"disputes": -amount, "cards": amount})
        world.change(dispute, status="lost")
    world.emit("charge.dispute.closed", dispute)
    if won and not inquiry:
        world.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


@route("POST", "/v1/disputes/{id}")
def update(world: World, call: Call, id: str) -> Object:
    """Evidence; ``winning_evidence`` and ``losing_evidence`` decide as they say, anything else loses."""
    dispute = world.get("dispute", id)
    metadata = call.given.metadata(dispute["metadata"])
    sent = call.given.nested("evidence")
    evidence = {name: value or None for name in _EVIDENCE if sent and (value := sent.text(name, longest=20_000)) is not None}
    submit = call.given.flag("submit", default=True)
    call.given.unmodelled("intended_submission_method")
    call.given.done()
    if evidence and dispute["status"] not in _OPEN:
        raise StripeError("This dispute is already closed.", code="dispute_already_closed")
    if evidence and dispute["evidence_details"]["submission_count"]:
        raise StripeError("Evidence for this dispute was submitted already.", param="evidence")
    values: Object = {"metadata": metadata}
    if evidence:
        details = dispute["evidence_details"] | {"has_evidence": True}
        if submit:
            details |= {"submission_count": 1, "submission_method": "manual"}
            values["status"] = dispute["status"].replace("needs_response", "under_review")
        values |= {"evidence": dispute["evidence"] | evidence, "evidence_details": details}
    world.change(dispute, "charge.dispute.updated", **values)
    if evidence and submit:
        won = dispute["evidence"]["uncategorized_text"] == "winning_evidence"
        world.later(world.settings.decision_after, decided, id, won)
    return dispute


@route("POST", "/v1/disputes/{id}/close")
def close(world: World, call: Call, id: str) -> Object:
    """We accept that the money is gone."""
    call.given.done()
    return decide(world, world.get("dispute", id), won=False)


@route("GET", "/v1/disputes/{id}")
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    return world.get("dispute", id)


@route("GET", "/v1/disputes")
def many(world: World, call: Call) -> Object:
    return listed(world, call.given, "/v1/disputes", world.all("dispute"), "charge", "payment_intent")
