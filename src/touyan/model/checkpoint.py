"""What a pretraining run must remember to go on as if it had not stopped.

Owns the checkpoint folder: `state.safetensors` (masters, moments, random state), `state.json` (position, tokens seen) and the
loss curve so far. No pickle. Knows nothing about the loop. Invariant: run k steps, kill, resume for k equals 2k steps, bitwise.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from touyan.core.errors import Broken
from touyan.model.muon import Muon
from touyan.model.shape import read_json, write_json

STATE = "state.safetensors"
RANDOM = "random"


@dataclass(frozen=True, slots=True)
class LossPoint:
    """The mean training loss since the point before."""

    step: int
    tokens: int
    loss: float
    """Nats a token."""
    rate: float
    """Share of the full learning rate."""


@dataclass(slots=True)
class Progress:
    """How far the run is; all that the loop itself remembers."""

    step: int = 0
    """Also the number of the next batch."""
    tokens: int = 0
    curve: list[LossPoint] = field(default_factory=list)
    open_loss: float = 0.0
    """Sum of losses since the last point."""


def save_checkpoint(folder: Path, optimiser: Muon, progress: Progress) -> None:
    """Writes a finished checkpoint into a fresh `folder`."""
    from safetensors.torch import save_file

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_file(optimiser.state() | {RANDOM: torch.get_rng_state()}, folder / STATE)
    write_json(folder / "state.json", asdict(progress))


def load_checkpoint(folder: Path, optimiser: Muon) -> Progress:
    """Restores the optimiser, the model and torch's random state. Raises Broken on damage."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        named = load_file(folder / STATE)
        torch.set_rng_state(named.pop(RANDOM))
        optimiser.load(named)
        record = read_json(folder / "state.json")
        curve = [LossPoint(**point) for point in record.pop("curve")]
        return Progress(**record, curve=curve)
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise Broken(
            "damaged-checkpoint", f"{folder} cannot be resumed: {error}", "remove the checkpoint; the step starts again"
        ) from error


def write_curve(path: Path, curve: list[LossPoint]) -> None:
    """Writes `loss.jsonl`."""
    lines = (json.dumps(asdict(point), sort_keys=True) for point in curve)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
