"""Adapting a base model: the same step as training, with low-rank updates beside frozen weights (Hu et al. 2021), by PEFT.

Owns the loop and what the adapter's folder says. Knows nothing about how the base was made. Invariant: the base's bytes are
not touched, and the adapter names its base by Asset id, never by a path or a hub's name.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from touyan.model.checkpoint import LossPoint, write_curve
from touyan.model.pretrain import pad
from touyan.model.schedule import rate_share
from touyan.model.shape import LlamaShape, read_json, write_json
from touyan.model.tokens import Piece, batches_from, cut
from touyan.model.train import TrainParams, copy_tokenizer

if TYPE_CHECKING:
    from touyan.flow.step import InputAsset, Work
    from touyan.model.tokens import Ids


def adapt(work: Work[TrainParams], base: InputAsset, documents: list[Ids]) -> None:
    """Trains an adapter on `documents` (ids of the step's tokenizer) until the budget is spent. Writes it to `work.out`."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    params = work.params
    torch.set_num_threads(params.threads)
    torch.manual_seed(params.seed)
    shape = LlamaShape.read(base.path)
    pieces = cut(_in_vocabulary_of(base.path, shape, work.one("tokenizer").path, documents), params.piece_tokens)
    model = AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32)
    config = LoraConfig(r=params.lora_rank, lora_alpha=params.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted: Any = get_peft_model(model, config)
    curve = _loop(work, adapted, pieces, shape.pad)
    _write(work, adapted, base, curve)


def _in_vocabulary_of(base: Path, shape: LlamaShape, tokenizer: Path, documents: list[Ids]) -> list[Ids]:
    """The documents in the base's own ids: the text is decoded and encoded again where the tokenizers differ."""
    import numpy as np
    from tokenizers import Tokenizer

    if (base / "tokenizer.json").read_bytes() == (tokenizer / "tokenizer.json").read_bytes():
        return documents
    ours, theirs = (Tokenizer.from_file(str(folder / "tokenizer.json")) for folder in (tokenizer, base))
    theirs.encode_special_tokens = True
    texts = ours.decode_batch([ids.tolist() for ids in documents], skip_special_tokens=True)
    encodings = theirs.encode_batch_fast(texts, add_special_tokens=False)
    return [np.array([shape.bos, *encoding.ids, shape.end], np.int64) for encoding in encodings]


def _loop(work: Work[TrainParams], model: Any, pieces: list[Piece], pad_id: int) -> list[LossPoint]:
    params = work.params
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=params.lora_rate, weight_decay=0.0)
    curve: list[LossPoint] = []
    tokens, began_s = 0, time.perf_counter()
    for step, batch in enumerate(batches_from([len(piece.ids) - 1 for piece in pieces], params.batch_tokens, params.seed, 0)):
        if tokens >= params.tokens:
            break
        share = rate_share(tokens / params.tokens, params.warmup_share, params.decay_share)
        for group in optimiser.param_groups:
            group["lr"] = share * params.lora_rate
        inputs, targets = pad([pieces[i] for i in batch], pad_id)
        logits = model(input_ids=inputs, attention_mask=(targets >= 0).long()).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
        torch.autograd.backward(loss)
        optimiser.step()
        optimiser.zero_grad()
        tokens += int((targets >= 0).sum())
        curve.append(LossPoint(step + 1, tokens, loss.item(), share))
        work.progress(min(tokens, params.tokens), params.tokens, "tokens")
    work.measure("training_s", time.perf_counter() - began_s)
    return curve


def _write(work: Work[TrainParams], adapted: Any, base: InputAsset, curve: list[LossPoint]) -> None:
    """PEFT's own files, less what names this machine; the base's tokenizer and facts."""
    saved = work.scratch / "adapter"
    adapted.save_pretrained(saved)
    config = read_json(saved / "adapter_config.json")
    config |= {"base_model_name_or_path": base.id, "target_modules": sorted(config["target_modules"])}
    write_json(work.out / "adapter_config.json", config)
    shutil.copyfile(saved / "adapter_model.safetensors", work.out / "adapter_model.safetensors")
    copy_tokenizer(base.path, work.out)
    write_curve(work.out / "loss.jsonl", curve)
    facts = read_json(base.path / "touyan.json")
    inherited = {name: facts.get(name) for name in ("licence", "provider", "filing_number")}
    tokens = curve[-1].tokens if curve else 0
    card = {"backend": "lora", "tasks": ["generate"], "base": base.id, "trained_tokens": tokens, "steps": len(curve), **inherited}
    write_json(work.out / "touyan.json", card)
    last = curve[-1].loss if curve else None
    trainable = sum(parameter.numel() for parameter in adapted.parameters() if parameter.requires_grad)
    write_json(work.out / "summary.json", {**card, "parameters": trainable, "final_loss_nats": last})
    work.count("trained_tokens", tokens)
