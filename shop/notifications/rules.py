"""What each kind of notification says, in both languages. ``{placeholders}`` are filled from the notification's data."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from shop.core.errors import Language

_WORDS = tomllib.loads((Path(__file__).parent / "texts.toml").read_text(encoding="utf-8"))
#: kind -> (Chinese, English)
TEXTS: Mapping[str, tuple[str, str]] = {kind: (words["zh"], words["en"]) for kind, words in _WORDS.items()}
#: What a mail says below the sentence where its data tell it, such as why nothing is attached.
_MORE: Mapping[str, tuple[str, str]] = {
    kind: (words["more_zh"], words["more_en"]) for kind, words in _WORDS.items() if "more_zh" in words
}
#: What is said of several things that came together, where the data tell how many (``count``).
_MANY: Mapping[str, tuple[str, str]] = {
    kind: (words["many_zh"], words["many_en"]) for kind, words in _WORDS.items() if "many_zh" in words
}


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def told(kind: str, data: Mapping[str, Any], language: Language) -> str:
    """The sentence of a notification. A kind without a text shows its code, so a message is never lost for want of words."""
    texts = _MANY.get(kind) if "count" in data else None
    texts = texts or TEXTS.get(kind)
    if texts is None:
        return kind
    known = {name: value for name, value in data.items() if value is not None}
    return texts[0 if language == "zh" else 1].format_map(_Blank(known))


#: Where a person reads more about a subject, by its id or by the month that the notification's data name; about any other, in the inbox.
PLACES: Mapping[str, str] = {
    "acceptance_correction": "/v1/acceptance-corrections/{id}",
    "advance": "/v1/advances/{id}",
    "agreement": "/v1/agreements/{id}",
    "amendment": "/v1/amendments/{id}",
    "bank_write_off": "/v1/bank-write-offs/{id}",
    "basket_proposal": "/v1/basket-proposals/{id}",
    "budget_unit_application": "/v1/budget-unit-applications/{id}",
    "bulletin": "/v1/bulletins/{id}",
    "call_off_draft": "/v1/call-off-drafts/{id}",
    "capacity_flag": "/v1/capacity-flags",
    "catalogue_batch": "/v1/catalogue-batches/{id}",
    "certificate": "/v1/certificates/{id}",
    "certification_case": "/v1/certification-cases/{id}",
    "certification_cases": "/v1/certification-cases?mine=true&sort=due",
    "certification_due": "/v1/certification-cases?mine=true&sort=due",
    "charge_dispute": "/v1/charge-disputes",
    "complaint": "/v1/complaints/{id}",
    "complaints_due": "/v1/complaints?overdue=true",
    "connected_account": "/v1/connected-account",
    "counting_hold": "/v1/counting-holds/{id}",
    "credit_limit": "/v1/organisations/{id}/credit-limit",
    "credit_note": "/v1/credit-notes/{id}",
    "crop_loss": "/v1/crop-losses/{id}",
    "data_check": "/v1/data-checks",
    "dispute": "/v1/disputes/{id}",
    "export": "/v1/exports/{id}",
    "export_schedule": "/v1/export-schedules/{id}",
    "external_sale": "/v1/external-sales/{id}",
    "failure_report": "/v1/failure-reports/{id}",
    "goods_return": "/v1/returns/{id}",
    "inspection": "/v1/inspections/{id}",
    "inspections_due": "/v1/inspections?status=open",
    "invoice": "/v1/invoices/{id}",
    "monthly_close": "/v1/monthly-closes/{month}",
    "objection": "/v1/objections/{id}",
    "objections_due": "/v1/objections",
    "online_payment": "/v1/online-payments/{id}",
    "online_transfer": "/v1/online-payment-standing",
    "open_orders": "/v1/certificates/{id}/open-orders",
    "organisation": "/v1/organisations/{id}",
    "payer_declaration": "/v1/payer-declarations/{id}",
    "payout": "/v1/payouts/{id}",
    "payout_account": "/v1/payout-accounts/{id}",
    "payout_file": "/v1/payout-files/{id}",
    "pledge": "/v1/pledges/{id}",
    "provider_call": "/v1/online-payment-standing",
    "provider_entry": "/v1/online-payment-standing",
    "promotion": "/v1/promotions/{id}",
    "purchase_order": "/v1/purchase-orders/{id}",
    "purchase_request": "/v1/purchase-requests/{id}",
    "quality_signal": "/v1/quality-signals?open=true",
    "quotation_request": "/v1/quotation-requests/{id}",
    "refund": "/v1/refunds/{id}",
    "report": "/v1/reports/{id}",
    "reported_value": "/v1/indicators/{id}",
    "reports": "/v1/reports?month={month}",
    "reserved_share": "/v1/reserved-shares/{id}",
    "reserved_shares": "/v1/reserved-shares?year={id}&status=filed",
    "settlement": "/v1/settlements/{id}",
    "supplier_order": "/v1/supplier-orders/{id}",
    "target": "/v1/targets/{id}",
    "tax_invoice": "/v1/tax-invoices/{id}",
    "webhook_endpoint": "/v1/webhook-endpoints/{id}",
}
INBOX = "/v1/notifications"
PREFERENCES = "/v1/me/notification-preferences"

#: What a mail says below its sentence, in Chinese and English.
_MAIL = (
    "{sentence}\n\n{more}查看：{link}\n\n-- \n消费帮扶交易平台自动发送，请勿回复。\n如不再需要此类邮件，请在 {preferences} 关闭“{kind}”的邮件通知。\n",
    "{sentence}\n\n{more}See {link}\n\n-- \nSent by the consumption assistance marketplace; nobody reads answers to this address.\n"
    "To get no more mails of this kind, switch off the mails of “{kind}” at {preferences}\n",
)


def mail_body(
    sentence: str, kind: str, data: Mapping[str, Any], subject_type: str, subject_id: int, language: Language, public_url: str
) -> str:
    """The text of a mail: the sentence, where to look, how to have no more of them."""
    base = public_url.rstrip("/")
    place = PLACES.get(subject_type, INBOX)
    link = base + place.format(id=subject_id, month=data.get("month"))
    return _MAIL[0 if language == "zh" else 1].format(
        sentence=sentence,
        more=_more(kind, {**data, "link": link}, language),
        link=link,
        preferences=base + PREFERENCES,
        kind=kind,
    )


def _more(kind: str, known: Mapping[str, Any], language: Language) -> str:
    """A paragraph more, or nothing where the data do not tell all that it says."""
    try:
        return _MORE[kind][0 if language == "zh" else 1].format_map(known) + "\n\n"
    except KeyError:
        return ""


def wait_before_retry(attempts: int) -> timedelta:
    """How long to wait after the ``attempts``-th failure: one minute, then twice as long each time, at most an hour."""
    return min(timedelta(minutes=2 ** (min(attempts, 10) - 1)), timedelta(hours=1))
