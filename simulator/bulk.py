"""Bulk queries: checked by Shopify's rules, run in a thread, streamed to a file, told by a webhook."""

import secrets
import sqlite3
import threading
import time
from typing import Any, Final

from flask import Blueprint, Response, abort, send_file

from simulator import events
from simulator.bulk_compile import BulkRulesError, compile_query
from simulator.config import SimConfig
from simulator.faults import Faults
from simulator.graphql_fields import Context
from simulator.store import Store, iso

bp = Blueprint("bulk", __name__)

AT_ONCE: Final = 5
CHUNK_OBJECTS: Final = 20_000


class BulkEngine:
    """Runs operations; what runs when the simulator stops begins again when it starts."""

    def __init__(self, store: Store, config: SimConfig, faults: Faults) -> None:
        self._store, self._config, self._faults = store, config, faults
        self._stop = threading.Event()

    def start(
        self, shop: str, query: str, granted: str
    ) -> tuple[int | None, dict[str, Any] | None]:
        """(the operation, or what is wrong)."""
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
                return None, {
                    "field": None,
                    "message": "Too many bulk operations",
                    "code": "LIMIT_REACHED",
                }
            number = self._store.draw_ids(conn, shop)
            conn.execute(
                "INSERT INTO bulk_operations (shop, id, type, status, query, created_at) VALUES (?, ?, 'QUERY', 'CREATED', ?, ?)",
                (shop, number, query, iso(self._store.now(shop))),
            )
        self._spawn(shop, number, granted)
        return number, None

    def resume(self) -> None:
        """Begin what was running again."""
        for row in (
            self._store.connection()
            .execute(
                "SELECT b.shop, b.id, s.granted_scopes FROM bulk_operations b JOIN shops s ON s.domain = b.shop WHERE b.status IN ('CREATED', 'RUNNING')"
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
        time.sleep(float(self._faults.get("bulk_delay_seconds", 0.0)))
        self._set(shop, number, status="RUNNING")
        conn = self._store.connection()
        row = conn.execute(
            "SELECT query FROM bulk_operations WHERE shop = ? AND id = ?", (shop, number)
        ).fetchone()
        currency = conn.execute("SELECT currency FROM shops WHERE domain = ?", (shop,)).fetchone()[
            0
        ]
        if self._faults.get("bulk_fail"):
            self._finish(shop, number, status="FAILED", error_code="INTERNAL_SERVER_ERROR")
            return
        token = secrets.token_hex(16)
        path = self._store.folder / f"bulk-{token}.jsonl"
        objects = roots = 0
        with path.open("wb") as out:
            for chunk, count, root_count in compile_query(row["query"]).chunks(
                Context(conn, shop, currency), granted, iso(self._store.now(shop)), CHUNK_OBJECTS
            ):
                if self._stop.is_set():
                    return
                out.write(chunk)
                objects, roots = objects + count, roots + root_count
                self._set(shop, number, object_count=objects, root_object_count=roots)
        self._finish(
            shop,
            number,
            status="COMPLETED",
            object_count=objects,
            root_object_count=roots,
            file_size=path.stat().st_size,
            path=str(path),
            url_token=token,
        )

    def _set(self, shop: str, number: int, **columns: Any) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        with self._store.transaction() as conn:
            conn.execute(
                f"UPDATE bulk_operations SET {assignments} WHERE shop = ? AND id = ?",
                (*columns.values(), shop, number),
            )

    def _finish(self, shop: str, number: int, **columns: Any) -> None:
        with self._store.transaction() as conn:
            now = iso(self._store.now(shop))
            self._set(shop, number, completed_at=now, **columns)
            body = {
                "admin_graphql_api_id": f"gid://shopify/BulkOperation/{number}",
                "completed_at": now,
                "created_at": now,
                "error_code": columns.get("error_code"),
                "status": columns["status"].lower(),
                "type": "query",
            }
            events.record(conn, self._store, shop, "bulk_operations/finish", number, payload=body)


@bp.get("/<shop>/bulk-files/<token>.jsonl")
def bulk_file(shop: str, token: str) -> Response:
    """A result's file; byte ranges are served, as storage does."""
    from simulator.state import simulator  # noqa: PLC0415 -- state makes the engine

    row = (
        simulator()
        .store.connection()
        .execute("SELECT path FROM bulk_operations WHERE shop = ? AND url_token = ?", (shop, token))
        .fetchone()
    )
    if row is None:
        abort(404)
    return send_file(row["path"], mimetype="application/jsonl", conditional=True, etag=False)
