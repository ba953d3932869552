"""The words for what lists of single sales are limited to."""

from shop.core.errors import Language

SCOPE: dict[Language, str] = {
    "zh": "仅含本人所辖地区（{regions}）的单笔销售；其他地区的不在其中，列表为空不表示没有销售。",
    "en": "Only single sales from your own region ({regions}); those from elsewhere are left out, and an empty list does not mean that there are none.",
}
