"""The candidate answers of one prompt as a tree of tokens, laid out for a single forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class CandidateTree:
    """A prompt and, below its last token, every different beginning of its candidates.

    `tokens[i]` hangs below `parents[i]` (-1: the prompt's last token) at depth `depths[i]` (0: first token of an
    answer). `paths[c]` lists the nodes of candidate c. Its
    end token, always a leaf, is no node: `ends[c]`.
    """

    prompt: list[int]
    tokens: list[int]
    parents: list[int]
    depths: list[int]
    paths: list[list[int]]
    ends: list[int]

    @classmethod
    def build(cls, prompt: list[int], answers: Sequence[Sequence[int]]) -> CandidateTree:
        """The tree of `answers`, each ending with its end token."""
        tree = cls(prompt, [], [], [], [], [])
        children: dict[tuple[int, int], int] = {}
        for answer in answers:
            path: list[int] = []
            node = -1
            for depth, token in enumerate(answer[:-1]):
                edge = (node, token)
                if edge not in children:
                    children[edge] = len(tree.tokens)
                    tree.tokens.append(token)
                    tree.parents.append(node)
                    tree.depths.append(depth)
                node = children[edge]
                path.append(node)
            tree.paths.append(path)
            tree.ends.append(answer[-1])
        return tree

    @property
    def size(self) -> int:
        """Tokens in all."""
        return len(self.prompt) + len(self.tokens)

    def inputs(self, prefix: int, width: int, pad_id: int) -> tuple[Tensor, Tensor, Tensor]:
        """(ids, positions, what is seen) for all but the first `prefix` tokens, padded on the right to `width`.

        The last is (width, width) and leaves out the prefix, which all see: prompt tokens see what is before them,
        nodes see the whole prompt and their ancestors, padding sees all before it so that its softmax stays finite.
        """
        suffix = self.prompt[prefix:]
        first = len(suffix)
        last = len(self.prompt)
        ids = torch.full((width,), pad_id)
        ids[: first + len(self.tokens)] = torch.tensor([*suffix, *self.tokens])
        positions = torch.zeros(width, dtype=torch.long)
        places = [*range(prefix, last), *(last + depth for depth in self.depths)]
        positions[: len(places)] = torch.tensor(places)
        seen = torch.ones(width, width, dtype=torch.bool).tril()
        for node, parent in enumerate(self.parents):
            row = seen[first + node]
            row[first:] = False
            if parent >= 0:
                row |= seen[first + parent]
            row[first + node] = True
        return ids, positions, seen

    def edges(self, prefix: int) -> list[tuple[int, int]]:
        """(place of the parent after `prefix`, token) of every node, then of every candidate's end token."""
        first = len(self.prompt) - prefix
        nodes = [
            (first + parent if parent >= 0 else first - 1, t)
            for parent, t in zip(self.parents, self.tokens, strict=True)
        ]
        ends = [(first + path[-1] if path else first - 1, end) for path, end in zip(self.paths, self.ends, strict=True)]
        return nodes + ends

    def totals(self, logprobs: Sequence[float]) -> list[tuple[float, int]]:
        """(sum of log probabilities, tokens) of each candidate, from those of `edges`."""
        return [
            (sum(logprobs[node] for node in path) + logprobs[len(self.tokens) + number], len(path) + 1)
            for number, path in enumerate(self.paths)
        ]
