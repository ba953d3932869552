"""What each kind of notification says, in both languages. ``{placeholders}`` are filled from the notification's data."""

from collections.abc import Mapping
from typing import Any

from shop.core.errors import Language

#: kind -> (Chinese, English)
TEXTS: Mapping[str, tuple[str, str]] = {
    "acceptance.recorded": ("订单 {number} 的到货已验收", "A delivery of order {number} was accepted"),
    "certificate.issued": ("产品“{product}”已通过认定，证书编号 {number}", "“{product}” is certified; certificate {number}"),
    "certificate.reinstated": ("证书 {number} 已恢复", "Certificate {number} is in force again"),
    "certificate.revoked": ("证书 {number} 已撤销：{reason}", "Certificate {number} was revoked: {reason}"),
    "certificate.suspended": ("证书 {number} 已暂停：{reason}", "Certificate {number} was suspended: {reason}"),
    "certification.certified": ("产品“{product}”已通过认定", "“{product}” is certified"),
    "certification.decided": (
        "产品“{product}”的认定申请已有结果：{result}",
        "The application for “{product}” was decided: {result}",
    ),
    "certification.noticed": ("产品“{product}”的认定公示已开始", "The public notice on “{product}” has begun"),
    "certification.rejected": ("产品“{product}”未通过认定：{reason}", "“{product}” was not certified: {reason}"),
    "certification.returned": (
        "产品“{product}”的认定申请已退回：{reason}",
        "The application for “{product}” was returned: {reason}",
    ),
    "certification.submitted": ("产品“{product}”的认定申请待审核", "An application for “{product}” awaits review"),
    "organisation.approved": ("单位“{name}”的注册已通过审核", "The registration of “{name}” was approved"),
    "organisation.registered": ("新单位“{name}”等待审核", "The registration of “{name}” awaits review"),
    "organisation.rejected": ("单位“{name}”的注册被驳回：{reason}", "The registration of “{name}” was rejected: {reason}"),
    "organisation.resubmitted": ("单位“{name}”已修改并重新提交注册", "“{name}” corrected its registration and submitted it again"),
    "payment.recorded": ("订单 {number} 的付款已登记", "A payment for order {number} was recorded"),
    "purchase_order.cancelled": ("订单 {number} 已取消", "Order {number} was cancelled"),
    "purchase_order.placed": ("收到新订单 {number}", "You have a new order, {number}"),
    "shipment.sent": ("订单 {number} 已发货", "Order {number} was shipped"),
    "supplier_order.confirmed": ("供应商已确认订单 {number}", "The supplier confirmed order {number}"),
    "supplier_order.rejected": ("供应商已拒绝订单 {number}", "The supplier rejected order {number}"),
}


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def told(kind: str, data: Mapping[str, Any], language: Language) -> str:
    """The sentence of a notification. A kind without a text shows its code, so a message is never lost for want of words."""
    texts = TEXTS.get(kind)
    if texts is None:
        return kind
    return texts[0 if language == "zh" else 1].format_map(_Blank(data))
