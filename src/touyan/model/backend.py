"""The backends of this room, by the names that stand in `touyan.json`: llama and lora, ngram, linear.

Owns the opening of model folders as engines. Knows nothing about what the engines compute. Cheap to import: each engine
loads what it needs when a model is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from touyan.core.errors import Missing, missing_extra
from touyan.flow.backend import Backend, Engine


@dataclass(frozen=True, slots=True)
class LlamaBackend:
    """Decoders in the Hugging Face Llama layout, and LoRA adapters on them."""

    def open(self, path: Path, *, threads: int = 0, base: Path | None = None) -> Engine:
        try:
            import torch

            from touyan.model.llama import load_model
            from touyan.model.llama_engine import LlamaEngine, TextCodec
        except ImportError as error:
            raise missing_extra(error.name or "torch", "train") from error
        if threads:
            torch.set_num_threads(threads)
        is_adapter = (path / "adapter_config.json").exists()
        if is_adapter and base is None:
            raise Missing("no-base", f"{path} is an adapter and its base model was not given", "pass the base it was trained on")
        model = load_model(base if is_adapter and base else path)
        if is_adapter:
            from touyan.model.adapter import merge_adapter

            merge_adapter(model, path)
        return LlamaEngine(model, TextCodec(path, model.shape.bos), path.name)


@dataclass(frozen=True, slots=True)
class NgramBackend:
    """Character n-grams."""

    def open(self, path: Path, *, threads: int = 0, base: Path | None = None) -> Engine:
        try:
            from touyan.model.baseline_engines import NgramEngine
            from touyan.model.ngram import load_ngram
        except ImportError as error:
            raise missing_extra(error.name or "numpy", "train") from error
        model, alphabet = load_ngram(path)
        return NgramEngine(model, alphabet, path.name)


@dataclass(frozen=True, slots=True)
class LinearBackend:
    """Linear classifiers over character n-grams."""

    def open(self, path: Path, *, threads: int = 0, base: Path | None = None) -> Engine:
        try:
            from touyan.model.baseline_engines import LinearEngine
            from touyan.model.linear import load_linear
        except ImportError as error:
            raise missing_extra(error.name or "scipy", "train") from error
        return LinearEngine(load_linear(path), path.name)


LLAMA: Backend = LlamaBackend()
NGRAM: Backend = NgramBackend()
LINEAR: Backend = LinearBackend()
