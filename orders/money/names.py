"""Names and bank accounts of those who pay and are paid: what is taken for one, and how names are compared. Pure."""

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from orders.money.references import plain

#: Six to thirty-four digits, with single spaces or dashes between them.
AccountNumber = Annotated[
    str, StringConstraints(pattern=r"^[0-9](?:[ -]?[0-9]){5,33}$"), Field(examples=["3100 0210 0901 4400 123"])
]

#: Forms of companies that are written either way, and accounts that stand behind a unit's name.
_COMPANY = (("有限责任公司", "有限公司"), ("股份公司", "股份有限公司"))
_BEHIND = re.compile(
    r"(?:基本存款账户|基本账户|基本户|一般存款账户|一般户|专用存款账户|零余额账户|预算单位零余额账户|食堂专户|工会专户|专户)$"
)


def plain_name(name: str) -> str:
    """A name as names are compared: in one width and case, without spaces and marks, with one word for each form of company, and without the
    kind of account that some banks put behind it."""
    text = _BEHIND.sub("", plain(name)) or plain(name)
    for written, one in _COMPANY:
        if text.endswith(written) and not text.endswith(one):
            text = text.removesuffix(written) + one
    return text
