"""Training a decoder from nothing, on a budget of tokens.

Owns the loop: batch, loss, step, curve, checkpoint. Knows nothing about where tokens come from or how the model is judged.
Invariant: for the same pieces, parameters and thread count the weights are bitwise the same, interrupted or not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from touyan.model.checkpoint import LossPoint, Progress, load_checkpoint, save_checkpoint, write_curve
from touyan.model.crew import Crew
from touyan.model.heap import give_back
from touyan.model.kernels import CrossEntropy
from touyan.model.llama import GRAIN, Llama, save_model
from touyan.model.muon import Muon, Rates
from touyan.model.schedule import rate_share
from touyan.model.shape import LlamaShape
from touyan.model.tokens import Piece, batches_from

if TYPE_CHECKING:
    from touyan.flow.step import Work
    from touyan.model.train import TrainParams

CURVE_STEPS = 10
"""Steps between two points of the loss curve."""


def pretrain(work: Work[TrainParams], pieces: list[Piece], shape: LlamaShape) -> Progress:
    """Trains on `pieces` until the budget is spent and writes the model and `loss.jsonl` to `work.out`."""
    params = work.params
    torch.manual_seed(params.seed)
    model = Llama(shape)
    model.initialise(params.seed)
    with Crew(params.threads) as crew:
        optimiser = Muon(model, Rates(params.matrix_rate, params.vector_rate, params.weight_decay), crew)
        model.to(getattr(torch, params.precision))
        saved = work.checkpoint()
        progress = load_checkpoint(saved, optimiser) if saved else Progress()
        _loop(work, Trainer(model, optimiser, crew, progress), pieces)
    model.float()
    with torch.no_grad():
        for parameter, master in zip(model.parameters(), optimiser.masters(), strict=True):
            parameter.copy_(master)
    save_model(model, work.out)
    write_curve(work.out / "loss.jsonl", progress.curve)
    return progress


def _loop(work: Work[TrainParams], trainer: Trainer, pieces: list[Piece]) -> None:
    params, progress = work.params, trainer.progress
    next_save = progress.tokens + params.checkpoint_tokens
    began_s, began_tokens = time.perf_counter(), progress.tokens
    lengths = [len(piece.ids) - 1 for piece in pieces]
    for batch in batches_from(lengths, params.batch_tokens, params.seed, progress.step):
        if progress.tokens >= params.tokens:
            break
        trainer.advance(
            [pieces[i] for i in batch], rate_share(progress.tokens / params.tokens, params.warmup_share, params.decay_share)
        )
        give_back(progress.step)
        work.progress(min(progress.tokens, params.tokens), params.tokens, "tokens")
        if progress.tokens >= next_save:
            folder = work.scratch / f"checkpoint-{progress.step}"
            save_checkpoint(folder, trainer.optimiser, progress)
            work.save_checkpoint(folder, progress.tokens)
            next_save = progress.tokens + params.checkpoint_tokens
    _measure_rate(work, progress.tokens - began_tokens, time.perf_counter() - began_s)


@dataclass(frozen=True, slots=True)
class Trainer:
    """What one step of training needs."""

    model: Llama
    optimiser: Muon
    crew: Crew
    progress: Progress

    def advance(self, batch: list[Piece], share: float) -> None:
        """One step of the optimiser, and its place on the curve."""
        tokens = sum(len(piece.ids) - 1 for piece in batch)
        hands = self.crew.map(lambda hand: self._gradients(hand, tokens), self.crew.deal(batch))
        self.optimiser.step(share, [gradients for _, gradients in hands])
        progress = self.progress
        progress.step += 1
        progress.tokens += tokens
        progress.open_loss += sum(loss for loss, _ in hands)
        if progress.step % CURVE_STEPS == 0:
            progress.curve.append(LossPoint(progress.step, progress.tokens, progress.open_loss / CURVE_STEPS, share))
            progress.open_loss = 0.0

    def _gradients(self, hand: list[Piece], tokens: int) -> tuple[float, list[Tensor]]:
        """One worker's part of the mean loss over `tokens`, and its gradient for each parameter."""
        loss = batch_loss(self.model, hand) / tokens
        return loss.item(), list(torch.autograd.grad(loss, list(self.model.parameters())))


def batch_loss(model: Llama, batch: list[Piece]) -> Tensor:
    """Summed loss in nats over the real tokens of a batch."""
    inputs, targets = pad(batch, model.shape.pad)
    hidden, wanted = model(inputs).flatten(0, 1), targets.flatten()
    real = (wanted >= 0).nonzero()[:, 0]
    spare = -len(real) % GRAIN
    hidden, wanted = hidden.index_select(0, F.pad(real, (0, spare))), F.pad(wanted[real], (0, spare), value=-1)
    return CrossEntropy.apply(model.logits(hidden), wanted)


def pad(batch: list[Piece], pad_id: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets, [pieces, longest] each, padded at the right; targets are -1 where there is none."""
    longest = max(len(piece.ids) for piece in batch) - 1
    inputs = torch.full((len(batch), longest), pad_id)
    targets = torch.full((len(batch), longest), -1)
    for row, piece in enumerate(batch):
        ids = torch.from_numpy(piece.ids.astype("int64"))
        inputs[row, : len(ids) - 1] = ids[:-1]
        targets[row, : len(ids) - 1] = ids[1:]
    return inputs, targets


def _measure_rate(work: Work[TrainParams], tokens: int, seconds: float) -> None:
    work.measure("training_s", seconds)
    if seconds > 0:
        work.measure("tokens_per_s", tokens / seconds)
