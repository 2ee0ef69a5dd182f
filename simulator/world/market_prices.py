"""Prices that a merchant fixes in a market's list: what a change of a base price does not move."""

import sqlite3

from simulator.store import Store, iso


def set_fixed_price(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    *,
    market: str,
    currency: str,
    variant_id: int,
    price: str | None,
) -> int:
    """Fix a variant's price in a market's list (None: let it follow the base price again); the list's id."""
    row = conn.execute(
        "SELECT id FROM price_lists WHERE shop = ? AND title = ?", (shop, market)
    ).fetchone()
    number = int(row["id"]) if row else store.draw_ids(conn, shop)
    if row is None:
        conn.execute(
            "INSERT INTO price_lists VALUES (?, ?, ?, ?)", (shop, number, market, currency)
        )
    conn.execute(
        "DELETE FROM fixed_prices WHERE shop = ? AND price_list_id = ? AND variant_id = ?",
        (shop, number, variant_id),
    )
    if price is not None:
        conn.execute(
            "INSERT INTO fixed_prices VALUES (?, ?, ?, ?, ?)",
            (shop, number, variant_id, price, iso(store.now(shop))),
        )
    return number
