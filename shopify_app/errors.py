"""The errors of the house. `TransientError` is tried again; every other is somebody's to mend."""

from collections.abc import Mapping


class AppError(Exception):
    """Something we know how to explain."""


class MissingSettingsError(AppError):
    """Settings are absent; the message names all of them."""


class InvalidSettingsError(AppError):
    """A setting has a value that cannot be used here."""


class NotFoundError(AppError):
    """There is no such thing in this shop (or it is another shop's, which is the same)."""


class InvalidInputError(AppError):
    """The caller sent something that cannot be right; `field` names it for the form.

    Where several fields are wrong `wrong_fields` has each path with its message, and `field` is the first.
    """

    def __init__(
        self, message: str, *, field: str = "", wrong_fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.wrong_fields = dict(wrong_fields or ({field: message} if field else {}))


class NotJsonError(AppError):
    """A body that is no JSON we accept: broken, too deep, not finite, a key twice."""


class TransientError(AppError):
    """The same call may succeed later.

    `retry_after_seconds` is what the other side asked for, or None.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DatabaseBusyError(TransientError):
    """Another transaction holds what this one needs, or one of ours took too long: others may go on."""


class OutcomeUnknownError(TransientError):
    """A write may or may not have happened: read before writing again."""


class PoisonError(AppError):
    """A webhook that can never be applied: it is parked, and replayed once we are mended."""


class ShopUnavailableError(AppError):
    """Shopify will not answer for this shop now: uninstalled, frozen, or its token is dead.

    `reason` is `uninstalled`, `frozen` or `needs_open`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AccessDeniedError(AppError):
    """A scope or an approval is missing; trying again will not help."""


class ShopifyUserError(AppError):
    """Shopify refused what we asked, in words meant for a person.

    `code` is Shopify's code, `field` the path it names.
    """

    def __init__(
        self, message: str, *, code: str | None = None, field: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class ShopifyProgramError(AppError):
    """Our request was wrong (an unknown field, too dear a query): a defect of ours."""


class InvalidIdTokenError(AppError):
    """An ID token that proves nothing.

    `kind` is `invalid` (a fresh one may do) or `audience` (it is another app's).
    """

    def __init__(self, kind: str = "invalid") -> None:
        super().__init__(kind)
        self.kind = kind
