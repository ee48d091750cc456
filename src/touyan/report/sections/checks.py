"""The rule pack, applied: each rule with its clause, what was measured, and the outcome.

Invariant: an abstention is shown as one, with what is missing; it never counts as a pass.
"""

from __future__ import annotations

from touyan.report import figures
from touyan.report.components import Column, Section, badge, identifier, note, table
from touyan.report.facts import Check, ReportFacts
from touyan.report.loose import number
from touyan.report.markup import Child, Words, code, el, quote

_COLUMNS = (
    Column(Words("规则", "Rule"), "wide"),
    Column(Words("测得", "Measured"), "num"),
    Column(Words("阈值", "Threshold"), "num"),
    Column(Words("区间", "Interval"), "num minor"),
    Column(Words("样本数", "n"), "num minor"),
    Column(Words("结论", "Outcome")),
)


def checks(facts: ReportFacts) -> Section:
    found = facts.checks
    title = Words("规则检查", "Checks of the rule pack")
    margin = Words(
        "规则是数据，不是代码：编号、条款、阈值都在规则包里。“未判定”表示证据不足，不算通过。",
        "Rules are data: id, clause and threshold stand in the rule pack. An abstention lacks evidence; it is no pass.",
    )
    if found is None:
        return Section("checks", title, margin, note(Words("规则尚未检查。", "The rules have not been checked yet.")))
    order = {"fail": 0, "abstain": 1, "pass": 2}
    rules = sorted(found.checks, key=lambda c: order.get(c.outcome, 1))
    named = [Words(*found.title), " "] if any(found.title) else None
    pack = el("p", named, code(found.rule_pack), " ", quote(found.version, 40), " ", identifier(found.sha256), class_="note")
    return Section("checks", title, margin, [pack, table(_COLUMNS, [_row(c) for c in rules], "checks")])


def _row(check: Check) -> list[Child]:
    asks = Words(*check.text) if any(check.text) else quote(check.id, 80)
    about = [[code(check.id), " · "] if any(check.text) else None, quote(check.clause, 240)]
    name = [el("b", asks), el("small", about), el("small", quote(check.evidence, 300)) if check.evidence else None]
    has_interval = check.low is not None and check.high is not None and check.low < check.high
    interval = figures.interval(check.low or 0.0, check.high or 0.0) if has_interval else "–"
    n = "–" if check.n is None else figures.count(check.n)
    return [name, _shown(check.value), quote(check.threshold, 40) if check.threshold else "–", interval, n, badge(check.outcome)]


def _shown(value: str) -> Child:
    found = number(value)
    if found is None:
        return quote(value, 60) if value else "–"
    return figures.count(int(found)) if found == int(found) else figures.measured(found)
