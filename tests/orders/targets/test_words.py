"""Every code that a file may hold has its words."""

from typing import get_args

from orders.targets import words
from orders.targets.rules import Light, Method
from shop.programmes.targets import Measure, Unit


def test_every_code_has_words():
    for codes, told in (
        (get_args(Measure), words.MEASURES),
        (get_args(Unit), words.UNITS),
        (Method, words.METHODS),
        (Light, words.LIGHTS),
    ):
        assert set(codes) == set(told)
        assert all(each["zh"] and each["en"] for each in told.values())
