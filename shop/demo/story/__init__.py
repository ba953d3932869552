"""The story of the demo: from a cooperative's registration to the district's figures, and what a suspension means for open orders."""

from collections.abc import Callable

from shop.demo.story.certification import Certification
from shop.demo.story.ordering import Ordering
from shop.demo.story.suspension import Suspension


class Story(Certification, Ordering, Suspension):
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
    Story.before,
    Story.spreadsheet,
    Story.direct,
    Story.delivery,
    Story.acceptance,
    Story.payment,
    Story.after,
    Story.open_orders,
    Story.suspension,
    Story.choice,
    Story.reinstatement,
    Story.reconciliation,
]
