"""The payment reference of an order: what a buyer writes into the text of its bank transfer, and how it is found there again. Pure.

It is a creditor reference after ISO 11649: ``RF``, two check digits (ISO 7064, MOD 97-10), and the order's id in eight digits (more for ids
that need more). One wrong digit, or two that changed places, never pass (of a longer reference its beginning may, once in 97); of random digits one in 97 does.
"""

import re
import unicodedata

#: In how many digits an id is written: the first that holds it.
_WIDTHS = (8, 12, 19)
_DOCUMENT = re.compile(r"(?:FK|JS|TK|YF)\d{10}|TKP\d{9}")
#: RF and two zeros as figures, which the check digits are computed over (A is 10, so R is 27 and F is 15).
_RF00 = "271500"
#: Letters that people and scanners take for digits.
_DIGITS = str.maketrans("OIL", "011")
_START = re.compile("RF")


def payment_reference(purchase_order_id: int) -> str:
    """The reference of an order, without spaces: ``RF4700001234``."""
    body = str(purchase_order_id).zfill(next(width for width in _WIDTHS if purchase_order_id < 10**width))
    return f"RF{98 - int(body + _RF00) % 97:02d}{body}"


def printed(reference: str) -> str:
    """In groups of four, as ISO 11649 wants it on paper: ``RF47 0000 1234``."""
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def plain(text: str) -> str:
    """A text in one width, in capitals, and without what is neither letter nor digit."""
    return "".join(each for each in unicodedata.normalize("NFKC", text).upper() if each.isalnum())


def written(number: str) -> str:
    """The pattern of a document's number in a text of capitals in one width, with whatever stands between its letters and digits, and not as the
    beginning of a longer one. The database and Python read it alike."""
    return "[^A-Z0-9]*".join(plain(number)) + "(?![0-9]|-[0-9])"


def is_written(pattern: str | re.Pattern[str], text: str) -> bool:
    """Whether a number of a pattern (:func:`written`, or several of them with ``|``) stands in a text, however it was typed."""
    return re.search(pattern, unicodedata.normalize("NFKC", text).upper()) is not None


def names_document(text: str) -> bool:
    """Whether the number of any refund, release of a payout, list of payouts, file of refunds or advance stands in a text."""
    return _DOCUMENT.search(plain(text)) is not None


def order_ids_in(text: str) -> set[int]:
    """The orders whose references stand in a text, however it was typed: with spaces or dashes, in small or full-width letters, with the
    letters O, I and L for digits."""
    written = plain(text)
    found = set()
    for start in _START.finditer(written):
        digits = written[start.end() :].translate(_DIGITS)
        for width in _WIDTHS:
            body = digits[2 : 2 + width]
            if len(body) == width and digits[: 2 + width].isascii() and digits[: 2 + width].isdecimal():
                order_id = int(body)
                if order_id and payment_reference(order_id)[2:] == digits[: 2 + width]:
                    found.add(order_id)
    return found
