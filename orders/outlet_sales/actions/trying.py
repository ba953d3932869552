"""Trying a file of sales in the background: what an import would make of it, and nothing of it kept. Two events, so that whoever looks meanwhile sees how
far it is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from orders.outlet_sales.actions import importing
from orders.outlet_sales.models import SalesTrial
from orders.outlet_sales.rules import TrialStatus
from orders.outlet_sales.sheets import SALES_CODES, SALES_COLUMNS, SALES_REQUIRED
from shop.core import clock, outbox, sheets, storage, uploads, workbooks
from shop.core.errors import Forbidden, Problem
from shop.core.models import StoredFile
from shop.core.sheet_reader import MAX_ROWS
from shop.identity import tokens
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: So long it can be looked at what came of a trial.
KEPT = timedelta(days=30)


def ask(session: Session, actor: Actor, name: str | None, content: bytes, sheet: str | None) -> int:
    """Have a file tried, with the rights that the asker has when it is; returns the trial's id.

    Raises:
        TooLarge (413): as for every upload.
    """
    file = uploads.keep(session, actor.person, name, content, workbooks.kind(content))
    made = SalesTrial(
        user_id=actor.person,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        file_id=file.id,
        name=file.name,
        sheet=sheet,
        asked_at=clock.now(),
    )
    session.add(made)
    session.flush()
    outbox.publish(session, "sales_trial.asked", trial_id=made.id)
    return made.id


def read(session: Session, trial_id: int) -> None:
    """Count the rows of a file that waits for it. Safe to run twice, as is :func:`attempt`."""
    trial = _locked(session, trial_id, TrialStatus.READING)
    if trial is None:
        return
    try:
        table = sheets.table(_content(session, trial), SALES_COLUMNS, SALES_REQUIRED, MAX_ROWS - 2, SALES_CODES, trial.sheet)
    except Problem as problem:
        _refuse(trial, problem)
        return
    trial.rows, trial.status = len(table.rows), TrialStatus.TRYING
    outbox.publish(session, "sales_trial.read", trial_id=trial_id)


def attempt(session: Session, trial_id: int) -> None:
    """Import the file and keep nothing of it but what came of it."""
    trial = _locked(session, trial_id, TrialStatus.TRYING)
    if trial is None:
        return
    actor = tokens.actor_of_user(session, trial.user_id)
    if trial.scopes is not None:
        actor = replace(actor, scopes=frozenset(trial.scopes))
    try:
        if not actor.may(Permission.OUTLETS_MANAGE):
            raise Forbidden
        found = importing.import_file(session, actor, trial.name, _content(session, trial), trial.sheet, dry_run=True)
    except Problem as problem:
        _refuse(trial, problem)
        return
    trial.result, trial.status, trial.done_at = found.model_dump(), TrialStatus.DONE, clock.now()


def forget_old(session: Session) -> None:
    """Drop what came of trials a month ago."""
    session.execute(delete(SalesTrial).where(col(SalesTrial.asked_at) < clock.now() - KEPT))


def _locked(session: Session, trial_id: int, status: TrialStatus) -> SalesTrial | None:
    """A trial, locked, if it is so far and no further."""
    statement = select(SalesTrial).where(col(SalesTrial.id) == trial_id, col(SalesTrial.status) == status)
    return session.exec(statement.with_for_update()).first()


def _content(session: Session, trial: SalesTrial) -> bytes:
    return storage.get(session.get_one(StoredFile, trial.file_id).storage_key)


def _refuse(trial: SalesTrial, problem: Problem) -> None:
    told: dict[str, Any] = {"zh": problem.told("zh"), "en": problem.told("en")}
    trial.problem, trial.status, trial.done_at = told, TrialStatus.REFUSED, clock.now()
