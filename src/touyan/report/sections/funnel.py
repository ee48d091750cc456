"""The funnel: how many documents entered each stage, how many stayed, and why the others did not.

Invariant: bars are drawn to scale against all documents found; a loss too thin to see still gets a hairline.
"""

from __future__ import annotations

from touyan.report import figures, svg
from touyan.report.components import Column, Section, heading, note, pairs, table
from touyan.report.facts import CorpusFacts, ReportFacts, Sieve, Split, Unread
from touyan.report.markup import Child, Markup, Words, code, el, quote
from touyan.report.words import say

_COLUMNS = (
    Column(Words("步骤", "Stage")),
    Column(Words("进入", "In"), "num minor"),
    Column(Words("留下 / 去除", "Kept / removed"), "wide"),
    Column(Words("留下", "Kept"), "num"),
    Column(Words("去除", "Removed"), "num"),
)
_SIDES = (
    Column(Words("用于", "Side")),
    Column(Words("文档", "Documents"), "num"),
    Column(Words("字符", "Characters"), "num"),
    Column(Words("组", "Groups"), "num"),
    Column(Words("占字符", "Of characters"), "num"),
)


def funnel(facts: ReportFacts) -> Section:
    return funnel_of(facts.corpus)


def funnel_of(corpus: CorpusFacts) -> Section:
    body: list[Child] = (
        [_stages(corpus)] if corpus.sieves else [note(Words("还没有读取任何文档。", "No document has been read yet."))]
    )
    if corpus.split is not None:
        body += [heading(Words("划分", "Split")), _split(corpus.split)]
    if corpus.unread:
        body += [heading(Words("读不出的", "Unreadable")), [_unread(u) for u in corpus.unread]]
    return Section(
        "funnel",
        Words("文档的去向", "What became of the documents"),
        Words(
            "每一份文档要么留下，要么带着理由离开。理由逐条写在语料的 verdicts 表里。",
            "Every document either stays or leaves with a reason. The corpus table `verdicts` holds each of them.",
        ),
        body,
    )


def _stages(corpus: CorpusFacts) -> Markup:
    """Readings stand end to end, each beginning where the one before ended; every later stage begins at the left."""
    readings = [s.entered if s.operator == "read" else 0 for s in corpus.sieves]
    total = max(sum(readings), *(s.entered for s in corpus.sieves))
    before = [sum(readings[:i]) if n else 0 for i, n in enumerate(readings)]
    return table(_COLUMNS, [_row(s, start, total) for s, start in zip(corpus.sieves, before, strict=True)], "funnel")


def _row(sieve: Sieve, start: int, total: int) -> list[Child]:
    lost = sieve.entered - sieve.kept
    reasons = [
        el("li", el("span", say(r)), el("span", figures.count(n), class_="n")) for r, n in list(sieve.reasons.items())[:12]
    ]
    return [
        [el("b", say(sieve.operator)), el("small", code(sieve.step))],
        figures.count(sieve.entered),
        [_bar(start, sieve.kept, lost, total), el("ul", reasons, class_="reasons") if reasons else None],
        figures.count(sieve.kept),
        [f"−{figures.count(lost)}", el("small", figures.share(lost, sieve.entered))] if lost else "0",
    ]


def _bar(start: int, kept: int, lost: int, total: int) -> Markup:
    scale = svg.Scale(0, max(total, 1), 0, 100)
    said = Words(f"留下 {kept:,}，去除 {lost:,}", f"{kept:,} kept, {lost:,} removed")
    drawn = [svg.bar("0", 0, "100%", 10, "ghost"), svg.bar(scale.percent(start), 0, scale.percent(kept), 10, "kept")]
    if lost:
        end = scale.percent(start + kept)
        drawn += [svg.bar(end, 0, scale.percent(lost), 10, "lost"), svg.line(end, 0, end, 10, "edge")]
    return svg.picture(10, said, drawn, class_="bar")


def _split(split: Split) -> Markup:
    total = sum(split.characters.values())
    rows: list[list[Child]] = []
    for side in ("train", "test", "excluded"):
        documents, characters = split.documents.get(side, 0), split.characters.get(side, 0)
        why = [el("small", say(r), f" {n:,}") for r, n in split.reasons.items() if n] if side == "excluded" else None
        groups = figures.count(split.groups.get(side, 0))
        rows.append(
            [[say(side), why], figures.count(documents), figures.count(characters), groups, figures.share(characters, total)]
        )
    return table(_SIDES, rows)


def _unread(unread: Unread) -> Markup:
    reasons = [(say(r), figures.count(n)) for r, n in unread.reasons.items()]
    samples = [el("li", el("code", quote(path, 120)), " ", quote(reason, 200)) for path, reason in unread.samples]
    head = el("p", code(unread.step), " ", Words(f"共 {unread.total:,} 个", f"{unread.total:,} in all"))
    return el("div", head, pairs(reasons), el("ul", samples, class_="plain small") if samples else None)
