"""What a PDF does besides being read: scripts, programs that it starts, files that it carries. Pure.

Every byte is looked at, not only what the list of objects names: readers follow older lists, too. Objects that are packed together (ISO 32000-1 §7.5.7)
are unpacked for it. What is encrypted within them nobody sees without the password.
"""

import re
import zlib
from collections.abc import Iterator
from itertools import islice

#: Honest packs hold some thousand objects of text.
MOST_UNPACKED = 64 * 2**20
#: So much is unpacked at a time; each pack counts for as much at least, so that very many small ones take no long time either.
_CHUNK = 4_096
#: How far what belongs together lies apart.
_NEAR = 1_000
#: A paper has not even a few of them; where there are so many, nobody looks at each.
_MANY = 1_000
#: White space and comments may stand between any two signs (§7.2).
_WHITE = b"\0\t\n\f\r "
_COMMENT = re.compile(rb"%[^\r\n]*[\r\n]")


class TooMuchPacked(ValueError):
    """It unpacks to more than :data:`MOST_UNPACKED` bytes."""


class UnknownPacking(ValueError):
    """Objects are packed in a way that no common program uses."""


def _name(*names: str) -> bytes:
    """Names to be looked for, any sign of which may be written by its number (§7.3.5)."""
    spelt = (b"".join(rb"(?:%c|#%02x|#%02X)" % (sign, sign, sign) for sign in name.encode()) for name in names)
    return rb"/(?:" + rb"|".join(spelt) + rb")"


_ENDS = rb"(?=[\0\t\n\f\r ()<>\[\]{}/%])"
#: What runs something, as the kind of an action (§12.6.4) or an object of its own that an action names.
_RUNNING = re.compile(_name("JavaScript", "Launch", "Rendition") + _ENDS)
_KIND_OF = re.compile(rb"(?:" + _name("S") + rb"|obj)$")
#: The tree of scripts that run when a file is opened (§7.7.4), there or in an object of its own.
_SCRIPTS = re.compile(_name("JavaScript") + _ENDS)
_VALUE = re.compile(rb"<<|[0-9]+[\0\t\n\f\r ]+[0-9]+[\0\t\n\f\r ]+R")
#: What the description of a file carries of the file itself (§7.11.3), and what it is called.
_CARRIED = re.compile(_name("EF") + rb"[\0\t\n\f\r ]{0,99}(?:<<|[0-9]{1,10}[\0\t\n\f\r ]{1,9}[0-9]{1,5}[\0\t\n\f\r ]{1,9}R)")
_CALLED = re.compile(
    _name("F", "UF") + rb"[\0\t\n\f\r ]*(?:\(((?:[^()\\]|\\.){0,500})\)|<([0-9A-Fa-f\s]{0,2000})>)",
    re.DOTALL,
)
_OCTAL = re.compile(rb"\\([0-7]{3})")
#: Electronic vouchers carry their own data (电子凭证会计数据标准), which no program runs.
_DATA = re.compile(rb"\.(?:xml|xbrl)$", re.IGNORECASE)
_MOST_DATA = 20
_PACKS, _FILTER, _ENCRYPTED = (re.compile(_name(name) + _ENDS) for name in ("ObjStm", "Filter", "Encrypt"))
_STREAM = re.compile(rb"stream\r?\n?")


def runs_something(pieces: list[bytes]) -> bool:
    """Whether it runs scripts, or starts programs or media. How it is shown when it is opened is no script."""
    return any(map(_runs, pieces))


def _runs(piece: bytes) -> bool:
    for number, found in enumerate(_RUNNING.finditer(piece)):
        before = _COMMENT.sub(b" ", piece[max(0, found.start() - _NEAR) : found.start()]).rstrip(_WHITE)
        if _KIND_OF.search(before) or number > _MANY:
            return True
    after = (piece[found.end() : found.end() + _NEAR] for found in islice(_SCRIPTS.finditer(piece), _MANY))
    return any(_VALUE.match(_COMMENT.sub(b" ", each).lstrip(_WHITE)) for each in after)


def carries_files(pieces: list[bytes]) -> bool:
    """Whether it carries files other than the data of an electronic voucher."""
    found = [(piece, each.start()) for piece in pieces for each in islice(_CARRIED.finditer(piece), _MOST_DATA + 1)]
    return len(found) > _MOST_DATA or not all(_is_data(*each) for each in found)


def _is_data(piece: bytes, at: int) -> bool:
    """Whether the file described there is data, by all its names."""
    names = [_plain(*found.groups()) for found in _CALLED.finditer(piece, max(0, at - _NEAR), at + _NEAR)]
    return bool(names) and all(map(_DATA.search, names))


def _plain(written: bytes | None, in_hex: bytes | None) -> bytes:
    """A name without what tells how its letters are kept: those that we look for are the same in each way, but for zeros between them."""
    if written is None:
        digits = "".join((in_hex or b"").decode().split())
        written = bytes.fromhex(digits + "0" * (len(digits) % 2))
    return _OCTAL.sub(lambda found: bytes([int(found[1], 8) % 256]), written).replace(b"\0", b"").strip()


def pieces_of(content: bytes) -> list[bytes]:
    """The file itself, and what is packed within it.

    Raises:
        TooMuchPacked, UnknownPacking: see there.
    """
    found, left = [content], MOST_UNPACKED
    for begin in _packs(content):
        try:
            piece = _unpacked(content, begin, left)
        except zlib.error:
            if _ENCRYPTED.search(content):
                continue
            raise UnknownPacking from None
        left -= len(piece) + _CHUNK
        found.append(piece)
    return found


def _packs(content: bytes) -> Iterator[int]:
    """Where packed objects begin; objects that only stand together unpacked are a part of the file itself."""
    for found in _PACKS.finditer(content):
        begin = content.rfind(b"obj", max(0, found.start() - _NEAR), found.start())
        stream = _STREAM.search(content, found.end(), found.end() + _NEAR)
        if begin >= 0 and stream and _FILTER.search(content, begin, stream.start()):
            yield stream.end()


def _unpacked(content: bytes, begin: int, most: int) -> bytes:
    """What is packed from there to where the packing itself says that it ends."""
    packed, unpacked = zlib.decompressobj(), bytearray()
    for at in range(begin, len(content), _CHUNK):
        if packed.eof:
            break
        if at - begin > most or len(unpacked) > most:
            raise TooMuchPacked
        unpacked += packed.decompress(content[at : at + _CHUNK], most)
        if packed.unconsumed_tail:
            raise TooMuchPacked
    return bytes(unpacked)
