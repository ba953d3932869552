"""Refusals of open data."""

from shop.core.errors import NotFound


class NoSuchTable(NotFound):
    code = "no_such_table"
    zh, en = "没有此数据表，或该年没有已发布公报的月份", "There is no such table, or no month of the year is published"
