"""The shape of a decoder, and its `config.json` in the Hugging Face Llama layout.

Owns the numbers that fix every tensor of the model and their names on disk. Knows nothing about torch, training or serving.
Invariant: `LlamaShape.read(folder)` after `write(folder)` gives the same shape, and `transformers` reads the same model from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touyan.core.errors import Broken, Invalid


@dataclass(frozen=True, slots=True)
class LlamaShape:
    """A decoder of the Llama family (Touvron et al. 2023): RMSNorm, rotary positions, SwiGLU, no biases."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    inner: int
    """Width of the SwiGLU inside."""
    kv_heads: int = 0
    """Heads of keys and values; 0 means as many as `heads`, fewer is grouped-query attention (Ainslie et al. 2023)."""
    context_tokens: int = 1024
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5
    is_tied: bool = True
    """The output matrix is the embedding."""
    bos: int = 1
    end: int = 2
    pad: int = 0

    def __post_init__(self) -> None:
        if self.width % self.heads or self.heads % self.groups or self.head_width % 2:
            raise Invalid(
                "model-shape",
                f"width {self.width} with {self.heads} heads and {self.groups} key-value heads does not divide evenly",
                "choose a width that is an even multiple of heads, and heads a multiple of kv_heads",
            )

    @property
    def groups(self) -> int:
        """Heads of keys and values."""
        return self.kv_heads or self.heads

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def kv_width(self) -> int:
        return self.groups * self.head_width

    def write(self, folder: Path) -> None:
        """Writes `config.json` and `generation_config.json`."""
        tokens = {"bos_token_id": self.bos, "eos_token_id": self.end, "pad_token_id": self.pad}
        config: dict[str, Any] = {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "attention_bias": False,
            "attention_dropout": 0.0,
            "head_dim": self.head_width,
            "hidden_act": "silu",
            "hidden_size": self.width,
            "initializer_range": 0.02,
            "intermediate_size": self.inner,
            "max_position_embeddings": self.context_tokens,
            "mlp_bias": False,
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.layers,
            "num_key_value_heads": self.groups,
            "rms_norm_eps": self.norm_epsilon,
            "rope_parameters": {"rope_theta": self.rope_base, "rope_type": "default"},
            "rope_theta": self.rope_base,
            "tie_word_embeddings": self.is_tied,
            "torch_dtype": "float32",
            "vocab_size": self.vocabulary,
            **tokens,
        }
        write_json(folder / "config.json", config)
        write_json(folder / "generation_config.json", {"do_sample": False, **tokens})

    @classmethod
    def read(cls, folder: Path) -> LlamaShape:
        """Reads `config.json`. Raises Broken where it is damaged, Invalid where it is not a plain Llama."""
        config = read_json(folder / "config.json")
        _refuse_foreign(folder, config)
        try:
            heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
            return cls(
                vocabulary=int(config["vocab_size"]),
                width=width,
                layers=int(config["num_hidden_layers"]),
                heads=heads,
                inner=int(config["intermediate_size"]),
                kv_heads=int(config.get("num_key_value_heads") or heads),
                context_tokens=int(config["max_position_embeddings"]),
                rope_base=_rope_base(config),
                norm_epsilon=float(config["rms_norm_eps"]),
                is_tied=bool(config.get("tie_word_embeddings", False)),
                bos=_first(config.get("bos_token_id"), 1),
                end=_first(config.get("eos_token_id"), 2),
                pad=_first(config.get("pad_token_id"), 0),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Broken("model-config", f"{folder}/config.json lacks or spoils {error}", "fetch the model again") from error


def write_json(path: Path, value: object) -> None:
    """Writes JSON with sorted keys, one value the same bytes always."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object. Raises Broken where it is absent or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Broken("damaged-json", f"{path} cannot be read: {error}", "fetch the Asset again or re-run its step") from error
    if not isinstance(value, dict):
        raise Broken("damaged-json", f"{path} does not hold an object", "fetch the Asset again or re-run its step")
    return value


def _refuse_foreign(folder: Path, config: dict[str, Any]) -> None:
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    plain = rope.get("rope_type", rope.get("type", "default")) == "default" and not config.get("attention_bias")
    if config.get("model_type") != "llama" or not plain:
        raise Invalid(
            "model-family",
            f"{folder} holds a {config.get('model_type')!r} model; the built-in engine reads plain Llama decoders",
            "serve it through an engine of its own, or choose a base of the Llama family",
        )


def _rope_base(config: dict[str, Any]) -> float:
    rope = config.get("rope_parameters") or {}
    return float(rope.get("rope_theta", config.get("rope_theta", 10_000.0)))


def _first(value: object, default: int) -> int:
    """Some configs list several end tokens; the first is the one generation appends."""
    if isinstance(value, list):
        value = value[0] if value else None
    return int(value) if isinstance(value, int) else default
