"""The step `linear`: TF-IDF of character n-grams and a linear support vector machine, the baseline of every classifier.

Owns fitting and the files. Knows nothing about neural models. Invariant: the Asset is arrays and JSON, never a pickle, and
answers without the library that fitted it. Source: Joachims 1998; one against the rest, squared hinge (Fan et al. 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.errors import Broken, Invalid
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.model.articles import read_articles
from touyan.model.shape import read_json, write_json

if TYPE_CHECKING:
    from touyan.model.tfidf import Floats, LinearClassifier

ARRAYS = "linear.safetensors"


@dataclass(frozen=True, slots=True)
class LinearParams:
    """Features and regularisation."""

    longest: int = 3
    """Character n-grams of length 1 to this."""
    min_documents: int = 3
    most_features: int = 200_000
    cost: float = 1.0
    """C of the support vector machine."""
    seed: int = 0


def run(work: Work[LinearParams]) -> None:
    """Fits on the labelled documents of the train split. Raises Invalid where there are fewer than two labels."""
    from safetensors.numpy import save_file

    from touyan.model.tfidf import TfIdf, choose_features

    params = work.params
    articles = read_articles(work.one("corpus").path, "train").labelled()
    labels = [label for label in articles.labels if label is not None]
    if len(set(labels)) < 2:
        raise Invalid(
            "labels",
            f"the corpus has {len(set(labels))} labels",
            "map the column `label` in the read step, or leave this step out",
        )
    names, idf = choose_features(articles.texts, params.longest, params.min_documents, params.most_features)
    features = TfIdf({name: i for i, name in enumerate(names)}, idf, params.longest)
    weights, bias, classes = fit(features.transform(articles.texts), labels, params.cost, params.seed)
    save_file({"idf": idf, "weights": weights, "bias": bias}, work.out / ARRAYS)
    write_json(work.out / "features.json", {"features": names})
    counts = {label: labels.count(label) for label in classes}
    card = {"backend": "linear", "tasks": ["classify"], "licence": None, "labels": classes, "longest": params.longest}
    write_json(work.out / "touyan.json", {**card, "majority": max(classes, key=lambda label: counts[label])})
    write_json(work.out / "summary.json", {**card, "features": len(names), "train_documents": counts})
    work.count("train_documents", len(labels))


def fit(features: object, labels: list[str], cost: float, seed: int) -> tuple[Floats, Floats, list[str]]:
    """Weights [labels, features], bias [labels] and the labels in order; also for two labels, as two opposite rows."""
    import numpy as np
    from scipy.sparse import issparse
    from sklearn.svm import LinearSVC

    is_wide = issparse(features)  # many more features than documents: the dual is quick; a few hundred dense ones: the primal
    machine = LinearSVC(C=cost, random_state=seed, dual=is_wide, max_iter=2000)
    machine.fit(features, labels)
    weights, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    # liblinear gives Fortran order, and safetensors writes the buffer as it lies: rows would come back as columns.
    return np.ascontiguousarray(weights, np.float32), bias.astype(np.float32), [str(label) for label in machine.classes_]


def load_linear(folder: Path) -> LinearClassifier:
    """Reads what `run` wrote. Raises Broken on damage."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from touyan.model.tfidf import LinearClassifier, TfIdf

    card = read_json(folder / "touyan.json")
    names = read_json(folder / "features.json")["features"]
    try:
        arrays = load_file(folder / ARRAYS)
        features = TfIdf({name: i for i, name in enumerate(names)}, arrays["idf"], int(card["longest"]))
        return LinearClassifier(features, arrays["weights"], arrays["bias"], tuple(card["labels"]))
    except (OSError, SafetensorError, KeyError) as error:
        raise Broken("linear-model", f"{folder} cannot be read: {error}", "fetch the model again or re-run its step") from error


STEP = StepSpec(
    name="linear",
    version="1",
    output="model",
    inputs={"corpus": InputSpec("corpus", label="its labelled train documents")},
    params=LinearParams,
    purpose="train",
    run=run,
    summary="Fits TF-IDF and a linear support vector machine: the baseline of every classifier.",
    extras=("train",),
)
