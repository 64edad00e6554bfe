"""The database no longer lists the values of enums: a new channel or page kind costs no rewrite of a table.

Revision: 0006
Follows: 0005

The program checks the values when it binds them (`storage.types.OneOf`). On SQLite the CHECKs are taken out of the
stored CREATE TABLE statements, as https://www.sqlite.org/lang_altertable.html#otheralter (the last list) describes
for constraints: no row is touched, whatever the size of the archive.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LISTED = {
    ("urls", "state"): ("queued", "leased", "failed", "done", "rejected", "dead"),
    ("urls", "kind"): ("page", "hub", "feed", "sitemap"),
    ("discoveries", "channel"): ("seed", "feed", "sitemap", "hub", "link", "redirect", "import"),
    ("captures", "completeness"): ("complete", "partial", "truncated"),
    ("extractions", "page_kind"): (
        *("article", "live_blog", "hub", "gallery", "video", "cookie_wall", "captcha"),
        *("paywall", "soft_404", "empty", "script_shell", "error_page"),
    ),
    ("relevance", "decision"): ("keep", "review", "reject"),
    ("matches", "relation"): ("copy", "excerpt", "shared_statement", "template"),
    ("judgements", "verdict"): ("same", "different", "unsure"),
    ("story_members", "role"): (
        *("origin", "copy", "edited_copy", "syndicated", "excerpt", "roundup", "update"),
    ),
}
"""What the first schema allowed."""


def upgrade() -> None:
    connection = op.get_bind()
    for (table, column), values in _LISTED.items():
        if connection.dialect.name == "postgresql":
            op.drop_constraint(op.f(_name(table, column)), table, type_="check")
        else:
            _edit(connection, table, _clause(table, column, values), "")


def downgrade() -> None:
    """Raises IntegrityError on PostgreSQL when a row holds a value that the first schema did not know."""
    connection = op.get_bind()
    for (table, column), values in _LISTED.items():
        if connection.dialect.name == "postgresql":
            op.create_check_constraint(
                op.f(_name(table, column)), table, _condition(column, values)
            )
        else:
            _edit(connection, table, "\n)", f"{_clause(table, column, values)}\n)")


def _name(table: str, column: str) -> str:
    return f"ck_{table}_{column}_known"


def _condition(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def _clause(table: str, column: str, values: tuple[str, ...]) -> str:
    """As the first migration left it in the statement: never the first item, so a comma stands before it."""
    return f", \n\tCONSTRAINT {_name(table, column)} CHECK ({_condition(column, values)})"


def _edit(connection: sa.Connection, table: str, old: str, new: str) -> None:
    """Change the stored CREATE TABLE statement of a SQLite table at one place."""
    stored = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)
    ).scalar_one()
    if stored.count(old) != 1:
        raise RuntimeError(f"table {table} is not as the first migration made it: {old.strip()!r}")
    number = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?",
        (stored.replace(old, new), table),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {number + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
