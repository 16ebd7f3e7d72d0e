"""uuid.generate."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from .signature import Effect, table

if TYPE_CHECKING:
    from ..running.runtime import Strand


async def _generate(strand: Strand) -> str:
    async def make() -> str:
        return str(uuid.uuid4())

    return str(await strand.effect(make))


FUNCTIONS = table(Effect("uuid.generate", (), _generate, blocking=False))
