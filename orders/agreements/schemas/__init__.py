"""What callers send and get about agreements."""

from orders.agreements.schemas.terms import AgreementIn, AgreementLineIn, FixedPrice, ListMinusPrice, TierPrice

__all__ = ["AgreementIn", "AgreementLineIn", "FixedPrice", "ListMinusPrice", "TierPrice"]
