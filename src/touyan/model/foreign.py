"""Base models made elsewhere: what must be known of them before they may enter, and the folder they enter as.

Owns the import of Hugging Face folders and of GGUF files. Knows nothing about the store: the caller makes the Asset.
Invariant: no base enters without a licence and a provider; afterwards its weights are safetensors in the Hugging Face layout.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from touyan.core.errors import Invalid, Missing, missing_extra
from touyan.model.shape import read_json, write_json

COPIED = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "LICENSE",
    "README.md",
)


def import_base(path: Path, out: Path, *, licence: str, provider: str, filing_number: str | None = None) -> None:
    """Writes the base at `path` (a Hugging Face folder, or a `.gguf` file) to the folder `out`.

    licence: an SPDX id, such as Apache-2.0. filing_number: of the generative-AI service registry, where the model has one
    (Interim Measures for Generative AI Services 2023, art. 17). Raises Invalid where a fact is absent, Missing for no weights.
    """
    if not licence.strip() or not provider.strip():
        raise Invalid(
            "base-facts", f"{path} has no licence or no provider", "say both: they decide what may be done with the model"
        )
    out.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gguf":
        _import_gguf(path, out)
    else:
        _import_folder(path, out)
    facts = {"licence": licence, "provider": provider, "filing_number": filing_number}
    config = read_json(out / "config.json")
    card: dict[str, Any] = {
        "backend": str(config.get("model_type")),
        "tasks": ["generate"],
        "trained_tokens": None,
        "is_foreign": True,
        **facts,
    }
    write_json(out / "touyan.json", card)
    write_json(out / "summary.json", {**card, "source": path.name})


def _import_folder(path: Path, out: Path) -> None:
    weights = sorted(path.glob("*.safetensors"))
    if not weights or not (path / "config.json").exists() or not (path / "tokenizer.json").exists():
        raise Missing(
            "base-files", f"{path} lacks config.json, tokenizer.json or *.safetensors", "give a folder in the Hugging Face layout"
        )
    for source in [*weights, *path.glob("*.safetensors.index.json"), *(path / name for name in COPIED)]:
        if source.exists():
            shutil.copyfile(source, out / source.name)


def _import_gguf(path: Path, out: Path) -> None:
    """De-quantises to float32: the format is llama.cpp's, `transformers` reads it."""
    if not path.exists():
        raise Missing("base-files", f"{path} does not exist", "give the path of a .gguf file")
    try:
        import gguf  # noqa: F401  (transformers needs it and says so less plainly)
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise missing_extra(error.name or "gguf", "train") from error
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    # What was read is plain float32 now; the mark of the file it came from would forbid saving it, and mislead who loads it.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(out, max_shard_size="1TB")
    tokenizer.save_pretrained(out)
