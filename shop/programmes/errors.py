"""Refusals of the programmes."""

from shop.core.errors import NotFound


class NoProgramme(NotFound):
    code = "no_programme"
    zh, en = "{on} 没有生效的方案", "No programme is in force on {on}"
