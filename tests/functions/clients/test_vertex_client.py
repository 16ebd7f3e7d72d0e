"""Vertex AI's REST API as the client speaks it, held against request bodies of the documentation."""

from __future__ import annotations

import datetime
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from run_facts import ENDPOINT, MODEL, SETTINGS, dataset_ready

from droptune.clients.rest import ATTEMPTS, CONNECTIONS, GoogleRest
from droptune.clients.vertex import VertexBaseModels, VertexPredictor, VertexRegistry, predictor_for
from droptune.errors import Refused, Retryable
from droptune.methods.catalogue import base_models
from droptune.ports import ModelVersion, Prompt, Turn
from droptune.settings import Settings

PARENT = "projects/p/locations/us-central1"
QUOTED_MODEL = MODEL.replace("@", "%40")

Reply = tuple[int, Any]


@dataclass
class Service:
    """What the server saw, and what it answers: a function of method, path, query and body."""

    answer: Callable[[str, str, dict[str, str], Any], Reply]
    seen: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    address: str = ""

    @property
    def settings(self) -> Settings:
        return replace(SETTINGS, vertex_endpoint=f"{self.address}/at-{{region}}")

    @property
    def rest(self) -> GoogleRest:
        return GoogleRest(sleep=self.slept.append)

    def predictor(self, base_model: str) -> VertexPredictor:
        return VertexPredictor(self.rest, self.settings, "us-central1", base_models()[base_model])

    @property
    def registry(self) -> VertexRegistry:
        return VertexRegistry(self.rest, self.settings, "us-central1")


@pytest.fixture
def service() -> Iterator[Service]:
    """A server on a free port of the loopback address."""
    state = Service(lambda method, path, query, body: (200, {}))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            path, _, query = self.path.partition("?")
            call = (self.command, path, dict(urllib.parse.parse_qsl(query)), body)
            state.seen.append(call)
            state.headers.append(dict(self.headers))
            status, reply = state.answer(*call)
            data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _handle

        def log_message(self, *arguments: object) -> None:
            """Nothing: pytest shows what failed."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 2 * CONNECTIONS  # all of a client's connections may come at once

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def google_error(code: int, message: str) -> Reply:
    return code, {"error": {"code": code, "message": message, "status": "X"}}


def user(text: str) -> Prompt:
    return (Turn("user", text),)


def echo_predictions(method: str, path: str, query: dict[str, str], body: Any) -> Reply:
    return 200, {"predictions": [{"content": instance["content"].upper()} for instance in body["instances"]]}


def echo_content(method: str, path: str, query: dict[str, str], body: Any) -> Reply:
    text = body["contents"][-1]["parts"][0]["text"].upper()
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
    return 200, {"candidates": [candidate], "usageMetadata": {"totalTokenCount": 3}}


def test_palm_models_answer_predict(service: Service) -> None:
    """Text instances and parameters as in the PaLM text reference, on the publisher model's address."""
    service.answer = echo_predictions
    assert service.predictor("text-bison@002").generate("text-bison@002", [user("hi")], 27) == ["HI"]
    assert service.seen == [
        (
            "POST",
            f"/at-us-central1/v1/{PARENT}/publishers/google/models/text-bison@002:predict",
            {},
            {
                "instances": [{"content": "hi"}],
                "parameters": {"temperature": 0, "maxOutputTokens": 27},
            },
        )
    ]


def test_turns_for_palm_models_go_to_generate_content(service: Service) -> None:
    """An instance is one text, so prompts of several turns are sent as contents, and those beside them likewise."""
    service.answer = echo_content
    turns = (Turn("user", "a"), Turn("model", "b"), Turn("user", "c"))
    assert service.predictor("text-bison@002").generate(ENDPOINT, [turns, user("d")], 27) == ["C", "D"]
    assert {path for _, path, _, _ in service.seen} == {f"/at-us-central1/v1/{ENDPOINT}:generateContent"}
    bodies = sorted((body for _, _, _, body in service.seen), key=lambda body: len(body["contents"]))
    assert bodies == [
        {
            "contents": [{"role": "user", "parts": [{"text": "d"}]}],
            "generationConfig": {"temperature": 0, "maxOutputTokens": 27},
        },
        {
            "contents": [
                {"role": "user", "parts": [{"text": "a"}]},
                {"role": "model", "parts": [{"text": "b"}]},
                {"role": "user", "parts": [{"text": "c"}]},
            ],
            "generationConfig": {"temperature": 0, "maxOutputTokens": 27},
        },
    ]


def test_an_endpoint_without_turns_for_palm_models_refuses(service: Service) -> None:
    """Turns are never flattened into one text behind the caller's back."""
    service.answer = lambda *call: google_error(400, "not supported for this model")
    turns = (Turn("user", "a"), Turn("model", "b"), Turn("user", "c"))
    with pytest.raises(Refused, match="400: not supported for this model"):
        service.predictor("text-bison@002").generate(ENDPOINT, [turns], 8)
    assert len(service.seen) == 1


def test_instances_go_in_chunks(service: Service) -> None:
    """150 prompts are 3 calls and 150 answers in order."""
    service.answer = echo_predictions
    prompts = [user(f"row {number}") for number in range(150)]
    answers = service.predictor("text-bison@002").generate(ENDPOINT, prompts, 8)
    assert answers == [f"ROW {number}" for number in range(150)]
    assert sorted(len(body["instances"]) for _, _, _, body in service.seen) == [22, 64, 64]
    assert {path for _, path, _, _ in service.seen} == {f"/at-us-central1/v1/{ENDPOINT}:predict"}


def test_a_missing_prediction_is_noticed(service: Service) -> None:
    """Answers that cannot be matched with prompts are refused, never shifted."""
    service.answer = lambda *call: (200, {"predictions": []})
    with pytest.raises(Refused, match="gave 0 predictions for 1 instances"):
        service.predictor("text-bison@002").generate(ENDPOINT, [user("a")], 8)


def test_gemini_models_answer_generate_content(service: Service) -> None:
    """Turns as contents, the system turn apart, thinking off so that a short limit is all answer."""
    service.answer = echo_content
    prompt = (Turn("system", "be brief"), Turn("user", "a"), Turn("model", "b"), Turn("user", "c"))
    assert service.predictor("gemini-2.5-flash").generate(ENDPOINT, [prompt], 27) == ["C"]
    assert service.seen == [
        (
            "POST",
            f"/at-us-central1/v1/{ENDPOINT}:generateContent",
            {},
            {
                "contents": [
                    {"role": "user", "parts": [{"text": "a"}]},
                    {"role": "model", "parts": [{"text": "b"}]},
                    {"role": "user", "parts": [{"text": "c"}]},
                ],
                "systemInstruction": {"parts": [{"text": "be brief"}]},
                "generationConfig": {
                    "temperature": 0,
                    "maxOutputTokens": 27,
                    "thinkingConfig": {"thinkingBudget": 0},
                },
            },
        )
    ]


def test_a_model_without_thoughts_gets_no_thinking_config(service: Service) -> None:
    """gemini-1.0-pro would refuse the field."""
    service.answer = echo_content
    service.predictor("gemini-1.0-pro-002").generate(ENDPOINT, [user("a")], 27)
    assert service.seen[0][3]["generationConfig"] == {"temperature": 0, "maxOutputTokens": 27}


def test_answers_keep_the_order_of_prompts(service: Service) -> None:
    """Many requests at once, one answer for each prompt in its place."""
    service.answer = echo_content
    prompts = [user(f"row {number}") for number in range(50)]
    answers = service.predictor("gemini-2.5-flash").generate(ENDPOINT, prompts, 8)
    assert answers == [f"ROW {number}" for number in range(50)]


@pytest.mark.parametrize(
    "reply",
    [
        {"promptFeedback": {"blockReason": "SAFETY"}},
        {"candidates": [{"finishReason": "MAX_TOKENS", "content": {"role": "model"}}]},
        {"candidates": [{"content": {"parts": [{"text": "hmm", "thought": True}]}}]},
    ],
)
def test_an_answer_without_text_is_empty(service: Service, reply: dict[str, Any]) -> None:
    """A blocked, cut off or merely thought answer counts as wrong, and stops nothing."""
    service.answer = lambda *call: (200, reply)
    assert service.predictor("gemini-2.5-flash").generate(ENDPOINT, [user("a")], 8) == [""]


@pytest.mark.parametrize("base_model", ["text-bison@002", "gemini-1.0-pro-002"])
def test_choosing_is_controlled_generation(service: Service, base_model: str) -> None:
    """The labels are an enumeration as response schema, for both families."""
    service.answer = echo_content
    answers = service.predictor(base_model).choose(base_model, [user("refund")], ["LOST_CARD", "REFUND"])
    assert answers == ["REFUND"]
    ((_, path, _, body),) = service.seen
    assert path == f"/at-us-central1/v1/{PARENT}/publishers/google/models/{base_model}:generateContent"
    assert body["generationConfig"] == {
        "temperature": 0,
        "maxOutputTokens": 17,
        "responseMimeType": "text/x.enum",
        "responseSchema": {"type": "STRING", "enum": ["LOST_CARD", "REFUND"]},
    }


@pytest.mark.parametrize(
    ("base_model", "bodies"),
    [
        ("text-bison@002", [{"instances": [{"content": text}]} for text in ("a b c", "d")]),
        ("gemini-2.5-flash", [{"contents": [{"role": "user", "parts": [{"text": text}]}]} for text in ("a b c", "d")]),
    ],
)
def test_tokens_are_counted_text_by_text(service: Service, base_model: str, bodies: list[dict[str, Any]]) -> None:
    """A request for each text, in the words of its family, to the base model; the counts keep the texts' order."""
    counts = {json.dumps(body): tokens for body, tokens in zip(bodies, (3, 1), strict=True)}
    service.answer = lambda method, path, query, body: (
        200,
        {"totalTokens": counts[json.dumps(body)], "totalBillableCharacters": 9},
    )
    assert service.predictor(base_model).count_tokens(base_model, ["a b c", "d"]) == [3, 1]
    path = f"/at-us-central1/v1/{PARENT}/publishers/google/models/{base_model}:countTokens"
    assert sorted(service.seen, key=lambda call: bodies.index(call[3])) == [("POST", path, {}, body) for body in bodies]


def test_a_service_that_counts_no_tokens_refuses(service: Service) -> None:
    """With its own message, for the caller to do without."""
    service.answer = lambda *call: google_error(404, "no such method")
    with pytest.raises(Refused, match="404: no such method"):
        service.predictor("text-bison@002").count_tokens("text-bison@002", ["a"])


def test_a_service_that_cannot_choose_refuses(service: Service) -> None:
    """Its own message comes through, and of the remaining prompts only those on their way already are asked."""
    never = threading.Event()

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> Reply:
        if body["contents"][0]["parts"][0]["text"] != "0":
            never.wait(0.2)  # these connections are busy while the client takes in the first refusal
        return google_error(400, "controlled generation is not supported")

    service.answer = answer
    prompts = [user(str(number)) for number in range(10 * CONNECTIONS)]
    with pytest.raises(Refused, match="400: controlled generation is not supported"):
        service.predictor("text-bison@002").choose("text-bison@002", prompts, ["a"])
    assert len(service.seen) <= 2 * CONNECTIONS


def test_a_run_is_asked_in_its_own_region(service: Service) -> None:
    """The predictor of a run follows its request; a resource's name decides for the resource."""
    service.answer = echo_content
    ready = dataset_ready(fmt="gemini_contents")
    predictor = predictor_for(ready, service.rest, replace(service.settings, region="asia-northeast1"))
    predictor.generate("gemini-2.5-flash", [user("a")], 8)
    predictor.generate(ENDPOINT, [user("a")], 8)
    assert [path.split("/")[1] for _, path, _, _ in service.seen] == ["at-asia-northeast1", "at-us-central1"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again(service: Service, status: int) -> None:
    """With growing pauses; the caller sees the answer only."""
    replies = iter([google_error(status, "later"), google_error(status, "later")])
    service.answer = lambda *call: next(replies, (200, {"predictions": [{"content": "x"}]}))
    assert service.predictor("text-bison@002").generate(ENDPOINT, [user("a")], 8) == ["x"]
    assert len(service.slept) == 2
    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(service.slept))


def test_a_service_that_stays_busy_is_for_a_later_delivery(service: Service) -> None:
    """After a few attempts Retryable, with what the service said."""
    service.answer = lambda *call: google_error(429, "quota exceeded")
    with pytest.raises(Retryable, match="429: quota exceeded"):
        service.predictor("text-bison@002").generate(ENDPOINT, [user("a")], 8)
    assert len(service.seen) == ATTEMPTS


def test_an_unreachable_service_is_for_a_later_delivery() -> None:
    """A refused connection is tried as often as a busy answer."""
    slept: list[float] = []
    registry = VertexRegistry(GoogleRest(sleep=slept.append), SETTINGS, "us-central1")
    with pytest.raises(Retryable, match="is unreachable: ConnectionError"):
        registry.get(MODEL)
    assert len(slept) == ATTEMPTS - 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_role_is_for_a_later_delivery(service: Service, status: int) -> None:
    """New grants take minutes, so asking again at once is useless and giving up for ever wrong."""
    service.answer = lambda *call: google_error(status, "permission denied")
    with pytest.raises(Retryable, match="permission denied"):
        service.registry.get(MODEL)
    assert len(service.seen) == 1


@pytest.mark.parametrize("reply", [b"<html>", b"[]"])
def test_a_reply_that_is_no_object_is_for_a_later_delivery(service: Service, reply: bytes) -> None:
    """A proxy's page is no answer of the service."""
    service.answer = lambda *call: (200, reply)
    with pytest.raises(Retryable, match="no JSON object"):
        service.registry.get(MODEL)


def test_credentials_never_travel_in_clear(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Plain http carries no Authorization, not even from ~/.netrc."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    service.registry.with_label("a", "b")
    assert service.headers
    assert not any("Authorization" in headers for headers in service.headers)


def test_a_model_version_is_read_by_its_full_name(service: Service) -> None:
    """The @ is escaped in the path; the name is completed by the version, which the service writes apart."""
    service.answer = lambda *call: (
        200,
        {
            "name": MODEL.removesuffix("@1"),
            "versionId": "1",
            "versionAliases": ["default", "champion"],
            "labels": {"a": "b"},
            "deployedModels": [{"endpoint": ENDPOINT, "deployedModelId": "5"}],
        },
    )
    assert service.registry.get(MODEL) == ModelVersion(
        name=MODEL, aliases=("default", "champion"), labels={"a": "b"}, endpoints=(ENDPOINT,)
    )
    assert service.seen == [("GET", f"/at-us-central1/v1/{QUOTED_MODEL}", {}, None)]


def test_a_missing_model_is_refused(service: Service) -> None:
    """With the service's own words."""
    service.answer = lambda *call: google_error(404, "models/11 does not exist")
    with pytest.raises(Refused, match="404: models/11 does not exist"):
        service.registry.get(MODEL)


def test_what_is_no_resource_name_is_refused(service: Service) -> None:
    """Before any call."""
    with pytest.raises(Refused, match="is no resource name"):
        service.registry.get("models/11")
    assert service.seen == []


def test_models_are_found_by_label_on_all_pages(service: Service) -> None:
    """Page after page until there is no token."""

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> Reply:
        second = query.get("pageToken") == "t2"
        model = {"name": f"{PARENT}/models/{2 if second else 1}", "versionId": "3"}
        return 200, {"models": [model], **({} if second else {"nextPageToken": "t2"})}

    service.answer = answer
    found = service.registry.with_label("droptune-dataset", "banking")
    assert [model.name for model in found] == [f"{PARENT}/models/1@3", f"{PARENT}/models/2@3"]
    assert service.seen[0] == (
        "GET",
        f"/at-us-central1/v1/{PARENT}/models",
        {"filter": "labels.droptune-dataset=banking", "pageSize": "100"},
        None,
    )


def test_aliases_are_merged_on_exactly_one_version(service: Service) -> None:
    """The changes go as they are written."""
    service.registry.merge_aliases(MODEL, ["champion", "-old"])
    assert service.seen == [
        (
            "POST",
            f"/at-us-central1/v1/{QUOTED_MODEL}:mergeVersionAliases",
            {},
            {"versionAliases": ["champion", "-old"]},
        )
    ]


def test_labels_are_added_to_those_there(service: Service) -> None:
    """The service replaces them as a whole; labels that are there already cost no write."""
    service.answer = lambda *call: (200, {"labels": {"team": "support", "a": "1"}})
    service.registry.add_labels(MODEL, {"a": "1"})
    service.registry.add_labels(MODEL, {"b": "2"})
    writes = [call for call in service.seen if call[0] == "PATCH"]
    assert writes == [
        (
            "PATCH",
            f"/at-us-central1/v1/{QUOTED_MODEL}",
            {"updateMask": "labels"},
            {"labels": {"team": "support", "a": "1", "b": "2"}},
        )
    ]


def test_an_evaluation_is_imported_once(service: Service) -> None:
    """A second import of that display name finds the first; another name does not stand in the way."""
    imported: list[dict[str, Any]] = [{"name": f"{MODEL}/evaluations/1", "displayName": "other"}]

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> Reply:
        if method == "GET":
            return 200, {"modelEvaluations": imported}
        imported.append({"name": f"{MODEL}/evaluations/{len(imported) + 1}", **body["modelEvaluation"]})
        return 200, imported[-1]

    service.answer = answer
    names = [service.registry.import_evaluation(MODEL, "droptune-r", "gs://s.yaml", {"bleu": 0.5}) for _ in range(2)]
    assert names == [f"{MODEL}/evaluations/2"] * 2
    posts = [call for call in service.seen if call[0] == "POST"]
    assert posts == [
        (
            "POST",
            f"/at-us-central1/v1/{QUOTED_MODEL}/evaluations:import",
            {},
            {
                "modelEvaluation": {
                    "displayName": "droptune-r",
                    "metricsSchemaUri": "gs://s.yaml",
                    "metrics": {"bleu": 0.5},
                }
            },
        )
    ]


def test_an_import_of_unknown_end_is_not_sent_again(service: Service) -> None:
    """A 503 may have imported it; the next delivery looks first."""
    service.answer = lambda method, *call: (200, {}) if method == "GET" else google_error(503, "gone")
    with pytest.raises(Retryable):
        service.registry.import_evaluation(MODEL, "d", "gs://s.yaml", {})
    assert [call[0] for call in service.seen] == ["GET", "POST"]


@pytest.mark.parametrize(("reply", "served"), [((200, {}), True), (google_error(404, "no"), False)])
def test_the_endpoint_says_what_it_serves(service: Service, reply: Reply, served: bool) -> None:
    """A retired model is asked about where the endpoint is not Google's own."""
    service.answer = lambda *call: reply
    assert VertexBaseModels(service.rest, service.settings).serves("text-bison@002") is served
    assert service.seen == [("GET", "/at-us-central1/v1/publishers/google/models/text-bison@002", {}, None)]


def test_google_is_not_asked_about_retired_models(service: Service) -> None:
    """The catalogue knows for certain; no credentials are looked for and nothing is sent."""
    settings = replace(SETTINGS, vertex_endpoint="https://{region}-aiplatform.googleapis.com")
    models = VertexBaseModels(service.rest, settings, today=lambda: datetime.date(2025, 4, 9))
    assert not models.serves("text-bison@002")
    assert service.seen == []


def test_https_without_credentials_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An https endpoint is never asked without credentials."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    settings = replace(SETTINGS, vertex_endpoint="https://{region}-aiplatform.googleapis.com")
    with pytest.raises(Refused, match="gcloud auth application-default login"):
        VertexRegistry(GoogleRest(), settings, "us-central1").get(MODEL)
