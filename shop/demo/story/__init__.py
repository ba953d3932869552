"""The story of the demo: from a cooperative's registration to the district's figures, what a suspension means for open orders,
how institutions buy, how the money goes, what is sold elsewhere, and a month that is closed, published and revised."""

from collections.abc import Callable

from shop.demo.story.buying import Buying
from shop.demo.story.certification import Certification
from shop.demo.story.closing import Closing
from shop.demo.story.elsewhere import Elsewhere
from shop.demo.story.ordering import Ordering
from shop.demo.story.paying import Paying
from shop.demo.story.suspension import Suspension


class Story(Certification, Ordering, Suspension, Buying, Paying, Elsewhere, Closing):
    """The scenes. Each says in its first line what it shows, and returns what happened; one that fails raises ``Surprise``."""


#: The scenes in their order.
SCENES: list[Callable[[Story], str]] = [
    Story.opening,
    Story.registration,
    Story.approval,
    Story.product,
    Story.application,
    Story.households,
    Story.papers,
    Story.township_review,
    Story.departments,
    Story.correction,
    Story.notice,
    Story.objection,
    Story.waiting,
    Story.answer,
    Story.decisions,
    Story.batch,
    Story.certificate,
    Story.news,
    Story.budget,
    Story.before,
    Story.spreadsheet,
    Story.direct,
    Story.delivery,
    Story.acceptance,
    Story.announcement,
    Story.after,
    Story.open_orders,
    Story.suspension,
    Story.choice,
    Story.reinstatement,
    Story.large_purchase,
    Story.quotation_request,
    Story.quotations,
    Story.comparison,
    Story.award,
    Story.agreement,
    Story.signatures,
    Story.call_off,
    Story.pledge,
    Story.basket,
    Story.gift_delivery,
    Story.proof,
    Story.online_payment,
    Story.statement,
    Story.overpayment,
    Story.refund_request,
    Story.invoice,
    Story.outlet,
    Story.settlement_run,
    Story.suppliers_view,
    Story.payout,
    Story.second_statement,
    Story.offline,
    Story.duplicate,
    Story.checklist,
    Story.city_close,
    Story.bulletin,
    Story.late_claim,
    Story.revision,
    Story.unchanged,
    Story.reconciliation,
]
