"""What changes of the catalogue may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid


class ProductFaulty(Invalid):
    code = "product_faulty"
    zh = "产品信息有误"
    en = "The product is not valid"


class NameTaken(Conflict):
    code = "product_name_taken"
    zh = "本单位已有同名产品"
    en = "The supplier has a product of this name already"


class SkuCodeTaken(Conflict):
    code = "sku_code_taken"
    zh = "该规格编码已被使用"
    en = "This SKU code is taken"


class UnknownOrigin(Invalid):
    code = "unknown_region"
    zh = "产地代码不存在"
    en = "There is no region of this code"


class CertifiedFrozen(Conflict):
    """What a certificate was issued for cannot be changed behind its back."""

    code = "certified_frozen"
    zh = "产品已认定或正在认定，名称、类别和产地不能直接修改"
    en = "The product is certified or under review: name, category and origin cannot be changed"


class Withdrawn(Conflict):
    code = "product_withdrawn"
    zh = "产品已下架"
    en = "The product was withdrawn"


CONSTRAINTS["uq_product_supplier_id_name"] = NameTaken
CONSTRAINTS["uq_sku_code"] = SkuCodeTaken
CONSTRAINTS["fk_product_district_code"] = UnknownOrigin
CONSTRAINTS["fk_product_township_code"] = UnknownOrigin
