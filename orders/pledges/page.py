"""The public check of a proof as a page for people."""

from html import escape

from orders.pledges.schemas import PublicProofOut
from orders.pledges.states import ProofState
from shop.core import check_page
from shop.core.money import yuan_from_fen

_COLOURS = {ProofState.VALID: check_page.GOOD, ProofState.CHANGED: check_page.CHANGED}

UNKNOWN = check_page.unknown("证明", "proof")


def page(zh: PublicProofOut, en: PublicProofOut) -> str:
    """The page, from the same answer in both languages."""
    changed = zh.state is ProofState.CHANGED
    rows = [
        ("证明编号 No.", zh.number),
        ("采购单位 Buyer", f"{zh.organisation_name} ({zh.organisation_uscc})"),
        ("承诺 Pledge", f"{zh.pledge_number} {zh.title}"),
        ("方式 Kind", f"{zh.kind_label} · {en.kind_label}"),
        ("期限 Period", f"{zh.valid_from.isoformat()} – {zh.valid_until.isoformat()}"),
        ("出具日期 Issued", zh.issued_on.isoformat()),
        ("证明金额 Amount", f"¥{yuan_from_fen(zh.amount)}"),
        ("现金额 Now", f"¥{yuan_from_fen(zh.amount_now)}" if changed else None),
        ("已退回或移出 Taken back", f"¥{yuan_from_fen(zh.taken_back)}" if zh.taken_back else None),
        *(
            (f"{each.name} {same.name}", f"¥{yuan_from_fen(each.amount)}")
            for each, same in zip(zh.districts, en.districts, strict=True)
        ),
        ("新证明 Replaced by", zh.superseded_by),
        ("SHA-256", zh.sha256),
    ]
    return check_page.found(
        title="消费帮扶购买证明查验 <small>Check of a proof of purchase</small>",
        number=zh.number,
        colour=_COLOURS.get(zh.state, check_page.BAD),
        state=(zh.state_label, en.state_label),
        rows=rows,
        note=f"{escape(zh.statement)}<br><small>{escape(en.statement)}</small>",
    )
