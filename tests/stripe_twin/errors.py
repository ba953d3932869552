"""Errors in Stripe's form: type, code, param, message, decline_code."""

from typing import Any

INVALID = "invalid_request_error"
CARD = "card_error"
IDEMPOTENCY = "idempotency_error"


class StripeError(Exception):
    """An answer that is an error.

    ``began`` says whether the endpoint had begun its work. Only then does an idempotency key keep the answer: parameters that are
    wrong in themselves leave the key free.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = INVALID,
        code: str | None = None,
        param: str | None = None,
        began: bool = True,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.began = began
        self.headers = headers or {}
        self.more = more
        self.error = {"type": kind, "message": message}
        if code:
            self.error |= {"code": code, "doc_url": f"https://docs.stripe.com/error-codes#{code.replace('_', '-')}"}
        if param:
            self.error["param"] = param

    def body(self) -> dict[str, Any]:
        return {"error": {**self.error, **{name: value for name, value in self.more.items() if value is not None}}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A parameter that is wrong in itself."""
    return StripeError(message, param=param, code=code, began=False)


def missing(kind: str, id: str, param: str = "id", status: int = 404) -> StripeError:
    """An object that is not there: 404 for the one in the path, 400 for one that a parameter names."""
    return StripeError(f"No such {kind}: '{id}'", status=status, code="resource_missing", param=param, began=False)


def not_modelled(what: str, param: str | None = None) -> StripeError:
    """The real Stripe can do this and the twin cannot: better a clear refusal than a wrong answer."""
    return StripeError(f"stripe_twin does not model {what}", param=param, code="twin_not_modelled", began=False)


def unexpected_state(message: str, intent: dict[str, Any]) -> StripeError:
    return StripeError(message, code="payment_intent_unexpected_state", payment_intent=intent)
