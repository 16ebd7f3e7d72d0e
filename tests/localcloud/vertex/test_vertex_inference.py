"""Batching, caching and sharing never change an answer or a score."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_tuning
import torch

from localcloud.vertex.base_model import BASE_MODEL_VARIABLE, BaseModelError, ensure_base_model
from localcloud.vertex.chat import Turn
from localcloud.vertex.inference import Engine, PromptError
from localcloud.vertex.training import TRAINERS
from localcloud.vertex.training.model import Placement, head, load_model

INSTRUCTION = "Name the one class of the text, of these: " + ", ".join(tiny_tuning.LABELS) + ". Text: "
BARE = [[Turn("user", question)] for question in tiny_tuning.QUESTIONS]
INSTRUCTED = [[Turn("user", INSTRUCTION + question)] for question in tiny_tuning.QUESTIONS]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tuning.tiny_base(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def engine(base: Path) -> Engine:
    return Engine(base, threads=1)


@pytest.fixture(scope="module")
def half_tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A model tuned on half of the rows, so that it is right on those and wrong on others, and its exact match."""
    folder = tmp_path_factory.mktemp("job")
    result = TRAINERS["supervised"](tiny_tuning.job(folder, base, train_rows=4), lambda progress: None)
    return folder / result.adapter, result.final_metrics["exact_match"]


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folders = [tmp_path_factory.mktemp("job") for _ in range(2)]
    for seed, folder in enumerate(folders):
        job = tiny_tuning.job(folder, base, tuning_mode="lora", steps=10, learning_rate=0.02, seed=seed)
        TRAINERS["supervised"](job, lambda progress: None)
    return [folder / "adapter" for folder in folders]


@pytest.mark.parametrize("prompts", [BARE, INSTRUCTED, BARE[:1]])
def test_greedy_equals_transformers(engine: Engine, half_tuned: tuple[Path, float], prompts: list[list[Turn]]) -> None:
    """Greedy answers in batches with a shared beginning are those of transformers, one prompt at a time."""
    folder, _ = half_tuned
    model = load_model(folder, Placement(torch.device("cpu")))
    for prompt, answer in zip(prompts, engine.generate(folder, prompts, 12), strict=True):
        ids = torch.tensor([engine.chat.prompt_ids(prompt)])
        whole = model.generate(  # type: ignore[operator]
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
        )
        new = whole[0, ids.shape[1] :].tolist()
        assert answer.text == engine.chat.decode(new)
        assert answer.output_tokens == len(new)
        assert answer.finish_reason == ("STOP" if new[-1] == engine.chat.end_id else "MAX_TOKENS")


@pytest.mark.parametrize("prompts", [BARE, INSTRUCTED, BARE[:1]])
def test_scores_equal_the_naive_loop(engine: Engine, half_tuned: tuple[Path, float], prompts: list[list[Turn]]) -> None:
    """Scores from one pass over the tree of candidates are those of one pass for each candidate."""
    folder, _ = half_tuned
    candidates = [[*tiny_tuning.LABELS, "", "card", "card_arrival"][: 3 + i] for i in range(len(prompts))]
    model = load_model(folder, Placement(torch.device("cpu")))
    for prompt, texts, scores in zip(prompts, candidates, engine.score(folder, prompts, candidates), strict=True):
        for text, score in zip(texts, scores, strict=True):
            ids, answer = engine.chat.prompt_ids(prompt), engine.chat.answer_ids(text)
            with torch.no_grad():
                logprobs = model(input_ids=torch.tensor([ids + answer])).logits[0].log_softmax(-1)
            expected = sum(logprobs[len(ids) - 1 + i, token].item() for i, token in enumerate(answer))
            assert score.total_logprob == pytest.approx(expected, abs=1e-3)
            assert score.tokens == len(answer)


def test_teacher_forced_exact_match_is_that_of_generation(engine: Engine, half_tuned: tuple[Path, float]) -> None:
    """The metric from one forward pass counts exactly the rows that greedy generation answers right."""
    folder, exact_match = half_tuned
    answers = engine.generate(folder, BARE, 16)
    right = sum(a.text == label for a, label in zip(answers, tiny_tuning.LABELS, strict=True))
    assert 0 < right < len(BARE)
    assert right / len(BARE) == exact_match


def test_adapters_share_a_base_without_touching_each_other(engine: Engine, adapters: list[Path]) -> None:
    """Switching among base and adapters gives each the scores that it has alone."""
    labels = [list(tiny_tuning.LABELS)] * len(BARE)

    def totals(of: Engine, adapter: Path | None) -> list[float]:
        return [score.total_logprob for row in of.score(adapter, BARE, labels) for score in row]

    plain = totals(engine, None)
    first, second = (totals(engine, adapter) for adapter in adapters)
    assert totals(engine, None) == pytest.approx(plain)
    assert totals(engine, adapters[0]) == pytest.approx(first)
    assert max(abs(a - b) for a, b in zip(first, second, strict=True)) > 0.1
    assert max(abs(a - b) for a, b in zip(first, plain, strict=True)) > 0.1


def test_a_draw_depends_on_its_seed_alone(engine: Engine) -> None:
    """With a temperature the same seed gives the same text whatever else is in the batch; another seed another one."""
    alone = engine.generate(None, BARE[2:3], 12, temperature=1.0, seeds=[7])[0]
    together = engine.generate(None, BARE, 12, temperature=1.0, seeds=[1, 2, 7, 3, 4, 5, 6, 8])[2]
    other = engine.generate(None, BARE[2:3], 12, temperature=1.0, seeds=[8])[0]
    assert alone.text == together.text != other.text


@pytest.mark.parametrize("limit", [{"top_k": 1}, {"top_p": 0.0}])
def test_a_draw_from_one_token_is_greedy(engine: Engine, limit: dict[str, float]) -> None:
    """top_k 1 and top_p 0 leave nothing to chance."""
    drawn = engine.generate(None, BARE, 8, temperature=1.0, **limit)  # type: ignore[arg-type]
    assert [a.text for a in drawn] == [a.text for a in engine.generate(None, BARE, 8)]


def test_a_stop_text_ends_an_answer(engine: Engine, half_tuned: tuple[Path, float]) -> None:
    """The answer ends before the first stop text and says STOP."""
    folder, _ = half_tuned
    whole = engine.generate(folder, BARE, 12)
    text = max((answer.text for answer in whole), key=len)
    index = [answer.text for answer in whole].index(text)
    stopped = engine.generate(folder, BARE, 12, stop=[text[3:5]])[index]
    assert stopped.text == text[: text.find(text[3:5])]
    assert stopped.finish_reason == "STOP"


def test_a_prompt_too_long_is_refused(engine: Engine) -> None:
    """What does not fit the base model's context is refused with both numbers."""
    with pytest.raises(PromptError, match="2048 in all"):
        engine.generate(None, [[Turn("user", "word " * 3000)]], 10)


def test_the_head_caps_logits_where_the_model_does(base: Path) -> None:
    """Soft-capped logits stay below the cap."""
    model = load_model(base, Placement(torch.device("cpu")))
    model.config.final_logit_softcapping = 0.5  # type: ignore[union-attr]
    assert head(model, torch.randn(4, 128) * 100).abs().max() <= 0.5


@pytest.mark.real_model
def test_the_real_base_model_knows_paris(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fetched base model tokenises without loss, splits digits, and answers a plain question."""
    monkeypatch.delenv(BASE_MODEL_VARIABLE, raising=False)
    try:
        model = ensure_base_model()
    except BaseModelError as error:
        pytest.skip(str(error))
    assert json.loads((model.folder / "provenance.json").read_text(encoding="utf-8"))["licence"] == "Apache-2.0"
    engine = Engine(model.folder)
    for text in ("1/2 of 2024 in Zürich 東京 🙂", " leading", "<|im_end|>"):
        assert engine.chat.decode(engine.chat.text_ids(text)) == text
    assert len(engine.chat.text_ids("2024")) == 4
    answer = engine.generate(None, [[Turn("user", "Complete: The capital of France is")]], 16)[0]
    assert "Paris" in answer.text
    scores = engine.score(None, [[Turn("user", "What is the capital of France?")]], [["Paris", "Banana"]])[0]
    assert scores[0].total_logprob > scores[1].total_logprob
