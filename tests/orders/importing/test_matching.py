"""Which SKU a row means: exactly one, or a person has to say."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.importing import matching, rules
from orders.importing.cells import tidy
from orders.importing.matching import Candidate, Nearest, Places
from orders.importing.rules import RowState

BOX = Candidate(1, "A-1", "5kg/箱", "box", 5000, 1, "奉节脐橙", "500236", "奉节县", "合作社", True, True)
LOOSE = replace(BOX, sku_id=2, sku_code="A-2", pack="散装/kg", unit="kg", net_grams=1000)
OTHER = replace(BOX, sku_id=3, sku_code="B-1", product_id=2, district_code="500240", district_name="石柱土家族自治县")
PLACES = Places(
    [("500236", "奉节县", None), ("500240", "石柱土家族自治县", None), ("500154", "开州区", None), ("500105", "江北区", "500157")]
)


@dataclass
class Row:
    code: str = ""
    product: str = "奉节脐橙"
    district: str = ""
    pack: str = ""
    unit: str = ""
    quantity: Decimal | None = Decimal(10)


def found(row, *by_name, by_code=None):
    match = matching.match(row, by_code, by_name, PLACES.codes(row.district) if row.district else None)
    return match.sku_id, [(each.code, each.warning) for each in match.faults]


@pytest.mark.parametrize(
    ("row", "offered", "sku_id", "faults"),
    [
        (Row(), [BOX], 1, []),
        (Row(), [], None, ["unknown_product"]),
        (Row(), [BOX, OTHER], None, ["ambiguous_product"]),
        (Row(district="奉节"), [BOX, OTHER], 1, []),
        (Row(district="重庆市奉节县夔门街道"), [BOX, OTHER], 1, []),
        (Row(district="重庆"), [BOX, OTHER], None, ["ambiguous_product"]),
        (Row(district="内蒙古"), [BOX], None, ["district_differs"]),
        (Row(), [BOX, LOOSE], None, ["ambiguous_product"]),
        (Row(pack="5公斤/箱"), [BOX, LOOSE], 1, []),
        (Row(pack="５ＫＧ／箱"), [BOX, LOOSE], 1, []),
        (Row(pack="10斤装"), [BOX], 1, ["unknown_pack"]),
        (Row(pack="10斤/箱"), [BOX], 1, []),
        (Row(pack="2kg/箱"), [BOX], None, ["pack_differs"]),
        (Row(pack="特级"), [BOX], 1, ["unknown_pack"]),
        (Row(pack="特级"), [BOX, LOOSE], None, ["ambiguous_product"]),
        (Row(unit="公斤"), [BOX, LOOSE], 2, []),
        (Row(unit="箱"), [BOX, LOOSE], 1, []),
        (Row(unit="箱"), [LOOSE], 2, ["units_differ"]),
        (Row(unit="斤"), [LOOSE], 2, ["unit_converted"]),
        (Row(unit="斤"), [BOX, LOOSE], 2, ["unit_converted"]),
        (Row(unit="斤"), [BOX], 1, ["unit_converted"]),
        (Row(unit="斤", quantity=Decimal("0.001")), [BOX], 1, ["units_differ"]),
        (Row(unit="袋"), [BOX, LOOSE], None, ["ambiguous_product"]),
        (Row(), [replace(BOX, on_sale=False)], 1, []),
        (Row(), [replace(BOX, on_sale=False), OTHER], 3, []),
    ],
)
def test_a_row_means_one_sku_or_somebody_has_to_say(row, offered, sku_id, faults):
    got, told = found(row, *offered)
    assert (got, [code for code, _ in told]) == (sku_id, faults)


def test_a_code_counts_before_the_name_but_not_against_it():
    assert found(Row(code="A-1", product=""), by_code=BOX) == (1, [])
    assert found(Row(code="A-1"), OTHER, by_code=BOX) == (1, [])
    assert found(Row(code="A-1", product="别的"), OTHER, by_code=BOX) == (None, [("code_and_name_differ", False)])
    assert found(Row(code="A-1", district="石柱"), BOX, by_code=BOX) == (None, [("district_differs", False)])
    assert found(Row(code="A-1", pack="10kg/箱"), BOX, by_code=BOX) == (None, [("pack_differs", False)])
    assert found(Row(code="A-1", product="", district="石柱", pack="10kg/箱"), by_code=BOX) == (
        None,
        [("district_differs", False), ("pack_differs", False)],
    )
    assert found(Row(code="A-1", district="奉节", pack="10斤/箱"), BOX, by_code=BOX) == (1, [])
    assert found(Row(code="X"), BOX) == (1, [("unknown_code", True)])
    assert found(Row(code="X", product="")) == (None, [("unknown_code", False)])


def test_what_contradicts_a_sku_that_the_sender_has_decided_on_is_told_and_changes_nothing():
    row = Row(code="A-1", product="别的", district="石柱", pack="10kg/箱")
    match = matching.match(row, BOX, [OTHER], PLACES.codes("石柱"), decided=True)
    assert match.sku_id == BOX.sku_id
    assert [(each.code, each.warning) for each in match.faults] == [
        ("code_and_name_differ", True),
        ("district_differs", True),
        ("pack_differs", True),
    ]
    unknown = matching.match(Row(code="X"), None, [BOX], None, decided=True)
    assert (unknown.sku_id, [(each.code, each.warning) for each in unknown.faults]) == (None, [("unknown_code", False)])


candidates = st.lists(
    st.builds(
        Candidate,
        sku_id=st.integers(1, 50),
        sku_code=st.just("A"),
        pack=st.sampled_from(["5kg/箱", "2.5kg/箱", "500g/袋", "散装/kg", "人次"]),
        unit=st.sampled_from(["box", "bag", "kg", "person"]),
        net_grams=st.sampled_from([5000, 2500, 500, 1000, None]),
        product_id=st.integers(1, 5),
        product_name=st.just("奉节脐橙"),
        district_code=st.sampled_from(["500236", "500240"]),
        district_name=st.just(""),
        supplier_name=st.just(""),
        on_sale=st.booleans(),
        certified=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda each: each.sku_id,
)
rows = st.builds(
    Row,
    code=st.just(""),
    product=st.just("奉节脐橙"),
    district=st.sampled_from(["", "奉节", "石柱县", "内蒙古", "重庆"]),
    pack=st.sampled_from(["", "5kg/箱", "2500g/箱", "一级", "9kg"]),
    unit=st.sampled_from(["", "箱", "kg", "提"]),
)


@given(rows, candidates)
def test_nothing_is_guessed(row, offered):
    districts = PLACES.codes(row.district) if row.district else None
    match = matching.match(row, None, offered, districts)
    grave = [each.code for each in match.faults if not each.warning]
    if match.sku_id is None:
        # somebody is told why, and may choose among what there is
        assert grave
        assert bool(match.candidates) == (
            rules.state_of("line", False, [each.kept() for each in match.faults]) is RowState.AMBIGUOUS
        )
        return
    [taken] = [each for each in offered if each.sku_id == match.sku_id]
    on_sale = [each for each in offered if each.on_sale]
    if not on_sale:
        return
    assert taken.on_sale
    assert districts is None or taken.district_code in districts
    # every other SKU on sale differs in something that the row says
    for each in on_sale:
        if each is not taken and (districts is None or each.district_code in districts):
            assert row.pack or row.unit
    if not matching.is_sold_by(row.unit, taken.unit, taken.pack):
        assert ("units_differ" in grave) == (match.quantity is None)
    else:
        assert match.quantity == row.quantity


@pytest.mark.parametrize(
    ("quantity", "unit", "sku", "is_worth"),
    [
        ("100", "斤", LOOSE, "50"),
        ("0.5", "吨", LOOSE, "500"),
        ("1000", "斤", BOX, "100"),
        ("300", "两", LOOSE, "15"),
        ("2500", "克", BOX, "0.5"),
        ("7", "箱", BOX, "7"),
        ("1", "克", BOX, None),
        ("10", "袋", LOOSE, None),
        ("10", "斤", replace(BOX, net_grams=None), None),
        ("1000000", "吨", LOOSE, "1000000000"),
        ("1000001", "吨", LOOSE, None),
    ],
)
def test_a_weight_is_converted_and_nothing_else(quantity, unit, sku, is_worth):
    row = Row(unit=unit, quantity=Decimal(quantity))
    worth, _ = matching.measured(row, sku.unit, sku.pack, sku.net_grams)
    assert worth == (Decimal(is_worth) if is_worth else None)


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("奉节", {"500236"}),
        ("奉节县", {"500236"}),
        ("重庆市石柱县中益乡", {"500240"}),
        ("开县", {"500154"}),
        ("江北", {"500105", "500157"}),
        ("火星", set()),
        ("重庆市", None),
        (" ", None),
    ],
)
def test_places_by_the_names_that_lists_call_them(written, codes):
    assert PLACES.codes(written) == codes


def test_names_that_are_most_like_another():
    nearest = Nearest({1: "奉节脐橙(特级)", 2: "奉节猕猴桃", 3: "巫山脆李", 4: "城口老腊肉"})
    assert nearest.to("奉节县脐橙") == [1, 2]
    assert nearest.to("老腊肉") == [4]
    assert nearest.to("内蒙古羊肉卷") == []
    assert nearest.to("") == []


@given(st.text(), st.lists(st.text(), max_size=20))
def test_any_name_may_be_asked_for(name, names):
    assert len(Nearest(dict(enumerate(names))).to(name)) <= matching.MOST_NEAREST


@pytest.mark.parametrize(
    ("pack", "grams"),
    [
        ("5kg/箱", 5000),
        ("2.5公斤/箱", 2500),
        ("250g", 250),
        ("10斤/袋", 5000),
        ("一级", None),
        ("5箱/托", None),
        ("", None),
        ("250ml×12", None),
    ],
)
def test_what_a_pack_weighs(pack, grams):
    assert matching.grams_of(pack) == grams


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_cells_can_be_kept(cells):
    kept = tidy(cells)
    assert len(kept) <= len(cells)
    "".join(kept).encode()
    assert not kept or kept[-1].strip()
