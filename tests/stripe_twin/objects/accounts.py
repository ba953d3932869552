"""Account (Connect): custom and express accounts, what they still owe us to be told, and the page where they tell it."""

import hashlib
from typing import Any

from tests.stripe_twin.errors import StripeError, invalid, not_modelled
from tests.stripe_twin.given import Given
from tests.stripe_twin.lists import listed
from tests.stripe_twin.money import CURRENCIES
from tests.stripe_twin.objects.customers import address_of
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import PLATFORM, Call, Object, World

_CURRENCY = {"CN": "cny", "HK": "hkd", "US": "usd", "GB": "gbp", "SG": "sgd", "JP": "jpy", "DE": "eur", "FR": "eur"}
_PROFILE = ("mcc", "name", "product_description", "support_email", "support_phone", "support_url", "url")
# Stripe's test numbers of bank accounts whose payouts fail, and why
FAILING = {"000111111113": "account_closed", "000111111116": "no_account", "000222222227": "insufficient_funds"}


def may_receive(account: Object) -> None:
    """Raises:
    StripeError: the account cannot be sent transfers yet.
    """
    if account["capabilities"].get("transfers") != "active":
        raise StripeError(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers,"
            " legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )


def _bank(world: World, given: Given, account: str, country: str) -> Object | None:
    """``external_account``: a bank account by its figures, or ``btok_…``."""
    if "external_account" not in given:
        return None
    number, holder, currency = "000123456789", None, _CURRENCY.get(country, "usd")
    if isinstance(given.values["external_account"], str):
        token = given.text("external_account") or ""
        if not token.startswith("btok_"):
            raise invalid(f"No such token: '{token}'", "external_account", "resource_missing")
        if token.endswith("_noAccount"):
            number = "000111111116"
    else:
        sent = given.nested("external_account")
        assert sent is not None
        sent.text("object", choices=("bank_account",), required=True)
        number = sent.text("account_number", required=True) or ""
        country = sent.text("country", required=True) or country
        currency = (sent.text("currency", required=True) or currency).lower()
        holder = sent.text("account_holder_name")
        sent.text("account_holder_type", choices=("company", "individual"))
        sent.text("routing_number")
    if currency not in CURRENCIES:
        raise invalid(f"Invalid currency: {currency}", "external_account[currency]")
    id = world.new_id("ba")
    world.note(id)["fails"] = FAILING.get(number)
    return {
        "id": id,
        "object": "bank_account",
        "account": account,
        "account_holder_name": holder,
        "account_holder_type": "company",
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TWIN BANK",
        "country": country,
        "currency": currency,
        "default_for_currency": True,
        "fingerprint": hashlib.sha256(number.encode()).hexdigest()[:16],
        "last4": number[-4:],
        "metadata": {},
        "routing_number": None,
        "status": "new",
    }


def _person(sent: Given | None, kind: str) -> Object | None:
    """Only what is needed to see that it was told; the rest is read and forgotten."""
    if sent is None:
        return None
    if kind == "company":
        tax = sent.text("tax_id")
        shown: Object = {"name": sent.text("name"), "phone": sent.text("phone"), "tax_id_provided": bool(tax)}
    else:
        shown = {name: sent.text(name) for name in ("first_name", "last_name", "email", "phone")}
        sent.free("dob")
        sent.text("id_number")
    if address := sent.nested("address"):
        shown["address"] = address_of(address)
    return shown


def _apply(world: World, given: Given, account: Object) -> Object:
    """The account as it will be after what was sent; requirements and capabilities follow from it."""
    values: dict[str, Any] = {"metadata": given.metadata(account["metadata"])}
    for name in ("email", "business_type", "default_currency"):
        if (sent := given.text(name)) is not None:
            values[name] = sent or None
    if profile := given.nested("business_profile"):
        told: Object = {name: sent or None for name in _PROFILE if (sent := profile.text(name)) is not None}
        if address := profile.nested("support_address"):
            told["support_address"] = address_of(address)
        values["business_profile"] = account["business_profile"] | told
    for kind in ("company", "individual"):
        if person := _person(given.nested(kind), kind):
            values[kind] = (account.get(kind) or {}) | {name: each for name, each in person.items() if each not in (None, False)}
    if terms := given.nested("tos_acceptance"):
        accepted = {"date": terms.integer("date"), "ip": terms.text("ip"), "user_agent": terms.text("user_agent")}
        accepted["service_agreement"] = terms.text("service_agreement", choices=("full", "recipient"))
        values["tos_acceptance"] = account["tos_acceptance"] | {name: each for name, each in accepted.items() if each is not None}
    requested = set(world.note(account["id"]).get("requested", []))
    if capabilities := given.nested("capabilities"):
        for name in list(capabilities.values):
            wish = capabilities.nested(name)
            if wish and wish.flag("requested"):
                requested.add(name)
            else:
                requested.discard(name)
    if settings := given.nested("settings"):
        values["settings"] = account["settings"] | _settings(settings, account["settings"])
    if bank := _bank(world, given, account["id"], account["country"]):
        values["external_accounts"] = account["external_accounts"] | {"data": [bank]}
    given.unmodelled("account_token", "documents", "groups")
    given.done()
    world.note(account["id"])["requested"] = sorted(requested)
    return account | values | _standing(world, account | values, requested)


def _settings(given: Given, present: Object) -> Object:
    payouts = given.nested("payouts")
    schedule = payouts.nested("schedule") if payouts else None
    if schedule is None:
        return {}
    interval = schedule.text("interval", choices=("manual",), default="manual")
    return {"payouts": present["payouts"] | {"schedule": present["payouts"]["schedule"] | {"interval": interval}}}


def _standing(world: World, account: Object, requested: set[str]) -> Object:
    """What is still owed, and what the account can therefore do."""
    owed: list[str] = []
    if not world.note(account["id"]).get("onboarded"):
        if not account["business_type"]:
            owed.append("business_type")
        elif account["business_type"] == "individual":
            owed += [
                f"individual.{name}" for name in ("first_name", "last_name") if not (account.get("individual") or {}).get(name)
            ]
        elif not (account.get("company") or {}).get("name"):
            owed.append("company.name")
        if not account["external_accounts"]["data"]:
            owed.append("external_account")
        owed += [f"tos_acceptance.{name}" for name in ("date", "ip") if not account["tos_acceptance"][name]]
    ready = not owed
    rejected = world.note(account["id"]).get("rejected")
    active = "active" if ready and not rejected else "inactive"
    return {
        "capabilities": dict.fromkeys(sorted(requested), active),
        "charges_enabled": active == "active" and "card_payments" in requested,
        "details_submitted": ready,
        "payouts_enabled": active == "active" and bool(account["external_accounts"]["data"]),
        "requirements": {
            "alternatives": [],
            "current_deadline": None,
            "currently_due": owed,
            "disabled_reason": rejected or ("requirements.past_due" if owed else None),
            "errors": [],
            "eventually_due": owed,
            "past_due": owed,
            "pending_verification": [],
        },
    }


@route("POST", "/v1/accounts")
def create(world: World, call: Call) -> Object:
    kind = call.given.text("type", choices=("custom", "express", "standard"), default="standard") or "standard"
    country = (call.given.text("country", default="HK") or "HK").upper()
    call.given.unmodelled("controller")
    if kind == "standard":
        raise not_modelled("accounts of type standard", "type")
    id = world.new_id("acct", 16)
    custom = kind == "custom"
    blank: Object = {
        "id": id,
        "object": "account",
        "business_profile": dict.fromkeys(_PROFILE) | {"support_address": None},
        "business_type": None,
        "capabilities": {},
        "charges_enabled": False,
        "controller": {
            "fees": {"payer": "application_custom" if custom else "application_express"},
            "is_controller": True,
            "losses": {"payments": "application"},
            "requirement_collection": "application" if custom else "stripe",
            "stripe_dashboard": {"type": "none" if custom else "express"},
            "type": "application",
        },
        "country": country,
        "created": world.clock.seconds(),
        "default_currency": _CURRENCY.get(country, "usd"),
        "details_submitted": False,
        "email": None,
        "external_accounts": {"object": "list", "data": [], "has_more": False, "url": f"/v1/accounts/{id}/external_accounts"},
        "metadata": {},
        "payouts_enabled": False,
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_payments": {"statement_descriptor_prefix": None},
            "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": None},
            "payouts": {
                "debit_negative_balances": False,
                "schedule": {"delay_days": 2, "interval": "manual"},
                "statement_descriptor": None,
            },
        },
        "tos_acceptance": {"date": None, "ip": None, "service_agreement": None, "user_agent": None},
        "type": kind,
    }
    account = _apply(world, call.given, blank)
    world.add(account)
    world.emit("account.updated", account, owner=id)
    return account


@route("GET", "/v1/account", connected=True)
def own(world: World, call: Call) -> Object:
    call.given.done()
    if call.account != PLATFORM:
        return world.get("account", call.account)
    return {
        "id": PLATFORM,
        "object": "account",
        "charges_enabled": True,
        "country": "HK",
        "default_currency": "cny",
        "details_submitted": True,
        "email": None,
        "payouts_enabled": True,
        "type": "standard",
    }


@route("GET", "/v1/accounts/{id}")
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    found = world.find("account", id)
    if found is None:
        raise StripeError(
            f"The provided key does not have access to account '{id}' (or that account does not exist). Application access may have been"
            " revoked.",
            status=403,
            code="account_invalid",
            began=False,
        )
    return found


@route("POST", "/v1/accounts/{id}")
def update(world: World, call: Call, id: str) -> Object:
    account = retrieve(world, Call(Given({})), id)
    tell(world, account, _apply(world, call.given, account))
    return account


def tell(world: World, account: Object, after: Object) -> None:
    before = world.change(account, **after)
    world.emit("account.updated", account, before, owner=account["id"])


def onboard(world: World, account: Object) -> None:
    """The holder filled in everything on the page."""
    world.note(account["id"])["onboarded"] = True
    after = dict(account)
    if not account["external_accounts"]["data"]:
        bank = _bank(world, Given({"external_account": "btok_twin"}), account["id"], account["country"])
        after["external_accounts"] = account["external_accounts"] | {"data": [bank]}
    after["business_type"] = account["business_type"] or "company"
    stand(world, account, after)


def stand(world: World, account: Object, after: Object | None = None) -> None:
    """Works out anew what the account can do."""
    after = after or dict(account)
    tell(world, account, after | _standing(world, after, set(world.note(account["id"]).get("requested", []))))


@route("DELETE", "/v1/accounts/{id}")
def delete(world: World, call: Call, id: str) -> Object:
    call.given.done()
    retrieve(world, call, id)
    if any(amount for (account, _), amount in world.ledger.balances.items() if account == f"balance:{id}"):
        raise StripeError("This account has a balance and cannot be deleted.", code="account_invalid")
    del world.objects["account"][id]
    return {"id": id, "object": "account", "deleted": True}


@route("GET", "/v1/accounts")
def many(world: World, call: Call) -> Object:
    return listed(world, call.given, "/v1/accounts", world.all("account"))


@route("POST", "/v1/account_links")
def link(world: World, call: Call) -> Object:
    """A page, good for five minutes, where the account's holder tells Stripe what is owed."""
    id = call.given.text("account", required=True) or ""
    kind = call.given.text("type", choices=("account_onboarding", "account_update"), required=True)
    back = call.given.text("return_url", required=True)
    call.given.text("refresh_url", required=True)
    call.given.free("collection_options")
    call.given.unmodelled("collect")
    call.given.done()
    account = world.get("account", id, param="account", status=400)
    if kind == "account_update" and account["type"] == "express":
        raise invalid("You cannot create `account_update` type Account Links for this account.", "type")
    world.note(id)["return_url"] = back
    now = world.clock.seconds()
    return {
        "object": "account_link",
        "created": now,
        "expires_at": now + 300,
        "url": f"{world.base_url}/_twin/onboard/{id}",
    }
