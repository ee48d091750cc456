"""Pretraining: what it writes, and that interruption leaves no trace."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from model_world import TINY, BareWork, Interrupted, asset

from touyan.core.errors import Broken, Invalid
from touyan.model.train import STEP, TrainParams, run

Training = Callable[..., BareWork]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_training_lowers_the_loss_below_chance(decoder: Path) -> None:
    curve = [json.loads(line) for line in (decoder / "loss.jsonl").read_text().splitlines()]
    assert curve[0]["loss"] > curve[-1]["loss"]
    assert curve[-1]["loss"] < 0.8 * math.log(300)


def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path, training: Training, decoder: Path) -> None:
    work = training(tmp_path)
    run(work)
    assert files(work.out) == files(decoder)


def test_another_seed_gives_another_model(tmp_path: Path, training: Training, decoder: Path) -> None:
    work = training(tmp_path, dataclasses.replace(TINY, seed=1))
    run(work)
    assert files(work.out)["model.safetensors"] != files(decoder)["model.safetensors"]


@pytest.mark.parametrize(
    ("precision", "threads", "deaths"), [("float32", 1, (2, 1)), ("bfloat16", 1, (1,)), ("bfloat16", 2, (3,))]
)
def test_a_killed_run_resumes_to_the_same_bytes(
    tmp_path: Path, training: Training, precision: str, threads: int, deaths: tuple[int, ...]
) -> None:
    params = dataclasses.replace(TINY, precision=precision, threads=threads)
    whole = training(tmp_path, params)
    run(whole)
    newest = None
    for checkpoints in deaths:
        broken = training(tmp_path, params)
        broken.dies_after, broken.resumes_from = checkpoints, newest
        with pytest.raises(Interrupted):
            run(broken)
        newest = broken.saved[-1]
    resumed = training(tmp_path, params)
    resumed.resumes_from = newest
    run(resumed)
    assert files(resumed.out) == files(whole.out)


def test_a_checkpoint_holds_no_pickle(tmp_path: Path, training: Training) -> None:
    work = training(tmp_path)
    run(work)
    assert {path.suffix for folder in work.saved for path in folder.iterdir()} == {".safetensors", ".json"}


def test_a_damaged_checkpoint_says_so(tmp_path: Path, training: Training) -> None:
    work = training(tmp_path)
    work.resumes_from = tmp_path / "torn"
    work.resumes_from.mkdir()
    (work.resumes_from / "state.safetensors").write_bytes(b"torn")
    with pytest.raises(Broken, match="cannot be resumed"):
        run(work)


def test_the_budget_counts_real_tokens(tmp_path: Path, training: Training) -> None:
    work = training(tmp_path)
    run(work)
    trained = json.loads((work.out / "touyan.json").read_text())["trained_tokens"]
    assert TINY.tokens <= trained < TINY.tokens + TINY.batch_tokens
    assert work.counts["trained_tokens"] == trained
    assert work.measures["tokens_per_s"]


def test_tokens_without_a_train_split_are_refused(tmp_path: Path, training: Training) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "summary.json").write_text('{"dtype": "uint16"}')
    with pytest.raises(Invalid, match="no train documents"):
        run(training(tmp_path, tokens=asset("tokens", empty)))


@pytest.mark.parametrize("change", [{"tokens": 0}, {"precision": "float8"}, {"width": 30}, {"threads": 0}])
def test_an_impossible_recipe_is_refused_before_training(tmp_path: Path, training: Training, change: dict[str, int]) -> None:
    with pytest.raises(Invalid):
        run(training(tmp_path, dataclasses.replace(TINY, **change)))


def test_every_parameter_has_a_default() -> None:
    assert isinstance(STEP.params(), TrainParams)
