"""The page that the QR code of a numbered paper opens, so that anybody may check the paper. Nothing is loaded from elsewhere."""

from collections.abc import Iterable
from html import escape
from typing import Any

from fastapi.responses import HTMLResponse

_HEAD = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title>
<style>
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 36rem; margin: 0 auto; padding: 1rem; color: #1f2328; }}
h1 {{ font-size: 1.15rem; margin: .5rem 0; }}
.state {{ background: {colour}; color: #fff; border-radius: .5rem; padding: .75rem 1rem; font-size: 1.4rem; font-weight: 600; }}
.note {{ border: 1px solid #b42318; color: #b42318; border-radius: .5rem; padding: .5rem 1rem; }}
dl {{ display: grid; grid-template-columns: 8.5rem 1fr; gap: .35rem .75rem; }} dt {{ color: #57606a; }} dd {{ margin: 0; overflow-wrap: anywhere; }}
ol {{ padding-left: 1.2rem; }} small {{ color: #57606a; }} .state small, .note small {{ color: inherit; }}
</style></head><body>
"""
_FOOT = """<p><small>查询结果由重庆市消费帮扶交易平台提供 · Answered by the consumption assistance marketplace of Chongqing</small></p>
</body></html>
"""
_PAGE = {"content": {"text/html": {"schema": {"type": "string"}}}}
#: What a route of such a page answers, for its description.
RESPONSES: dict[int | str, Any] = {200: _PAGE, 404: {**_PAGE, "description": "Nobody was given this number"}}
GOOD, WAITING, CHANGED, BAD = "#1a7f37", "#57606a", "#9a6700", "#b42318"


def found(
    *,
    title: str,
    number: str,
    colour: str,
    state: tuple[str, str],
    rows: Iterable[tuple[str, str | None]],
    note: str = "",
    more: str = "",
) -> str:
    """What is known of ``number``: its ``state`` (Chinese, English) in one of the colours above, and the rows that have a value.

    ``title``, ``note`` (before the rows) and ``more`` (after them) are HTML; everything else is text and is escaped here.
    """
    return "".join(
        (
            _HEAD.format(title=escape(number), colour=colour),
            f"<h1>{title}</h1>\n",
            f'<p class="state">{escape(state[0])} <small>{escape(state[1])}</small></p>\n',
            f'<p class="note">{note}</p>\n' if note else "",
            "<dl>",
            *(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value),
            "</dl>\n",
            more,
            _FOOT,
        )
    )


def unknown(zh: str, en: str) -> str:
    """The answer to a number that nobody was given; ``zh`` and ``en`` name the kind of paper."""
    return (
        _HEAD.format(title="404", colour=BAD)
        + f'<h1 style="color: {BAD}">无此{zh} · No such {en}</h1>\n<p>请核对{zh}编号。Please check the number.</p></body></html>\n'
    )


def answer(page: str, status: int = 200) -> HTMLResponse:
    """One of the two pages above, which may load nothing and run nothing."""
    return HTMLResponse(page, status, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})
