"""What `touyan corpus run` does: reads, refines, and shows how far it is.

Owns the folder that comes of it: `documents/` as the step `read` makes it, `corpus/` as `refine` does, and beside them the rejects,
the certificate and the report. Knows nothing of what is printed. Invariant: the same files and recipe give the same bytes, in one
go or in several.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.core.errors import Invalid
from touyan.core.names import nearest

if TYPE_CHECKING:
    from touyan.corpus.refine import RefineParams

REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    source: Path
    out: Path
    recipe: str
    text: str
    key: str
    processes: int
    on_ray: bool
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: `summary` is `corpus/summary.json`."""

    out: Path
    summary: Mapping[str, Any]
    unreadable: int


def carry_out(order: Order) -> Outcome:
    """Reads, refines and certifies. Raises as `check_places` does, and Missing or Invalid on a wrong recipe or column."""
    from touyan.cli.corpus_certificate import certify_run
    from touyan.cli.corpus_source import check_places, read_params
    from touyan.corpus import refine
    from touyan.data import read
    from touyan.flow.alone import folder_id, run_alone
    from touyan.flow.step import InputAsset

    check_places(order.source, order.out)
    params = refine_params(order)
    source = InputAsset(folder_id(order.source), "source", order.source.name, order.source)
    documents, corpus = order.out / "documents", order.out / "corpus"
    with Steps() as shown:
        run_alone(
            read.STEP,
            read_params(order.source, order.text, order.key),
            {"source": [source]},
            documents,
            order.processes,
            shown.listener("read"),
        )
        made = InputAsset(folder_id(documents), "documents", "read", documents)
        run_alone(refine.STEP, params, {"documents": [made]}, corpus, order.processes, shown.listener("refine"))
    certify_run(order.out, order.recipe)
    write_report(order.out, order.recipe)
    unreadable = (documents / "unreadable.jsonl").read_bytes().count(b"\n")
    return Outcome(order.out, json.loads((corpus / "summary.json").read_bytes()), unreadable)


def write_report(out: Path, recipe: str) -> None:
    """Writes `report.html`, whole or not at all."""
    from touyan.report.refinery import render_refinery

    draft = out / ".report.html"
    draft.write_text(render_refinery(out, recipe), encoding="utf-8")
    draft.replace(out / REPORT)


class Steps:
    """The bars of the steps, one after the other; a context manager."""

    def __enter__(self) -> Steps:
        from touyan.cli.progress import Shown

        self._shown = Shown()
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def listener(self, name: str) -> Any:
        """What a step calls with done, total and unit."""
        return lambda done, total, unit: self._shown.progress(name, {"done": done, "total": total, "unit": unit})


def refine_params(order: Order) -> RefineParams:
    """Parameters of `refine`. Raises Missing or Invalid where recipe or changes name what does not exist."""
    from touyan.corpus.recipe import read_recipe, shipped
    from touyan.corpus.refine import RefineParams, recipe

    found = read_recipe(order.recipe)
    changes = _changes(order.changes, found.names)
    if order.recipe in shipped():
        params = RefineParams(recipe=order.recipe, settings=changes)
    else:
        merged = {name: {**found.settings.get(name, {}), **changes.get(name, {})} for name in (*found.settings, *changes)}
        params = RefineParams(operators=found.names, mask=(), settings=merged)
    recipe(params, None)  # every name and value is tried before the first document is read
    return replace(params, fan_out="ray") if order.on_ray else params


def _changes(changes: tuple[str, ...], operators: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """`operator.parameter=value` as settings; a value is read as JSON where it is JSON, lists as comma-separated text."""
    settings: dict[str, dict[str, Any]] = {}
    for change in changes:
        path, separator, value = change.partition("=")
        operator, dot, parameter = path.partition(".")
        if not (separator and dot):
            raise Invalid("bad-change", f"--set {change} is not operator.parameter=value", "write --set length.min_chars=50")
        if operator not in operators:
            raise Invalid("no-operator", f"the recipe has no operator {operator!r}", nearest(operator, list(operators)))
        settings.setdefault(operator, {})[parameter] = _value(value)
    return settings


def _value(text: str) -> bool | int | str | tuple[str, ...]:
    if text in ("true", "false"):
        return text == "true"
    if text.removeprefix("-").isdigit():
        return int(text)
    return tuple(part.strip() for part in text.split(",")) if "," in text else text
