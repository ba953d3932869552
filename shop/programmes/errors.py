"""Refusals of the programmes."""

from shop.core.errors import Invalid, NotFound


class NoProgramme(NotFound):
    code = "no_programme"
    zh, en = "{on} 没有生效的方案", "No programme is in force on {on}"


class PaymentTooLate(Invalid):
    code = "payment_too_late"
    zh = "付款期限过长：本方案规定最多 {most} 日"
    en = "That is too late: the programme allows {most} days at most"
