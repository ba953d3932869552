"""Importing a statement: its new lines are written and booked with a few statements, however many there are; all of it or nothing."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking import rules
from orders.banking.actions.reading import TOLD, Parsed, fingerprint, parse
from orders.banking.errors import LineChanged, LineTooEarly, NoAccount, StatementGap
from orders.banking.layouts import Found
from orders.banking.models import BankStatement
from orders.banking.queries.facts import HELD_ON
from orders.banking.rules import Entry
from orders.banking.schemas.statements import HowRead
from orders.money import actions as money
from orders.money.queries.reach import require_keeper
from orders.money.rules import Account, Kind, Place, carry
from shop.core import audit, clock, locks, outbox, sheets, uploads, workbooks
from shop.core.errors import Fault, Problem
from shop.core.money import yuan_from_fen
from shop.core.settings import settings
from shop.core.sheets import plain_code
from shop.identity.actor import Actor

_SAME = text("SELECT id, closing_fen FROM bank_statement WHERE account = :account AND sha256 = :sha256")
_HELD = text(
    """
    SELECT (array_agg(from_on ORDER BY id))[1] AS first_on, max(to_on) AS latest_on, (array_agg(balance_fen ORDER BY id DESC))[1] AS balance_fen
    FROM bank_statement WHERE account = :account HAVING count(*) > 0
    """
)
#: What the account held by the lines of a day, the last first; and whether it ever held so much on that day.
_HELD_ON = text(
    f"""
    SELECT (min(h.fen) FILTER (WHERE h.place = 1))::bigint AS last, coalesce(bool_or(h.fen = :closing), false) AS held
    FROM ({HELD_ON.format(account=":account", day="CAST(:day AS date)", held="CAST(:held AS bigint)", until="NULL::bigint")}) h
    """  # noqa: S608
)
_KNOWN = text("SELECT key FROM bank_line WHERE account = :account AND key = ANY (:keys)")
#: Lines that are known by a serial number of a file, but not as the file tells them.
_TOLD_OTHERWISE = text(
    """
    SELECT serial, amount_fen, booked_on FROM bank_line WHERE account = :account AND serial = ANY (:serials) AND NOT key = ANY (:keys) ORDER BY id
    """
)
_WRITE = text(
    """
    INSERT INTO bank_line (statement_id, account, key, row_no, booked_on, amount_fen, balance_fen, serial, payer_name, payer_account,
        payer_bank, text, reversal, matched_fen)
    SELECT :statement_id, :account, u.key, u.row_no, u.booked_on, u.amount_fen, u.balance_fen, u.serial, u.name, u.account, u.bank, u.text, u.reversal, 0
    FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS u (key text, row_no int, booked_on date, amount_fen bigint, balance_fen bigint,
        serial text, name text, account text, bank text, text text, reversal boolean)
    ON CONFLICT (account, key) DO NOTHING RETURNING id, amount_fen, booked_on
    """
)
_COUNT = text("UPDATE bank_statement SET new_count = :new, balance_fen = :balance WHERE id = :id")
_KEEP_COLUMNS = text(
    """
    INSERT INTO bank_columns (fingerprint, columns, saved_by, saved_at) VALUES (:fingerprint, CAST(:columns AS jsonb), :user_id, :now)
    ON CONFLICT (fingerprint) DO UPDATE SET columns = excluded.columns, saved_by = excluded.saved_by, saved_at = excluded.saved_at
    """
)
_KINDS = {"camt053": uploads.XML, "mt940": uploads.TEXT}


def own_account() -> str:
    """The marketplace's account.

    Raises:
        NoAccount: none is set (409).
    """
    account = settings().bank_account_number
    if account is None:
        raise NoAccount
    return account


def look(session: Session, actor: Actor, content: bytes, how: HowRead) -> tuple[Parsed, int]:
    """What an import would do, and how many lines would be new. Changes nothing.

    Raises:
        Forbidden: see :func:`require_keeper` (403). NoAccount: see there (409).
    """
    require_keeper(actor)
    account = own_account()
    parsed = parse(session, content, how, account)
    entries = parsed.statement.entries if parsed.statement else ()
    new = new_of(session, account, entries)
    if parsed.problem is None:
        try:
            if not _same(session, _file(account, content, how.sheet), parsed):
                follow_on(session, account, parsed, new)
        except Problem as problem:
            parsed.problem = problem
    return parsed, len(new)


def import_statement(session: Session, actor: Actor, name: str | None, content: bytes, how: HowRead) -> int:
    """Import a statement of the marketplace's account; returns its id, for the same file that of before. Lines that another statement
    has shown are left alone. Matching follows when the import is committed.

    Statements of one account are imported one after another; a unique key of each line holds besides.

    Raises:
        Forbidden: see :func:`require_keeper` (403). NoAccount: see there (409).
        UnreadableFile, HeaderNotFound, StatementUnreadable, NoLines, OtherAccount, OtherCurrency, LineInFuture, BalanceBroken,
        BalanceMissing: the file (422). LineTooEarly (422), LineChanged, StatementGap (409): see :func:`follow_on`.
    """
    require_keeper(actor)
    account = own_account()
    parsed = parse(session, content, how, account)
    if parsed.problem:
        raise parsed.problem
    assert parsed.statement is not None
    take_turns(session, account)
    told = _file(account, content, how.sheet)
    if same := _same(session, told, parsed):
        return same
    entries = parsed.statement.entries
    balance = follow_on(session, account, parsed, new_of(session, account, entries))
    file = uploads.keep(session, actor.user_id, name, content, _KINDS.get(parsed.format) or workbooks.kind(content))
    made = BankStatement(
        **told,
        file_id=file.id,
        name=file.name,
        format=parsed.format,
        layout=parsed.found.layout if parsed.found else None,
        from_on=min(entry.booked_on for entry in entries),
        to_on=max(entry.booked_on for entry in entries),
        line_count=len(entries),
        new_count=0,
        opening_fen=parsed.opening_fen,
        closing_fen=parsed.closing_fen,
        balance_fen=0,
        imported_by=actor.user_id or 0,
        imported_at=clock.now(),
    )
    session.add(made)
    session.flush()
    new = write(session, made.id, account, entries)
    session.execute(_COUNT, {"id": made.id, "new": len(new), "balance": balance})
    bank, unallocated = Place(Account.BANK), Place(Account.UNALLOCATED)
    receipts = {row.id: carry(row.amount_fen, to=bank, out_of=unallocated) for row in new}
    # the account held it on the bank's day, whenever the statement came
    money.book_each(session, Kind.RECEIPT, receipts, {row.id: row.booked_on for row in new})
    if how.columns and how.columns.save and parsed.found:
        _keep_columns(session, actor, parsed.headers, parsed.found)
    audit.record(
        session,
        actor,
        "bank_statement.imported",
        "bank_statement",
        made.id,
        sha256=told["sha256"],
        lines=len(entries),
        new=len(new),
    )
    outbox.publish(session, "bank_statement.imported", bank_statement_id=made.id, after=0)
    return made.id


def _file(account: str, content: bytes, sheet: str | None) -> dict[str, Any]:
    # the sheets of one file are as many files
    return {"account": account, "sha256": hashlib.sha256(content + plain_code(sheet or "").encode()).hexdigest()}


def _same(session: Session, told: dict[str, Any], parsed: Parsed) -> int | None:
    """The statement that the same file made before.

    Raises:
        StatementGap: somebody gives it another closing balance now (409): it is told of another time, by lines that look alike.
    """
    row = session.execute(_SAME, told).first()
    if row and row.closing_fen != parsed.closing_fen:
        raise StatementGap.at("closing_balance", **_apart(row.closing_fen, parsed))
    return int(row.id) if row else None


def new_of(session: Session, account: str, entries: Sequence[Entry]) -> list[Entry]:
    """The lines that no statement has shown yet."""
    keys = rules.keys(entries)
    known = set(session.execute(_KNOWN, {"account": account, "keys": keys}).scalars())
    return [entry for key, entry in zip(keys, entries, strict=True) if key not in known]


def follow_on(session: Session, account: str, parsed: Parsed, new: Sequence[Entry]) -> int:
    """What the account holds (fen) once the new lines of a statement are in.

    Raises:
        LineTooEarly: new lines lie before the first statement, or long before the latest day (422). LineChanged: a line is told with another
        amount than before (409). StatementGap: something between this statement and the one before is missing (409).
    """
    row = session.execute(_HELD, {"account": account}).first()
    held = rules.Held(row.first_on, row.latest_on, row.balance_fen) if row else None
    if held and (faults := [_too_early(entry, held) for entry in new if entry.booked_on < rules.earliest_new(held)]):
        raise LineTooEarly(count=len(faults), faults=faults[:TOLD])
    balance = (held.balance_fen if held else parsed.opening_fen) + sum(entry.amount_fen for entry in new)
    follows = balance == parsed.closing_fen
    if faults := _changed(session, account, parsed, new, same_day=follows):
        raise LineChanged(count=len(faults), faults=faults[:TOLD])
    if new and not follows:
        zh, en = "在此之前缺少流水，余额不连续", "lines before it are missing, the balance does not follow on"
        raise _gap(balance, parsed, new[0].row_no, zh, en)
    if not new:
        _require_held(session, account, parsed, balance)
    return balance


def _require_held(session: Session, account: str, parsed: Parsed, balance: int) -> None:
    """A part of what is held closes with what the account held once: after all lines of its last day, or after one of them."""
    assert parsed.statement is not None
    entries = parsed.statement.entries
    day = max(entry.booked_on for entry in entries)
    found = session.execute(_HELD_ON, {"account": account, "day": day, "held": balance, "closing": parsed.closing_fen}).one()
    if not found.held:
        zh = "各笔均与已导入流水相同，余额却不符；如另有完全相同的一笔，请导入同时列出各笔的对账单"
        en = "every line looks like one that was imported, yet the balance is another; of equal lines import a statement that shows them all"
        raise _gap(found.last, parsed, entries[-1].row_no, zh, en)


def _gap(balance: int, parsed: Parsed, row_no: int, zh: str, en: str) -> StatementGap:
    """What does not follow on at a row, or by the closing balance that somebody gave."""
    assert parsed.statement is not None
    told, apart = parsed.statement, _apart(balance, parsed)
    if told.closing_fen is None and told.entries[0].balance_fen is None and told.entries[-1].balance_fen is None:
        return StatementGap.at("closing_balance", **apart)
    return StatementGap(**apart, faults=[sheets.fault(row_no, "balance", StatementGap.code, zh, en)])


def _apart(balance: int, parsed: Parsed) -> dict[str, Any]:
    return {"expected": yuan_from_fen(balance), "found": yuan_from_fen(parsed.closing_fen)}


def _too_early(entry: Entry, held: rules.Held) -> Fault:
    if entry.booked_on < held.first_on:
        zh, en = f"日期早于首份对账单的起始日（{held.first_on}）", f"it lies before the first statement begins ({held.first_on})"
        return sheets.fault(entry.row_no, "date", "before_first_statement", zh, en)
    zh = f"日期比已导入的最后日期（{held.latest_on}）早 {rules.LATE_DAYS} 天以上"
    en = f"it lies more than {rules.LATE_DAYS} days before the latest day that was imported ({held.latest_on})"
    return sheets.fault(entry.row_no, "date", "long_before_last_statement", zh, en)


def _changed(session: Session, account: str, parsed: Parsed, new: Sequence[Entry], *, same_day: bool) -> list[Fault]:
    """Lines of which a serial number is known with another amount, ``same_day``: of the same day only, as some banks count anew each day. A transfer
    and its fee may share one: what the file tells as before stands."""
    assert parsed.statement is not None
    serials = [entry.serial for entry in new if entry.serial]
    asked = {"account": account, "serials": serials, "keys": rules.keys(parsed.statement.entries)}
    before = {(row.serial, row.booked_on if same_day else None): row.amount_fen for row in session.execute(_TOLD_OTHERWISE, asked)}
    faults = []
    for entry in new:
        known = before.get((entry.serial, entry.booked_on if same_day else None))
        if known is not None and known != entry.amount_fen:
            was, now = yuan_from_fen(known), yuan_from_fen(entry.amount_fen)
            zh = f"流水号 {entry.serial} 已导入的金额为 {was} 元，对账单为 {now} 元"
            en = f"serial number {entry.serial} was imported with {was} yuan, the statement says {now}"
            faults.append(sheets.fault(entry.row_no, "amount", "amount_changed", zh, en))
    return faults


def take_turns(session: Session, account: str) -> None:
    """Let nobody else import a statement of the account until this transaction ends."""
    locks.hold(session, f"bank_statement:{account}")


def write(session: Session, statement_id: int, account: str, entries: Sequence[Entry]) -> Sequence[Any]:
    """Write the lines that are not known yet; returns id, amount and day of each."""
    lines = [
        {
            "key": key,
            "row_no": entry.row_no,
            "booked_on": str(entry.booked_on),
            "amount_fen": entry.amount_fen,
            "balance_fen": entry.balance_fen,
            "serial": entry.serial,
            "name": entry.name,
            "account": entry.account,
            "bank": entry.bank,
            "text": entry.text,
            "reversal": entry.reversal,
        }
        for key, entry in zip(rules.keys(entries), entries, strict=True)
    ]
    values = {"statement_id": statement_id, "account": account, "lines": json.dumps(lines, ensure_ascii=False)}
    return session.execute(_WRITE, values).all()


def _keep_columns(session: Session, actor: Actor, headers: Sequence[str], found: Found) -> None:
    session.execute(
        _KEEP_COLUMNS,
        {
            "fingerprint": fingerprint(headers),
            "columns": json.dumps({column: list(places) for column, places in found.columns.items()}),
            "user_id": actor.user_id,
            "now": clock.now(),
        },
    )
