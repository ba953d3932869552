"""What is wrong with a value of a request or a file, in words that say what is expected: pydantic's findings in both languages. Pure."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from shop.core.errors import BadValue, Fault
from shop.core.months import MONTH_PATTERN
from shop.core.quantities import NoNumber

_Told = tuple[str, str]
#: What needs no more than the kind of the fault.
_PLAIN: Mapping[str, _Told] = {
    "bool_parsing": ("须为是或否", "Has to be true or false"),
    "bool_type": ("须为是或否", "Has to be true or false"),
    "date_from_datetime_inexact": ("须为日期，如 2026-01-31", "Has to be a day, such as 2026-01-31"),
    "date_from_datetime_parsing": ("须为日期，如 2026-01-31", "Has to be a day, such as 2026-01-31"),
    "date_parsing": ("须为日期，如 2026-01-31", "Has to be a day, such as 2026-01-31"),
    "date_type": ("须为日期，如 2026-01-31", "Has to be a day, such as 2026-01-31"),
    "datetime_from_date_parsing": (
        "须为带时区的时间，如 2026-01-31T09:00:00+08:00",
        "Has to be a moment with its time zone, such as 2026-01-31T09:00:00+08:00",
    ),
    "datetime_parsing": (
        "须为带时区的时间，如 2026-01-31T09:00:00+08:00",
        "Has to be a moment with its time zone, such as 2026-01-31T09:00:00+08:00",
    ),
    "timezone_aware": (
        "时间须带时区，如 2026-01-31T09:00:00+08:00",
        "Has to have its time zone, such as 2026-01-31T09:00:00+08:00",
    ),
    "decimal_parsing": ("须为数字，如 12.5", "Has to be a number, such as 12.5"),
    "decimal_type": ("须为数字", "Has to be a number"),
    "dict_type": ("须为对象", "Has to be an object"),
    "finite_number": ("须为有限的数字", "Has to be a finite number"),
    "float_parsing": ("须为数字", "Has to be a number"),
    "int_from_float": ("须为整数", "Has to be a whole number"),
    "int_parsing": ("须为整数", "Has to be a whole number"),
    "int_type": ("须为整数", "Has to be a whole number"),
    "int_parsing_size": ("数值过大", "Is too large"),
    "list_type": ("须为列表", "Has to be a list"),
    "model_attributes_type": ("须为对象", "Has to be an object"),
    "missing": ("缺少必填项", "Is missing"),
    "string_type": ("须为文字", "Has to be a text"),
    "json_invalid": ("不是有效的 JSON", "Is no valid JSON"),
    "extra_forbidden": ("未知字段", "Is no field that is known here"),
}

#: What has a limit, by the kind of the fault; the names are those of pydantic's context.
_LIMITS: Mapping[str, _Told] = {
    "greater_than": ("须大于 {gt}", "Has to be greater than {gt}"),
    "greater_than_equal": ("不得小于 {ge}", "Has to be {ge} or more"),
    "less_than": ("须小于 {lt}", "Has to be less than {lt}"),
    "less_than_equal": ("不得大于 {le}", "Has to be {le} or less"),
    "string_too_short": ("至少 {min_length} 个字符", "Has to have {min_length} characters or more"),
    "string_too_long": ("最多 {max_length} 个字符", "Has to have {max_length} characters or fewer"),
    "too_short": ("至少 {min_length} 项", "Takes {min_length} or more"),
    "too_long": ("最多 {max_length} 项", "Takes {max_length} or fewer"),
    "decimal_max_digits": ("最多 {max_digits} 位数字", "Has to have {max_digits} digits or fewer"),
    "decimal_max_places": ("最多 {decimal_places} 位小数", "Has to have {decimal_places} decimal places or fewer"),
}
#: So many choices are told; a longer list is in the API's description.
_MOST_CHOICES = 25
_DECIMAL = re.compile(r"Decimal\('(.*)'\)")
_QUOTED = re.compile(r"'([^']*)'")
_CHOICES = re.compile(r"\^\(?(\w+(?:\|\w+)*)\)?\$")
_SO_MANY_DIGITS = re.compile(r"\^\[0-9\]\{(\d+)(?:,(\d+))?\}\$")
_ONE_CLASS = re.compile(r"\^\[((?:[^\]\\]|\\.)+)\](?:\{(\d+)(?:,(\d+))?\}|[+*])\$")
_RANGES: Mapping[str, _Told] = {
    "A-Za-z": ("字母", "letters"),
    "a-z": ("小写字母", "small letters"),
    "A-Z": ("大写字母", "capital letters"),
    "0-9": ("数字", "digits"),
}
#: Forms that have a name, by how their pattern begins.
_NAMED: Mapping[str, _Told] = {
    "^([0-9]{6}[0-9T]{0,6}/": ("须为村，如 500236T01/三岔村", "Has to be a village, such as 500236T01/三岔村"),
    "^([0-9]{6}[0-9T]": ("须为乡镇代码，如 500236101", "Has to be the code of a township, such as 500236101"),
    "^[0-9]{6}": ("须为行政区划代码，如 500236 或 500236101", "Has to be the code of a region, such as 500236 or 500236101"),
    "^50[0-9]{4}": ("须为重庆市内的行政区划代码，如 500236", "Has to be the code of a region of Chongqing, such as 500236"),
    "^https?://": ("须为网址，以 http:// 或 https:// 开头", "Has to be an address that begins with http:// or https://"),
    "^[0-9a-f]{64}$": ("须为 SHA-256，即 64 位十六进制小写字符", "Has to be a SHA-256, 64 hexadecimal digits in small letters"),
    MONTH_PATTERN: ("须为月份，如 2026-11", "Has to be a month, such as 2026-11"),
}


def _listed(choices: list[str]) -> _Told | None:
    if not 0 < len(choices) <= _MOST_CHOICES:
        return None
    return f"须为 {'、'.join(choices)} 之一", f"Has to be one of {', '.join(choices)}"


def _form(pattern: str) -> _Told:
    """What a pattern asks for, in words of both languages."""
    if found := _CHOICES.fullmatch(pattern):
        return _listed(found[1].split("|")) or ("不在可选值之内", "Not one of the choices")
    if found := _SO_MANY_DIGITS.fullmatch(pattern):
        digits = _so_many(found[1], found[2] or found[1])
        return f"须为 {digits} 位数字", f"Has to be {digits} digits"
    for begin, told in _NAMED.items():
        if pattern.startswith(begin):
            return told
    if found := _ONE_CLASS.fullmatch(pattern):
        return _characters(found[1], found[2], found[3])
    return "格式不符", "Not in the form that is asked for"


def _characters(allowed: str, least: str | None, most: str | None) -> _Told:
    zh, en = [], []
    for signs, (in_chinese, in_english) in _RANGES.items():
        if signs in allowed:
            allowed = allowed.replace(signs, "", 1)
            zh.append(in_chinese)
            en.append(in_english)
    rest = list(re.sub(r"\\(.)", r"\1", allowed))
    number = "" if least is None else _so_many(least, most or least)
    return (
        f"只能含{'、'.join([*zh, *rest])}" + (f"，{number} 个字符" if number else ""),
        f"Takes only {', '.join([*en, *rest])}" + (f"; {number} characters" if number else ""),
    )


def _so_many(least: str, most: str) -> str:
    return least if least == most else f"{least}–{most}"


def _told(entry: Any) -> _Told:
    """What one finding says."""
    kind, context = entry["type"], entry.get("ctx", {})
    reason = str(entry["msg"]).removeprefix("Value error, ")
    if isinstance(cause := context.get("error"), BadValue):
        return cause.zh, reason
    if kind == "string_pattern_mismatch":  # no person reads a regular expression
        return _form(context["pattern"])
    if kind in _LIMITS and context:
        zh, en = _LIMITS[kind]
        limits = {name: _DECIMAL.sub(r"\1", str(limit)) for name, limit in context.items()}
        return zh.format_map(limits), en.format_map(limits)
    if kind in ("enum", "literal_error", "union_tag_invalid"):
        expected = str(context.get("expected") or context.get("expected_tags", ""))
        return _listed(_QUOTED.findall(expected)) or ("不在可选值之内", reason)
    if kind == "union_tag_not_found":
        return _PLAIN["missing"]
    return _PLAIN.get(kind, ("格式或取值有误", reason))


def _within(body: Any, where: list[str | int], kind: str) -> list[str | int]:
    """The place of a fault without what stands in no body: where a field says which of several forms another one has, pydantic names the form, too."""
    found: list[str | int] = []
    for n, part in enumerate(where):
        missing = kind == "missing" and n == len(where) - 1
        if isinstance(body, dict) and part not in body and not missing:
            continue
        found.append(part)
        if isinstance(body, dict):
            body = body.get(part)
        elif isinstance(body, list) and isinstance(part, int) and part < len(body):
            body = body[part]
        else:
            body = None
    return found


def fault_of(entry: Any, body: Any = None) -> Fault:
    """One fault as pydantic found it, in both languages; ``body``: what it was found in, if that was JSON."""
    where = [part for part in entry["loc"] if part not in ("body", "query", "path", "header")]
    if entry["loc"][:1] == ("body",):
        where = _within(body, where, entry["type"])
    if chosen_by := entry.get("ctx", {}).get("discriminator"):  # the field that says which of several forms a body has
        where.append(chosen_by.strip("'"))
    code = entry["type"]
    if isinstance(cause := entry.get("ctx", {}).get("error"), BadValue):
        code = cause.code or code
        where += [] if cause.field is None else [cause.field]
    path = ""
    for part in where:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else str(part))
    return Fault(path or "".join(str(part) for part in entry["loc"][:1]), code, *_told(entry))


def of_cell(entry: Any) -> Fault:
    """The same of a cell that was read as the field of a request; of a number, by what a cell may hold."""
    found = fault_of(entry)
    if not isinstance(entry.get("ctx", {}).get("error"), NoNumber):
        return found
    zh, en = NoNumber.in_cell
    return dataclasses.replace(found, zh=zh, en=en)
