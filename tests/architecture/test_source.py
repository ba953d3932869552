"""Rules about the source itself that no other tool holds."""

import ast
import functools
import importlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.core import logs
from shop.core.errors import Problem
from workers.app import app as celery
from workers.handlers import AWAITED, HANDLERS
from workers.schedule import SCHEDULE

PACKAGES = ["shop", "catalog", "orders", "workers"]
SOURCES = sorted(path for package in PACKAGES for path in Path(package).rglob("*.py"))


@functools.cache
def parsed():
    """The program, read once: (file, its nodes)."""
    return [(path, list(ast.walk(ast.parse(path.read_text())))) for path in SOURCES]


@functools.cache
def called():
    """Every call in the program by the name that is called: (file, call)."""
    by_name = defaultdict(list)
    for path, nodes in parsed():
        for node in nodes:
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                by_name[name].append((path, node))
    return by_name


def calls(name):
    """Every call of ``name`` (or ``anything.name``) in the program, with its file."""
    return called().get(name, [])


def published():
    names = set()
    for path, node in [*calls("publish"), *calls("publish_each"), *calls("publish_all")]:
        if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "outbox":
            assert isinstance(node.args[1], ast.Constant), f"{path}: the name of an event is a literal"
            names.add(node.args[1].value)
    # written by the statement that places the order, and by the one that makes a notification
    return names | {"purchase_order.placed", "notification.made"}


@pytest.mark.slow
def test_every_event_has_a_handler_and_every_handler_an_event():
    assert published() == set(HANDLERS)


def test_what_somebody_waits_for_is_an_event():
    assert set(HANDLERS) >= AWAITED


def test_the_statement_that_places_an_order_names_its_event():
    assert "'purchase_order.placed', jsonb_build_object" in Path("orders/purchasing/actions/placing.py").read_text()


def test_the_statement_that_makes_a_notification_names_its_event():
    assert "'notification.made', jsonb_build_object" in Path("shop/notifications/actions.py").read_text()


def test_every_scheduled_task_is_registered():
    celery.loader.import_default_modules()
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(celery.tasks)


@pytest.mark.slow
def test_only_the_unit_of_work_and_the_route_wrapper_commit():
    homes = {str(path) for path, node in calls("commit") if not node.args}
    assert homes <= {
        "shop/core/db.py",
        "shop/identity/access.py",
        "shop/migrations/env.py",
        "orders/statistics/actions.py",  # the rebuild holds one snapshot beside the transaction that holds its lock
    }


@pytest.mark.parametrize("name", ["utcnow", "now", "today"])
def test_only_the_clock_reads_the_time(name):
    for path, node in calls(name):
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if owner in ("datetime", "date"):
            assert str(path) in ("shop/core/clock.py", "shop/launcher/doctor.py", "shop/doctor.py"), f"{path}:{node.lineno}"


def test_no_pattern_is_lost():
    """SQLModel and Pydantic drop ``regex=`` in silence."""
    for name in ("Field", "Query", "Path"):
        for path, node in calls(name):
            assert "regex" not in {keyword.arg for keyword in node.keywords}, path


def test_no_query_reads_the_signature_of_a_builtin():
    """For its default, and at every request: see ``none_asked``."""
    for path, node in calls("Query"):
        assert [
            each for each in node.keywords if each.arg == "default_factory" and getattr(each.value, "id", "") == "list"
        ] == [], path


def test_no_file_is_too_long_to_read_at_a_sitting():
    long = {
        str(path): lines for path in SOURCES if "versions" not in path.parts and (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def imported_modules(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_one_module_knows_the_library_of_the_payment_provider_and_none_the_stand_in():
    knowing = {name: [str(path) for path, nodes in parsed() if name in imported_modules(nodes)] for name in ("stripe", "tests")}
    assert knowing == {"stripe": ["orders/online/provider.py"], "tests": []}


def test_what_is_logged_may_be_logged():
    """A field that is not on the list would be dropped without a word."""
    for level in ("info", "warning", "error"):
        for path, node in calls(level):
            if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "log":
                dropped = {each.arg for each in node.keywords if each.arg} - logs.ALLOWED - {"exc_info"}
                assert not dropped, f"{path}:{node.lineno}: {dropped}"


#: Codes of more than one refusal, each with what they have in common: the same is refused of another subject, which the route names.
SHARED_CODES = {
    "agreement_not_in_force": "an agreement is used outside of its days",
    "cap_exceeded": "by what is asked for, and by what others took meanwhile",
    "case_not_editable": "a case, and a list that belongs to one",
    "file_missing": "what was sent, and what is fetched",
    "forbidden": "a request, and an export whose right was taken away meanwhile",
    "has_file": "a paper that is kept already",
    "internal": "a request, and an export that broke off",
    "not_accepted": "goods that nobody has accepted",
    "not_your_region": "an officer of elsewhere",
    "nothing_accepted": "goods of which nobody has accepted any",
    "other_revision": "a target that was revised meanwhile",
    "other_side_answers": "who proposed does not answer",
    "own_organisation": "an officer decides on the own organisation",
    "own_report": "who wrote a report does not approve it",
    "reason_needed": "a decision without its reason",
    "refund_above_credit": "what is asked back, and what is left once refunds are paid",
    "report_refused": "a report that is not complete",
    "rows_refused": "a table with rows that are wrong",
    "statement_pending": "the other side may still be heard",
    "too_many_files": "files of one subject",
    "too_many_for_xlsx": "a table that no worksheet holds",
    "too_many_lines": "a file that would be too long",
    "too_many_papers": "papers of one subject",
    "too_many_rows": "a table that is too long",
    "unknown_sku": "an article that there is not",
}


def refusals(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for each in kind.__subclasses__():
        yield each
        yield from refusals(each)


def test_a_code_is_one_refusal_unless_that_is_meant():
    """Callers act by code: two refusals with one would be taken for the same."""
    for path in SOURCES:
        if path.name == "errors.py" or path.parent == Path("shop/core"):
            importlib.import_module(".".join(path.with_suffix("").parts))
    named = Counter(each.code for each in set(refusals()) if "code" in vars(each) and not each.__module__.startswith("tests."))
    assert {code for code, times in named.items() if times > 1} == SHARED_CODES.keys()
