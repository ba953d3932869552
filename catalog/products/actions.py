"""What a supplier does with its products, packs and prices."""

import dataclasses
from collections.abc import Mapping, Sequence
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
from shop.core.errors import Fault, IfMatch, Invalid, NotFound, any_version
from shop.core.money import yuan_from_fen
from shop.identity import queries as organisations
from shop.identity.actor import Actor
from shop.identity.rules import Capacity

#: What a certificate says of a product.
CERTIFIED_FIELDS = frozenset(
    {"name", "category", "district_code", "township_code", "village", "producer", "grade", "specification"}
)

_ORIGIN = text(
    "SELECT count(*) FROM region WHERE code = ANY (CAST(:codes AS text[])) AND kind NOT IN ('province', 'city')"
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
    " SELECT :sku_id, * FROM unnest(CAST(:minimums AS numeric[]), CAST(:prices AS bigint[]))"
)


def create(session: Session, actor: Actor, body: ProductIn) -> int:
    """Put a product, with the packs given, into the own organisation's list; returns its id.

    Raises:
        OrganisationNotApproved, NotASupplier: the organisation may not sell (409).
        NameTaken, SkuCodeTaken: see there (409).
        UnknownOrigin, Invalid: the place, a weight, a unit or a price list is at fault (422).
    """
    _require_supplier(session, actor)
    require_origin(session, body.district_code, body.township_code)
    product = Product(**body.model_dump(exclude={"skus"}), supplier_id=actor.organisation, created_at=clock.now())
    session.add(product)
    session.flush()
    for number, sku in enumerate(body.skus):
        _add_sku(session, product, sku, number, f"skus[{number}].")
    listing.refresh(session, [product.id])
    audit.record(session, actor, "product.created", "product", product.id)
    return product.id


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
    _write_tiers(session, sku.id, tiers)
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


def _add_sku(session: Session, product: Product, body: SkuIn, number: int, field: str = "") -> Sku:
    faults = _tier_faults(body.step, body.tiers)
    if pack := rules.weight_fault(product.kind, body.net_grams) or rules.unit_fault(product.kind, body.unit, body.net_grams):
        faults.append(pack)
    if faults:
        raise Invalid(faults=[dataclasses.replace(fault, field=field + fault.field) for fault in faults])
    _refuse_dear(session, product.id, body.net_grams, body.tiers)
    sku = Sku(
        **body.model_dump(exclude={"tiers", "code"}),
        code=body.code or f"P{product.id}-{number + 1}",
        product_id=product.id,
        barcode_of=product.supplier_id if body.barcode else None,
        min_quantity=body.tiers[0].min_quantity,
    )
    session.add(sku)
    session.flush()
    _write_tiers(session, sku.id, body.tiers)
    session.execute(text("INSERT INTO stock (sku_id, on_hand, reserved) VALUES (:id, 0, 0)"), {"id": sku.id})
    return sku


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


def _write_tiers(session: Session, sku_id: int, tiers: Sequence[TierIn]) -> None:
    minimums, prices = [tier.min_quantity for tier in tiers], [tier.unit_price for tier in tiers]
    session.execute(_WRITE_TIERS, {"sku_id": sku_id, "minimums": minimums, "prices": prices})


def _require_supplier(session: Session, actor: Actor) -> None:
    organisations.require_approved(session, actor.organisation)
    if Capacity.SUPPLIER not in organisations.capacities(session, actor.organisation, clock.today()):
        raise NotASupplier


def require_origin(session: Session, district_code: str, township_code: str | None) -> None:
    """Raises :class:`UnknownOrigin` unless the district, and the township in it, are in force (422)."""
    codes = [district_code]
    if township_code is not None:
        if not rules.lies_in(township_code, district_code):
            raise UnknownOrigin
        codes.append(township_code)
    if session.execute(_ORIGIN, {"codes": codes, "today": clock.today()}).scalar_one() != len(codes):
        raise UnknownOrigin


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
