"""The life of a certificate: its state is derived from its dates whenever somebody looks, so it is right at every second.

The rule stands here twice, for a row in hand (:func:`certificate_state`) and for statements over many (:func:`in_force_sql`);
a test holds the two together.
"""

from datetime import date, datetime
from enum import StrEnum

from shop.core.states import StateTable


class CertificateState(StrEnum):
    NOT_YET = "not_yet"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    #: More was sold than it was given for; an officer has to look.
    HELD = "held"
    #: A paper behind it has ended.
    PAPERS_EXPIRED = "papers_expired"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Stop(StrEnum):
    """What stands against a certificate; see :func:`stop_sql`."""

    SUSPENDED = "suspended"
    HELD = "held"
    PAPERS_EXPIRED = "papers_expired"
    REVOKED = "revoked"


class CertificateMove(StrEnum):
    WARN = "warn"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    HOLD = "hold"
    RELEASE = "release"
    OPEN_REVOCATION = "open_revocation"
    REVOKE = "revoke"


class SuspendedBy(StrEnum):
    """Who suspends, the weakest first."""

    COUNTY = "county"
    CITY = "city"
    #: A bar of the supplier (its entry in the blacklist).
    BAR = "bar"


#: The strongest first: what several of them come to is told in the words of the one that lasts longest, and of these of the strongest.
STRONGEST = tuple(reversed(SuspendedBy))

_C, _T = CertificateState, CertificateMove
_LIVE = [_C.NOT_YET, _C.IN_FORCE, _C.SUSPENDED, _C.HELD, _C.PAPERS_EXPIRED]

CERTIFICATE = StateTable(
    "certificate",
    {
        **{(state, _T.WARN): state for state in _LIVE},
        **{(state, _T.SUSPEND): _C.SUSPENDED for state in _LIVE},
        (_C.SUSPENDED, _T.REINSTATE): _C.IN_FORCE,
        **{(state, _T.HOLD): _C.HELD for state in (_C.NOT_YET, _C.IN_FORCE, _C.PAPERS_EXPIRED)},
        (_C.HELD, _T.RELEASE): _C.IN_FORCE,
        **{(state, _T.OPEN_REVOCATION): state for state in _LIVE},
        **{(state, _T.REVOKE): _C.REVOKED for state in _LIVE},
    },
    # until when
    says_more={_T.SUSPEND},
)


def certificate_state(
    *,
    revoked: bool,
    suspended_at: datetime | None,
    suspended_until: datetime | None,
    held: bool,
    valid_from: date,
    valid_until: date,
    papers_valid_until: date | None,
    now: datetime,
    today: date,
) -> CertificateState:
    """The state of a certificate at a moment (``today`` is its date in Shanghai). Its first and last day belong to its time; a suspension
    ends by itself at ``suspended_until``."""
    if revoked:
        return CertificateState.REVOKED
    if today > valid_until:
        return CertificateState.EXPIRED
    if suspended_at is not None and (suspended_until is None or now < suspended_until):
        return CertificateState.SUSPENDED
    if held:
        return CertificateState.HELD
    if papers_valid_until is not None and today > papers_valid_until:
        return CertificateState.PAPERS_EXPIRED
    return CertificateState.NOT_YET if today < valid_from else CertificateState.IN_FORCE


def in_force_sql(c: str) -> str:
    """SQL: certificate ``c`` is in force at ``:now``, a moment of the date ``:today``."""
    return (
        f"({c}.revoked_at IS NULL AND {c}.valid_from <= :today AND {c}.valid_until >= :today"
        f" AND ({c}.suspended_at IS NULL OR {c}.suspended_until <= :now) AND {c}.held_at IS NULL"
        f" AND ({c}.papers_valid_until IS NULL OR {c}.papers_valid_until >= :today))"
    )


def _suspended_sql(c: str) -> str:
    return f"{c}.suspended_at IS NOT NULL AND ({c}.suspended_until IS NULL OR {c}.suspended_until > :now)"


def _papers_expired_sql(c: str) -> str:
    """Those of a certificate that ended by itself do not count: its orders go on."""
    return f"{c}.papers_valid_until < least(:today, {c}.valid_until)"


def stop_sql(c: str) -> str:
    """SQL: what stands against certificate ``c`` at ``:now``, a moment of the date ``:today``: ``revoked``, ``suspended``, ``held``,
    ``papers_expired`` (:class:`Stop`), or null. Unlike its state this does not change when its time ends."""
    return (
        f"CASE WHEN {c}.revoked_at IS NOT NULL THEN 'revoked' WHEN {_suspended_sql(c)} THEN 'suspended'"
        f" WHEN {c}.held_at IS NOT NULL THEN 'held' WHEN {_papers_expired_sql(c)} THEN 'papers_expired' END"
    )


def stopped_at_sql(c: str) -> str:
    """SQL: since when that of :func:`stop_sql` stands; null: there is nothing."""
    return (
        f"CASE WHEN {c}.revoked_at IS NOT NULL THEN {c}.revoked_at WHEN {_suspended_sql(c)} THEN {c}.suspended_at"
        f" WHEN {c}.held_at IS NOT NULL THEN {c}.held_at"
        f" WHEN {_papers_expired_sql(c)} THEN CAST({c}.papers_valid_until + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai' END"
    )


def cause_at_sql(c: str) -> str:
    """SQL: when the last cause came of what :func:`stop_sql` says; null: there is nothing. A certificate that is suspended may be suspended for another
    cause, by another level or a bar."""
    causes = f"SELECT max(since) FROM suspension WHERE certificate_id = {c}.id AND (until IS NULL OR until > :now)"  # noqa: S608
    return (
        f"CASE WHEN {c}.revoked_at IS NULL AND {_suspended_sql(c)} THEN greatest({c}.suspended_at, ({causes}))"
        f" ELSE {stopped_at_sql(c)} END"
    )


def pausing_sql(product: str) -> str:
    """SQL: product ``product`` has a certificate that is suspended or held, and so may come to be in force again, at ``:now`` of ``:today``."""
    return f"EXISTS (SELECT FROM certificate q WHERE q.product_id = {product}.id AND {paused_sql('q')})"


def paused_sql(c: str) -> str:
    """SQL: certificate ``c`` is suspended or held."""
    return f"{state_sql(c)} IN ('suspended', 'held')"


def state_sql(c: str) -> str:
    """SQL: the state of certificate ``c`` at ``:now``, a moment of the date ``:today``; as :func:`certificate_state`."""
    return (
        f"CASE WHEN {c}.revoked_at IS NOT NULL THEN 'revoked' WHEN {c}.valid_until < :today THEN 'expired'"
        f" WHEN {_suspended_sql(c)} THEN 'suspended' WHEN {c}.held_at IS NOT NULL THEN 'held'"
        f" WHEN {c}.papers_valid_until < :today THEN 'papers_expired' WHEN {c}.valid_from > :today THEN 'not_yet' ELSE 'in_force' END"
    )
