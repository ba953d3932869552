"""People who have no account: what they leave so that they can be reached is sealed, and a receipt lets them follow up what they handed in."""

import re
import secrets
from datetime import date
from typing import Any

from pydantic import BaseModel

from shop.core import sealing
from shop.core.audit import System
from shop.core.quantities import ProperName
from shop.identity.schemas import Email, In, Phone

#: How the audit names them. Who it was is never put there.
PUBLIC = System(role_name="public")

#: Letters and digits that cannot be taken for one another. Sixteen of them are more than 78 bits: nobody finds a receipt by trying.
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_RECEIPT = re.compile(rf"(YY|TS)-\d{{4}}-\d{{6}}-[{LETTERS}]{{16}}")


class ContactIn(In):
    """How the person can be reached. Sealed when it arrives; only who looks into the matter opens it, and each opening is on record."""

    name: ProperName
    phone: Phone
    email: Email | None = None

    def sealed(self) -> bytes:
        return sealing.seal({"name": self.name, "phone": self.phone, "email": self.email})


class ContactOut(BaseModel):
    name: str
    phone: str
    email: str | None


def opened(sealed_contact: bytes) -> ContactOut:
    """The contact in the clear. Whoever calls this puts on record who saw it."""
    content: dict[str, Any] = sealing.unseal(sealed_contact)
    return ContactOut.model_validate(content)


def new_receipt(kind: str, district_code: str, today: date) -> str:
    """``YY-2026-500236-…``: what it is for, year and county, and a part that cannot be guessed. ``kind``: YY (异议) or TS (投诉)."""
    secret = "".join(secrets.choice(LETTERS) for _ in range(16))
    return f"{kind}-{today.year}-{district_code}-{secret}"


def is_receipt(given: str) -> bool:
    """Whether a receipt has the form of ours."""
    return _RECEIPT.fullmatch(given) is not None
