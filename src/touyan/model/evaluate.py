"""The step `evaluate`: models and a corpus in, figures with intervals and a plain statement of who won out.

Owns the two tasks (text prediction, label), their figures and files. Knows nothing about how a model answers.
Invariant: every model sees the same held-out documents, one at a time, from empty context; every figure can be computed
again from `per_item/`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from touyan.core.errors import Invalid
from touyan.flow.backend import Engine, open_model
from touyan.flow.step import InputAsset, InputSpec, StepSpec, Work
from touyan.model.articles import Articles, read_articles
from touyan.model.shape import read_json, write_json

if TYPE_CHECKING:
    from touyan.model.intervals import Estimate, GroupBootstrap
    from touyan.model.llama_engine import LlamaEngine

TEXT, LABEL = "generate", "classify"
"""The tasks of `flow.backend`; text prediction is how generation is measured."""


@dataclass(frozen=True, slots=True)
class EvaluateParams:
    """How intervals are drawn, and what is tried beside the models."""

    resamples: int = 1000
    seed: int = 0
    threads: int = 2
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Of a decoder's products while it is measured."""
    head_documents: int = 1500
    """Labelled train documents for the linear head on a decoder; 0 leaves that row out."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one task, a score a document: bits of the text, or 1 where the label is right."""

    model: str
    asset: str | None
    scores: list[float]


def run(work: Work[EvaluateParams]) -> None:
    """Scores every model on the test split. Raises Invalid where no model can do any task."""
    corpus = work.one("corpus").path
    test = read_articles(corpus, "test")
    text_rows: list[Row] = []
    label_rows: list[Row] = []
    models = work.many("models")
    for done, asset in enumerate(models):
        work.progress(done, len(models), "models")
        engine = _open(work, asset)
        if "generate" in engine.tasks:
            text_rows.append(Row(asset.name, asset.id, engine.score(test.texts)))
        label_rows += _label_rows(work, asset, engine, corpus, test.labelled())
    if not text_rows and not label_rows:
        raise Invalid(
            "nothing-to-evaluate", "none of the models can be evaluated", "give at least one model that generates or classifies"
        )
    _report(work, corpus, test, text_rows, label_rows)
    work.count("test_documents", len(test.ids))


def _open(work: Work[EvaluateParams], asset: InputAsset) -> Engine:
    """Opens a model; an adapter on the base it names among `bases`."""
    wanted = read_json(asset.path / "touyan.json").get("base")
    base = next((one.path for one in work.many("bases") if one.id == wanted), None)
    engine = open_model(asset.path, threads=work.params.threads, base=base)
    if work.params.precision == "bfloat16" and _is_decoder(asset):
        cast("LlamaEngine", engine).compute_in_bfloat16()
    return engine


def _is_decoder(asset: InputAsset) -> bool:
    return read_json(asset.path / "touyan.json")["backend"] in ("llama", "lora")


def _label_rows(work: Work[EvaluateParams], asset: InputAsset, engine: Engine, corpus: Path, test: Articles) -> list[Row]:
    if "classify" in engine.tasks and test.ids:
        answers = [max(scores, key=lambda label: scores[label]) for scores in engine.classify(test.texts)]
        return [Row(asset.name, asset.id, _right(answers, test))]
    documents = work.params.head_documents
    if not documents or not _is_decoder(asset):
        return []
    from touyan.model.probe import probe

    train = read_articles(corpus, "train").labelled()
    if len(set(train.labels)) < 2 or not test.ids:
        return []
    answers = probe(cast("LlamaEngine", engine), train, test, documents, work.params.seed)
    return [Row(f"{asset.name} + linear head on {min(documents, len(train.ids)):,} documents", asset.id, _right(answers, test))]


def _right(answers: list[str], test: Articles) -> list[float]:
    return [float(answer == label) for answer, label in zip(answers, test.labels, strict=True)]


def _report(work: Work[EvaluateParams], corpus: Path, test: Articles, text_rows: list[Row], label_rows: list[Row]) -> None:
    from touyan.model.intervals import GroupBootstrap

    params, labelled = work.params, test.labelled()
    metrics: list[dict[str, Any]] = []
    winners: dict[str, dict[str, str]] = {}
    if text_rows:
        bootstrap = GroupBootstrap(test.groups, params.resamples, params.seed)
        characters = [float(len(text)) for text in test.texts]
        judge = _Judge(TEXT, "bits_per_character", "bits/character", "lower", bootstrap, characters)
        metrics += judge.metrics(text_rows)
        winners[TEXT] = judge.winner(text_rows)
        _write_items(work.out, TEXT, test, text_rows)
    if label_rows:
        label_rows = [*label_rows, _majority(read_articles(corpus, "train").labelled(), labelled)]
        bootstrap = GroupBootstrap(labelled.groups, params.resamples, params.seed)
        judge = _Judge(LABEL, "accuracy", "share", "higher", bootstrap, [1.0] * len(labelled.ids))
        metrics += judge.metrics(label_rows)
        winners[LABEL] = judge.winner(label_rows)
        _write_items(work.out, LABEL, labelled, label_rows)
    write_json(work.out / "metrics.json", {"metrics": metrics, "winner": winners})
    facts = {"test_documents": len(test.ids), "test_characters": test.characters, "test_groups": len(set(test.groups))}
    write_json(work.out / "summary.json", facts | {"winner": winners})


def _majority(train: Articles, test: Articles) -> Row:
    """The commonest label of the training, always."""
    commonest = Counter(sorted(str(label) for label in train.labels)).most_common(1)[0][0]
    return Row("majority", None, _right([commonest] * len(test.ids), test))


@dataclass(frozen=True, slots=True)
class _Judge:
    """One task: its unit, which way is better, and the draws that all its intervals share."""

    task: str
    metric: str
    unit: str
    better: Literal["lower", "higher"]
    bootstrap: GroupBootstrap
    weights: list[float]
    """What a document counts for: its characters, or one."""

    def metrics(self, rows: list[Row]) -> list[dict[str, Any]]:
        return [self._metric(row, self.bootstrap.ratio(row.scores, self.weights)) for row in rows]

    def winner(self, rows: list[Row]) -> dict[str, str]:
        """The best row, and whether the difference to the next is more than the choice of test groups explains."""
        ranked = sorted(rows, key=self._cost)
        best = ranked[0]
        if len(ranked) == 1:
            return {"model": best.model, "statement": f"{best.model} was the only one: {self._say(best)}."}
        second = ranked[1]
        difference = self.bootstrap.ratio([a - b for a, b in zip(second.scores, best.scores, strict=True)], self.weights)
        lead = abs(difference.value)
        low, high = sorted((abs(difference.low), abs(difference.high)))
        if difference.excludes_zero:
            verdict = (
                f"{best.model} won: {self._say(best)}, against {self._say(second)} of {second.model}; "
                f"it is ahead by {lead:.3f} ({low:.3f} to {high:.3f})."
            )
        else:
            verdict = (
                f"{best.model} has the better figure, {self._say(best)} against {self._say(second)} of {second.model}, "
                f"but the interval of the difference holds zero: no winner is shown."
            )
        return {"model": best.model, "statement": verdict}

    def _cost(self, row: Row) -> float:
        return sum(row.scores) * (1 if self.better == "lower" else -1)

    def _say(self, row: Row) -> str:
        return f"{sum(row.scores) / sum(self.weights):.3f} {self.unit}"

    def _metric(self, row: Row, estimate: Estimate) -> dict[str, Any]:
        return {
            "model": row.model,
            "model_asset": row.asset,
            "task": self.task,
            "metric": self.metric,
            "value": round(estimate.value, 6),
            "low": round(estimate.low, 6),
            "high": round(estimate.high, 6),
            "level": 0.95,
            "n": estimate.n,
            "unit": self.unit,
            "better": self.better,
        }


def _write_items(out: Path, task: str, articles: Articles, rows: list[Row]) -> None:
    """`per_item/<task>.parquet`: doc_id, model, score, group, and the weight it counts with."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (out / "per_item").mkdir(exist_ok=True)
    weights = [len(text) if task == TEXT else 1 for text in articles.texts]
    table = pa.table(
        {
            "doc_id": pa.array([doc_id for _ in rows for doc_id in articles.ids], pa.string()),
            "model": pa.array([row.model for row in rows for _ in articles.ids], pa.string()),
            "score": pa.array([score for row in rows for score in row.scores], pa.float64()),
            "group": pa.array(articles.groups * len(rows), pa.string()),
            "weight": pa.array(weights * len(rows), pa.int64()),
        }
    )
    pq.write_table(table, out / "per_item" / f"{task}.parquet", compression="zstd", compression_level=3)


STEP = StepSpec(
    name="evaluate",
    version="2",
    output="evaluation",
    inputs={
        "models": InputSpec("model", many=True, label="the models to compare"),
        "corpus": InputSpec("corpus", label="its test split is what they are judged on"),
        "bases": InputSpec("model", many=True, optional=True, label="base models of the adapters among them"),
    },
    params=EvaluateParams,
    purpose="evaluate",
    run=run,
    summary="Measures models on held-out documents, with intervals and baselines.",
    environment="torch-cpu",
    extras=("train",),
)
