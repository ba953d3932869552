"""The provider of online payments, Stripe, by its own library. Never called within a transaction of the database.

Whatever comes of a call is one of: what was seen, :class:`Refused`, :class:`NotBegun` or :class:`Unsure`.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import stripe

from orders.online import seen
from shop.core.settings import settings

VERSION = "2026-10-28.endive"
#: Seconds to connect, and to wait for an answer.
TIMEOUT = (2.0, 8.0)
#: How often the library itself sends a request again, with the same key, after a lost connection or a conflict.
RETRIES = 2
#: Pages of a list that are read at most when something is looked for.
MAX_PAGES = 50


class Refused(Exception):
    """The provider said no, and will say no again. ``payment`` is what the payment has come to by it."""

    def __init__(self, code: str, words: str, payment: seen.Intent | None = None) -> None:
        super().__init__(f"{code}: {words}")
        self.code, self.words, self.payment = code, words, payment


class NotBegun(Exception):
    """Nothing happened there; the same may be sent again, later."""


class Unsure(Exception):
    """Nobody knows whether it happened. ``answered``: by a fault that the provider keeps, so that the same key would bring it again."""

    def __init__(self, words: str, *, answered: bool = False) -> None:
        super().__init__(words)
        self.answered = answered


class Provider:
    """One account at the provider."""

    def __init__(self, key: str, base: str | None = None, timeout: tuple[float, float] = TIMEOUT, retries: int = RETRIES) -> None:
        # all four, or files and sign-ins would still go to the real one
        addresses: Any = dict.fromkeys(("api", "files", "connect", "meter_events"), base) if base else None
        client = stripe.StripeClient(
            key,
            base_addresses=addresses,
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=timeout),
            stripe_version=VERSION,
        )
        self._api = client.v1

    # --- what changes something there: each with the key that was stored before -------------------------------------------

    def pay(
        self, key: str, *, amount_fen: int, method: str, return_url: str | None, metadata: dict[str, str], description: str
    ) -> seen.Intent:
        params: dict[str, Any] = {
            "amount": amount_fen,
            "currency": seen.CURRENCY,
            "allowed_payment_method_types": [method],
            "metadata": metadata,
            "description": description,
        }
        if method != "card":  # a card is entered in the payer's browser; a wallet is asked at once
            params |= {"confirm": True, "payment_method_data": {"type": method}}
        if method == "alipay":
            params["return_url"] = return_url
        if method == "wechat_pay":
            params["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        try:
            return seen.intent(_call(self._api.payment_intents.create, params, _with(key)))
        except Refused as refused:
            if refused.payment is None:
                raise
            return refused.payment  # it is there, and was declined

    def cancel(self, key: str, intent_id: str) -> seen.Intent:
        try:
            return seen.intent(_call(self._api.payment_intents.cancel, intent_id, {}, _with(key)))
        except Refused as refused:
            if refused.payment is None:
                raise
            return refused.payment  # too late: it has ended otherwise

    def refund(self, key: str, *, intent_id: str, amount_fen: int, metadata: dict[str, str]) -> seen.Refunded:
        params = {"payment_intent": intent_id, "amount": amount_fen, "metadata": metadata}
        return seen.refunded(_call(self._api.refunds.create, params, _with(key)))

    def transfer(self, key: str, *, amount_fen: int, account_id: str, group: str, metadata: dict[str, str]) -> seen.Transferred:
        params = {
            "amount": amount_fen,
            "currency": seen.CURRENCY,
            "destination": account_id,
            "transfer_group": group,
            "metadata": metadata,
        }
        return seen.transferred(_call(self._api.transfers.create, params, _with(key)))

    def open_account(self, key: str, *, country: str, metadata: dict[str, str]) -> seen.Account:
        params = {"type": "express", "country": country, "capabilities": {"transfers": {"requested": True}}, "metadata": metadata}
        return seen.account(_call(self._api.accounts.create, params, _with(key)))

    def link(self, key: str, *, account_id: str, return_url: str) -> seen.Link:
        params = {"account": account_id, "type": "account_onboarding", "return_url": return_url, "refresh_url": return_url}
        raw = _call(self._api.account_links.create, params, _with(key))
        return seen.Link(raw["url"], seen.moment(raw["expires_at"]))

    # --- looking ----------------------------------------------------------------------------------------------------------

    def look(self, object_id: str) -> seen.Seen | None:
        """The object with this number, or what it belongs to; None for what we keep nothing of, or what is not there."""
        try:
            kind = object_id.partition("_")[0]
            if kind in ("ch", "py"):
                charge = _call(self._api.charges.retrieve, object_id, {})
                object_id, kind = charge.get("payment_intent") or "", "pi"
            if kind == "pi" and object_id:
                return seen.intent(_call(self._api.payment_intents.retrieve, object_id, {}))
            if kind in ("re", "pyr"):
                return seen.refunded(_call(self._api.refunds.retrieve, object_id, {}))
            if kind in ("du", "dp"):
                return seen.disputed(_call(self._api.disputes.retrieve, object_id, {}))
            if kind == "tr":
                return seen.transferred(_call(self._api.transfers.retrieve, object_id, {}))
            if kind == "acct":
                return seen.account(_call(self._api.accounts.retrieve, object_id, {}))
        except Refused as refused:
            if refused.code not in ("resource_missing", "account_invalid"):
                raise
        return None

    def find_payment(self, reference: str, since: datetime) -> seen.Intent | None:
        """The payment that was made for a reference of ours. Search may lag behind by a minute, so a list has the last word."""
        query = f"metadata['reference']:'{reference}'"
        found = [seen.intent(each) for each in _call(self._api.payment_intents.search, {"query": query, "limit": 10})["data"]]
        return _best(found) or _best([each for each in self.payments_since(since) if each.metadata.get("reference") == reference])

    def payments_since(self, since: datetime) -> Iterator[seen.Intent]:
        return map(seen.intent, self._pages(self._api.payment_intents.list, {"created": {"gte": int(since.timestamp())}}))

    def find_refund(self, reference: str, intent_id: str) -> seen.Refunded | None:
        found = map(seen.refunded, self._pages(self._api.refunds.list, {"payment_intent": intent_id}))
        return next((each for each in found if each.metadata.get("reference") == reference), None)

    def find_transfer(self, reference: str) -> seen.Transferred | None:
        return next(map(seen.transferred, self._pages(self._api.transfers.list, {"transfer_group": reference})), None)

    def find_account(self, reference: str) -> seen.Account | None:
        found = map(seen.account, self._pages(self._api.accounts.list, {}))
        return next((each for each in found if each.metadata.get("reference") == reference), None)

    def entries_since(self, since: datetime | None) -> Iterator[seen.Entry]:
        """The statement of our balance, newest first, with what caused each line."""
        params: dict[str, Any] = {"expand": ["data.source"]}
        if since:
            params["created"] = {"gte": int(since.timestamp())}
        return map(seen.entry, self._pages(self._api.balance_transactions.list, params, pages=100_000))

    def _pages(self, ask: Callable[..., Any], params: dict[str, Any], pages: int = MAX_PAGES) -> Iterator[dict[str, Any]]:
        params = {**params, "limit": 100}
        for _ in range(pages):
            page = _call(ask, params)
            yield from page["data"]
            if not page["has_more"] or not page["data"]:
                return
            params["starting_after"] = page["data"][-1]["id"]
        # what was not read may hold what is looked for: it must not be taken for missing
        raise Unsure(f"a list of more than {pages} pages")


@lru_cache
def provider() -> Provider | None:
    """The provider of this installation; None where online payment is off."""
    key = settings().stripe_key
    return Provider(key, settings().stripe_base) if key else None


def _best(found: list[seen.Intent]) -> seen.Intent | None:
    """Of several for one reference, the one that money came by."""
    return min(found, key=lambda each: (each.status != "succeeded", each.status == "canceled", each.created_at), default=None)


def _with(key: str) -> Any:
    return {"idempotency_key": key}


def _call(ask: Callable[..., Any], *given: Any) -> dict[str, Any]:
    """One call, and its answer as plain values.

    Raises:
        Refused, NotBegun, Unsure: see there.
    """
    try:
        return dict(ask(*given).to_dict())
    except stripe.StripeError as error:
        raise _meant(error) from None


def _meant(error: stripe.StripeError) -> Exception:
    status = error.http_status
    body: Any = error.json_body
    told = body.get("error", {}) if isinstance(body, dict) else {}
    code = str(told.get("code") or told.get("type") or type(error).__name__)
    # 403: a restricted key may not do this, which somebody has to set right; but a supplier's account that is gone stays gone
    if status in (401, 409, 429) or (status == 403 and code != "account_invalid"):
        return NotBegun(f"{status} {code}")
    if status is None or status >= 500 or status == 424:  # 424: something that the provider itself depends on has failed
        return Unsure(f"{status or 'no answer'} {type(error).__name__}", answered=status is not None)
    if isinstance(error, stripe.IdempotencyError):
        return Unsure(f"{status} the key was used for something else", answered=True)
    payment = told.get("payment_intent")
    return Refused(code, str(told.get("message") or code)[:500], seen.intent(payment) if isinstance(payment, dict) else None)
