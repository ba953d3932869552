"""Unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters, the last one checks the others."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from shop.core.errors import BadValue

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = [3**i % 31 for i in range(17)]


def check_character(first_17: str) -> str:
    """The 18th character for the first 17.

    Raises:
        ValueError: a character outside the code's alphabet (I, O, S, V, Z are not in it), or not 17 of them.
    """
    if len(first_17) != 17:
        raise BadValue("统一社会信用代码为 18 位", "a credit code has 18 characters")
    try:
        total = sum(_ALPHABET.index(character) * weight for character, weight in zip(first_17, _WEIGHTS, strict=True))
    except ValueError:
        raise BadValue(
            "统一社会信用代码只含数字和大写字母（不含 I、O、S、V、Z）",
            "a credit code holds digits and capital letters without I, O, S, V, Z",
        ) from None
    return _ALPHABET[(31 - total % 31) % 31]


def checked(code: str) -> str:
    """The code in capitals without blanks.

    Raises:
        ValueError: wrong length, alphabet or check character.
    """
    code = code.strip().upper()
    if len(code) != 18 or check_character(code[:17]) != code[17]:
        raise BadValue("不是有效的统一社会信用代码", "not a valid unified social credit code")
    return code


Uscc = Annotated[
    str,
    AfterValidator(checked),
    WithJsonSchema({"type": "string", "minLength": 18, "maxLength": 18, "examples": ["91500236MA5U0000X6"]}),
]
