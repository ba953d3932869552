"""One list of households for many cases: a cooperative's products are grown by the same people."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from catalog.certification.actions.applying import require_editable
from catalog.certification.actions.cases import Outcomes, locked_each
from catalog.certification.errors import ListOfOtherCounty, ListTooLong, NoList
from catalog.certification.models import CertificationCase
from catalog.households import actions as households
from catalog.households.queries import counts
from shop.core.errors import Forbidden, Invalid
from shop.identity.actor import Actor
from shop.regions import queries as regions

#: As many persons as are written in one request, over all cases.
MOST_WRITTEN = 50_000


def share(session: Session, actor: Actor, from_case_id: int, case_ids: Sequence[int]) -> Outcomes:
    """Put the list of one own case in the place of those that other own applications had, each by itself. The same people may stand behind several
    products; a figure of a county counts each of them once.

    Raises:
        NotFound: there is no such case within reach (404). Forbidden: another supplier's (403). NoList: it has no list (409).
        Invalid: it stands among those that are to get its list (422). ListTooLong: more is to be written than one request writes (422).
    """
    if from_case_id in case_ids:
        told = "不能把名单复制给本申请", "a case has its own list already"
        raise Invalid.one(f"case_ids[{list(case_ids).index(from_case_id)}]", "same_case", *told)
    several = locked_each(session, actor, [from_case_id, *case_ids])  # locked like the others: its list stays as it is
    if from_case_id in several.refused:
        raise several.refused[from_case_id]
    source = several.cases.pop(from_case_id)
    if source.supplier_id != actor.organisation_id:
        raise Forbidden
    # a change carries the numbers of its certificate without their list
    counted = counts(session, from_case_id)
    if not counted.persons:
        raise NoList.at("from_case_id")
    several.sift(lambda case: require_editable(actor, case))
    named = regions.both_names(session, [source.district_code])[source.district_code]
    several.sift(lambda case: _refuse_elsewhere(case, source, named))
    if counted.persons * len(several.cases) > MOST_WRITTEN:
        raise ListTooLong.at("case_ids", persons=counted.persons, most=MOST_WRITTEN // counted.persons)
    households.copy(session, actor, source.id, list(several.cases), counted.households, counted.persons)
    return several.outcomes()


def _refuse_elsewhere(case: CertificationCase, source: CertificationCase, named: Mapping[str, Any]) -> None:
    """A household's number tells it apart within its county only."""
    if case.district_code != source.district_code:
        raise ListOfOtherCounty(district=source.district_code, **named)
