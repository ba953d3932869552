"""What beat wakes the workers for, and how often. A tick that no worker takes within its interval is dropped."""

from typing import Any

#: Of what waits in Redis the lowest number goes first: what a person waits for, then all else in its order.
AWAITED_PRIORITY, PRIORITY = 0, 6


def _every(seconds: int, task: str, **options: Any) -> dict[str, Any]:
    return {"task": task, "schedule": float(seconds), "options": {"expires": max(seconds, 5), **options}}


SCHEDULE: dict[str, dict[str, Any]] = {
    "relay": _every(1, "outbox.relay"),
    "relay_awaited": _every(1, "outbox.relay_awaited", priority=AWAITED_PRIORITY),
    "heartbeat": _every(10, "workers.beat_heart"),
    # a thousand cost as much in one as in three; the fewer wait, the less each figure reads of the ledger
    "refresh": _every(2, "statistics.refresh"),
    "recount": _every(5, "panels.recount"),
    "send_mail": _every(5, "notifications.send_mail"),
    "put_changes_in_order": _every(1, "changes.put_in_order"),
    "ask_provider": _every(1, "online.ask"),
    "reconcile_online": _every(60, "online.reconcile"),
    "remind_of_unknown": _every(600, "online.remind"),
    "send_webhooks": _every(2, "webhooks.send"),
    "end_suspensions": _every(60, "certificates.end_suspensions"),
    "release_unconfirmed": _every(60, "orders.release_unconfirmed"),
    "expire_amendments": _every(60, "orders.expire_amendments"),
    "accept_overdue": _every(60, "orders.accept_overdue"),
    "tell_of_closed": _every(30, "sourcing.tell_of_closed"),
    "remind_of_quotations": _every(600, "sourcing.remind"),
    "watch_capacity": _every(600, "supervision.watch_capacity"),
    "remind": _every(1800, "monitoring.remind"),
    "draft_call_offs": _every(600, "agreements.draft_call_offs"),
    "remind_of_reserved_shares": _every(3600, "reserved_share.remind"),
    "remind_of_reports": _every(3600, "reports.remind"),
    "remind_of_pledges": _every(3600, "pledges.remind"),
    "match_bank_lines": _every(600, "banking.match_open"),
    "match_books": _every(600, "books.match"),
    "expire_vouchers": _every(600, "bookings.expire"),
    "watch_outlets": _every(600, "outlets.watch"),
    "remind_of_dues": _every(1800, "terms.remind"),
    "remind_of_disputes": _every(1800, "disputes.remind"),
    "settle": _every(3600, "settlements.run"),
    "seal": _every(30, "audit.seal"),
    "tidy": _every(3600, "workers.tidy"),
    "reconcile": _every(3600, "reconcile.run"),
    "reconcile_asked": _every(5, "reconcile.asked"),
    "check_data": _every(1800, "ties.check"),
    "answer_schedules": _every(60, "exports.answer_schedules"),
    "expire_exports": _every(600, "exports.expire"),
}
