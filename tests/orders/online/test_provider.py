"""What an answer of the provider means: no, not yet, or nobody knows."""

import pytest
import stripe

from orders.online.provider import NotBegun, Provider, Refused, Unsure, _call


def answered(kind, status, code=None):
    def ask():
        body = {"error": {"code": code, "message": "said so", "type": "invalid_request_error"}}
        more = {"param": None, "code": code} if kind in (stripe.InvalidRequestError, stripe.CardError) else {}
        raise kind("said so", **more, http_status=status, json_body=body)

    return ask


@pytest.mark.parametrize(
    ("ask", "means"),
    [
        (answered(stripe.InvalidRequestError, 400, "amount_too_small"), Refused),
        (answered(stripe.InvalidRequestError, 404, "resource_missing"), Refused),
        (answered(stripe.CardError, 402, "card_declined"), Refused),
        # the account of a supplier that is closed stays closed
        (answered(stripe.PermissionError, 403, "account_invalid"), Refused),
        # a key that may not do this, or is none: somebody sets it right, and then it is done
        (answered(stripe.PermissionError, 403), NotBegun),
        (answered(stripe.AuthenticationError, 401), NotBegun),
        (answered(stripe.APIError, 409), NotBegun),
        (answered(stripe.RateLimitError, 429, "rate_limit"), NotBegun),
        (answered(stripe.APIError, 500), Unsure),
        (answered(stripe.APIError, 424), Unsure),
        (answered(stripe.APIConnectionError, None), Unsure),
        (answered(stripe.IdempotencyError, 400), Unsure),
    ],
)
def test_what_an_answer_means(ask, means):
    with pytest.raises(means):
        _call(ask)


@pytest.mark.parametrize(("status", "kept"), [(500, True), (503, True), (424, True), (None, False)])
def test_a_fault_that_was_answered_is_kept_under_its_key(status, kept):
    with pytest.raises(Unsure) as unsure:
        _call(answered(stripe.APIError, status))
    assert unsure.value.answered is kept


def test_a_list_that_was_not_read_to_its_end_proves_nothing(online):
    params = {"amount": 69_900, "currency": "cny", "allowed_payment_method_types": ["card"]}
    for _ in range(3):
        online.twin.client().v1.payment_intents.create(params)
    listed = online.provider._api.payment_intents.list

    def two_at_once(asked):
        return listed({**asked, "limit": 2})

    assert len(list(online.provider._pages(two_at_once, {}, pages=2))) == 3
    with pytest.raises(Unsure):
        list(online.provider._pages(two_at_once, {}, pages=1))


def test_without_a_key_there_is_no_provider(switched_on, monkeypatch):
    from orders.online import provider
    from shop.core.settings import settings

    assert isinstance(provider.provider(), Provider)
    for name in ("SHOP_STRIPE_KEY", "SHOP_STRIPE_BASE"):
        monkeypatch.delenv(name)
    settings.cache_clear()
    provider.provider.cache_clear()
    assert provider.provider() is None
