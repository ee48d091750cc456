"""Checks of the evaluation: how much was tested, and whether the model beats the cheap baselines.

Losing to a baseline is written down plainly and blocks nothing by itself: the winner may be served instead.
"""

from __future__ import annotations

from typing import Any, cast

from touyan.core.canonical import Json
from touyan.permit.evidence import Evidence
from touyan.permit.finding import Finding, full_count, missing
from touyan.permit.rulepack import Rule


def tested_items(evidence: Evidence, rule: Rule) -> Finding:
    """The least number of items that any measure of the evaluation rests on."""
    sizes = [int(m["n"]) for m in _metrics(evidence)]
    if not sizes:
        return missing("the evaluation measured nothing")
    return Finding(float(min(sizes)), float(min(sizes)), float(min(sizes)), min(sizes), {"measures": len(sizes)})


def beats_baselines(evidence: Evidence, rule: Rule) -> Finding:
    """Share of tasks in which no baseline has the best figure; whether the lead is more than chance, the statements tell.

    The rule's param `baselines` lists the first words of the baselines' names, separated by commas.
    """
    baselines = {w.strip() for w in rule.params.get("baselines", "ngram,linear,majority").split(",")}
    winners = cast("dict[str, dict[str, Any]]", evidence.evaluated().get("winner", {}))
    if not winners:
        return missing("the evaluation names no winner")
    names = {task: str(w.get("model", "")) for task, w in sorted(winners.items())}
    won = sum(1 for name in names.values() if name.split(" ")[0] not in baselines)
    statements: dict[str, Json] = {task: str(w.get("statement", "")) for task, w in sorted(winners.items())}
    return full_count(won, len(names), winners=dict(names), statements=statements)


def _metrics(evidence: Evidence) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", evidence.evaluated().get("metrics", []))
