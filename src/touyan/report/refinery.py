"""The report of a refinery run by itself: one HTML file about a folder that `touyan corpus run` made.

Owns the order of its sections. Knows nothing of the store, and of operators only what `summary.json` says. Invariant: as for the
report of a run: a pure function of the summaries, no script, nothing from outside, every text escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from touyan.report import figures, loose
from touyan.report.components import Column, Section, heading, note, table
from touyan.report.facts import CorpusFacts, StepFacts
from touyan.report.folders import corpus_facts
from touyan.report.loose import Loose
from touyan.report.markup import Child, Markup, Words, code, el, quote
from touyan.report.page import Language, shell
from touyan.report.sections.funnel import funnel_of
from touyan.report.sections.samples import samples_of
from touyan.report.words import say

_EDITS = (Column(Words("算子", "Operator")), Column(Words("种类", "Kind"), "wide"), Column(Words("处", "Places"), "num"))
_RECIPE = (Column(Words("算子", "Operator")), Column(Words("版本", "Version")), Column(Words("参数", "Parameters"), "wide"))
_QUALITY = (
    Column(Words("维度", "Dimension"), "wide"),
    Column(Words("测得", "Measured"), "num"),
    Column(Words("95 % 区间", "95 % interval"), "num"),
    Column(Words("样本", "Sample"), "num"),
    Column(Words("判定", "Judged by")),
    Column(Words("方法", "Method"), "wide"),
)

_STANDARD = (Column(Words("GB/T 36344 指标", "GB/T 36344 indicator")), Column(Words("未测内容", "What was not measured"), "wide"))


class FolderOnDisk:
    """The files of a step's output in a plain folder."""

    asset = ""
    size_bytes = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def json(self, path: str) -> Loose:
        """The parsed file, or None where it is not there or is no JSON."""
        try:
            return json.loads((self._folder / path).read_bytes())
        except (OSError, ValueError):
            return None

    def lines(self, path: str) -> list[Loose]:
        """None is read so: the refinery's reports need no JSON Lines."""
        return []


def render_refinery(out: Path, recipe: str, language: Language = "zh") -> str:
    """The page about `out`, with `documents/` and `corpus/` in it, and `certificate.json` where there is one."""
    documents, corpus = FolderOnDisk(out / "documents"), FolderOnDisk(out / "corpus")
    summary = loose.mapping(corpus.json("summary.json"))
    facts = corpus_facts([(_step("read", "documents"), documents), (_step("refine", "corpus"), corpus)])
    certificate = loose.mapping(FolderOnDisk(out).json("certificate.json"))
    made = [_quality(certificate), funnel_of(facts), _edits(summary), samples_of(facts), _recipe(summary)]
    foot = el("footer", el("p", Words("由头雁生成；本文件不含脚本，不访问网络。", "Made by Touyan. No script, no network.")))
    return shell(out.name, [_masthead(out.name, recipe), _verdict(facts)], [p for p in made if p is not None], foot, language)


def _step(name: str, output: str) -> StepFacts:
    return StepFacts(name, name, "", output, "done", "", "", (), 0, {}, {})


def _masthead(name: str, recipe: str) -> Markup:
    brand = [el("b", "头雁", lang="zh"), el("b", "Touyan", lang="en"), el("span", Words("精炼报告", "Refinery report"))]
    byline = el("span", Words("配方", "Recipe"), " ", code(recipe))
    return el(
        "header", el("p", brand, class_="kicker"), el("h1", quote(name)), el("p", byline, class_="byline"), class_="masthead"
    )


def _verdict(facts: CorpusFacts) -> Markup:
    found = facts.sieves[0].entered if facts.sieves else 0
    lead = Words(
        f"找到 {found:,} 篇文档，留下 {facts.documents:,} 篇，{facts.characters:,} 个字符。",
        f"{found:,} documents were found; {facts.documents:,} stay, with {facts.characters:,} characters.",
    )
    return el("section", el("p", lead, class_="lead"), class_="verdict", aria_label="结论 / Verdict")


def _quality(certificate: Mapping[str, Loose]) -> Section | None:
    rows = [_dimension(row) for row in loose.rows(certificate.get("dimensions"))]
    if not rows:
        return None
    sample = loose.mapping(certificate.get("sample"))
    n, seed = figures.count(loose.integer(sample.get("documents"))), loose.text(sample.get("seed"))
    drawn = el("p", Words("样本", "Sample"), f" {n} · ", Words("种子", "seed"), " ", code(seed))
    words = Words(
        "由样本测得，附区间；不作“已匿名”之说。", "Measured on samples, with intervals. Nothing here is called anonymous."
    )
    body = [
        table(_QUALITY, rows),
        drawn,
        heading(Words("未测", "Not measured")),
        table(_STANDARD, list(_not_measured(certificate))),
    ]
    return Section("quality", Words("质量证书", "Quality certificate"), words, body)


def _dimension(row: Mapping[str, Loose]) -> list[Child]:
    interval = f"{loose.text(row.get('low'))} – {loose.text(row.get('high'))}" if row.get("low") is not None else "–"
    return [
        _pair(row, "name"), loose.text(row.get("value")), interval, figures.count(loose.integer(row.get("n"))),
        say(loose.text(row.get("judge"))), el("small", _pair(row, "method")),
    ]  # fmt: skip


def _not_measured(certificate: Mapping[str, Loose]) -> Iterator[list[Child]]:
    for row in loose.rows(loose.mapping(certificate.get("standard")).get("indicators")):
        yield [_pair(row, "name"), el("small", _pair(row, "not_measured"))]


def _pair(row: Mapping[str, Loose], key: str) -> Words:
    return Words(loose.text(row.get(f"{key}_zh")), loose.text(row.get(key)))


def _edits(summary: Mapping[str, Loose]) -> Section:
    rows: list[list[Child]] = [
        [el("b", say(operator)), say(label), figures.count(n)]
        for operator, labels in loose.mapping(summary.get("edits")).items()
        for label, n in sorted(loose.integers(labels).items(), key=lambda item: -item[1])
    ]
    flags: list[list[Child]] = [
        [el("b", say(operator)), [say(reason), " ", el("small", Words("仅标注", "flagged only"))], figures.count(n)]
        for operator, reasons in loose.mapping(summary.get("flags")).items()
        for reason, n in loose.integers(reasons).items()
    ]
    body = table(_EDITS, rows + flags) if rows or flags else note(Words("没有改动。", "Nothing was changed."))
    words = Words(
        "每处改动都是一条区间，写在 spans 表里，可以显示，也可以撤销。",
        "Every change is a span in the table `spans`: it can be shown, and undone.",
    )
    return Section("edits", Words("改动", "Changes"), words, body)


def _recipe(summary: Mapping[str, Loose]) -> Section:
    rows: list[list[Child]] = [
        [
            el("b", quote(loose.text(row.get("name")))),
            code(loose.text(row.get("version"))),
            el("small", quote(", ".join(f"{k} {v}" for k, v in loose.mapping(row.get("parameters")).items()))),
        ]
        for row in loose.rows(summary.get("operators"))
    ]
    words = Words("依次运行；参数相同则结果相同。", "In this order. The same parameters give the same corpus.")
    return Section("recipe", Words("配方", "Recipe"), words, table(_RECIPE, rows))
