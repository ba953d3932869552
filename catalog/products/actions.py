"""What a supplier does with its products, packs and prices."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.products import listing, rules
from catalog.products.errors import CertifiedFrozen, NotASupplier, NotYourProduct, PriceNeedsReview, UnderReview, UnknownOrigin
from catalog.products.models import Product, Sku
from catalog.products.schemas import ProductIn, SkuIn, TierIn
from catalog.products.states import LISTING, ListingMove
from shop.core import audit, clock
from shop.core.errors import Fault, IfMatch, Invalid, NotFound, Problem, any_version
from shop.core.money import yuan_from_fen
from shop.identity import queries as organisations
from shop.identity.actor import Actor
from shop.identity.rules import Capacity

#: What a certificate says of a product.
CERTIFIED_FIELDS = frozenset(
    {"name", "category", "district_code", "township_code", "village", "producer", "grade", "specification"}
)

_ORIGINS = text(
    "SELECT code FROM region WHERE code = ANY (CAST(:codes AS text[])) AND kind NOT IN ('province', 'city')"
    " AND (valid_from IS NULL OR valid_from <= :today) AND (valid_to IS NULL OR :today < valid_to)"
)
_RUNNING_CASE = "SELECT FROM certification_case WHERE product_id = :id AND status NOT IN ('draft', 'returned', 'rejected', 'withdrawn', 'approved')"
_UNDER_CERTIFICATION = text(
    f"SELECT EXISTS ({_RUNNING_CASE}) OR EXISTS (SELECT FROM certificate WHERE product_id = :id AND valid_until >= :today AND revoked_at IS NULL)"  # noqa: S608
)
#: A product that is certified stays on sale while a change or renewal is reviewed; one that is not has nothing but its application.
_UNDER_REVIEW = text(f"SELECT EXISTS ({_RUNNING_CASE} AND kind = 'initial')")
_WRITE_TIERS = text(
    "INSERT INTO price_tier (sku_id, min_quantity, unit_price_fen)"
    " SELECT * FROM unnest(CAST(:sku_ids AS bigint[]), CAST(:minimums AS numeric[]), CAST(:prices AS bigint[]))"
)
_WRITE_STOCK = text("INSERT INTO stock (sku_id, on_hand, reserved) SELECT unnest(CAST(:ids AS bigint[])), 0, 0")


def create(session: Session, actor: Actor, body: ProductIn) -> int:
    """Put a product, with the packs given, into the own organisation's list; returns its id.

    Raises:
        OrganisationNotApproved, NotASupplier: the organisation may not sell (409).
        NameTaken, SkuCodeTaken: see there (409).
        UnknownOrigin, Invalid: the place, a weight, a unit or a price list is at fault (422).
    """
    [made] = create_many(session, actor, [body])
    if isinstance(made, Problem):
        raise made
    return made


def create_many(session: Session, actor: Actor, bodies: Sequence[ProductIn]) -> list[int | Problem]:
    """Put many products into the own organisation's list as :func:`create` does one; the id of each, or what it is refused for, in their order. It takes
    the same number of statements for one and for many.

    Raises:
        NameTaken, SkuCodeTaken: of any of them (409).
    """
    if not bodies:
        return []
    try:
        _require_supplier(session, actor)
    except Problem as problem:
        return [problem] * len(bodies)
    known = _origins(session, [code for body in bodies for code in (body.district_code, body.township_code) if code])
    found: list[int | Problem] = []
    products: list[tuple[Product, ProductIn]] = []
    for place, body in enumerate(bodies):
        found.append(place)  # until there is its id
        if not _is_origin(known, body.district_code, body.township_code):
            found[place] = UnknownOrigin()
        elif faults := [fault for number, sku in enumerate(body.skus) for fault in _sku_faults(body.kind, sku, f"skus[{number}].")]:
            found[place] = Invalid(faults=faults)
        else:
            made = Product(**body.model_dump(exclude={"skus"}), supplier_id=actor.organisation, created_at=clock.now())
            products.append((made, body))
    session.add_all(product for product, _ in products)
    session.flush()
    skus = [(_sku_of(product, sku, number), sku) for product, body in products for number, sku in enumerate(body.skus)]
    _write_skus(session, skus)
    ids = [product.id for product, _ in products]
    listing.refresh(session, ids)
    audit.record_each(session, actor, "product.created", "product", [(product_id, {}) for product_id in ids])
    written = iter(ids)
    return [each if isinstance(each, Problem) else next(written) for each in found]


def edit(session: Session, actor: Actor, product_id: int, changes: Mapping[str, Any], if_match: IfMatch) -> None:
    """Change what is said of a product.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        CertifiedFrozen: a certificate or a running application speaks of the field (409).
        UnknownOrigin: no such place (422).
    """
    product = _own_product(session, actor, product_id)
    if_match(product.version)
    changed = {field: value for field, value in changes.items() if value != getattr(product, field)}
    _refuse_certified(session, product.id, changed)
    if changed.keys() & {"district_code", "township_code"}:
        require_origin(
            session, changed.get("district_code", product.district_code), changed.get("township_code", product.township_code)
        )
    for field, value in changed.items():
        setattr(product, field, value)
    _keep(session, product)
    listing.refresh_text(session, [product.id])
    audit.record(session, actor, "product.edited", "product", product.id, fields=sorted(changed))


def move(session: Session, actor: Actor, product_id: int, listing_move: ListingMove, if_match: IfMatch = any_version) -> None:
    """Withdraw a product from sale, or put it back. Orders that were placed stay as they are.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        IllegalMove: it is withdrawn, or on sale, already (409).
    """
    product = _own_product(session, actor, product_id)
    if_match(product.version)
    product.status = LISTING.after(product.status, listing_move)
    _keep(session, product)
    audit.record(session, actor, _DONE["product", listing_move], "product", product.id)


def add_sku(session: Session, actor: Actor, product_id: int, body: SkuIn) -> int:
    """Offer a product in one more pack; returns the SKU's id.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        SkuCodeTaken, BarcodeTaken, UnderReview: see there (409).
        Invalid: its weight, its unit or its price list is at fault (422).
    """
    product = _own_product(session, actor, product_id)
    _refuse_under_review(session, product.id)
    number = session.execute(text("SELECT count(*) FROM sku WHERE product_id = :id"), {"id": product.id}).scalar_one()
    sku = _add_sku(session, product, body, number)
    listing.refresh_price(session, [product.id])
    audit.record(session, actor, "sku.created", "sku", sku.id, product_id=product.id)
    return sku.id


def edit_sku(session: Session, actor: Actor, sku_id: int, changes: Mapping[str, Any], if_match: IfMatch) -> None:
    """Change how a pack is described and taxed. Its unit, weight and step stay: another pack is another SKU.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        CertifiedFrozen: what the pack is called, once a certificate or a running application speaks of the product (409).
        BarcodeTaken: see there (409).
    """
    sku = own_sku(session, actor, sku_id)
    if_match(sku.version)
    if changes.get("pack", sku.pack) != sku.pack and _is_under_certification(session, sku.product_id):
        raise CertifiedFrozen(fields="pack")
    for field, value in changes.items():
        setattr(sku, field, value)
    sku.barcode_of = actor.organisation if sku.barcode else None
    _keep(session, sku)
    audit.record(session, actor, "sku.edited", "sku", sku.id, fields=sorted(changes))


def move_sku(session: Session, actor: Actor, sku_id: int, listing_move: ListingMove, if_match: IfMatch = any_version) -> None:
    """Withdraw one pack from sale, or put it back. Raises as :func:`move`, and UnderReview (409)."""
    sku = own_sku(session, actor, sku_id)
    if_match(sku.version)
    _refuse_under_review(session, sku.product_id)
    sku.status = LISTING.after(sku.status, listing_move)
    _keep(session, sku)
    listing.refresh_price(session, [sku.product_id])
    audit.record(session, actor, _DONE["sku", listing_move], "sku", sku.id)


def set_prices(session: Session, actor: Actor, sku_id: int, tiers: Sequence[TierIn], if_match: IfMatch) -> None:
    """Replace the whole price list of a SKU. Its first tier is the smallest quantity that is sold. Orders placed keep their prices.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        Invalid: quantities that are not whole steps or do not rise (422).
        PriceNeedsReview: a price lies too far above that of comparable goods (409). UnderReview: see there (409).
    """
    sku = own_sku(session, actor, sku_id)
    if_match(sku.version)
    _refuse_under_review(session, sku.product_id)
    _refuse_dear(session, sku.product_id, sku.net_grams, tiers)
    _replace_tiers(session, actor, sku, tiers)


def within_ceiling(session: Session, sku: Sku, tiers: Sequence[TierIn]) -> bool:
    """Whether prices may apply without a review.

    Raises:
        Invalid: quantities that are not whole steps or do not rise (422).
    """
    if faults := _tier_faults(sku.step, tiers):
        raise Invalid(faults=faults)
    product = session.get_one(Product, sku.product_id)
    return not any(
        rules.above_ceiling(tier.unit_price, sku.net_grams, product.ceiling_fen, product.ceiling_grams) for tier in tiers
    )


def apply_reviewed_prices(session: Session, actor: Actor, sku_id: int, tiers: Sequence[TierIn]) -> None:
    """Replace a price list by one that officers agreed to; the highest of its prices needs no review from now on."""
    sku = session.get_one(Sku, sku_id)
    product = session.exec(select(Product).where(col(Product.id) == sku.product_id).with_for_update()).one()
    _replace_tiers(session, actor, sku, tiers)
    product.ceiling_fen, product.ceiling_grams = max(tier.unit_price for tier in tiers), sku.net_grams
    _keep(session, product)


def _replace_tiers(session: Session, actor: Actor, sku: Sku, tiers: Sequence[TierIn]) -> None:
    if faults := _tier_faults(sku.step, tiers):
        raise Invalid(faults=faults)
    session.execute(text("DELETE FROM price_tier WHERE sku_id = :id"), {"id": sku.id})
    _write_tiers(session, [(sku.id, tier) for tier in tiers])
    sku.min_quantity = tiers[0].min_quantity
    _keep(session, sku)
    listing.refresh_price(session, [sku.product_id])
    shown = [[str(tier.min_quantity), tier.unit_price] for tier in tiers]
    audit.record(session, actor, "sku.priced", "sku", sku.id, tiers=shown)


#: How a move is put on record.
_DONE = {
    ("product", ListingMove.WITHDRAW): "product.withdrawn",
    ("product", ListingMove.RELIST): "product.relisted",
    ("sku", ListingMove.WITHDRAW): "sku.withdrawn",
    ("sku", ListingMove.RELIST): "sku.relisted",
}


def _add_sku(session: Session, product: Product, body: SkuIn, number: int) -> Sku:
    if faults := _sku_faults(product.kind, body):
        raise Invalid(faults=faults)
    _refuse_dear(session, product.id, body.net_grams, body.tiers)
    sku = _sku_of(product, body, number)
    _write_skus(session, [(sku, body)])
    return sku


def _sku_faults(kind: str, body: SkuIn, field: str = "") -> list[Fault]:
    faults = _tier_faults(body.step, body.tiers)
    if pack := rules.weight_fault(kind, body.net_grams) or rules.unit_fault(kind, body.unit, body.net_grams):
        faults.append(pack)
    return [dataclasses.replace(fault, field=field + fault.field) for fault in faults]


def _sku_of(product: Product, body: SkuIn, number: int) -> Sku:
    return Sku(
        **body.model_dump(exclude={"tiers", "code"}),
        code=body.code or f"P{product.id}-{number + 1}",
        product_id=product.id,
        barcode_of=product.supplier_id if body.barcode else None,
        min_quantity=body.tiers[0].min_quantity,
    )


def _write_skus(session: Session, skus: Sequence[tuple[Sku, SkuIn]]) -> None:
    """Keep new packs, each with its price list and an empty stock."""
    session.add_all(sku for sku, _ in skus)
    session.flush()
    _write_tiers(session, [(sku.id, tier) for sku, body in skus for tier in body.tiers])
    session.execute(_WRITE_STOCK, {"ids": [sku.id for sku, _ in skus]})


def _tier_faults(step: Decimal, tiers: Sequence[TierIn]) -> list[Fault]:
    return rules.tier_faults(step, [(tier.min_quantity, tier.unit_price) for tier in tiers])


def _refuse_dear(session: Session, product_id: int, net_grams: int | None, tiers: Sequence[TierIn]) -> None:
    product = session.get_one(Product, product_id)
    if product.ceiling_fen is None:
        return
    dear = [
        at
        for at, tier in enumerate(tiers)
        if rules.above_ceiling(tier.unit_price, net_grams, product.ceiling_fen, product.ceiling_grams)
    ]
    if dear:
        ceiling = rules.ceiling_for(net_grams, product.ceiling_fen, product.ceiling_grams)
        faults = [rules.dear_fault(f"tiers[{at}].unit_price", ceiling) for at in dear]
        raise PriceNeedsReview(ceiling=yuan_from_fen(ceiling), faults=faults)


def _write_tiers(session: Session, tiers: Sequence[tuple[int, TierIn]]) -> None:
    """Each tier with the SKU's id."""
    values = {
        "sku_ids": [sku_id for sku_id, _ in tiers],
        "minimums": [tier.min_quantity for _, tier in tiers],
        "prices": [tier.unit_price for _, tier in tiers],
    }
    session.execute(_WRITE_TIERS, values)


def _require_supplier(session: Session, actor: Actor) -> None:
    organisations.require_approved(session, actor.organisation)
    if Capacity.SUPPLIER not in organisations.capacities(session, actor.organisation, clock.today()):
        raise NotASupplier


def require_origin(session: Session, district_code: str, township_code: str | None) -> None:
    """Raises :class:`UnknownOrigin` unless the district, and the township in it, are in force (422)."""
    if not _is_origin(_origins(session, [district_code, township_code or district_code]), district_code, township_code):
        raise UnknownOrigin


def _origins(session: Session, codes: Sequence[str]) -> set[str]:
    """Those of the codes that are districts or townships in force."""
    return set(session.execute(_ORIGINS, {"codes": sorted(set(codes)), "today": clock.today()}).scalars())


def _is_origin(known: Collection[str], district_code: str, township_code: str | None) -> bool:
    if township_code is None:
        return district_code in known
    return district_code in known and township_code in known and rules.lies_in(township_code, district_code)


def _refuse_certified(session: Session, product_id: int, changed: Mapping[str, Any]) -> None:
    fields = sorted(CERTIFIED_FIELDS & changed.keys())
    if fields and _is_under_certification(session, product_id):
        raise CertifiedFrozen(fields=", ".join(fields))


def _is_under_certification(session: Session, product_id: int) -> bool:
    return bool(session.execute(_UNDER_CERTIFICATION, {"id": product_id, "today": clock.today()}).scalar_one())


def _refuse_under_review(session: Session, product_id: int) -> None:
    if session.execute(_UNDER_REVIEW, {"id": product_id}).scalar_one():
        raise UnderReview


def _own_product(session: Session, actor: Actor, product_id: int) -> Product:
    """The product, locked until the transaction ends: everything that changes it or its SKUs waits for one another."""
    statement = select(Product).where(col(Product.id) == product_id).with_for_update()
    product = session.exec(statement.execution_options(populate_existing=True)).first()
    if product is None:
        raise NotFound
    if product.supplier_id != actor.organisation:
        raise NotYourProduct
    return product


def own_sku(session: Session, actor: Actor, sku_id: int) -> Sku:
    """A SKU of the own organisation; its product is locked until the transaction ends.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
    """
    product_id = session.execute(text("SELECT product_id FROM sku WHERE id = :id"), {"id": sku_id}).scalar()
    if product_id is None:
        raise NotFound
    _own_product(session, actor, product_id)
    return session.exec(select(Sku).where(col(Sku.id) == sku_id).execution_options(populate_existing=True)).one()


def _keep(session: Session, row: Product | Sku) -> None:
    row.version += 1
    session.add(row)
    session.flush()
