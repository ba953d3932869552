"""Notifications by mail: a row for each person who is to have one, and the sending of what is due.

A sender claims one row (attempt counted, lease taken, committed), hands the mail over and marks the row. Killed in between, the row is due
again after the lease: a mail may come twice, with the same Message-ID, but is never lost.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core import clock, mail, storage
from shop.core.db import Database
from shop.core.settings import settings
from shop.identity.permissions import REGIONAL
from shop.notifications import rules

log = structlog.get_logger()

#: How long a claimed mail is left to its sender; longer than a talk with the slowest server.
LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8
#: How long nothing is tried after the server could not be used.
PAUSE = timedelta(minutes=1)
#: After so many seconds a round ends, so that it does not keep a worker from other work.
ROUND_SECONDS = 20

#: The same people as ``queries.addressed_to``, less those without an address and those who switched the kind off.
_FAN_OUT = text(
    """
    WITH told AS (SELECT id, kind, organisation_id, region_code, user_id FROM notification WHERE id = :id),
    audience AS (
        SELECT u.id FROM told JOIN app_user u ON u.organisation_id = told.organisation_id
        UNION
        SELECT user_id FROM told WHERE user_id IS NOT NULL
        UNION
        SELECT r.user_id FROM told JOIN user_role r ON r.region_code = told.region_code AND r.role = ANY (:offices))
    INSERT INTO notification_mail (notification_id, user_id, status, next_attempt_at)
    SELECT told.id, u.id, 'pending', :now FROM told CROSS JOIN audience JOIN app_user u ON u.id = audience.id
    WHERE u.active AND u.email IS NOT NULL AND NOT EXISTS (
        SELECT FROM notification_preference p WHERE p.user_id = u.id AND p.kind = told.kind AND NOT p.email)
    ON CONFLICT (notification_id, user_id) DO NOTHING
    """
)
_CLAIM = text(
    """
    WITH due AS MATERIALIZED (
        SELECT id FROM notification_mail WHERE status = 'pending' AND next_attempt_at <= :now
        ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),
    claimed AS (
        UPDATE notification_mail m SET attempts = attempts + 1, next_attempt_at = :lease_ends,
               status = CASE WHEN attempts >= :max THEN 'failed' ELSE 'pending' END
        FROM due WHERE m.id = due.id RETURNING m.id, m.notification_id, m.user_id, m.attempts)
    SELECT c.id, c.notification_id, c.user_id, c.attempts, n.kind, n.data, n.attachment, n.subject_type, n.subject_id, n.at, u.email, u.language,
           u.active AND u.email IS NOT NULL AND NOT EXISTS (
               SELECT FROM notification_preference p WHERE p.user_id = u.id AND p.kind = n.kind AND NOT p.email) AS wanted
    FROM claimed c JOIN notification n ON n.id = c.notification_id JOIN app_user u ON u.id = c.user_id
    """
)
#: Once handed over it is sent, whatever another sender has written meanwhile.
_SENT = text("UPDATE notification_mail SET status = 'sent', sent_at = :now, last_error = NULL WHERE id = :id AND status <> 'sent'")
#: A failure counts only if no other sender has claimed the row since.
_NOT_SENT = text(
    "UPDATE notification_mail SET status = :status, next_attempt_at = :next, last_error = :error"
    " WHERE id = :id AND status = 'pending' AND attempts = :attempts"
)
_PAUSE = text(
    "UPDATE notification_mail SET next_attempt_at = :until WHERE id IN ("
    " SELECT id FROM notification_mail WHERE status = 'pending' AND next_attempt_at < :until FOR UPDATE SKIP LOCKED)"
)


def fan_out(session: Session, notification_id: int) -> None:
    """Make a mail for everybody who is to hear of a notification; made twice, it is one."""
    session.execute(_FAN_OUT, {"id": notification_id, "offices": sorted(REGIONAL), "now": clock.now()})


def send_due(database: Database, carrier: mail.Carrier | None = None) -> int:
    """Send the mails that are due, for some seconds; returns how many were sent. Any number of senders may run at once."""
    sent, ends = 0, time.monotonic() + ROUND_SECONDS
    with carrier or mail.carrier() as carrying:
        while time.monotonic() < ends:
            claimed = claim(database)
            if claimed is None:
                break
            try:
                sent += _send(database, carrying, claimed)
            except mail.Unreachable as error:
                log.warning("mail_server_unreachable", error=str(error))
                with database.unit_of_work() as session:
                    session.execute(_PAUSE, {"until": clock.now() + PAUSE})
                break
    return sent


def claim(database: Database) -> Row[Any] | None:
    """Take the mail that is due for the longest time, for one lease; None when none is due."""
    with database.unit_of_work() as session:
        now = clock.now()
        return session.execute(_CLAIM, {"now": now, "lease_ends": now + LEASE, "max": MAX_ATTEMPTS}).first()


def _send(database: Database, carrying: mail.Carrier, claimed: Row[Any]) -> bool:
    if claimed.attempts > MAX_ATTEMPTS:
        return False  # its senders were killed each time; the claim has parked it
    if not claimed.wanted:
        _give_up(database, claimed, "the person does not want it any more, or left")
        return False
    try:
        carrying.carry(_composed(claimed))
    except mail.Refused as refusal:
        _give_up(database, claimed, str(refusal))
        return False
    except mail.Postponed as refusal:
        _try_later(database, claimed, str(refusal))
        return False
    except mail.Unreachable as error:
        _try_later(database, claimed, str(error))
        raise
    with database.unit_of_work() as session:
        session.execute(_SENT, {"id": claimed.id, "now": clock.now()})
    return True


def _composed(claimed: Row[Any]) -> EmailMessage:
    # a line break in somebody's product name must not begin a header, nor a line that looks like ours
    sentence = mail.one_line(rules.told(claimed.kind, claimed.data, claimed.language))
    return mail.compose(
        to=claimed.email,
        subject=sentence,
        body=rules.mail_body(
            sentence,
            claimed.kind,
            claimed.data,
            claimed.subject_type,
            claimed.subject_id,
            claimed.language,
            settings().public_url,
        ),
        language=claimed.language,
        # the moment tells it from a mail of another database that counts the same ids
        message_id=f"{claimed.at:%Y%m%d%H%M%S%f}.{claimed.notification_id}.{claimed.user_id}",
        at=claimed.at,
        attachment=_attachment(claimed.attachment),
    )


def _attachment(file: Mapping[str, str] | None) -> mail.Attachment | None:
    """The file that goes along; one that is no longer kept does not, and the link says so."""
    if file is None:
        return None
    try:
        return mail.Attachment(file["name"], file["content_type"], storage.get(file["storage_key"]))
    except FileNotFoundError:
        return None


def _give_up(database: Database, claimed: Row[Any], error: str) -> None:
    _not_sent(database, claimed, "failed", error)


def _try_later(database: Database, claimed: Row[Any], error: str) -> None:
    _not_sent(database, claimed, "failed" if claimed.attempts >= MAX_ATTEMPTS else "pending", error)


def _not_sent(database: Database, claimed: Row[Any], status: str, error: str) -> None:
    later = clock.now() + rules.wait_before_retry(claimed.attempts)
    with database.unit_of_work() as session:
        session.execute(
            _NOT_SENT, {"id": claimed.id, "attempts": claimed.attempts, "status": status, "next": later, "error": error[:500]}
        )
