"""The life of an edition of a bulletin."""

from enum import StrEnum

from shop.core.errors import Language
from shop.core.states import StateTable


class BulletinStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


class BulletinMove(StrEnum):
    PUBLISH = "publish"
    DISCARD = "discard"
    SUPERSEDE = "supersede"


_S, _M = BulletinStatus, BulletinMove

#: A draft that is discarded is gone: it had no number. What was published stays as it is when a revision supersedes it.
BULLETIN = StateTable(
    "bulletin",
    {
        (_S.DRAFT, _M.PUBLISH): _S.PUBLISHED,
        (_S.DRAFT, _M.DISCARD): _S.DRAFT,
        (_S.PUBLISHED, _M.SUPERSEDE): _S.SUPERSEDED,
    },
)


def series(year: int) -> str:
    """Bulletins are counted by the year of their month."""
    return f"bulletin:{year}"


def shown(year: int, number: int | None, edition: int) -> str | None:
    """``2026-03``, the third bulletin of its year, whatever month it is of; ``2026-03-R1`` its first revision; none: it has no number yet."""
    if number is None:
        return None
    return f"{year}-{number:02}" + (f"-R{edition}" if edition else "")


def titled(number: str) -> dict[Language, str]:
    """A number as it is printed: 〔2026〕第3号（修订1）. Written as in addresses it would be read as a month."""
    year, count, edition = read(number)
    return {
        "zh": f"〔{year}〕第{count}号" + (f"（修订{edition}）" if edition else ""),
        "en": f"No. {count} of {year}" + (f", revision {edition}" if edition else ""),
    }


def read(number: str) -> tuple[int, int, int]:
    """Year, number and edition of what :func:`shown` writes; the caller has checked the pattern."""
    year, count, *revision = number.split("-")
    return int(year), int(count), int(revision[0][1:]) if revision else 0
