"""Shops by name and seed: the real one for the demo, small made-up ones with known truth for tests."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from simulator.store import Store, iso
from simulator.world import catalogue, history, synthetic


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of shop is made."""

    name: str
    currency: str
    timezone: str
    fill: Callable[[sqlite3.Connection, Store, str, int, datetime, int | None], dict[str, Any]]


def create_shop(
    store: Store,
    kind: str,
    seed: int = 0,
    *,
    domain: str | None = None,
    last_days: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """A shop of a kind, made once: asked again for the same domain, what is there is told."""
    made = KINDS[kind]
    domain = domain or f"{kind}.myshopify.com"
    started = time.monotonic()
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    with store.transaction() as conn:
        known = conn.execute("SELECT kind FROM shops WHERE domain = ?", (domain,)).fetchone()
        facts: dict[str, Any] = {}
        if known is None:
            number = conn.execute("SELECT count(*) FROM shops").fetchone()[0] + 1
            conn.execute(
                "INSERT INTO shops (domain, id, name, kind, seed, currency, timezone, taxes_included, email, created_at, updated_at,"
                " now_at, next_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    domain,
                    60_000_000_000 + number,
                    domain.split(".")[0].replace("-", " ").title(),
                    kind,
                    seed,
                    made.currency,
                    made.timezone,
                    int(made.currency == "GBP"),
                    "owner@example.com",
                    iso(now - timedelta(days=900)),
                    iso(now),
                    iso(now),
                    number * 1_000_000_000_000 + 5_000_000_000,
                ),
            )
            facts = made.fill(conn, store, domain, seed, now, last_days)
    counts = {
        table: store.connection()
        .execute(f"SELECT count(*) FROM {table} WHERE shop = ?", (domain,))
        .fetchone()[0]
        for table in ("orders", "order_lines", "refunds", "variants")
    }
    return {
        "shop": domain,
        "is_new": known is None,
        "seconds": round(time.monotonic() - started, 1),
        **counts,
        **facts,
    }


def _uk_gifts(
    conn: sqlite3.Connection,
    store: Store,
    shop: str,
    seed: int,
    now: datetime,
    last_days: int | None,
) -> dict[str, Any]:
    return {
        "history": asdict(history.put(conn, store, shop, seed=seed, now=now, last_days=last_days))
    }


def _tiny(
    conn: sqlite3.Connection, store: Store, shop: str, seed: int, now: datetime, _: int | None
) -> dict[str, Any]:
    """Six products: one clearly too cheap (it has been dearer and sold as well), one about to run out."""
    rng = np.random.default_rng([seed, 2])
    specs = [
        synthetic.product("Linen apron", "Aprons", "24.00", "9.00", 4.0, 60, elasticity=-1.2),
        synthetic.product("Ceramic mug", "Mugs", "12.00", "4.00", 6.0, 9, elasticity=-1.8),
        synthetic.product("Wool throw", "Throws", "60.00", "25.00", 1.0, 40),
        synthetic.product("Beeswax candle", "Candles", "9.50", None, 3.0, 80),
        synthetic.product("Oak board", "Boards", "35.00", "14.00", 0.4, 12),
        synthetic.product("Cotton towel", "Towels", "15.00", "6.00", 2.5, 150),
    ]
    catalogue.put(
        conn,
        store,
        shop,
        specs,
        created_at=now - timedelta(days=400),
        updated_at=now - timedelta(days=1),
    )
    prices = {0: [("20.00", 0.3), ("24.00", 0.6), ("21.00", 0.8), ("24.00", 1.0)]}
    return synthetic.sell(conn, store, shop, specs, rng, now=now, days=200, price_paths=prices)


def _noise(
    conn: sqlite3.Connection, store: Store, shop: str, seed: int, now: datetime, _: int | None
) -> dict[str, Any]:
    """Two hundred products at constant rates: nothing is true here."""
    rng = np.random.default_rng([seed, 3])
    specs = [
        synthetic.product(
            f"Plain thing {n}",
            f"Type {n % 8}",
            f"{8 + n % 30}.00",
            f"{3 + n % 10}.00",
            float(rng.lognormal(-1.5, 1.0)),
            60,
        )
        for n in range(200)
    ]
    catalogue.put(
        conn,
        store,
        shop,
        specs,
        created_at=now - timedelta(days=500),
        updated_at=now - timedelta(days=1),
    )
    return synthetic.sell(conn, store, shop, specs, rng, now=now, days=365)


def _slow(
    conn: sqlite3.Connection, store: Store, shop: str, seed: int, now: datetime, _: int | None
) -> dict[str, Any]:
    """Forty slow sellers: the honest answer is mostly `not sure`."""
    rng = np.random.default_rng([seed, 4])
    specs = [
        synthetic.product(
            f"Rare thing {n}",
            "Antiques",
            f"{40 + 5 * (n % 20)}.00",
            f"{18 + n % 20}.00",
            float(rng.uniform(0.01, 0.06)),
            int(rng.integers(0, 4)),
        )
        for n in range(40)
    ]
    catalogue.put(
        conn,
        store,
        shop,
        specs,
        created_at=now - timedelta(days=600),
        updated_at=now - timedelta(days=1),
    )
    return synthetic.sell(conn, store, shop, specs, rng, now=now, days=540)


def _apparel(
    conn: sqlite3.Connection, store: Store, shop: str, seed: int, now: datetime, _: int | None
) -> dict[str, Any]:
    """A hundred and twenty garments in sizes, seasonal, with price moves."""
    rng = np.random.default_rng([seed, 5])
    specs: list[catalogue.ProductSpec] = []
    paths: dict[int, list[tuple[str, float]]] = {}
    for n in range(120):
        price = Decimal(20 + 4 * (n % 15))
        sizes = [
            catalogue.VariantSpec(
                sku=f"AP-{n:03d}-{size}",
                title=size,
                price=price,
                cost=(price * Decimal("0.42")).quantize(Decimal("0.01")),
                available=int(rng.integers(0, 60)),
                base_per_day=float(rng.lognormal(-1.2, 0.8) * weight),
                elasticity=float(np.clip(rng.normal(-2.2, 0.8), -4.5, -0.4)),
                lead_time_days_mean=30,
                lead_time_days_sd=4,
                pack=1,
            )
            for size, weight in (("S", 0.7), ("M", 1.2), ("L", 1.0), ("XL", 0.5))
        ]
        specs.append(
            catalogue.ProductSpec(
                f"Garment {n}",
                sizes,
                f"Mill {n % 6}",
                ("Dresses", "Shirts", "Knitwear", "Trousers")[n % 4],
            )
        )
        if n % 2 == 0:
            cuts = sorted(rng.uniform(0.1, 0.95, 4))
            paths[n] = [
                (str(price * Decimal(factor)), float(cut))
                for factor, cut in zip(("1.0", "0.9", "1.1", "0.95"), cuts, strict=True)
            ]
            paths[n].append((str(price), 1.0))
    catalogue.put(
        conn,
        store,
        shop,
        specs,
        created_at=now - timedelta(days=600),
        updated_at=now - timedelta(days=1),
    )
    return synthetic.sell(
        conn, store, shop, specs, rng, now=now, days=540, price_paths=paths, seasonal=0.4
    )


def _hostile(
    conn: sqlite3.Connection, store: Store, shop: str, seed: int, now: datetime, _: int | None
) -> dict[str, Any]:
    """Titles that attack, prices of nothing and too much, oversold stock, a product of very many variants."""
    rng = np.random.default_rng([seed, 6])
    titles = [
        "<script>alert(1)</script>",
        '=HYPERLINK("http://x")',
        "+1+1",
        "@SUM(A1)",
        "\u2028line\u2029break",
        "🧺 Korb \u202eoverride",
        '" onmouseover="x',
        "{{ 7*7 }}",
        "' OR 1=1 --",
        "\u4e9a\u9ebb\u56f4\u88d9",
    ]
    specs = [
        synthetic.product(title, "Odd", "1200", "400", 0.8, -3 if n == 0 else 20)
        for n, title in enumerate(titles)
    ]
    specs.append(synthetic.product("Free", "Odd", "0", None, 0.3, 5))
    specs.append(synthetic.product("Dear", "Odd", "99999999", "1", 0.01, 1))
    specs.append(
        catalogue.ProductSpec(
            "Gift card",
            [catalogue.VariantSpec(None, "1000", Decimal(1000), None, 0, 0.5)],
            None,
            None,
            is_gift_card=True,
        )
    )
    specs.append(
        catalogue.ProductSpec(
            "Very many",
            [
                catalogue.VariantSpec(f"VM-{n}", f"Size {n}", Decimal(1500), Decimal(500), 1, 0.001)
                for n in range(2048)
            ],
            None,
            None,
        )
    )
    catalogue.put(
        conn,
        store,
        shop,
        specs,
        created_at=now - timedelta(days=300),
        updated_at=now - timedelta(days=1),
    )
    return synthetic.sell(conn, store, shop, specs, rng, now=now, days=120)


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("uk-gifts", "GBP", "Europe/London", _uk_gifts),
        Kind("tiny", "GBP", "Europe/London", _tiny),
        Kind("noise", "USD", "America/New_York", _noise),
        Kind("slow", "EUR", "Europe/Berlin", _slow),
        Kind("apparel", "USD", "America/Los_Angeles", _apparel),
        Kind("hostile", "JPY", "Asia/Tokyo", _hostile),
    )
}
"""Every kind by its name."""
