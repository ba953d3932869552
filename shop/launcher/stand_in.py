"""The stand-in of Stripe that the demo pays with. It moves no money, and production does not start with its key (see the settings)."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shop.core.settings import STAND_IN_KEY, Settings
from shop.launcher.errors import CannotStart

HOST = "127.0.0.1"
#: Taken if it is free, so that pages of an earlier start still open.
USUAL_PORT = 12111
ROOT = Path(__file__).parent.parent.parent
#: Only a checkout has it: it belongs to the tests.
PACKAGE = ROOT / "tests" / "stripe_twin"
#: Known to everybody, which does no harm: an event only leads to a look at the stand-in.
SECRET = "whsec_of_the_stand_in"  # noqa: S105


@dataclass(frozen=True)
class StandIn:
    """Where it listens."""

    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "SHOP_STRIPE_KEY": f"{STAND_IN_KEY}demo",
            "SHOP_STRIPE_PUBLISHABLE_KEY": "pk_test_twin_demo",
            "SHOP_STRIPE_BASE": self.url,
            "SHOP_STRIPE_WEBHOOK_SECRETS": SECRET,
        }

    def command(self, server: str, data_dir: Path) -> Sequence[str]:
        """How to run it: events go to ``server``, and what it knows is kept beside the data of the demo."""
        run = f"import sys, runpy; sys.path.insert(0, {str(ROOT)!r}); runpy.run_module('tests.stripe_twin', run_name='__main__', alter_sys=True)"
        options = [
            "--port",
            str(self.port),
            "--speed",
            "10",
            "--set",
            "available_after=0",
            "--store",
            str(data_dir / "stripe-twin.json"),
        ]
        return [
            *[sys.executable, "-P", "-c", run, *options],
            *["--webhook", f"{server}/v1/stripe/webhooks", "--webhook-secret", SECRET],
        ]


def wanted(settings: Settings) -> bool:
    """Whether the demo pays by the stand-in: nobody named a key, and this is a demo of a checkout."""
    is_demo = settings.demo and settings.environment == "development"
    return is_demo and settings.stripe_key is None and settings.stripe_base is None and PACKAGE.is_dir()


def stand_in(usable_port: Callable[[str, int], int]) -> StandIn:
    """One on its usual port, or on another one if that is taken. ``usable_port`` raises CannotStart for a port that is."""
    try:
        return StandIn(usable_port(HOST, USUAL_PORT))
    except CannotStart:
        return StandIn(usable_port(HOST, 0))
