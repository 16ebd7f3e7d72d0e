"""The model server's JSON, over a tiny model that is really loaded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tiny_tuning
from starlette.testclient import TestClient

from localcloud.vertex.lazy_engine import LazyEngine
from localcloud.vertex.model_server import ModelServer

HELLO = [{"role": "user", "text": "Hello"}]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    base = tiny_tuning.tiny_base(tmp_path_factory.mktemp("models") / "tiny")
    with TestClient(ModelServer(LazyEngine(str(base), threads=1)).application()) as client:
        yield client


def test_a_model_is_loaded_when_needed(client: TestClient) -> None:
    """Health says idle before the first need and ready, with the model's name, after loading."""
    assert client.get("/health").json() == {"state": "idle"}
    assert client.post("/load").json()["state"] == "ready"
    assert client.get("/health").json()["base_model"]["name"] == "tiny"


def test_answers_scores_and_counts_have_one_entry_for_each_prompt(client: TestClient) -> None:
    """Every reply lists its entries in the order of the prompts."""
    prompts = [HELLO, [{"role": "system", "text": "Be brief."}, *HELLO]]
    generations = client.post("/generate", json={"prompts": prompts, "max_new_tokens": 3}).json()["generations"]
    counts = client.post("/count_tokens", json={"prompts": prompts}).json()["counts"]
    assert [generation["prompt_tokens"] for generation in generations] == counts
    body = {"prompts": prompts, "candidates": [["yes", "no"], ["maybe"]]}
    assert [len(row) for row in client.post("/score", json=body).json()["scores"]] == [2, 1]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/generate", {"prompts": [HELLO], "max_new_tokens": 0}, "INVALID_ARGUMENT"),
        ("/generate", {"prompts": [[{"role": "alien", "text": "Hi"}]]}, "INVALID_ARGUMENT"),
        ("/generate", {"prompts": [[]]}, "INVALID_ARGUMENT"),
        ("/generate", {"prompts": [HELLO], "max_new_tokens": 5000}, "INVALID_ARGUMENT"),
        ("/generate", {"prompts": [HELLO], "adapter": "/nowhere"}, "NOT_FOUND"),
        ("/score", {"prompts": [HELLO], "candidates": []}, "INVALID_ARGUMENT"),
    ],
)
def test_bad_requests_are_refused_in_googles_shape(
    client: TestClient, path: str, body: dict[str, object], status: str
) -> None:
    """A request that cannot be answered gets a Google-shaped error, and the server goes on."""
    assert client.post(path, json=body).json()["error"]["status"] == status
