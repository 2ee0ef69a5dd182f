"""Rounds over the shops that have work: a shop that fails is logged, and costs no other its turn.

due shops --one at a time--> claim --do--> finish, or its own next time
                                     └── an error: kept with the work, tried again after a wait that doubles
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from shopify_app.db import due_work
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.domain.shop import ShopState

ROUND_SECONDS: Final = 600
"""No further shop's due work is begun after that long in one round: the next one takes the rest, well within a task's time."""

NOT_GONE: Final = (ShopState.INSTALLED, ShopState.NEEDS_OPEN, ShopState.FROZEN)
"""Shops that have Keel, whether or not Shopify answers for them now."""

T = TypeVar("T")
log = structlog.get_logger()


def each(ones: Iterable[T], do: Callable[[T], int], *, of: str) -> int:
    """The sum of what `do` returns for each shop (a number, a domain, a row); one that fails counts 0.

    Raises
    ------
    SoftTimeLimitExceeded
        The whole task's time is up, which is no shop's failure.
    """
    done = 0
    for one in ones:
        try:
            done += do(one)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # whatever one shop's rows bring about, the others go on
            shop = getattr(one, "shop_id", one)
            log.exception("shop_failed", of=of, shop=shop, error_type=type(error).__name__)
    return done


@dataclass(frozen=True, slots=True)
class ShopWork:
    """A kind of work that shops have rows of in `due_work`.

    Attributes
    ----------
    what : its name there, and of the log line `<what>_failed`
    states : of the shops it is done for
    needs_history : whether a shop waits until its history is read
    lease_seconds : until when a worker that was killed counts as such
    """

    what: str
    states: tuple[ShopState, ...] = (ShopState.INSTALLED,)
    needs_history: bool = True
    lease_seconds: int = 900

    def due_shops(self, conn: Connection) -> list[int]:
        """Shops for which it is due, the longest waiting first."""
        states = [state.value for state in self.states]
        return due_work.due_shops(conn, self.what, states=states, needs_history=self.needs_history)

    def work_through(self, do: Callable[[int], object]) -> int:
        """Do it for every shop for which it is due; for how many shops that went well."""
        with sweep_transaction() as conn:
            due = self.due_shops(conn)
        begun = time.monotonic()
        return each(
            (shop_id for shop_id in due if time.monotonic() - begun < ROUND_SECONDS),
            lambda shop_id: self._do_claimed(shop_id, do),
            of=self.what,
        )

    def _do_claimed(self, shop_id: int, do: Callable[[int], object]) -> bool:
        with transaction(shop_id) as conn:
            asked_at = due_work.claim(conn, shop_id, self.what, lease_seconds=self.lease_seconds)
        if asked_at is None:
            return False
        try:
            do(shop_id)
        except Exception as error:  # noqa: BLE001 -- kept, shown and tried again; other shops' work goes on
            self._keep_failure(shop_id, error)
            return False
        with transaction(shop_id) as conn:
            due_work.finish(conn, shop_id, self.what, asked_at)
        return True

    def _keep_failure(self, shop_id: int, error: Exception) -> None:
        error_type = type(error).__name__
        with transaction(shop_id) as conn:
            attempts = due_work.fail(conn, shop_id, self.what, error_type=error_type)
        event = f"{self.what}_failed"
        log.error(
            event,
            shop_id=shop_id,
            error_type=error_type,
            attempts=attempts,
            exc_info=error,
        )
