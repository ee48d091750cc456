"""The step `check`: runs the rules of a pack over corpus and evaluation, and writes what each found.

Owns the judgement of a finding against its threshold and the file `checks.json` (docs/formats/folders.md). A failed check is a
result, not an error: whether it refuses a permit is decided where permits are issued.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Invalid
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.permit.rulepack import Rule, RulePack, find_pack, read_pack, shipped

if TYPE_CHECKING:
    from touyan.permit.finding import Finding, Outcome


@dataclass(frozen=True, slots=True)
class CheckParams:
    """Parameters of `check`."""

    rule_pack: str = "demo"
    """Name of a pack that comes with Touyan, or the id of the pack in `rule_pack_text`."""
    rule_pack_text: str = ""
    """The YAML of an organisation's own pack; then `rule_pack` is its id."""
    seed: int = 20260901
    """Seed of the random samples. Anybody can draw them again."""


def run(work: Work[CheckParams]) -> None:
    from touyan.permit.evidence import Evidence
    from touyan.permit.plugin import find_check

    pack = _pack(work)
    readings = tuple(a.path for a in work.many("documents"))
    evidence = Evidence(work.one("corpus").path, work.one("evaluation").path, readings, work.params.seed)
    checks = {rule.id: find_check(rule.check) for rule in pack.rules}
    entries: list[dict[str, object]] = []
    for number, rule in enumerate(pack.rules, 1):
        entries.append(entry(rule, checks[rule.id](evidence, rule)))
        work.progress(number, len(pack.rules), "rules")
    outcomes = Counter(str(e["outcome"]) for e in entries)
    for outcome, n in sorted(outcomes.items()):
        work.count(outcome, n)
    head = {
        "id": pack.id,
        "version": pack.version,
        "sha256": pack.sha256,
        "demo": pack.is_demo,
        "title": {"zh": pack.title.zh, "en": pack.title.en},
    }
    _write(work.out / "checks.json", {"rule_pack": head, "checks": entries})
    _write(work.out / "summary.json", {"rule_pack": f"{pack.id} {pack.version}", "outcomes": dict(sorted(outcomes.items()))})
    (work.out / "rulepack.yaml").write_text(pack.text, encoding="utf-8")


def _pack(work: Work[CheckParams]) -> RulePack:
    if not work.params.rule_pack_text:
        return find_pack(work.params.rule_pack)
    pack = read_pack(work.params.rule_pack_text)
    if pack.id != work.params.rule_pack:
        raise Invalid(
            "other-rule-pack",
            f"the text is of the pack {pack.id!r}, not {work.params.rule_pack!r}",
            f"write rule_pack: {pack.id}",
        )
    return pack


def entry(rule: Rule, finding: Finding) -> dict[str, object]:
    """One item of `checks.json`."""
    return {
        "id": rule.id, "clause": rule.clause, "check": rule.check, "threshold": str(rule.threshold),
        "value": finding.value, "low": finding.low, "high": finding.high, "n": finding.n,
        "outcome": judge(rule, finding), "blocks": rule.blocks, "kind": rule.evidence,
        "confidence": rule.confidence, "text": {"zh": rule.text.zh, "en": rule.text.en}, "evidence": dict(finding.evidence),
    }  # fmt: skip


def judge(rule: Rule, finding: Finding) -> Outcome:
    """The value against the threshold, as the sources put it; the interval is printed beside it and left to the reviewer."""
    if finding.value is None:
        return "abstain"
    return "pass" if rule.threshold.holds(finding.value) else "fail"


def _write(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _version() -> str:
    """The step's own version with a digest of the shipped packs: a new edition of a pack is a new result."""
    texts = "".join(path.read_text(encoding="utf-8") for path in shipped().values())
    return f"1.{sha256_hex(texts.encode())[:8]}"


STEP = StepSpec(
    name="check",
    version=_version(),
    output="checks",
    inputs={
        "corpus": InputSpec("corpus", label="the released corpus"),
        "evaluation": InputSpec("evaluation", label="the evaluation of the models"),
        "documents": InputSpec(
            "documents", many=True, optional=True, label="the readings of the sources, to count what was unreadable"
        ),
    },
    params=CheckParams,
    purpose="evaluate",
    run=run,
    summary="Runs the rules of a rule pack over corpus and evaluation; every finding has its interval, sample and clause.",
)
