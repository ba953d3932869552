"""What is done twice is refused alike: 409, with ``already`` in its data, whatever the code."""

import importlib
from pathlib import Path

import pytest

from shop.core.errors import DoneBefore
from shop.core.states import IllegalMove, StateTable

ROOT = Path(__file__).parents[3]
MODULES = [
    importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name in ("states", "errors")
    for path in sorted(ROOT.glob(f"*/*/{name}.py"))
    if path.parts[-3] in ("shop", "catalog", "orders")
]
TABLES = {table.name: table for module in MODULES for table in vars(module).values() if isinstance(table, StateTable)}
REFUSALS = {
    each.code: each
    for module in MODULES
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, DoneBefore) and each is not DoneBefore
}


@pytest.mark.parametrize("name", TABLES)
def test_a_move_that_was_made_before_says_so_and_no_other_does(name):
    table = TABLES[name]
    states = {*table.moves.values(), *(state for state, _ in table.moves)}
    for move in {move for _, move in table.moves}:
        leads_to = {target for (_, each), target in table.moves.items() if each == move}
        for state in states:
            if (state, move) in table.moves:
                continue
            with pytest.raises(IllegalMove) as refused:
                table.after(state, move)
            assert refused.value.data.get("already", False) is (state in leads_to and move not in table.says_more)


#: Moves that others lead to the same state as, and that the state tells all the same: it is as whoever asks wants it.
_ALL_THE_SAME = {
    ("certificate", "in_force"): {"reinstate", "release"},
    ("certificate", "held"): {"hold"},
    ("agreement", "draft"): {"revise"},
    ("agreement", "proposed"): {"propose"},
    ("external_sale", "returned"): {"return"},
    ("order_import", "ordered"): {"order"},
    ("invoice", "credited"): {"credit_rest"},
    ("outlet", "verified"): {"verify"},
    ("pledge", "open"): {"open"},
    ("pledge", "closed"): {"close"},
    ("monthly report", "returned"): {"return"},
    ("reserved_share", "returned"): {"return"},
    ("goods_return", "closed"): {"close"},
    ("advance", "paid"): {"pay", "return-part"},
    ("quotation_request", "open"): {"publish"},
}


def test_a_state_that_moves_lead_to_for_other_reasons_tells_of_none_of_them():
    found = {}
    for table in TABLES.values():
        asked = {move for _, move in table.moves} - table.by_itself
        for state in set(table.moves.values()):
            leading = {move for (_, move), target in table.moves.items() if target == state and move in asked}
            telling = {str(move) for move in leading - table.says_more if (state, move) not in table.moves}
            if len(leading) > 1 and telling:
                found[table.name, str(state)] = telling
    assert found == _ALL_THE_SAME


def test_what_has_a_code_of_its_own_says_so_too():
    assert len(TABLES) > 20
    assert REFUSALS.keys() >= {
        "already_signed",
        "match_undone",
        "already_redeemed",
        "paper_void",
        "month_closed",
        "hold_lifted_before",
    }
    for refusal in REFUSALS.values():
        told = refusal().told("en")
        assert (told["status"], told["data"]) == (409, {"already": True})
        assert "data" not in refusal(as_asked=False).told("en")
    assert REFUSALS["already_redeemed"](number="V1").told("en")["data"] == {"already": True, "number": "V1"}
