"""The models that the run made, and how their loss fell.

Invariant: a curve shows every stretch of the training; where points were joined, they are means and never picks.
"""

from __future__ import annotations

import math

from touyan.report import figures, svg
from touyan.report.components import Column, Section, identifier, note, table
from touyan.report.facts import LossPoint, ModelFacts, ReportFacts
from touyan.report.markup import Child, Markup, Words, code, el
from touyan.report.words import say

HEIGHT = 240.0
_COLUMNS = (
    Column(Words("模型", "Model"), "wide"),
    Column(Words("后端", "Backend")),
    Column(Words("参数", "Parameters"), "num"),
    Column(Words("训练词元", "Training tokens"), "num"),
    Column(Words("大小", "Size"), "num minor"),
)


def training(facts: ReportFacts) -> Section:
    body: list[Child] = [table(_COLUMNS, [_row(m, m.asset == facts.subject) for m in facts.models])] if facts.models else []
    body += [_plot(m) for m in facts.models if len(m.curve) > 1]
    if not facts.models:
        body = [note(Words("还没有训练出模型。", "No model has been made yet."))]
    return Section(
        "training",
        Words("训练", "Training"),
        Words(
            "基线与主模型在同一次运行里、用同一语料训练。损失以奈特每词元计。",
            "Baselines are trained in the same run on the same corpus as the model itself. Loss is in nats a token.",
        ),
        body,
    )


def _row(model: ModelFacts, is_subject: bool) -> list[Child]:
    name = [el("b", code(model.step)) if is_subject else code(model.step), el("small", identifier(model.asset))]
    parameters, tokens = (model.card.get(n, "") for n in ("parameters", "trained_tokens"))
    return [name, say(model.card.get("backend", "–")), _counted(parameters), _counted(tokens), figures.size(model.size_bytes)]


def _counted(text: str) -> str:
    return figures.count(int(text)) if text.isdigit() else "–"


def _plot(model: ModelFacts) -> Markup:
    points = model.curve
    marks = svg.ticks(min(p.loss for p in points), max(p.loss for p in points), 5)
    across = svg.ticks(0, points[-1].tokens, 5)
    x = svg.Scale(0, max(points[-1].tokens, 1), 0, 100)
    y = svg.Scale(marks[0], marks[-1], HEIGHT, 0)
    last = points[-1]
    final = Words(f"末值 {last.loss:.3f}", f"final {last.loss:.3f}")
    title = Words(f"{model.step} 的训练损失，{final.zh}", f"Training loss of {model.step}, {final.en}")
    drawn = [
        [_rule(m, y) for m in marks],
        [svg.label(x.percent(a), HEIGHT + 18, figures.short_count(a), "tick x") for a in across if a <= points[-1].tokens],
        svg.stretched("0", 0, "100%", HEIGHT, _line(points, x, y)),
        svg.dot(x.percent(last.tokens), y.at(last.loss), 3.5, "point best"),
        svg.label("100%", y.at(last.loss) - 10, final, "tick end strong"),
    ]
    caption = el(
        "figcaption",
        code(model.step),
        " ",
        Words("训练损失（奈特/词元），横轴为词元数", "training loss (nats a token) over tokens"),
    )
    return el("figure", caption, el("div", svg.picture(HEIGHT + 24, title, drawn), class_="plot"), class_="chart")


def _rule(value: float, y: svg.Scale) -> Markup:
    return Markup(
        svg.line("0", y.at(value), "100%", y.at(value), "grid").html
        + svg.label("-8", y.at(value) + 4, f"{value:g}", "tick y").html
    )


def _line(points: tuple[LossPoint, ...], x: svg.Scale, y: svg.Scale) -> Markup:
    path = [(x.at(p.tokens), 100 * y.at(p.loss) / HEIGHT) for p in points if math.isfinite(p.loss)]
    return svg.curve(path, "curve")
