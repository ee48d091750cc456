"""What changed between two evaluations, item by item.

Reads the folders of two evaluation Assets and compares the same model name on the same test items; so a change of the test set is
seen, and no difference of two averages over different items is ever reported. Knows nothing of how models are made. Invariant:
`better` and `worse` are said only where the interval of the paired difference leaves zero out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from touyan.core.errors import Broken, Missing
from touyan.core.party import Actor
from touyan.store.home import Store

Verdict: TypeAlias = Literal["better", "worse", "no clear change"]
RESAMPLES = 2000
LEVEL = 0.95
_CHINESE: Mapping[Verdict, str] = {"better": "变好", "worse": "变差", "no clear change": "无明显变化"}


@dataclass(frozen=True, slots=True)
class Change:
    """How one model did on one task before and after, over the items that both evaluations hold."""

    task: str
    model: str
    unit: str
    items: int
    left_out: int
    """Items that only one of the two holds."""
    before: float
    after: float
    low: float
    high: float
    """Interval of `after - before`: percentiles of 2,000 paired resamples of items, or of groups where there are any."""
    improved: int
    worsened: int
    verdict: Verdict

    @property
    def difference(self) -> float:
        return self.after - self.before

    def words(self) -> str:
        """One sentence, English."""
        return (
            f"{self.model}, {self.task}: {self.before:.3f} → {self.after:.3f} {self.unit} over the same {self.items} items, "
            f"{self.difference:+.3f} (95 % {self.low:+.3f} to {self.high:+.3f}): {self.verdict}; "
            f"{self.improved} items better, {self.worsened} worse, {self.items - self.improved - self.worsened} the same."
        )

    def words_zh(self) -> str:
        """One sentence, Chinese."""
        return (
            f"{self.model}，{self.task}：同样的 {self.items} 项，{self.before:.3f} → {self.after:.3f} {self.unit}，"
            f"差 {self.difference:+.3f}（95 % 区间 {self.low:+.3f} 至 {self.high:+.3f}）：{_CHINESE[self.verdict]}；"
            f"{self.improved} 项变好，{self.worsened} 项变差，{self.items - self.improved - self.worsened} 项不变。"
        )


def compare(store: Store, actor: Actor, before: str, after: str, folder: Path) -> tuple[Change, ...]:
    """`changes` of two evaluation Assets, fetched below `folder`. Raises Refused, Missing or Broken."""
    paths = [
        store.gate.open(asset, actor, "inspect").copy_to(folder / name) for asset, name in ((before, "before"), (after, "after"))
    ]
    return changes(*paths)


def changes(before: Path, after: Path) -> tuple[Change, ...]:
    """What changed from the evaluation in folder `before` to that in `after`, by task and model.

    Raises Missing where they have no task and model in common, Broken where a file cannot be read.
    """
    old, new = _metrics(before), _metrics(after)
    common = sorted(old.keys() & new.keys())
    if not common:
        raise Missing(
            "nothing-to-compare",
            "the two evaluations have no task and model in common",
            "evaluate the same models on the same test",
        )
    return tuple(_change(before, after, task, model, new[task, model]) for task, model in common)


def _metrics(folder: Path) -> dict[tuple[str, str], Mapping[str, Any]]:
    try:
        rows = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["metrics"]
        return {(row["task"], row["model"]): row for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Broken(
            "bad-evaluation", f"{folder.name} holds no readable metrics.json: {error!r}", "run the evaluation again"
        ) from error


@dataclass(frozen=True, slots=True)
class _Item:
    score: float
    weight: float
    group: str


def _items(folder: Path, task: str, model: str) -> dict[str, _Item]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(folder / "per_item" / f"{task}.parquet", filters=[("model", "=", model)])
        rows = table.to_pylist()
        return {
            r["doc_id"]: _Item(float(r["score"]), float(r.get("weight") or 1), str(r.get("group") or r["doc_id"])) for r in rows
        }
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise Broken(
            "bad-evaluation", f"{folder.name} has no readable items of {task}: {error!r}", "run the evaluation again"
        ) from error


def _change(before: Path, after: Path, task: str, model: str, metric: Mapping[str, Any]) -> Change:
    import numpy as np

    old, new = _items(before, task, model), _items(after, task, model)
    common = sorted(old.keys() & new.keys())
    if not common:
        raise Missing(
            "nothing-to-compare", f"{task}: the two evaluations have no test item in common", "evaluate on the same test"
        )
    weights = np.array([new[d].weight for d in common])
    scores = np.array([[old[d].score, new[d].score] for d in common])
    total = float(weights.sum())
    low, high = _interval(scores[:, 1] - scores[:, 0], weights, [new[d].group for d in common])
    gain = (scores[:, 1] - scores[:, 0]) * (1 if metric["better"] == "higher" else -1)
    return Change(
        task=task, model=model, unit=str(metric["unit"]), items=len(common), left_out=len(old.keys() ^ new.keys()),
        before=float(scores[:, 0].sum()) / total, after=float(scores[:, 1].sum()) / total, low=low, high=high,
        improved=int((gain > 0).sum()), worsened=int((gain < 0).sum()), verdict=_verdict(low, high, metric["better"] == "higher"),
    )  # fmt: skip


def _interval(differences: Any, weights: Any, groups: list[str]) -> tuple[float, float]:
    """Percentile bootstrap of sum(differences) / sum(weights) over groups (Efron & Tibshirani 1993, ch. 13), seeded."""
    import numpy as np

    _, place = np.unique(np.array(groups), return_inverse=True)
    n = int(place.max()) + 1
    sums, loads = np.bincount(place, differences, n), np.bincount(place, weights, n)
    draw = np.random.default_rng(0)
    ratios = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        times = np.bincount(draw.integers(0, n, n), minlength=n)
        ratios[i] = (times @ sums) / (times @ loads)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return float(low), float(high)


def _verdict(low: float, high: float, is_higher_better: bool) -> Verdict:
    if low <= 0 <= high:
        return "no clear change"
    return "better" if (low > 0) == is_higher_better else "worse"
