"""The day of publication at the source, of every article.

Revision: 0009
Follows: 0008

Of articles stored by a former version it is the day that was stated, or the date of the time in the UTC offset stated
with it. The zone assumed for a time without one was not kept: there it is the date in UTC, until `aidivide reprocess`
reads the page again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATED = (
    "(SELECT claims.{column} FROM claims WHERE claims.extraction_id = articles.extraction_id "
    "AND claims.field = 'published' AND claims.chosen = {true} ORDER BY claims.position LIMIT 1)"
)
# A day without time begins at midnight of its zone, up to 13 hours before midnight in UTC: 13 hours later it is that day
# in every zone from UTC-10 to UTC+13.
_MINUTES = "CASE WHEN {precision} = 'day' OR {length} > 1 THEN 780 ELSE coalesce({offset}, 0) END"


def upgrade() -> None:
    op.add_column(
        "articles",
        sa.Column(
            "published_day",
            sa.Text(),
            nullable=True,
            comment="Calendar day of publication at the source, YYYY-MM-DD",
        ),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    true = "1" if is_sqlite else "true"
    hours = (
        "(julianday(published_to) - julianday(published_from)) * 24"
        if is_sqlite
        else "extract(epoch FROM published_to - published_from) / 3600"
    )
    minutes = _MINUTES.format(
        precision=_STATED.format(column="precision", true=true),
        offset=_STATED.format(column="offset_minutes", true=true),
        length=hours,
    )
    day = (
        f"date(published_from, ({minutes}) || ' minutes')"
        if is_sqlite
        else f"to_char((published_from AT TIME ZONE 'UTC') + ({minutes}) * interval '1 minute', 'YYYY-MM-DD')"
    )
    op.execute(
        f"UPDATE articles SET published_day = {day} WHERE published_from IS NOT NULL"  # noqa: S608  # our own words
    )


def downgrade() -> None:
    op.drop_column("articles", "published_day")
