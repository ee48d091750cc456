"""LoRA adapters in the layout of PEFT, merged into a decoder for serving and evaluation.

Owns reading `adapter_config.json` and `adapter_model.safetensors`. Knows nothing about training. Invariant: the merged weights
are W + (alpha / rank) B A for every adapted projection, and an adapter that holds anything else is refused.
"""

from __future__ import annotations

from pathlib import Path

from touyan.core.errors import Broken, Invalid
from touyan.model.llama import Llama, load_hugging_face, to_hugging_face
from touyan.model.shape import read_json

WEIGHTS = "adapter_model.safetensors"
PREFIX = "base_model.model."


def merge_adapter(model: Llama, folder: Path) -> None:
    """Adds the adapter at `folder` to the weights of `model`. Raises Broken on damage, Invalid where it is no plain LoRA."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    config = read_json(folder / "adapter_config.json")
    if config.get("peft_type") != "LORA" or config.get("use_dora") or config.get("use_rslora"):
        raise Invalid("adapter-kind", f"{folder} is not a plain LoRA adapter", "merge it with the library that made it")
    try:
        parts = load_file(folder / WEIGHTS)
        scale = float(config["lora_alpha"]) / int(config["r"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise Broken("damaged-adapter", f"{folder} cannot be read: {error}", "fetch the model again") from error
    named = to_hugging_face(model)
    for name in [name for name in parts if name.endswith(".lora_A.weight")]:
        target = name.removeprefix(PREFIX).replace(".lora_A.weight", ".weight")
        if target not in named:
            raise Broken(
                "damaged-adapter",
                f"the adapter changes {target}, which the base does not have",
                "give the base it was trained on",
            )
        down, up = parts.pop(name).float(), parts.pop(name.replace("lora_A", "lora_B")).float()
        named[target] = named[target] + scale * (up @ down)
    if parts:
        raise Invalid("adapter-kind", f"the adapter also holds {min(parts)}", "merge it with the library that made it")
    load_hugging_face(model, named)
