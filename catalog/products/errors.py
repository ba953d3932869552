"""What changes of the catalogue may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class NotASupplier(Conflict):
    code = "not_a_supplier"
    zh = "本单位没有供应单位身份"
    en = "The organisation is not registered as a supplier"


class NotYourProduct(Forbidden):
    code = "not_your_product"
    zh = "这不是本单位的产品"
    en = "The product belongs to another supplier"


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


class OriginCertified(Conflict):
    """What a certificate was issued for cannot be changed behind its back."""

    code = "origin_certified"
    zh = "产品已认定或正在认定，不能直接修改：{fields}"
    en = "The product is certified or under review: these cannot be changed: {fields}"


CONSTRAINTS["uq_product_supplier_id_name"] = NameTaken
CONSTRAINTS["uq_sku_code"] = SkuCodeTaken
CONSTRAINTS["fk_product_district_code"] = UnknownOrigin
CONSTRAINTS["fk_product_township_code"] = UnknownOrigin
