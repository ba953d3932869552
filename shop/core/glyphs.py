"""What the fonts of papers can draw, and what stands on a paper in the place of what they cannot: a visible mark instead of an empty box."""

import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

#: Stands for a picture or a sign, as printers mark what they have no type for (下駄).
LACKING = "〓"
#: Joins two signs into one picture: what follows it is a part of the one before.
_JOINER = "\u200d"
#: The colours of skin in pictures of people.
_SKINS = range(0x1F3FB, 0x1F400)
#: Kinds of the table of a font that go beyond the first 65,536 signs; (platform, encoding) as OpenType numbers them.
_WHOLE_UNICODE = frozenset({(3, 10), (0, 4), (0, 6)})


def drawable(content: Any) -> Any:
    """The same content, its texts without signs that no font of papers has: a picture is a :data:`LACKING`, a letter says its code point, so that a rare
    sign of a name can still be told (``〔U+20BB7〕``). What shows nothing by itself, such as a joiner or the colour of a picture, is left out."""
    if isinstance(content, str):
        return content if content.isascii() else "".join(_drawn(content))
    if isinstance(content, dict):
        return {name: drawable(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [drawable(value) for value in content]
    return content


def _drawn(text: str) -> Iterator[str]:
    joined = False
    for sign in text:
        kind = unicodedata.category(sign)
        if kind[0] in "CZ" and kind not in ("Co", "Cn"):  # spaces, ends of lines and what only tells how others are drawn
            joined = sign == _JOINER
            if kind not in ("Cf", "Cs"):
                yield sign
        elif has(ord(sign)):
            joined = False
            yield sign
        elif not joined and kind != "Mn" and ord(sign) not in _SKINS:
            yield f"〔U+{ord(sign):04X}〕" if kind[0] in "LM" else LACKING


def has(code_point: int) -> bool:
    """Whether a font of papers has a sign."""
    firsts, lasts = _ranges()
    place = bisect_right(firsts, code_point) - 1
    return place >= 0 and code_point <= lasts[place]


@lru_cache(maxsize=1)
def _ranges() -> tuple[list[int], list[int]]:
    """What the fonts have, as the first and the last sign of each range; ranges do not overlap."""
    import pylopdf_fonts_zh_cn as fonts

    found = sorted(group for path in (fonts.serif_path(), fonts.sans_path()) for group in _groups(Path(path).read_bytes()))
    firsts, lasts = [found[0][0]], [found[0][1]]
    for first, last in found[1:]:
        if first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts


def _groups(font: bytes) -> Iterator[tuple[int, int]]:
    """The ranges of code points for which an OpenType font has a sign, by its table ``cmap`` in format 12."""
    (tables,) = struct.unpack_from(">H", font, 4)
    [start] = [offset for tag, _, offset, _ in struct.iter_unpack(">4sIII", font[12 : 12 + 16 * tables]) if tag == b"cmap"]
    (count,) = struct.unpack_from(">H", font, start + 2)
    kinds = struct.iter_unpack(">HHI", font[start + 4 : start + 4 + 8 * count])
    at = next(start + offset for platform, encoding, offset in kinds if (platform, encoding) in _WHOLE_UNICODE)
    format_, groups = struct.unpack_from(">H", font, at)[0], struct.unpack_from(">I", font, at + 12)[0]
    if format_ != 12:
        raise ValueError(f"a table of signs in format {format_}")
    return ((first, last) for first, last, _ in struct.iter_unpack(">III", font[at + 16 : at + 16 + 12 * groups]))
