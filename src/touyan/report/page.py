"""The page: one self-contained HTML file from the facts of a run.

Owns the order of the sections and the shell around them. Knows nothing of the store. Invariant: a pure function; no script, no
address, no font or picture from outside, and a content security policy that forbids all of them even where escaping failed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from touyan.report import figures
from touyan.report.components import Section
from touyan.report.facts import ReportFacts
from touyan.report.markup import Child, Markup, Words, code, el, quote, visible
from touyan.report.sections.checks import checks
from touyan.report.sections.evaluation import evaluation
from touyan.report.sections.evidence import evidence
from touyan.report.sections.funnel import funnel
from touyan.report.sections.glance import masthead, verdict
from touyan.report.sections.lineage import lineage
from touyan.report.sections.permit import permit
from touyan.report.sections.samples import samples
from touyan.report.sections.sources import sources
from touyan.report.sections.steps import steps
from touyan.report.sections.training import training

Language = Literal["zh", "en"]
SECTIONS = (sources, funnel, samples, training, evaluation, lineage, checks, permit, steps, evidence)


def render(facts: ReportFacts, language: Language = "zh") -> str:
    """The whole file as text, to be written as UTF-8. `language` is the one shown first; the reader may switch."""
    parts = [part for part in (make(facts) for make in SECTIONS) if part is not None]
    return shell(facts.run.title, [masthead(facts), verdict(facts)], parts, _foot(facts), language)


def shell(title: str, top: Sequence[Markup], parts: Sequence[Section], foot: Markup, language: Language) -> str:
    """A whole file: `top`, a table of contents, numbered parts and `foot`."""
    main = el("main", list(top), _contents(parts), [_section(i, p) for i, p in enumerate(parts, 1)])
    body = el("body", _switch(language), main, foot)
    root = el("html", _head(title), body, lang="zh-Hans" if language == "zh" else "en")
    return f"<!doctype html>\n{root.html}\n"


def _head(title: str) -> Markup:
    style, digest = _style()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{visible(title, 80)} · 头雁 Touyan"),
        Markup(f"<style>{style}</style>"),
    )


@cache
def _style() -> tuple[str, str]:
    """The style sheet and its sha256 in base 64, which is all that the policy lets the browser apply."""
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    return style, base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _switch(language: Language) -> Markup:
    """Two radio buttons; the style sheet does the rest."""
    choices: list[Child] = []
    for value, name in (("zh", "中文"), ("en", "English")):
        choices.append(el("input", type="radio", name="language", id=f"show-{value}", checked=value == language))
        choices.append(el("label", name, for_=f"show-{value}"))
    return el("nav", choices, class_="switch", aria_label="语言 / Language")


def _contents(parts: Sequence[Section]) -> Markup:
    return el(
        "nav",
        el("ol", [el("li", el("a", p.title, href=f"#{p.anchor}")) for p in parts]),
        class_="contents",
        aria_label="目录 / Contents",
    )


def _section(number: int, part: Section) -> Markup:
    margin = el("div", el("h2", el("span", number, class_="no"), part.title), el("p", part.note), class_="margin")
    return el("section", margin, el("div", part.body, class_="body"), id=part.anchor, class_="part")


def _foot(facts: ReportFacts) -> Markup:
    run = facts.run
    made = figures.moment(facts.head.at) if facts.head else figures.moment(run.ended_at or run.started_at)
    words = Words("由头雁生成；本文件不含脚本，不访问网络。", "Made by Touyan. This file holds no script and reaches no network.")
    return el("footer", el("p", words), el("p", code(run.id), " · ", quote(run.organisation, 80), " · ", made))
