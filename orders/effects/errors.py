"""What a buyer's choice, or a list of sales, may be refused for."""

from shop.core.errors import Conflict
from shop.core.words import OTHERS


class NoChoiceNeeded(Conflict):
    code = "no_choice_needed"
    zh = "该证书未被暂停、暂扣或撤销，订单照常履行"
    en = "Nothing stands against this certificate; the order goes on as it is"


class NothingOpen(Conflict):
    code = "nothing_open"
    zh = "该订单中此证书的产品已没有未发货的数量"
    en = "Nothing of this certificate is left to ship in this order"


class ChoiceNotAllowed(Conflict):
    code = "choice_not_allowed"
    zh = "当前方案只允许：{allowed}"
    en = "The programme only leaves these choices: {allowed}"
    words = {"allowed": OTHERS}


class PartlyShipped(Conflict):
    code = "partly_shipped"
    zh = "订单已部分发货，不能取消；可在验收时拒收"
    en = "A part of this order was shipped; it cannot be cancelled, but what arrives can be rejected"


class OtherGoods(Conflict):
    code = "other_goods_in_order"
    zh = "订单中还有其他证书的产品，不能只取消其中一部分；可取消整个采购订单"
    en = "This order also holds goods of other certificates and cannot be cancelled in part; the whole purchase order can"


class TooManyForXlsx(Conflict):
    code = "too_many_for_xlsx"
    zh = "共 {entries} 行，超出一张工作表的行数，请导出 CSV"
    en = "A sheet does not hold {entries} rows; export CSV"
