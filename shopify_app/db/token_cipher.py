"""Tokens at rest: AES-256-GCM, the key's id in front, the shop's id as associated data.

    byte 0        length of the key id
    ...           key id, 12 bytes nonce, ciphertext with its tag

Two shops' ciphertexts swapped do not decrypt; keys rotate by adding a newer one in front.
"""

import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shopify_app.errors import AppError

NONCE_BYTES: Final = 12

Keys = Sequence[tuple[str, bytes]]


class TokenUnreadableError(AppError):
    """A stored token that no configured key opens for this shop."""


def encrypt(token: str, shop_id: int, keys: Keys) -> bytes:
    """A token under the newest key."""
    key_id, key = keys[0]
    nonce = os.urandom(NONCE_BYTES)
    name = key_id.encode()
    return (
        bytes([len(name)])
        + name
        + nonce
        + AESGCM(key).encrypt(nonce, token.encode(), _owner(shop_id))
    )


def decrypt(stored: bytes, shop_id: int, keys: Keys) -> str:
    """The token again.

    Raises
    ------
    TokenUnreadableError
        If its key is gone, or it is another shop's, or it was altered.
    """
    key = dict(keys).get(key_id_of(stored))
    if key is None:
        raise TokenUnreadableError("unknown key")
    start = 1 + stored[0]
    nonce, sealed = stored[start : start + NONCE_BYTES], stored[start + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, _owner(shop_id)).decode()
    except (InvalidTag, ValueError) as error:
        raise TokenUnreadableError("does not open") from error


def key_id_of(stored: bytes) -> str:
    """Which key a stored token is under."""
    return bytes(stored[1 : 1 + stored[0]]).decode(errors="replace") if stored else ""


def _owner(shop_id: int) -> bytes:
    return f"keel:shop:{shop_id}".encode()
