"""What changed between two evaluations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from touyan.core.errors import Broken, Missing
from touyan.feedback.learn import Change, changes

pa = pytest.importorskip("pyarrow")


def evaluation(folder: Path, scores: dict[str, float], better: str = "lower", weight: float = 10, group: str = "") -> Path:
    """An evaluation of one model on one task."""
    import pyarrow.parquet as pq

    (folder / "per_item").mkdir(parents=True)
    metric = {"model": "train", "task": "text", "metric": "bits_per_character", "unit": "bits/character", "better": better}
    (folder / "metrics.json").write_text(json.dumps({"metrics": [metric], "winner": {}}))
    columns = {"doc_id": list(scores), "model": ["train"] * len(scores), "score": list(scores.values())}
    columns |= {"weight": [weight] * len(scores)} | ({"group": [group] * len(scores)} if group else {})
    pq.write_table(pa.table(columns), folder / "per_item" / "text.parquet")
    return folder


def change(tmp_path: Path, before: dict[str, float], after: dict[str, float], **how: object) -> Change:
    [found] = changes(evaluation(tmp_path / "a", before, **how), evaluation(tmp_path / "b", after, **how))
    return found


BEFORE = {f"d{i}": 40.0 + i % 7 for i in range(200)}


def test_fewer_bits_on_nearly_every_item_are_better_and_said_so(tmp_path: Path) -> None:
    found = change(tmp_path, BEFORE, {d: s - 1 - (i % 3) * 0.1 for i, (d, s) in enumerate(BEFORE.items())})
    assert found.verdict == "better"
    assert found.difference == pytest.approx(-0.11, abs=0.002)
    assert found.low < found.difference < found.high < 0
    assert (found.improved, found.worsened) == (200, 0)
    assert "better" in found.words()
    assert "变好" in found.words_zh()


def test_the_same_change_is_worse_where_higher_is_better(tmp_path: Path) -> None:
    assert change(tmp_path, BEFORE, {d: s - 1 for d, s in BEFORE.items()}, better="higher").verdict == "worse"


def test_a_change_that_chance_explains_is_no_clear_change(tmp_path: Path) -> None:
    after = {d: s + (1 if i % 2 else -1) for i, (d, s) in enumerate(BEFORE.items())}
    assert change(tmp_path, BEFORE, after).verdict == "no clear change"


def test_only_items_of_both_are_compared_and_the_rest_is_counted(tmp_path: Path) -> None:
    found = change(tmp_path, BEFORE, {d: 0.0 for d in [*list(BEFORE)[:50], "new"]})
    assert (found.items, found.left_out) == (50, 151)


def test_items_of_one_group_are_one_observation(tmp_path: Path) -> None:
    found = change(tmp_path, BEFORE, {d: s - 1 for d, s in BEFORE.items()}, group="one law")
    assert found.low == found.high == pytest.approx(found.difference)


def test_nothing_in_common_is_said(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no test item in common"):
        change(tmp_path, BEFORE, {"other": 1.0})


def test_a_damaged_evaluation_is_named(tmp_path: Path) -> None:
    good = evaluation(tmp_path / "a", BEFORE)
    bad = evaluation(tmp_path / "b", BEFORE)
    (bad / "per_item" / "text.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(Broken, match="items of text"):
        changes(good, bad)
    (bad / "metrics.json").write_text("{")
    with pytest.raises(Broken, match=r"metrics\.json"):
        changes(good, bad)
