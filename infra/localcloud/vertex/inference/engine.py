"""Answers and label scores from the base model and everything tuned from it: batched, cached, deterministic.

What is computed once: the weights of the base (adapters are switched on and off around it), the instruction or
examples that all prompts of a batch begin with, and the prompt that all candidate answers share.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..chat import ChatFormat, Turn
from ..training.model import Placement, body, head, kind_of, load_model
from .attention import register
from .candidates import CandidateTree
from .prefix import PrefixCache, additive, causal_mask
from .sampling import Sampler

MAX_ADAPTERS = 4
MAX_MODELS = 1
# Rows generated side by side, and their tokens: bounds the key-value cache and the activations of prompts.
MAX_ROWS = 64
MAX_BATCH_TOKENS = 16_384
# Logits are the largest tensor (one float for each word): they are taken for this many positions at once.
MAX_LOGIT_ROWS = 1_024


class PromptError(ValueError):
    """A prompt that cannot be answered; the message says why."""


@dataclass(frozen=True)
class Generation:
    """An answer. `avg_logprob` is the mean natural log of the probability of its tokens, the end token included."""

    text: str
    finish_reason: Literal["STOP", "MAX_TOKENS"]
    prompt_tokens: int
    output_tokens: int
    avg_logprob: float


@dataclass(frozen=True)
class LabelScore:
    """Natural log of the probability that the model's turn is exactly this candidate: its tokens and the end token."""

    total_logprob: float
    tokens: int


@dataclass
class _Row:
    """A prompt being answered."""

    index: int
    ids: list[int]
    sampler: Sampler
    output: list[int]
    logprob: float = 0.0
    text: str = ""
    finish_reason: Literal["STOP", "MAX_TOKENS"] = "MAX_TOKENS"


class Engine:
    """One base model and what was tuned from it. Not for several threads at once."""

    def __init__(self, base_folder: Path, threads: int | None = None) -> None:
        self._placement = Placement.best(threads)
        self.chat = ChatFormat(base_folder)
        self._attention = register()
        self._base = load_model(base_folder, self._placement, self._attention)
        self._context: int = self._base.config.max_position_embeddings  # type: ignore[assignment,union-attr]
        self._peft: Any = None
        self._adapters: OrderedDict[str, str] = OrderedDict()
        self._models: OrderedDict[str, nn.Module] = OrderedDict()
        self._prefix = PrefixCache()
        self._loaded = 0

    @property
    def device(self) -> str:
        return self._placement.description

    def count_tokens(self, prompts: Sequence[Sequence[Turn]]) -> list[int]:
        """The length of each prompt as the model reads it, the opening of its answer included."""
        return [len(self.chat.prompt_ids(prompt)) for prompt in prompts]

    def prompt_ids(self, prompt: Sequence[Turn], max_new_tokens: int) -> list[int]:
        """The ids of a prompt that leaves room for an answer. PromptError or ChatError when it cannot be answered."""
        if not prompt:
            raise PromptError("a prompt needs at least one turn")
        ids = self.chat.prompt_ids(prompt)
        if len(ids) + max_new_tokens > self._context:
            raise PromptError(
                f"the prompt has {len(ids)} tokens and asks for up to {max_new_tokens} more; "
                f"the local base model reads {self._context} in all"
            )
        return ids

    def check(self, prompt: Sequence[Turn], max_new_tokens: int, candidates: Sequence[str]) -> None:
        """PromptError or ChatError when `prompt` cannot be answered, or scored with these candidates."""
        longest = max((len(self.chat.answer_ids(text)) for text in candidates), default=0)
        self.prompt_ids(prompt, max(max_new_tokens, longest))

    @torch.inference_mode()
    def generate(
        self,
        adapter: Path | None,
        prompts: Sequence[Sequence[Turn]],
        max_new_tokens: int,
        temperature: float = 0.0,
        top_p: float = 1.0,
        top_k: int = 0,
        stop: Sequence[str] = (),
        seeds: Sequence[int] | None = None,
    ) -> list[Generation]:
        """One answer for each prompt. Temperature 0 is greedy; otherwise `seeds`, one for each prompt, decide."""
        rows = []
        for index, prompt in enumerate(prompts):
            seed = index if seeds is None else seeds[index]
            sampler = Sampler(temperature, top_p, top_k, seed)
            rows.append(_Row(index, self.prompt_ids(prompt, max_new_tokens), sampler, []))
        model = self._activate(adapter)
        rows.sort(key=lambda row: -len(row.ids))
        with self._placement.autocast():
            start = 0
            while start < len(rows):
                size = max(1, min(MAX_ROWS, MAX_BATCH_TOKENS // (len(rows[start].ids) + max_new_tokens)))
                self._generate_batch(adapter, model, rows[start : start + size], max_new_tokens, stop)
                start += size
        return [self._generation(row) for row in sorted(rows, key=lambda row: row.index)]

    def _generate_batch(
        self, adapter: Path | None, model: nn.Module, rows: Sequence[_Row], max_new_tokens: int, stop: Sequence[str]
    ) -> None:
        from transformers import DynamicCache

        shared = self._prefix.shared(self._key(adapter), body(model), [row.ids for row in rows])
        suffixes = [row.ids[shared.length :] for row in rows]
        width = max(map(len, suffixes))
        device = self._placement.device
        ids = torch.tensor([[self.chat.pad_id] * (width - len(s)) + s for s in suffixes], device=device)
        seen = torch.tensor([[0] * (width - len(s)) + [1] * len(s) for s in suffixes], device=device)
        positions = (seen.cumsum(1) - 1).clamp(min=0) + shared.length
        mask = causal_mask(seen)
        cache = DynamicCache()
        alive = list(rows)
        for _ in range(max_new_tokens):
            hidden = body(model)(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                shared_prefix=shared.prefix,
            )[0]
            logits = head(model, hidden[:, -1])
            tokens = torch.stack([row.sampler.choose(logits[i]) for i, row in enumerate(alive)])
            chosen = logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(1)
            pairs = zip(tokens.tolist(), chosen.tolist(), strict=True)
            going = [i for i, (token, nats) in enumerate(pairs) if self._goes_on(alive[i], token, nats, stop)]
            if not going:
                return
            if len(going) < len(alive):  # answers end at different lengths: finished rows cost no more
                kept = torch.tensor(going, device=device)
                alive = [alive[i] for i in going]
                cache.batch_select_indices(kept)
                tokens, seen, positions = tokens[kept], seen[kept], positions[kept]
            ids = tokens[:, None]
            seen = torch.cat([seen, seen.new_ones(len(alive), 1)], dim=1)
            mask = additive(seen.bool()[:, None, None, :])
            positions = positions[:, -1:] + 1

    def _goes_on(self, row: _Row, token: int, logprob: float, stop: Sequence[str]) -> bool:
        row.output.append(token)
        row.logprob += logprob
        if token == self.chat.end_id:
            row.text = self.chat.decode(row.output[:-1])
            row.finish_reason = "STOP"
            return False
        if stop:
            text = self.chat.decode(row.output)
            found = [at for at in map(text.find, stop) if at >= 0]
            if found:
                row.text = text[: min(found)]
                row.finish_reason = "STOP"
                return False
        return True

    def _generation(self, row: _Row) -> Generation:
        text = row.text if row.finish_reason == "STOP" else self.chat.decode(row.output)
        tokens = len(row.output)
        return Generation(text, row.finish_reason, len(row.ids), tokens, row.logprob / max(1, tokens))

    @torch.inference_mode()
    def score(
        self, adapter: Path | None, prompts: Sequence[Sequence[Turn]], candidates: Sequence[Sequence[str]]
    ) -> list[list[LabelScore]]:
        """For each prompt, how likely each of its candidates is as the whole answer.

        The candidates of a prompt hang below it as a tree of tokens whose nodes see their ancestors only, so one
        forward pass scores all of them and common beginnings are computed once.
        """
        trees = []
        for prompt, texts in zip(prompts, candidates, strict=True):
            answers = [self.chat.answer_ids(text) for text in texts]
            longest = max(map(len, answers), default=0)
            trees.append(CandidateTree.build(self.prompt_ids(prompt, longest), answers))
        model = self._activate(adapter)
        order = sorted(range(len(trees)), key=lambda index: -trees[index].size)
        scores: list[list[LabelScore]] = [[] for _ in trees]
        with self._placement.autocast():
            start = 0
            while start < len(order):
                size = max(1, self._placement.max_batch_tokens // trees[order[start]].size)
                batch = order[start : start + size]
                found = self._score_batch(adapter, model, [trees[index] for index in batch])
                for index, row in zip(batch, found, strict=True):
                    scores[index] = row
                start += size
        return scores

    def _score_batch(
        self, adapter: Path | None, model: nn.Module, trees: Sequence[CandidateTree]
    ) -> list[list[LabelScore]]:
        shared = self._prefix.shared(self._key(adapter), body(model), [tree.prompt for tree in trees])
        width = max(tree.size for tree in trees) - shared.length
        device = self._placement.device
        inputs = [tree.inputs(shared.length, width, self.chat.pad_id) for tree in trees]
        hidden = body(model)(
            input_ids=torch.stack([ids for ids, _, _ in inputs]).to(device),
            position_ids=torch.stack([positions for _, positions, _ in inputs]).to(device),
            attention_mask=additive(torch.stack([seen for _, _, seen in inputs])[:, None]).to(device),
            use_cache=False,
            shared_prefix=shared.prefix,
        )[0]
        edges = [(row, *edge) for row, tree in enumerate(trees) for edge in tree.edges(shared.length)]
        nats = _edge_logprobs(model, hidden, [(row, parent) for row, parent, _ in edges], [t for _, _, t in edges])
        by_row: list[list[float]] = [[] for _ in trees]
        for (row, _, _), value in zip(edges, nats, strict=True):
            by_row[row].append(value)
        return [
            [LabelScore(total, tokens) for total, tokens in tree.totals(values)]
            for tree, values in zip(trees, by_row, strict=True)
        ]

    def _key(self, adapter: Path | None) -> str:
        return "" if adapter is None else str(adapter.resolve())

    def _activate(self, adapter: Path | None) -> nn.Module:
        """The model that answers for `adapter`, switched to it; loaded at first use, the least used one dropped."""
        if adapter is None:
            if self._peft is not None:
                self._peft.base_model.disable_adapter_layers()
            return self._base
        if not adapter.is_dir():
            raise PromptError(f"{adapter} is no folder of a tuned model")
        key = self._key(adapter)
        if kind_of(adapter) == "model":
            if key not in self._models:
                if len(self._models) >= MAX_MODELS:
                    self._models.popitem(last=False)
                self._models[key] = load_model(adapter, self._placement, self._attention)
            self._models.move_to_end(key)
            return self._models[key]
        if key not in self._adapters:
            self._load_adapter(adapter, key)
        self._adapters.move_to_end(key)
        self._peft.base_model.enable_adapter_layers()
        self._peft.set_adapter(self._adapters[key])
        active: nn.Module = self._peft
        return active

    def _load_adapter(self, adapter: Path, key: str) -> None:
        from peft import PeftModel  # slow to import, and not needed to run the base

        self._loaded += 1
        name = f"tuned{self._loaded}"
        if self._peft is None:
            self._peft = PeftModel.from_pretrained(self._base, str(adapter), adapter_name=name).eval()
        else:
            self._peft.load_adapter(str(adapter), adapter_name=name)
            self._peft.eval()
        self._adapters[key] = name
        if len(self._adapters) > MAX_ADAPTERS:
            _, dropped = self._adapters.popitem(last=False)
            self._peft.delete_adapter(dropped)


def _edge_logprobs(
    model: nn.Module, hidden: Tensor, parents: Sequence[tuple[int, int]], tokens: Sequence[int]
) -> list[float]:
    """log p(token | parent) for each edge; logits are computed once for each different parent."""
    different = list(dict.fromkeys(parents))
    place = {parent: number for number, parent in enumerate(different)}
    where = torch.tensor(different, device=hidden.device)
    states = hidden[where[:, 0], where[:, 1]]
    found = [math.nan] * len(parents)
    for start in range(0, len(different), MAX_LOGIT_ROWS):
        logits = head(model, states[start : start + MAX_LOGIT_ROWS])
        here = [i for i, parent in enumerate(parents) if start <= place[parent] < start + MAX_LOGIT_ROWS]
        rows = torch.tensor([place[parents[i]] - start for i in here], device=hidden.device)
        columns = torch.tensor([tokens[i] for i in here], device=hidden.device)
        values = logits[rows, columns] - logits.logsumexp(1)[rows]
        for i, value in zip(here, values.tolist(), strict=True):
            found[i] = value
    return found
