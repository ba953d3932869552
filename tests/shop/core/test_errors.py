"""What refusals say of how many: one is one, and several are several."""

import importlib
import re
from pathlib import Path

import pytest

from shop.core.errors import Problem

ROOT = Path(__file__).parents[3]
for path in sorted([*ROOT.glob("*/*/errors.py"), ROOT / "shop/core/errors.py"]):
    if path.parts[-3] in ("shop", "catalog", "orders"):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def _all(base):
    return {each for one in base.__subclasses__() for each in (one, *_all(one))}


COUNTING = sorted((each for each in _all(Problem) if "{count}" in each.en), key=lambda each: each.code)
#: A number, and behind it words of another number.
_ONE_OF_MANY = re.compile(r"\b1( more| new)? [a-z]+s\b|\b1 \w+ (are|have|do|differ)\b")
_MANY_OF_ONE = re.compile(r"\b3( more| new)? \w*(?<!s) (is|has|does)\b")


@pytest.mark.parametrize("refusal", COUNTING, ids=lambda each: each.code)
def test_one_is_told_as_one_and_several_as_several(refusal):
    assert len(COUNTING) > 30
    one, several = (refusal(count=count).told("en")["title"] for count in (1, 3))
    assert not _ONE_OF_MANY.search(one), one
    assert not _MANY_OF_ONE.search(several), several
    assert "(s)" not in one + several


def test_a_plural_follows_its_count():
    [claim] = [each for each in COUNTING if each.en == "{count} fault(s) in what is claimed"]
    assert [claim(count=count).told("en")["title"] for count in (1, 2)] == [
        "1 fault in what is claimed",
        "2 faults in what is claimed",
    ]
