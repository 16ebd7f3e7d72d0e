"""generateContent, predict and countTokens bodies -> what the model server is asked; and its answers -> Google's JSON.

Source: projects.locations.endpoints.generateContent and .predict (v1), "Text" model parameters of PaLM.
Differs: temperature 0 when not given, so that answers repeat; short answers unless maxOutputTokens asks for more; no
safety ratings, since nothing here rates safety.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..http import GoogleError
from .fields import Fields, invalid
from .serving import Generation, Prompt, Sampling, Score, Turn

DEFAULT_MAX_OUTPUT_TOKENS = 256
MAX_OUTPUT_TOKENS = 8192
ENUM_MIME_TYPE = "text/x.enum"


@dataclass(frozen=True)
class ContentRequest:
    """A generateContent body: free text, or a choice among `labels` when there are any."""

    prompt: Prompt
    sampling: Sampling
    labels: tuple[str, ...]


@dataclass(frozen=True)
class PredictRequest:
    """A predict body in PaLM's text form."""

    prompts: tuple[Prompt, ...]
    sampling: Sampling


def parse_generate_content(body: Mapping[str, Any]) -> ContentRequest:
    request = Fields(body)
    _refuse_beyond_text(request)
    # Differs: nothing is filtered, so safety settings change nothing; labels are for billing.
    request.ignore("safetySettings", "labels", "model")
    prompt = _chat(request)
    config = request.child("generationConfig")
    labels = _labels(config)
    config.refuse(
        {
            "responseLogprobs": "candidates carry avgLogprobs in any case",
            "logprobs": "candidates carry avgLogprobs in any case",
            "presencePenalty": "leave it out",
            "frequencyPenalty": "leave it out",
            "responseModalities": "only text is generated",
            "speechConfig": "only text is generated",
            "audioTimestamp": "only text is generated",
            "mediaResolution": "only text is read",
            "routingConfig": "leave it out",
        }
    )
    _check_thinking(config.child("thinkingConfig"))
    if (config.integer("candidateCount", least=1) or 1) != 1:
        raise GoogleError("UNIMPLEMENTED", "generationConfig.candidateCount: this local Vertex AI gives one candidate")
    sampling = _sampling(config)
    config.finish()
    request.finish()
    return ContentRequest(prompt, sampling, labels)


def parse_predict(body: Mapping[str, Any]) -> PredictRequest:
    request = Fields(body)
    request.ignore("labels")
    prompts = tuple(_instance(value, f"instances[{i}]") for i, value in enumerate(request.items("instances")))
    if not prompts:
        raise invalid("instances is required, a list with at least one instance")
    parameters = request.child("parameters")
    if (parameters.integer("candidateCount", least=1) or 1) != 1:
        raise GoogleError("UNIMPLEMENTED", "parameters.candidateCount: this local Vertex AI gives one candidate")
    parameters.refuse({"logprobs": "leave it out", "groundingConfig": "leave it out", "echo": "leave it out"})
    sampling = _sampling(parameters)
    parameters.finish()
    request.finish()
    return PredictRequest(prompts, sampling)


def parse_count_tokens(body: Mapping[str, Any]) -> tuple[Prompt, ...]:
    request = Fields(body)
    request.ignore("model", "generationConfig")
    if request.has("instances") == request.has("contents"):
        raise invalid("exactly one of contents and instances is required")
    if request.has("instances"):
        prompts = tuple(_instance(value, f"instances[{i}]") for i, value in enumerate(request.items("instances")))
    else:
        _refuse_beyond_text(request)
        prompts = (_chat(request),)
    request.finish()
    return prompts


def content_response(generation: Generation, model_version: str) -> dict[str, Any]:
    return _content(
        generation.text,
        generation.finish_reason,
        generation.avg_logprob,
        (generation.prompt_tokens, generation.output_tokens),
        model_version,
    )


def choice_response(
    labels: Sequence[str], scores: Sequence[Score], prompt_tokens: int, model_version: str
) -> dict[str, Any]:
    """The answer constrained to `labels`: the one with the highest probability as a whole."""
    label, score = max(zip(labels, scores, strict=True), key=lambda pair: pair[1].total_logprob)
    average = score.total_logprob / max(1, score.tokens)
    return _content(label, "STOP", average, (prompt_tokens, score.tokens), model_version)


def predict_response(prompts: Sequence[Prompt], generations: Sequence[Generation]) -> dict[str, Any]:
    """Without the fields that name the deployed model."""
    read = sum(generation.prompt_tokens for generation in generations)
    written = sum(generation.output_tokens for generation in generations)
    return {
        "predictions": [
            {"content": generation.text, "citationMetadata": {"citations": []}} for generation in generations
        ],
        "metadata": {
            "tokenMetadata": {
                "inputTokenCount": {"totalTokens": read, "totalBillableCharacters": billable_characters(prompts)},
                "outputTokenCount": {
                    "totalTokens": written,
                    "totalBillableCharacters": sum(_visible(generation.text) for generation in generations),
                },
            }
        },
    }


def billable_characters(prompts: Sequence[Prompt]) -> int:
    """Characters without white space, which Google does not bill."""
    return sum(_visible(turn.text) for prompt in prompts for turn in prompt)


def _content(
    text: str,
    finish_reason: Literal["STOP", "MAX_TOKENS"],
    average_logprob: float,
    tokens: tuple[int, int],
    model_version: str,
) -> dict[str, Any]:
    candidate: dict[str, Any] = {
        "content": {"role": "model", "parts": [{"text": text}]},
        "finishReason": finish_reason,
    }
    if math.isfinite(average_logprob):
        candidate["avgLogprobs"] = average_logprob
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": tokens[0],
            "candidatesTokenCount": tokens[1],
            "totalTokenCount": sum(tokens),
        },
        "modelVersion": model_version,
    }


def _refuse_beyond_text(request: Fields) -> None:
    instead = "this local model reads and writes plain text"
    request.refuse({"tools": instead, "toolConfig": instead, "cachedContent": instead, "modelArmorConfig": instead})


def _chat(request: Fields) -> Prompt:
    turns = []
    if request.has("systemInstruction"):
        turns.append(Turn("system", _text(request.child("systemInstruction"))))
    contents = request.items("contents")
    if not contents:
        raise invalid("contents is required, a list with at least one turn")
    for i, value in enumerate(contents):
        content = Fields(value, f"contents[{i}]")
        role = content.choice("role", ("user", "model"), "user")
        turns.append(Turn("user" if role == "user" else "assistant", _text(content)))
    if turns[-1].role != "user":
        raise invalid(f"contents[{len(contents) - 1}].role is 'model'; the last turn must be the user's")
    return tuple(turns)


def _text(content: Fields) -> str:
    content.ignore("role")
    parts = content.items("parts")
    content.finish()
    if not parts:
        raise invalid(f"{content.path('parts')} is required, a list with at least one part")
    texts = []
    for i, value in enumerate(parts):
        part = Fields(value, content.path(f"parts[{i}]"))
        for key in value:
            if key != "text":
                raise GoogleError(
                    "UNIMPLEMENTED",
                    f"{part.path(key)} is not implemented: this local model reads text parts only",
                )
        texts.append(part.text("text"))
    return "".join(texts)


def _instance(value: Any, path: str) -> Prompt:
    instance = Fields(value, path)
    if instance.has("messages"):
        raise GoogleError("UNIMPLEMENTED", f"{path}.messages: chat instances are not implemented; send content")
    if instance.has("prefix"):
        if instance.has("suffix"):
            raise GoogleError("UNIMPLEMENTED", f"{path}.suffix: filling in code is not implemented; send prefix alone")
        text = instance.required_text("prefix")
    else:
        text = instance.required_text("prompt" if instance.has("prompt") else "content")
    instance.finish()
    return (Turn("user", text),)


def _labels(config: Fields) -> tuple[str, ...]:
    mime_type = config.text("responseMimeType", "text/plain")
    if mime_type == ENUM_MIME_TYPE:
        schema = config.child("responseSchema")
        schema.choice("type", ("STRING", "string"), "STRING")
        labels = schema.items("enum")
        schema.ignore("format", "description", "title", "nullable")
        schema.finish()
        if not labels or not all(isinstance(label, str) and label for label in labels):
            raise invalid(f"{schema.path('enum')} must be a list of words to choose from")
        return tuple(dict.fromkeys(labels))
    if mime_type != "text/plain" or config.has("responseSchema") or config.has("responseJsonSchema"):
        raise GoogleError(
            "UNIMPLEMENTED",
            f"responseMimeType {mime_type} with a schema is not implemented by this local Vertex AI; it writes "
            f'text/plain, and {ENUM_MIME_TYPE} with responseSchema {{"type": "STRING", "enum": [...]}}',
        )
    return ()


def _check_thinking(thinking: Fields) -> None:
    # Differs: this model does not think. A budget is an upper limit, so any is kept; thoughts cannot be shown.
    thinking.integer("thinkingBudget", least=-1)
    thinking.choice("thinkingLevel", ("MINIMAL", "LOW", "MEDIUM", "HIGH", "THINKING_LEVEL_UNSPECIFIED"), "MINIMAL")
    if thinking.boolean("includeThoughts", False):
        raise GoogleError("UNIMPLEMENTED", f"{thinking.path('includeThoughts')}: this local model has no thoughts")
    thinking.finish()


def _sampling(config: Fields) -> Sampling:
    stop = config.items("stopSequences")
    if not all(isinstance(word, str) and word for word in stop):
        raise invalid(f"{config.path('stopSequences')} must be a list of non-empty strings")
    temperature = config.number("temperature", least=0, most=2)
    top_p = config.number("topP", least=0, most=1)
    seed = config.integer("seed", least=0)
    return Sampling(
        max_new_tokens=config.integer("maxOutputTokens", least=1, most=MAX_OUTPUT_TOKENS) or DEFAULT_MAX_OUTPUT_TOKENS,
        temperature=temperature or 0.0,
        top_p=1.0 if top_p is None else top_p,
        top_k=config.integer("topK", least=0) or 0,
        stop=tuple(stop),
        seed=seed or 0,
    )


def _visible(text: str) -> int:
    return sum(1 for character in text if not character.isspace())
