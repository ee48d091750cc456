"""Evaluation: figures that can be computed again, intervals over groups, and a plain statement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from model_world import asset, bare_work, write_corpus

from touyan.core.errors import Invalid
from touyan.model.evaluate import EvaluateParams, Row, _Judge, run
from touyan.model.intervals import GroupBootstrap
from touyan.model.linear import LinearParams
from touyan.model.linear import run as fit_linear
from touyan.model.ngram import NgramParams
from touyan.model.ngram import run as count_ngrams


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory, corpus: Path, decoder: Path) -> Path:
    tmp = tmp_path_factory.mktemp("evaluation")
    ngram, linear = (bare_work(tmp, params, corpus=asset("corpus", corpus)) for params in (NgramParams(order=3), LinearParams()))
    count_ngrams(ngram)
    fit_linear(linear)
    models = [asset("model", decoder, "train"), asset("model", ngram.out, "ngram"), asset("model", linear.out, "linear")]
    params = EvaluateParams(resamples=50, threads=1, head_documents=40)
    work = bare_work(tmp, params, models=models, corpus=asset("corpus", corpus))
    run(work)
    return work.out


def metrics(evaluation: Path) -> dict[tuple[str, str], dict[str, Any]]:
    found = json.loads((evaluation / "metrics.json").read_text())["metrics"]
    return {(one["task"], one["model"]): one for one in found}


def test_every_model_has_its_tasks_and_majority_stands_beside(evaluation: Path) -> None:
    assert set(metrics(evaluation)) == {
        ("generate", "train"), ("generate", "ngram"), ("classify", "linear"), ("classify", "majority"),
        ("classify", "train + linear head on 40 documents"),
    }  # fmt: skip


def test_intervals_hold_their_figures(evaluation: Path) -> None:
    for one in metrics(evaluation).values():
        assert one["low"] <= one["value"] <= one["high"]


def test_every_figure_can_be_computed_again_from_the_items(evaluation: Path) -> None:
    for (task, model), one in metrics(evaluation).items():
        rows = [row for row in pq.read_table(evaluation / "per_item" / f"{task}.parquet").to_pylist() if row["model"] == model]
        assert sum(row["score"] for row in rows) / sum(row["weight"] for row in rows) == pytest.approx(one["value"], abs=1e-5)
        assert len(rows) == one["n"]


def test_the_winner_is_stated_in_words(evaluation: Path) -> None:
    winner = json.loads((evaluation / "metrics.json").read_text())["winner"]
    assert winner["classify"]["model"] in winner["classify"]["statement"]
    assert set(winner) == {"generate", "classify"}


def test_labels_are_not_needed(tmp_path: Path, decoder: Path) -> None:
    corpus = write_corpus(tmp_path / "unlabelled", 60, labelled=False)
    work = bare_work(
        tmp_path, EvaluateParams(resamples=20, threads=1), models=[asset("model", decoder)], corpus=asset("corpus", corpus)
    )
    run(work)
    assert set(json.loads((work.out / "metrics.json").read_text())["winner"]) == {"generate"}


def test_nothing_to_evaluate_is_refused(tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(Invalid, match="none of the models"):
        run(bare_work(tmp_path, EvaluateParams(), models=[], corpus=asset("corpus", corpus)))


def judge(groups: list[str]) -> _Judge:
    return _Judge(
        "generate", "bits_per_character", "bits/character", "lower", GroupBootstrap(groups, 400, 0), [1.0] * len(groups)
    )


def test_a_small_but_steady_lead_wins() -> None:
    groups = [str(i % 20) for i in range(200)]
    noisy = [float(i % 7) for i in range(200)]
    winner = judge(groups).winner([Row("worse", "1", [x + 0.01 for x in noisy]), Row("better", "2", noisy)])
    assert winner["statement"].startswith("better won")


def test_a_lead_that_one_group_decides_is_no_win() -> None:
    groups = ["big"] * 50 + [str(i) for i in range(10)]
    first = [0.0] * 50 + [1.0] * 10
    second = [0.1] * 50 + [0.7] * 10
    assert "no winner is shown" in judge(groups).winner([Row("a", "1", first), Row("b", "2", second)])["statement"]


def test_intervals_over_groups_are_wider_than_over_documents() -> None:
    scores = [float(i // 50) for i in range(200)]
    grouped = GroupBootstrap([str(i // 50) for i in range(200)], 300, 0).ratio(scores, [1] * 200)
    single = GroupBootstrap([str(i) for i in range(200)], 300, 0).ratio(scores, [1] * 200)
    assert grouped.high - grouped.low > 2 * (single.high - single.low)
