"""hash.*: checksums and keyed checksums."""

from __future__ import annotations

import hashlib
import hmac

from ..errors import value_error
from .signature import BYTES, STRING, Param, Pure, table

ALGORITHMS = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")


def _algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        raise value_error(f"hash: unknown algorithm {name!r}; allowed: {', '.join(ALGORITHMS)}")
    return name.lower()


def _checksum(data: bytes, algorithm: str) -> bytes:
    return hashlib.new(_algorithm(algorithm), data, usedforsecurity=False).digest()


def _hmac(key: bytes, data: bytes, algorithm: str) -> bytes:
    return hmac.digest(key, data, _algorithm(algorithm))


FUNCTIONS = table(
    Pure("hash.compute_checksum", (Param("data", BYTES), Param("algorithm", STRING)), _checksum),
    Pure("hash.compute_hmac", (Param("key", BYTES), Param("data", BYTES), Param("algorithm", STRING)), _hmac),
)
