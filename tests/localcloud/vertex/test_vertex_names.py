"""Names of resources."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from localcloud.vertex.names import numeric_id


@given(st.lists(st.text(max_size=5), min_size=1, max_size=3))
def test_an_id_is_one_that_clients_can_read(parts: list[str]) -> None:
    """Nineteen digits that fit into an int64, as which the clients read them, and the same every time."""
    identity = numeric_id(*parts)
    assert len(identity) == 19 and int(identity) < 2**63
    assert identity == numeric_id(*parts)
