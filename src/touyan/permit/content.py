"""What a permit says of checks and evaluation, and whether it says it truly.

Turns the steps' own JSON, which may hold decimals, into the texts of a permit; issuing writes them and verifying compares them.
Pure. Invariant: a permit cannot say less or more than the files whose digests it names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from touyan.core.errors import Invalid
from touyan.core.permit import CheckOutcome, Measure, Permit, RulePackRef, Winner

_BAD: dict[str, tuple[str, ...]] = {"fail": ("fail",), "unless-passed": ("fail", "abstain"), "never": ()}


def blocking(checks: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Of items of `checks.json`: the rules that failed, and those that had to be passed and could not be measured."""
    return tuple(c["id"] for c in checks if c["outcome"] in _BAD[c["blocks"]])


def outcomes(checks: Iterable[Mapping[str, Any]]) -> tuple[CheckOutcome, ...]:
    """Of items of `checks.json`."""
    return tuple(CheckOutcome(c["id"], c["outcome"], decimal(c["value"])) for c in checks)


def measures(rows: Iterable[Mapping[str, Any]]) -> tuple[Measure, ...]:
    """Of rows of `metrics.json`."""
    return tuple(_measure(row) for row in rows)


def winners(by_task: Mapping[str, Mapping[str, str]]) -> tuple[Winner, ...]:
    """Of the part `winner` of `metrics.json`."""
    return tuple(Winner(task, w["model"], w["statement"]) for task, w in sorted(by_task.items()))


def decimal(value: object) -> str:
    """The shortest decimal text of a JSON number; empty for null."""
    return "" if value is None else json.dumps(value)


def _measure(row: Mapping[str, Any]) -> Measure:
    texts = {n: str(row.get(n, "")) for n in ("task", "metric", "model", "unit", "better")}
    return Measure(**texts, **{n: decimal(row.get(n)) for n in ("value", "low", "high", "level", "n")})


def require_checks(permit: Permit, text: str) -> str:
    """Says how many rules passed. Raises Invalid where the permit tells other outcomes, or a blocking rule is not passed."""
    if not text:
        _require(permit.kind == "project" and not permit.outcomes, "the permit tells outcomes of checks that it does not name")
        return "none: a project permit"
    checks, pack = _object(text)["checks"], _object(text)["rule_pack"]
    _require(outcomes(checks) == permit.outcomes, "the permit tells other outcomes than the checks")
    _require(not blocking(checks), f"blocking rules are not passed: {', '.join(blocking(checks))}")
    applied = RulePackRef(pack["id"], pack["version"], pack["sha256"])
    _require(applied == permit.rule_pack, "the checks were made with another rule pack")
    _require(permit.demo or not pack["demo"], "the rule pack is for demonstrations, and the permit does not say so")
    passed = sum(1 for c in permit.outcomes if c.outcome == "pass")
    return f"{passed} of {len(permit.outcomes)} rules passed, none that blocks failed"


def require_metrics(permit: Permit, text: str) -> str:
    """Says who won. Raises Invalid where the permit tells other measures than the evaluation."""
    value = _object(text) if text else {}
    told = measures(value.get("metrics", [])), winners(value.get("winner", {}))
    _require(told == (permit.measures, permit.winners), "the permit tells other results than the evaluation")
    return "; ".join(w.statement for w in permit.winners) or "nothing was evaluated"


def _object(text: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", json.loads(text))


def _require(is_good: bool, reason: str) -> None:
    if not is_good:
        raise Invalid("not-verified", reason, "ask the organisation for the original bundle")
