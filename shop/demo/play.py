"""``shop demo``: plays the marketplace's main job over HTTP, as the different people, and says what happened."""

import time

from rich.console import Console
from rich.markup import escape

from shop.demo.story import SCENES, Story
from shop.demo.visitor import Surprise


def run(base_url: str, console: Console | None = None) -> int:
    """Play every scene against the server at ``base_url``. Returns 0 when all held; 1 at the first that did not, having said why."""
    out = console or Console(highlight=False, soft_wrap=True)
    out.print(f"[bold]消费帮扶交易平台 · the marketplace at {escape(base_url)}[/bold]")
    began = time.monotonic()
    with Story(base_url.rstrip("/")) as story:
        held = _play(story, out)
    if held:
        out.print(f"[bold green]全部完成 · all {len(SCENES)} scenes held, {time.monotonic() - began:.0f} s[/bold green]")
    return 0 if held else 1


def _play(story: Story, out: Console) -> bool:
    for number, scene in enumerate(SCENES, start=1):
        title = escape((scene.__doc__ or "").strip())
        started = time.monotonic()
        try:
            with out.status(f"{number}/{len(SCENES)}  {title}"):
                told = scene(story)
        except Surprise as surprise:
            out.print(f"[red]✗ {number:>2}/{len(SCENES)}  {title}[/red]")
            out.print(f"  [red]{escape(str(surprise))}[/red]")
            return False
        out.print(f"[green]✓[/green] {number:>2}/{len(SCENES)}  {title}  [dim]{time.monotonic() - started:.1f} s[/dim]")
        out.print(f"         {escape(told)}")
    return True
