"""The measured table as a forest plot: every model, its value and its interval, and who won, in plain words.

Invariant: all rows of one figure share one scale; the reference line stands at the best of the others, so that a lead or a
defeat is seen as a distance.
"""

from __future__ import annotations

from collections.abc import Sequence

from touyan.report import figures, svg
from touyan.report.components import Column, Section, badge, identifier, note, pairs, table
from touyan.report.facts import Metric, ReportFacts, Winner
from touyan.report.markup import Child, Markup, Words, el, quote
from touyan.report.sections.glance import NO_WINNER, best
from touyan.report.words import knows, say

ROW = 28.0
NO_MODELS = ("majority", "uniform")
"""Yardsticks that nobody trained."""


def evaluation(facts: ReportFacts) -> Section:
    found = facts.evaluation
    title = Words("评测", "Evaluation")
    margin = Words(
        "留出的组整组不参加训练。横线是区间，虚线是其余模型中最好的一个。",
        "Held-out groups take no part in training. The bar is the interval; the dashed line is the best of the other models.",
    )
    if found is None or not found.metrics:
        return Section("evaluation", title, margin, note(Words("还没有评测。", "Nothing has been evaluated yet.")))
    groups = dict.fromkeys((m.task, m.metric) for m in found.metrics)
    body: list[Child] = [_forest([m for m in found.metrics if (m.task, m.metric) == g], facts.subject) for g in groups]
    return Section("evaluation", title, margin, [_winners(facts), body])


def _winners(facts: ReportFacts) -> Child:
    found = facts.evaluation.winners if facts.evaluation else ()
    return pairs(
        [(say(w.task), [_mark(w), " ", el("b", quote(w.model, 80)), el("small", quote(w.statement, 600))]) for w in found]
    )


def _mark(winner: Winner) -> Markup:
    is_open = NO_WINNER in winner.statement
    return badge("abstain", Words("不分胜负", "no winner")) if is_open else badge("done", Words("胜出", "won"))


def _forest(rows: Sequence[Metric], subject: str) -> Markup:
    ordered = sorted(rows, key=lambda m: m.value if m.is_better_low else -m.value)
    marks = svg.ticks(min(m.low for m in rows), max(m.high for m in rows), 4)
    scale = svg.Scale(marks[0], marks[-1], 1, 99)
    others = [m for m in rows if m.asset != subject]
    reference = best(others or list(rows)).value
    head = ordered[0]
    columns = (
        Column(Words("模型", "Model")),
        Column(figures.level(head.level), "wide plotted"),
        Column(Words("值", "Value"), "num"),
        Column(Words("区间", "Interval"), "num minor"),
        Column(Words("样本数", "n"), "num minor"),
    )
    cells = [_row(m, scale, reference, m is head, m.asset == subject) for m in ordered]
    axis: list[Child] = ["", _axis(marks, scale), "", "", ""]
    direction = Words("越低越好", "lower is better") if head.is_better_low else Words("越高越好", "higher is better")
    unit = [" · ", quote(head.unit, 40)] if head.unit and not knows(head.metric) else None
    caption = el("figcaption", el("b", say(head.metric)), " · ", say(head.task), unit, " · ", direction)
    return el("figure", caption, table(columns, [*cells, axis], "forest"), class_="chart")


def _row(metric: Metric, scale: svg.Scale, reference: float, is_best: bool, is_subject: bool) -> list[Child]:
    name = el("b" if is_subject else "span", say(metric.model) if metric.model in NO_MODELS else quote(metric.model, 60))
    return [
        [
            name,
            " ",
            badge("done", Words("最佳", "best")) if is_best else None,
            el("small", identifier(metric.asset)) if metric.asset else None,
        ],
        _whisker(metric, scale, reference, "best" if is_best else "other"),
        el("b" if is_subject else "span", figures.measured(metric.value)),
        figures.interval(metric.low, metric.high),
        figures.count(metric.n),
    ]


def _whisker(metric: Metric, scale: svg.Scale, reference: float, rank: str) -> Markup:
    middle, low, high = ROW / 2, scale.percent(metric.low), scale.percent(metric.high)
    said = Words(
        f"{figures.measured(metric.value)}，区间 {figures.interval(metric.low, metric.high)}",
        f"interval {figures.interval(metric.low, metric.high)}",
    )
    caps = [svg.line(at, middle - 4, at, middle + 4, f"whisker {rank}") for at in (low, high)]
    return svg.picture(
        ROW, said, svg.line(scale.percent(reference), -9, scale.percent(reference), ROW + 9, "reference"),
        svg.line(low, middle, high, middle, f"whisker {rank}"), caps,
        svg.dot(scale.percent(metric.value), middle, 4.5, f"point {rank}"),
    )  # fmt: skip


def _axis(marks: Sequence[float], scale: svg.Scale) -> Markup:
    shown = marks[:: max(1, len(marks) // 5)]
    drawn = [
        [svg.line(scale.percent(m), 0, scale.percent(m), 4, "grid"), svg.label(scale.percent(m), 17, f"{m:g}", "tick x")]
        for m in shown
    ]
    return svg.picture(22, Words("坐标轴", "axis"), svg.line("0", 0, "100%", 0, "grid"), drawn)
