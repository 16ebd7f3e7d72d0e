"""Predictions over REST: how requests reach the model server, and how its answers are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from vertex_harness import PARENT, Bucket, LocalVertex, StartVertex

from localcloud.http import GoogleError
from localcloud.vertex.catalogue import MODELS
from localcloud.vertex.prediction import parse_count_tokens, parse_generate_content, parse_predict
from localcloud.vertex.serving import Sampling, Turn

FLASH = f"{PARENT}/publishers/google/models/gemini-2.5-flash"
USER = {"role": "user", "parts": [{"text": "one two"}]}


def content(**config: Any) -> dict[str, Any]:
    return {"contents": [USER], "generationConfig": config}


def test_tuned_endpoint_answers_with_its_adapter(vertex: LocalVertex, bucket: Bucket) -> None:
    """An endpoint's answer comes from the job's adapter, names the model version and counts real tokens."""
    job = vertex.wait(vertex.tune(bucket.write_rows("a.jsonl", 12))["name"])
    body = {
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [USER, {"role": "model", "parts": [{"text": "three"}]}, USER],
    }
    assert vertex.post(f"{job['tunedModel']['endpoint']}:generateContent", body) == {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"text": "adapter|system:be brief|user:one two|assistant:three|user:one two"}],
                },
                "finishReason": "STOP",
                "avgLogprobs": -0.5,
            }
        ],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9},
        "modelVersion": job["tunedModel"]["model"],
    }


def test_published_model_is_answered_by_the_local_base(vertex: LocalVertex) -> None:
    """A publisher model answers without an adapter, under both API versions, as an object, a list or a stream."""
    answer = vertex.post(f"{FLASH}:generateContent", content())
    assert answer["candidates"][0]["content"]["parts"][0]["text"] == "base|user:one two"
    assert answer["modelVersion"] == "Stub Base 1M", "the answer says which model gave it"
    assert vertex.http.post(f"/v1beta1/{FLASH}:generateContent", json=content()).json() == answer
    assert vertex.http.post(f"/v1/{FLASH}:streamGenerateContent", json=content()).json() == [answer]
    stream = vertex.http.post(f"/v1/{FLASH}:streamGenerateContent", json=content(), params={"alt": "sse"})
    assert stream.headers["content-type"].startswith("text/event-stream") and stream.text.startswith("data: {")


def test_choice_among_labels(vertex: LocalVertex) -> None:
    """With an enum schema the label of the highest total log probability is the answer."""
    schema = {"type": "STRING", "enum": ["a long label", "short", "middling"]}
    body = content(responseMimeType="text/x.enum", responseSchema=schema)
    answer = vertex.post(f"{FLASH}:generateContent", body)
    candidate = answer["candidates"][0]
    assert candidate["content"]["parts"] == [{"text": "short"}] and candidate["avgLogprobs"] == -2.5
    assert answer["usageMetadata"] == {"promptTokenCount": 2, "candidatesTokenCount": 2, "totalTokenCount": 4}


def test_predict_answers_every_instance(vertex: LocalVertex) -> None:
    """Predict takes several instances, in PaLM's keys, and gives one prediction each with token counts."""
    path = f"{PARENT}/publishers/google/models/text-bison@002:predict"
    answer = vertex.post(path, {"instances": [{"content": "a b"}, {"prompt": "c"}], "parameters": {"topK": 40}})
    assert [p["content"] for p in answer["predictions"]] == ["base|user:a b", "base|user:c"]
    assert answer["metadata"]["tokenMetadata"]["inputTokenCount"] == {"totalTokens": 3, "totalBillableCharacters": 3}
    assert answer["modelDisplayName"] == "Stub Base 1M", "the answer says which model gave it"


def test_count_tokens(vertex: LocalVertex) -> None:
    """Tokens are counted for contents with their system instruction, and for instances."""
    body = {"contents": [USER], "systemInstruction": {"parts": [{"text": "x"}]}}
    assert vertex.post(f"{FLASH}:countTokens", body) == {"totalTokens": 3, "totalBillableCharacters": 7}
    assert vertex.post(f"{FLASH}:countTokens", {"instances": [{"prompt": "a b"}]})["totalTokens"] == 2


def test_served_models_are_found(vertex: LocalVertex) -> None:
    """Every served model, retired or not, is found as a publisher model, with or without a project in the path."""
    for name in [*MODELS, "text-bison"]:
        for path in (f"publishers/google/models/{name}", f"{PARENT}/publishers/google/models/{name}"):
            model = vertex.get(path)
            assert model["launchStage"] == "GA"
            assert model["name"] == f"publishers/google/models/{name.partition('@')[0]}"


def test_unserved_models_are_not_found(vertex: LocalVertex) -> None:
    """A model that is not served is NOT_FOUND, to look at and to ask."""
    assert vertex.refused("GET", "publishers/google/models/chat-bison@002")[0] == "NOT_FOUND"
    path = f"{PARENT}/publishers/google/models/gemini-9:generateContent"
    assert vertex.refused("POST", path, content())[0] == "NOT_FOUND"
    assert vertex.refused("POST", f"{PARENT}/endpoints/1:generateContent", content())[0] == "NOT_FOUND"


def test_refusal_of_the_model_server_is_passed_on(vertex: LocalVertex) -> None:
    """What the model server refuses is refused with its status and reason."""
    body = {"instances": [{"prompt": "refuse"}]}
    assert vertex.refused("POST", f"{FLASH}:predict", body) == ("INVALID_ARGUMENT", "too long")


def test_dead_model_server_is_started_again(vertex: LocalVertex) -> None:
    """A model server that dies while answering is started again, and the question asked once more."""
    answer = vertex.post(f"{FLASH}:predict", {"instances": [{"prompt": "die"}]})
    assert answer["predictions"][0]["content"] == "base|user:die"


def test_model_server_that_cannot_start_is_unavailable(start_vertex: StartVertex) -> None:
    """Without a model server predictions are UNAVAILABLE and show the end of its log."""
    vertex = start_vertex(model_server_command=("/bin/sh", "-c", "echo no weights; exit 4"))
    status, message = vertex.refused("POST", f"{FLASH}:predict", {"instances": [{"prompt": "x"}]})
    assert status == "UNAVAILABLE" and "exit code 4" in message and "no weights" in message


def test_sampling_is_greedy_unless_asked_otherwise() -> None:
    """Without a temperature answers are greedy; what is given is passed on."""
    assert parse_generate_content(content()).sampling == Sampling(256, 0.0, 1.0, 0, (), 0)
    asked = content(temperature=0.7, topP=0.9, topK="5", maxOutputTokens=9, stopSequences=["\n"], seed=3)
    assert parse_generate_content(asked).sampling == Sampling(9, 0.7, 0.9, 5, ("\n",), 3)


def test_parts_are_joined() -> None:
    """A turn of several text parts is one text, and a turn without role is the user's."""
    body = {"contents": [{"parts": [{"text": "a"}, {"text": "b"}]}]}
    assert parse_generate_content(body).prompt == (Turn("user", "ab"),)


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, "INVALID_ARGUMENT", "contents is required"),
        ({"contents": [{"role": "model", "parts": [{"text": "x"}]}]}, "INVALID_ARGUMENT", "last turn"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "INVALID_ARGUMENT", "user, model"),
        ({"contents": [{"role": "user", "parts": []}]}, "INVALID_ARGUMENT", "parts"),
        ({"contents": [{"role": "user", "parts": [{"inlineData": {}}]}]}, "UNIMPLEMENTED", "inlineData"),
        ({"contents": [USER], "tools": [{}]}, "UNIMPLEMENTED", "tools"),
        (content(candidateCount=2), "UNIMPLEMENTED", "candidateCount"),
        (content(responseMimeType="application/json"), "UNIMPLEMENTED", "application/json"),
        (content(responseSchema={"type": "OBJECT"}), "UNIMPLEMENTED", "schema"),
        (content(responseMimeType="text/x.enum", responseSchema={"type": "STRING"}), "INVALID_ARGUMENT", "enum"),
        (content(thinkingConfig={"includeThoughts": True}), "UNIMPLEMENTED", "includeThoughts"),
        (content(temperature=3), "INVALID_ARGUMENT", "at most 2"),
        (content(logprobs=3), "UNIMPLEMENTED", "logprobs"),
        (content(surprise=1), "INVALID_ARGUMENT", "'surprise'"),
    ],
)
def test_bad_content_requests(body: Mapping[str, Any], status: str, word: str) -> None:
    """What the local model cannot do is refused by name, and what makes no sense as an invalid argument."""
    with pytest.raises(GoogleError) as refused:
        parse_generate_content(body)
    assert refused.value.status == status and word in refused.value.message


@pytest.mark.parametrize("thinking", [{"thinkingBudget": 0}, {"thinkingBudget": 128}, {"thinkingLevel": "MINIMAL"}])
def test_thinking_may_be_limited(thinking: Mapping[str, Any]) -> None:
    """Clients keep thinking low for tuned models, as the documentation asks: a limit is kept by not thinking."""
    assert parse_generate_content(content(thinkingConfig=thinking)).prompt


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"instances": []}, "INVALID_ARGUMENT"),
        ({"instances": [{"text": "x"}]}, "INVALID_ARGUMENT"),
        ({"instances": ["x"]}, "INVALID_ARGUMENT"),
        ({"instances": [{"messages": []}], "parameters": {}}, "UNIMPLEMENTED"),
        ({"instances": [{"prefix": "a", "suffix": "b"}]}, "UNIMPLEMENTED"),
        ({"instances": [{"prompt": "x"}], "parameters": {"candidateCount": 4}}, "UNIMPLEMENTED"),
    ],
)
def test_bad_predictions(body: Mapping[str, Any], status: str) -> None:
    """Instances that are not PaLM's text form are refused."""
    with pytest.raises(GoogleError) as refused:
        parse_predict(body)
    assert refused.value.status == status


@pytest.mark.parametrize("body", [{}, {"contents": [USER], "instances": [{"prompt": "x"}]}])
def test_count_tokens_takes_one_form(body: Mapping[str, Any]) -> None:
    """Contents and instances exclude each other."""
    with pytest.raises(GoogleError, match="exactly one"):
        parse_count_tokens(body)
