"""The step `train`: tokens and a tokenizer become a model, or a base model becomes an adapted one.

Owns the parameters and the choice between pretraining and LoRA. Knows nothing about the loops themselves.
Invariant: the Asset is a Hugging Face folder (or a PEFT adapter with `base`) that names its backend in `touyan.json`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from touyan.core.errors import Invalid
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.model.heap import bound_primitives
from touyan.model.shape import LlamaShape, read_json, write_json
from touyan.model.tokens import cut, read_tokens

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


@dataclass(frozen=True, slots=True)
class TrainParams:
    """The recipe. The defaults spend about 200 s on two idle cores (docs/design/model.md has the search behind them)."""

    seed: int = 0
    tokens: int = 1_450_000
    """Budget: training stops at the first batch that reaches it."""
    width: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 768
    context_tokens: int = 1024
    """Longest text the model is declared for."""
    batch_tokens: int = 4096
    piece_tokens: int = 256
    """Longer documents are cut into equal parts for training."""
    matrix_rate: float = 0.02
    vector_rate: float = 0.005
    weight_decay: float = 0.1
    warmup_share: float = 0.02
    decay_share: float = 0.6
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the forward and backward pass; the optimiser's weights are float32 always."""
    threads: int = 2
    """Workers that share each batch. Part of the recipe: sums are split over them, so the same number gives the same bits."""
    checkpoint_tokens: int = 250_000
    lora_rank: int = 8
    """With a base: rank of the adapter (Hu et al. 2021)."""
    lora_alpha: int = 16
    lora_rate: float = 0.001


def run(work: Work[TrainParams]) -> None:
    """Trains on the train split of `tokens`."""
    _check(work.params)
    bound_primitives()
    documents = read_tokens(work.one("tokens").path, "train")
    if not documents:
        raise Invalid(
            "no-tokens", "the tokens hold no train documents", "check the split of the corpus: test_share may take everything"
        )
    bases = work.many("base")
    work.count("train_documents", len(documents))
    if bases:
        from touyan.model.lora import adapt

        adapt(work, bases[0], documents)
        return
    from touyan.model.pretrain import pretrain

    tokenizer = work.one("tokenizer").path
    progress = pretrain(work, cut(documents, work.params.piece_tokens), _shape(work.params, tokenizer))
    copy_tokenizer(tokenizer, work.out)
    card = {"backend": "llama", "tasks": ["generate"], "licence": None, "trained_tokens": progress.tokens, "steps": progress.step}
    write_json(work.out / "touyan.json", card)
    last = progress.curve[-1].loss if progress.curve else None
    write_json(work.out / "summary.json", {**card, "parameters": _parameters(work.out), "final_loss_nats": last})
    work.count("trained_tokens", progress.tokens)


def copy_tokenizer(source: Path, target: Path) -> None:
    """A model carries its tokenizer, so that what was trained is what is served."""
    for name in TOKENIZER_FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


def _shape(params: TrainParams, tokenizer: Path) -> LlamaShape:
    facts = read_json(tokenizer / "summary.json")
    return LlamaShape(
        vocabulary=int(facts["vocabulary"]),
        width=params.width,
        layers=params.layers,
        heads=params.heads,
        inner=params.inner,
        context_tokens=params.context_tokens,
    )


def _check(params: TrainParams) -> None:
    for name in ("tokens", "batch_tokens", "piece_tokens", "threads", "checkpoint_tokens", "layers"):
        if getattr(params, name) < 1:
            raise Invalid(
                "train-params", f"{name} is {getattr(params, name)}; it must be at least 1", f"set {name} to a positive number"
            )
    if params.precision not in ("bfloat16", "float32"):
        raise Invalid("train-params", f"precision {params.precision!r} is unknown", "choose bfloat16 or float32")


def _parameters(folder: Path) -> int:
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        sizes: list[Any] = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118  (not a mapping)
    total = 0
    for size in sizes:
        count = 1
        for extent in size:
            count *= extent
        total += count
    return total


STEP = StepSpec(
    name="train",
    version="2",
    output="model",
    inputs={
        "tokens": InputSpec("tokens", label="token shards of the corpus"),
        "tokenizer": InputSpec("tokenizer", label="the tokenizer that made the tokens"),
        "base": InputSpec("model", optional=True, label="a model to adapt with LoRA instead of training from nothing"),
    },
    params=TrainParams,
    purpose="train",
    run=run,
    summary="Trains a decoder on the corpus, or adapts a base model with LoRA.",
    environment="torch-cpu",
    extras=("train",),
)
