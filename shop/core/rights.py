"""What the role may do in the database that the API and the workers connect as.

The tables belong to another role, which only ``shop migrate`` uses. So not even a fault of the program, or somebody who gets hold of its
password, can change what was booked or recorded: the triggers that refuse it could be switched off by the owner alone.
"""

from psycopg import sql
from sqlalchemy import Connection, create_engine, text

#: Tables that rows are only ever added to; a trigger of each refuses the rest, and the role has no right to try.
APPEND_ONLY = (
    "audit_event",
    "audit_seal",
    "bulletin_file",
    "certificate_event",
    "certification_opinion",
    "certification_step",
    "close_explanation",
    "closed_month",
    "commission_rule",
    "contract",
    "credit_note",
    "credit_note_line",
    "figure_explanation",
    "loss_share",
    "money_posting",
    "money_transaction",
    "month_close",
    "report_step",
    "sale_entry",
    "settlement_held",
    "settlement_line",
    "stock_movement",
    "target_revision",
)
#: Tables that only migrations write.
READ_ONLY = ("alembic_version",)


_NO_ROLE = text("SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)")


class UnfitRole(Exception):
    """The role cannot be limited; the text says why, in one line."""


def grant(url: str, role: str, password: str = "") -> None:
    """Give a login role what the API and the workers need, and take back everything else; to be done again after every migration. With a
    password the role is made where there is none, and logs in with it.

    Raises:
        UnfitRole: there is no such role, it cannot log in, or it may do everything anyway; then nothing was changed.
    """
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            if password and connection.execute(_NO_ROLE, {"role": role}).scalar_one():
                raw.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            _require_fit(connection, role)
            if password:
                raw.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
            for statement in _statements(connection, role):
                raw.execute(statement)
            _require_withheld(connection, role)
    finally:
        engine.dispose()


def _require_fit(connection: Connection, role: str) -> None:
    found = connection.execute(
        text(
            """
            SELECT r.rolcanlogin, r.rolsuper, r.rolcreaterole,
                   EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S')
                           AND pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owns
            FROM pg_roles r WHERE r.rolname = :role
            """
        ),
        {"role": role},
    ).first()
    if found is None:
        raise UnfitRole(f"there is no role {role}; make one: CREATE ROLE {role} LOGIN PASSWORD '…'")
    if not found.rolcanlogin:
        raise UnfitRole(f"{role} cannot log in")
    if found.rolsuper or found.rolcreaterole or found.owns:
        raise UnfitRole(f"{role} owns the tables or may give itself every right; use a role of its own for the API")


def _require_withheld(connection: Connection, role: str) -> None:
    """What everybody may do, or a role that this one belongs to, it may do too."""
    left = connection.execute(
        text(
            "SELECT string_agg(name, ', ' ORDER BY name) FROM unnest(CAST(:tables AS text[])) AS name"
            " WHERE has_table_privilege(:role, 'public.' || quote_ident(name), 'UPDATE, DELETE, TRUNCATE')"
            " OR has_any_column_privilege(:role, 'public.' || quote_ident(name), 'UPDATE')"
        ),
        {"tables": list(APPEND_ONLY), "role": role},
    ).scalar_one()
    if left:
        raise UnfitRole(f"{role} may still change {left}, by what PUBLIC or another role gives it")


def _statements(connection: Connection, role: str) -> list[sql.Composed]:
    tables = set(
        connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')")
        ).scalars()
    )
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    added = sorted(tables.intersection(APPEND_ONLY))
    free = sorted(tables.difference(APPEND_ONLY, READ_ONLY))
    who = sql.Identifier(role)

    def said(statement: str, names: list[str] | None = None) -> sql.Composed:
        listed = sql.SQL(", ").join(sql.Identifier("public", name) for name in names or [])
        return sql.SQL(statement).format(tables=listed, role=who, database=sql.Identifier(database))

    return [
        said("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"),
        said("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}"),
        said("REVOKE ALL ON SCHEMA public FROM {role}"),
        said("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        said("GRANT CONNECT ON DATABASE {database} TO {role}"),
        said("GRANT USAGE ON SCHEMA public TO {role}"),
        said("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"),
        said("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"),
        said("GRANT INSERT ON {tables} TO {role}", added),
        said("GRANT INSERT, UPDATE, DELETE ON {tables} TO {role}", free),
    ]
