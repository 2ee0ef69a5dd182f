"""What a merchant chose about measuring (columns of `shop_settings`), and draws (`holdback_draws`).

Every query names its shop.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from psycopg2.extras import execute_values

from shopify_app.db.connection import Connection, row_as
from shopify_app.domain.outcome import MeasuringSettings

DEFAULTS = MeasuringSettings(Decimal("0.00"), None, Decimal("0.30"))


def of_shop(conn: Connection, shop_id: int) -> MeasuringSettings:
    """The shop's choice; the defaults where it has no settings yet."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT holdback_share, loss_cap, exposure_limit FROM shop_settings WHERE shop_id = %(shop_id)s
            """,
            {"shop_id": shop_id},
        )
        return row_as(MeasuringSettings, cur) or DEFAULTS


def save(conn: Connection, shop_id: int, chosen: MeasuringSettings) -> None:
    """Replace the shop's choice (`shop_settings.make` has made its row)."""
    with conn.cursor() as cur:
        cur.execute(
            """
            UPDATE shop_settings
               SET holdback_share = %(share)s, loss_cap = %(cap)s, exposure_limit = %(limit)s, updated_at = shop_now()
             WHERE shop_id = %(shop_id)s
            """,
            {
                "shop_id": shop_id,
                "share": chosen.holdback_share,
                "cap": chosen.loss_cap,
                "limit": chosen.exposure_limit,
            },
        )


def drawn_variants(conn: Connection, shop_id: int, on: date) -> dict[int, bool]:
    """Variants that were drawn for and rest: variant id -> whether it is held back."""
    with conn.cursor() as cur:
        cur.execute(
            """
            SELECT DISTINCT ON (variant_id) variant_id, is_held_back FROM holdback_draws
             WHERE shop_id = %(shop_id)s AND rests_until > %(on)s
             ORDER BY variant_id, drawn_on DESC
            """,
            {"shop_id": shop_id, "on": on},
        )
        return {int(variant_id): bool(held) for variant_id, held in cur.fetchall()}


def add_draws(
    conn: Connection,
    shop_id: int,
    draws: Sequence[tuple[int, bool]],
    *,
    share: Decimal,
    seed: int,
    drawn_on: date,
    rests_until: date,
) -> None:
    """Keep what was drawn: (variant id, whether it is held back)."""
    if not draws:
        return
    with conn.cursor() as cur:
        execute_values(
            cur,
            """
            INSERT INTO holdback_draws (shop_id, variant_id, is_held_back, share, seed, drawn_on, rests_until) VALUES %s
                ON CONFLICT DO NOTHING
            """,
            [
                (shop_id, variant_id, held, share, seed, drawn_on, rests_until)
                for variant_id, held in draws
            ],
        )
