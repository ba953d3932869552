"""Refusals of the catalogue."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class NotYourProduct(Forbidden):
    code = "not_your_product"
    zh, en = "只能管理本单位的产品", "This product belongs to another supplier"


class NotASupplier(Conflict):
    code = "not_a_supplier"
    zh, en = "本单位没有供应商身份", "Your organisation is not a supplier"


class NameTaken(Conflict):
    code = "product_name_taken"
    zh, en = "本单位已有同名产品", "Your organisation has a product of this name already"


class SkuCodeTaken(Conflict):
    code = "sku_code_taken"
    zh, en = "该规格编码已被使用", "This SKU code is taken"


class BarcodeTaken(Conflict):
    code = "barcode_taken"
    zh, en = "本单位另一规格已使用该商品条码", "Another of your packs has this barcode"


class UnknownOrigin(Invalid):
    code = "unknown_origin"
    zh, en = "产地不是重庆市现行的区县或其乡镇", "The origin is not a district of Chongqing in force, or a township in it"


class PriceNeedsReview(Conflict):
    """``ceiling`` is the highest price of this pack that applies at once, in yuan."""

    code = "price_needs_review"
    zh, en = (
        "价格高于同类产品，须先提交调价审核（不经审核的最高价为 {ceiling} 元）",
        "The price lies above that of comparable goods: ask for a price review (without one it is at most {ceiling} yuan)",
    )


class CertifiedFrozen(Conflict):
    """A certificate speaks of one product of one name from one place: changing these would pass it on to something else."""

    code = "certified_frozen"
    zh, en = (
        "产品已认定或正在认定，不能修改：{fields}",
        "The product is certified or under certification; these cannot change: {fields}",
    )


class UnderReview(Conflict):
    """Reviewers and the public look at the packs and prices of an application."""

    code = "under_review"
    zh, en = (
        "产品正在认定审核中，规格和价格暂不能修改；可先撤回申请",
        "The product is under certification: its packs and prices stay as they are until that ends; the application can be withdrawn",
    )


CONSTRAINTS["uq_product_supplier_id_name"] = NameTaken
CONSTRAINTS["uq_sku_code"] = SkuCodeTaken
CONSTRAINTS["uq_sku_barcode_of_barcode"] = BarcodeTaken
