"""Every step: why it ran or was a hit, how long it took, what it counted and measured.

Invariant: bars share one scale, the longest step; figures that depend on the machine stand apart from those that do not.
"""

from __future__ import annotations

from touyan.report import figures, svg
from touyan.report.components import Column, Section, badge, identifier, note, table
from touyan.report.facts import ReportFacts, StepFacts
from touyan.report.loose import number
from touyan.report.markup import Child, Markup, Words, code, el, quote

_COLUMNS = (
    Column(Words("步骤", "Step")),
    Column(Words("状态", "State")),
    Column(Words("为何", "Why"), "wide"),
    Column(Words("成果", "Result"), "minor"),
    Column(Words("用时", "Time"), "num timed"),
)
_REASONS = (
    ("hit, made ", Words("命中，成于 ", "hit, made ")),
    ("re-run, ", Words("重跑：", "re-run: ")),
    ("first run", Words("首次运行", "first run")),
    ("its source was refused", Words("来源被拒绝", "its source was refused")),
)


def steps(facts: ReportFacts) -> Section:
    longest = max((s.wall_ms for s in facts.steps), default=0)
    rows = [_row(s, longest) for s in facts.steps]
    return Section(
        "steps",
        Words("步骤与用时", "Steps and time"),
        Words(
            "步骤键由名称、版本、参数、输入和环境类别算出；键相同即成果相同，直接命中。",
            "A step's key follows from name, version, parameters, inputs and environment class. The same key is a hit.",
        ),
        table(_COLUMNS, rows, "steps") if rows else note(Words("计划为空。", "The plan is empty.")),
    )


def _row(step: StepFacts, longest: int) -> list[Child]:
    kind = None if step.step == step.name else [quote(step.step, 40), " "]
    name = [el("b", code(step.name)), el("small", kind, "v", quote(step.version, 20))]
    result = identifier(step.asset) if step.asset else "–"
    return [name, badge(step.state), [why(step.reason), _measured(step)], result, _time(step.wall_ms, longest)]


def why(reason: str) -> Child:
    """The reason of a hit or a re-run, whose first words are known and whose rest is quoted."""
    for prefix, words in _REASONS:
        if reason.startswith(prefix):
            return [words, quote(reason.removeprefix(prefix), 400)]
    return quote(reason, 400)


def _measured(step: StepFacts) -> Markup | None:
    counted = [f"{name} {n:,}" for name, n in list(step.counts.items())[:8]]
    measured = [machine(name, value) for name, value in step.telemetry.items() if name != "wall_ms"][:6]
    shown = [el("span", quote(t, 80)) for t in counted] + [el("span", quote(t, 80), class_="machine") for t in measured]
    return el("small", shown, class_="facts") if shown else None


def machine(name: str, value: str) -> str:
    """A measured figure, in the unit that its name ends with."""
    found = number(value)
    if found is None:
        return f"{name} {value}"
    if name.endswith("_ms"):
        return f"{name.removesuffix('_ms')} {figures.duration(round(found))}"
    if name.endswith("_per_s"):
        return f"{name.removesuffix('_per_s')} {figures.measured(found)}/s"
    if name.endswith("_s"):
        return f"{name.removesuffix('_s')} {figures.duration(round(1000 * found))}"
    return f"{name.removesuffix('_bytes')} {figures.size(int(found))}" if name.endswith("_bytes") else f"{name} {found:.6g}"


def _time(wall_ms: int, longest: int) -> Child:
    if not wall_ms:
        return "–"
    share = svg.Scale(0, max(longest, 1), 0, 100).percent(wall_ms)
    drawn = svg.picture(4, Words("用时", "time"), svg.bar("0", 0, share, 4, "kept"), class_="bar")
    return [figures.duration(wall_ms), drawn]
