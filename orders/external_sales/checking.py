"""Whether claims name what is there, and fits: any number of them in a handful of statements.

Faults name fields as a request does (``lines[0].product_id``); an import turns them into rows and columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.products.rules import Kind, Unit
from orders.external_sales import rules
from orders.external_sales.rules import Claim, Line, Side
from orders.fulfilment.rules import plausible, wrong_weight
from orders.importing.cells import GRAMS, same_unit
from orders.ledger.booking import REGIONAL, in_force
from orders.ledger.rules import CONSUMER
from shop.core import clock
from shop.core.db import array
from shop.core.errors import Fault
from shop.core.quantities import weight_of
from shop.identity.actor import Actor
from shop.identity.rules import OrganisationKind

_ORGANISATIONS = text(
    """
    SELECT o.id, o.name, o.kind, o.region_code, o.path, o.status = 'approved' AS approved,
           EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = 'supplier') AS supplies
    FROM organisation o WHERE o.id = ANY (CAST(:ids AS bigint[]))
    """
)
_PRODUCTS = text(
    "SELECT id, name, kind, supplier_id, coalesce(township_code, district_code) AS place FROM product WHERE id = ANY (CAST(:ids AS bigint[]))"
)
_SKUS = text("SELECT id, product_id, unit, net_grams FROM sku WHERE id = ANY (CAST(:ids AS bigint[]))")
_REGIONS = text("SELECT code FROM region WHERE code = ANY (CAST(:codes AS text[]))")
_FIRST_DAY = text("SELECT min(valid_from) FROM programme")
# What is said of a relation, beside what ``credit`` asks of it: it is in force on the day, for the place and for the buyer.
_RELATIONS = text(
    f"""
    SELECT q.n, s.id IS NOT NULL AS known, coalesce({in_force("s", "q.sold_on")}, false) AS in_force,
           coalesce((SELECT bool_and(starts_with(place, s.region_code)) FROM unnest(string_to_array(q.places, ' ')) place), false) AS place_fits,
           coalesce(s.kind IN ({REGIONAL}) AND starts_with(q.buyer_region, u.region_code), false)
           OR EXISTS (SELECT FROM organisation_role o WHERE o.organisation_id = q.buyer_id AND o.supporter_id = s.supporter_id
                      AND {in_force("o", "q.sold_on")}) AS buyer_fits
    FROM unnest(CAST(:numbers AS int[]), CAST(:relations AS bigint[]), CAST(:days AS date[]), CAST(:places AS text[]), CAST(:buyers AS bigint[]),
                CAST(:regions AS text[])) AS q (n, relation_id, sold_on, places, buyer_id, buyer_region)
    LEFT JOIN support_relation s ON s.id = q.relation_id LEFT JOIN supporter u ON u.id = s.supporter_id
    """  # noqa: S608
)
#: As much as a line may weigh.
MOST_GRAMS = 10**12
_KINDS = frozenset(kind.value for kind in OrganisationKind) | {CONSUMER}


@dataclass(frozen=True, slots=True)
class Goods:
    """A line with what the catalogue knows of it."""

    product_id: int
    sku_id: int | None
    product_name: str
    line: Line
    unit: str
    grams: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim that names what is there."""

    claim: Claim
    claimant_id: int
    buyer_name: str
    buyer_kind: str
    buyer_region_code: str
    district_code: str
    goods: tuple[Goods, ...]

    @property
    def total_fen(self) -> int:
        return sum(each.line.amount_fen for each in self.goods)

    @property
    def total_grams(self) -> int:
        return sum(each.grams for each in self.goods)


@dataclass(frozen=True, slots=True)
class _Known:
    organisations: Mapping[int, Any]
    products: Mapping[int, Any]
    skus: Mapping[int, Any]
    regions: frozenset[str]
    first_day: date
    today: date


def check(session: Session, actor: Actor, claims: Sequence[Claim]) -> tuple[list[Checked], dict[int, list[Fault]]]:
    """What the claims come to, and the faults of those that have any, by their place in the list."""
    known = _known(session, claims)
    faults: dict[int, list[Fault]] = {}
    good = []
    for n, claim in enumerate(claims):
        found = [*_parties(claim, actor, known), *_lines(claim, known), *_papers(claim, known.today)]
        if found:
            faults[n] = found
        else:
            good.append((n, _checked(claim, actor, known)))
    faults |= _relations(session, good, known)
    return [checked for n, checked in good if n not in faults], faults


def _known(session: Session, claims: Sequence[Claim]) -> _Known:
    organisations = {id for each in claims for id in (each.supplier_id, each.buyer_id, each.helper_id) if id}
    products = {line.product_id for each in claims for line in each.lines}
    skus = {line.sku_id for each in claims for line in each.lines if line.sku_id}
    regions = {each.buyer_region_code for each in claims if each.buyer_region_code}
    return _Known(
        {row.id: row for row in session.execute(_ORGANISATIONS, {"ids": array(organisations)})},
        {row.id: row for row in session.execute(_PRODUCTS, {"ids": array(products)})},
        {row.id: row for row in session.execute(_SKUS, {"ids": array(skus)})},
        frozenset(session.execute(_REGIONS, {"codes": sorted(regions)}).scalars()),
        session.execute(_FIRST_DAY).scalar_one(),
        clock.today(),
    )


def _parties(claim: Claim, actor: Actor, known: _Known) -> list[Fault]:
    faults = []
    supplier, buyer, helper = (known.organisations.get(id or 0) for id in (claim.supplier_id, claim.buyer_id, claim.helper_id))
    if supplier is None or not supplier.supplies:
        faults.append(Fault("supplier_id", "unknown_supplier", "没有这家供应单位", "There is no such supplier"))
    if claim.buyer_id and (buyer is None or not buyer.approved):
        faults.append(Fault("buyer_id", "unknown_buyer", "没有这家采购单位", "There is no such buyer"))
    if claim.helper_id and (helper is None or not helper.approved):
        faults.append(Fault("helper_id", "unknown_helper", "没有这家帮销单位", "There is no such helper"))
    if claim.buyer_id is None:
        faults += _unregistered(claim, known)
    if claim.supplier_id == claim.buyer_id:
        faults.append(Fault("buyer_id", "same_organisation", "供应方与采购方不能是同一单位", "Nobody buys from oneself"))
    if not faults:
        side = buyer if claim.side is Side.BUYER else supplier
        own = side is not None and actor.within_branch(side.path)
        helps = claim.side is Side.SELLER and helper is not None and actor.within_branch(helper.path)
        if not (own or helps):
            field = "buyer_id" if claim.side is Side.BUYER else "supplier_id"
            faults.append(
                Fault(field, "not_yours", "只能申报本单位的购销", "Only the own organisation's sales or purchases are claimed")
            )
    if not known.first_day <= claim.sold_on <= known.today:
        faults.append(
            Fault(
                "sold_on",
                "no_such_day",
                "销售日期不早于统计开始之日，且不晚于今天",
                "A day since figures are kept, not after today",
            )
        )
    return faults


def _unregistered(claim: Claim, known: _Known) -> list[Fault]:
    if claim.side is Side.BUYER:
        return [Fault("buyer_id", "buyer_missing", "采购方申报须填写采购单位", "A buyer's claim names the buyer")]
    faults = []
    if not claim.buyer_name and claim.buyer_kind != CONSUMER:
        faults.append(Fault("buyer_name", "buyer_missing", "请填写采购方名称", "Say who bought"))
    if claim.buyer_kind not in _KINDS:
        faults.append(Fault("buyer_kind", "unknown_kind", "采购方类型有误", "No kind of buyer"))
    if claim.buyer_region_code not in known.regions:
        faults.append(Fault("buyer_region_code", "unknown_region", "没有这个区划代码", "There is no such region"))
    return faults


def _lines(claim: Claim, known: _Known) -> list[Fault]:
    faults = []
    for n, line in enumerate(claim.lines):
        product, sku = known.products.get(line.product_id), known.skus.get(line.sku_id or 0)
        at = f"lines[{n}]"
        if product is None or product.supplier_id != claim.supplier_id:
            faults.append(Fault(f"{at}.product_id", "unknown_product", "不是该供应单位的产品", "No product of this supplier"))
        elif line.sku_id and (sku is None or sku.product_id != line.product_id):
            faults.append(Fault(f"{at}.sku_id", "unknown_sku", "该产品没有这个规格", "The product has no such SKU"))
        elif line.sku_id is None and line.unit is None:
            faults.append(Fault(f"{at}.unit", "unit_missing", "请填写规格或计量单位", "Say the SKU or the unit"))
        else:
            faults += _weight(line, product.kind, sku, at)
    return faults


def _each_weighs(line: Line, sku: Any) -> int | None:
    """Grams of one pack, or of one unit of weight; None: only who sold it knows."""
    if sku is not None:
        return sku.net_grams or 0
    grams = GRAMS.get(same_unit(line.unit or ""))
    return None if grams is None else int(grams)


def _weight(line: Line, kind: str, sku: Any, at: str) -> list[Fault]:
    """What a pack weighs is known: a weight that is told beside it goes with it, as with deliveries; what is counted in kilograms weighs what is
    counted. Services weigh nothing."""
    each = _each_weighs(line, sku)
    if each is None:
        missing = line.grams is None or (kind == Kind.GOODS and not line.grams)
        return [Fault(f"{at}.grams", "weight_missing", "请填写重量", "Say the weight")] if missing else []
    expected = weight_of(line.quantity, each)
    if expected > MOST_GRAMS:
        return [Fault(f"{at}.quantity", "too_heavy", "重量超出范围", "It weighs more than any deal")]
    unit = sku.unit if sku is not None else Unit.KG
    if line.grams is not None and not plausible(line.grams, expected, unit):
        return [wrong_weight(f"{at}.grams", expected, unit)]
    return []


def _papers(claim: Claim, today: date) -> list[Fault]:
    return [fault for n, paper in enumerate(claim.papers) for fault in rules.wrong_paper(paper, today, f"documents[{n}]")]


def _checked(claim: Claim, actor: Actor, known: _Known) -> Checked:
    buyer = known.organisations.get(claim.buyer_id or 0)
    goods = []
    for line in claim.lines:
        sku = known.skus.get(line.sku_id or 0)
        grams = line.grams if line.grams is not None else weight_of(line.quantity, _each_weighs(line, sku) or 0)
        name = known.products[line.product_id].name
        goods.append(Goods(line.product_id, line.sku_id, name, line, line.unit or (sku.unit if sku else ""), grams))
    return Checked(
        claim=claim,
        claimant_id=actor.organisation,
        # who bought for himself stays unknown
        buyer_name=buyer.name if buyer else "" if claim.buyer_kind == CONSUMER else claim.buyer_name or "",
        buyer_kind=buyer.kind if buyer else claim.buyer_kind or "",
        buyer_region_code=buyer.region_code if buyer else claim.buyer_region_code or "",
        district_code=known.organisations[claim.supplier_id].region_code[:6],
        goods=tuple(goods),
    )


def _relations(session: Session, good: Sequence[tuple[int, Checked]], known: _Known) -> dict[int, list[Fault]]:
    """Declared relations that were not in force on the day, or do not fit; of all that is wrong the first."""
    asked = [(n, each) for n, each in good if each.claim.declared_relation_id]
    if not asked:
        return {}
    values = {
        "numbers": [n for n, _ in asked],
        "relations": [each.claim.declared_relation_id for _, each in asked],
        "days": [each.claim.sold_on for _, each in asked],
        "places": [" ".join(known.products[goods.product_id].place for goods in each.goods) for _, each in asked],
        "buyers": [each.claim.buyer_id for _, each in asked],
        "regions": [each.buyer_region_code for _, each in asked],
    }
    said = {
        "known": ("unknown_relation", "没有这项帮扶关系", "There is no such relation"),
        "in_force": (
            "relation_not_in_force",
            "该帮扶关系在销售当日不在有效期内",
            "The relation was not in force on the day of the sale",
        ),
        "place_fits": (
            "relation_of_other_place",
            "该帮扶关系与产品产地不符",
            "The relation is for another place than the goods come from",
        ),
        "buyer_fits": (
            "relation_of_other_buyer",
            "采购方不属于该帮扶关系的帮扶方",
            "The buyer does not belong to the relation's supporter",
        ),
    }
    found = {}
    for row in session.execute(_RELATIONS, values):
        if wrong := next((name for name in said if not getattr(row, name)), None):
            found[row.n] = [Fault("declared_relation_id", *said[wrong])]
    return found
