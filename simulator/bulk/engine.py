"""Bulk queries: checked by Shopify's rules, run in a thread, streamed to a file, told by a webhook."""

import secrets
import sqlite3
import threading
from pathlib import Path
from typing import Any, Final

from simulator.bulk.compile import BulkRulesError, compile_query
from simulator.config import SimConfig
from simulator.faults import Faults
from simulator.graphql import scopes
from simulator.graphql.nodes import Context
from simulator.store import Store, iso
from simulator.webhooks import events

AT_ONCE: Final = 5
CHUNK_OBJECTS: Final = 20_000
AGREEMENTS_REFUSED: Final = (
    "The parent 'node' field for a nested connection must return a type that implements the 'Node' interface."
    " Invalid connections: agreements."
)
"""What Shopify said from April to July 2026."""


class BulkEngine:
    """Runs operations; what runs when the simulator stops begins again when it starts."""

    def __init__(self, store: Store, config: SimConfig, faults: Faults) -> None:
        self._store, self._config, self._faults = store, config, faults
        self._stop = threading.Event()

    def start(
        self, shop: str, query: str, granted: str, *, grouped: bool = True
    ) -> tuple[int | None, dict[str, Any] | None]:
        """(the operation, or what is wrong)."""
        if "agreements" in query and self._faults.get("bulk_agreements_refused"):
            return None, {"field": ["query"], "message": AGREEMENTS_REFUSED, "code": "INVALID"}
        try:
            compile_query(query)
        except BulkRulesError as error:
            return None, {"field": ["query"], "message": str(error), "code": "INVALID"}
        with self._store.transaction() as conn:
            running = conn.execute(
                "SELECT count(*) FROM bulk_operations WHERE shop = ? AND status IN ('CREATED', 'RUNNING')",
                (shop,),
            ).fetchone()[0]
            if running >= AT_ONCE:
                message = "Too many bulk operations"
                return None, {"field": None, "message": message, "code": "LIMIT_REACHED"}
            number = self._store.draw_ids(conn, shop)
            conn.execute(
                "INSERT INTO bulk_operations (shop, id, type, status, query, created_at, grouped) VALUES (?, ?, 'QUERY', 'CREATED', ?, ?, ?)",
                (shop, number, query, iso(self._store.now(shop)), int(grouped)),
            )
        self._spawn(shop, number, granted)
        return number, None

    def resume(self) -> None:
        """Begin what was running again."""
        for row in (
            self._store.connection()
            .execute(
                "SELECT b.shop, b.id, s.granted_scopes FROM bulk_operations b JOIN shops s ON s.domain = b.shop"
                " WHERE b.status IN ('CREATED', 'RUNNING', 'CANCELING')"
            )
            .fetchall()
        ):
            self._spawn(row["shop"], row["id"], row["granted_scopes"])

    def stop(self) -> None:
        """Let running threads end at their next chunk."""
        self._stop.set()

    def url_of(self, row: sqlite3.Row) -> str | None:
        """Where a finished operation's file is; None when it holds nothing."""
        if row["status"] != "COMPLETED" or not row["object_count"]:
            return None
        return self._address(row)

    def partial_url_of(self, row: sqlite3.Row) -> str | None:
        """Where that is what an operation wrote before it failed."""
        failed = row["status"] == "FAILED" and row["url_token"] and row["object_count"]
        return self._address(row) if failed else None

    def _address(self, row: sqlite3.Row) -> str:
        return f"{self._config.api_origin}/{row['shop']}/bulk-files/{row['url_token']}.jsonl"

    def _spawn(self, shop: str, number: int, granted: str) -> None:
        threading.Thread(
            target=self._run, args=(shop, number, granted), name=f"bulk-{number}", daemon=True
        ).start()

    def _run(self, shop: str, number: int, granted: str) -> None:
        try:
            self._write_file(shop, number, granted)
        except (LookupError, ValueError, sqlite3.Error):
            self._finish(shop, number, status="FAILED", error_code="INTERNAL_SERVER_ERROR")
            raise

    def _write_file(self, shop: str, number: int, granted: str) -> None:
        self._stop.wait(float(self._faults.get("bulk_delay_seconds", 0.0)))
        if self._ends_early(shop, number):
            return
        self._set(shop, number, status="RUNNING")
        row = self._row(shop, number)
        query = compile_query(row["query"])
        if not self._may(query.root, granted):
            self._finish(shop, number, status="FAILED", error_code="ACCESS_DENIED")
            return
        token = secrets.token_hex(16)
        path = self._store.folder / f"bulk-{token}.jsonl"
        self._set(shop, number, path=str(path), url_token=token)
        objects = roots = 0
        conn = self._store.connection()
        currency = conn.execute("SELECT currency FROM shops WHERE domain = ?", (shop,)).fetchone()
        with path.open("wb") as out:
            for chunk, count, root_count in query.chunks(
                Context(conn, shop, currency[0]),
                granted,
                iso(self._store.now(shop)),
                self._chunk_objects(),
                grouped=bool(row["grouped"]),
            ):
                if self._ends_early(shop, number):
                    return
                out.write(chunk)
                objects, roots = objects + count, roots + root_count
                self._set(shop, number, object_count=objects, root_object_count=roots)
                if self._faults.get("bulk_fail"):
                    break
        self._end(shop, number, path)

    def _chunk_objects(self) -> int:
        """How much is written before a look around; what fails by request fails after very little."""
        return 10 if self._faults.get("bulk_fail") else CHUNK_OBJECTS

    def _end(self, shop: str, number: int, path: Path) -> None:
        size = path.stat().st_size
        if self._faults.get("bulk_fail"):
            code = "INTERNAL_SERVER_ERROR"
            self._finish(shop, number, status="FAILED", error_code=code, file_size=size)
        else:
            self._finish(shop, number, status="COMPLETED", file_size=size)

    def _ends_early(self, shop: str, number: int) -> bool:
        """Whether the simulator stops, or the app has cancelled."""
        if self._stop.is_set():
            return True
        if self._row(shop, number)["status"] != "CANCELING":
            return False
        self._finish(shop, number, status="CANCELED")
        return True

    def _may(self, root: str, granted: str) -> bool:
        denied = root == "orders" and self._faults.get("pcd_denied")
        return scopes.grants(granted, scopes.NEEDED[root]) and not denied

    def _row(self, shop: str, number: int) -> sqlite3.Row:
        return (
            self._store.connection()
            .execute("SELECT * FROM bulk_operations WHERE shop = ? AND id = ?", (shop, number))
            .fetchone()
        )

    def _set(self, shop: str, number: int, **columns: Any) -> None:
        """Note what is so far; a cancel that came in between stays."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        unless = " AND status <> 'CANCELING'" if columns.get("status") == "RUNNING" else ""
        with self._store.transaction() as conn:
            conn.execute(
                f"UPDATE bulk_operations SET {assignments} WHERE shop = ? AND id = ?{unless}",
                (*columns.values(), shop, number),
            )

    def _finish(self, shop: str, number: int, **columns: Any) -> None:
        with self._store.transaction() as conn:
            now = iso(self._store.now(shop))
            self._set(shop, number, completed_at=now, **columns)
            body = {
                "admin_graphql_api_id": f"gid://shopify/BulkOperation/{number}",
                "completed_at": now,
                "created_at": self._row(shop, number)["created_at"],
                "error_code": columns.get("error_code"),
                "status": columns["status"].lower(),
                "type": "query",
            }
            events.record(conn, self._store, shop, "bulk_operations/finish", number, payload=body)
