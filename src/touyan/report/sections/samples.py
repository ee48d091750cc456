"""Samples of what was removed and of what was masked, by reason, for a reader to judge the refinery by.

Invariant: everything here came from documents; it is masked, blotted, isolated and escaped before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from touyan.report import figures
from touyan.report.components import Section, heading, note
from touyan.report.facts import CorpusFacts, Excerpt, ReportFacts
from touyan.report.markup import Child, Markup, Words, el, escaped
from touyan.report.words import say

_MASK = re.compile(r"(\[[^\[\]]{1,12}\]|▇▇▇)")
EXCERPT_CHARS = 220


def samples(facts: ReportFacts) -> Section | None:
    return samples_of(facts.corpus)


def samples_of(corpus: CorpusFacts) -> Section | None:
    if not corpus.sieves:
        return None
    return Section(
        "samples",
        Words("样本", "Samples"),
        Words(
            "每种理由至多五例。个人信息在写出前已遮蔽，此处再遮一次长数字和地址。",
            "Up to five a reason. They were masked when written; long numbers and addresses are blotted once more here.",
        ),
        [heading(Words("去除的", "Removed")), _dropped(corpus), heading(Words("遮蔽的", "Masked")), _masked(corpus)],
    )


def _dropped(corpus: CorpusFacts) -> Child:
    counts: dict[str, int] = {}
    for sieve in corpus.sieves:
        for reason, n in sieve.reasons.items():
            counts[reason] = counts.get(reason, 0) + n
    for reason, n in (corpus.split.reasons if corpus.split else {}).items():
        counts[reason] = counts.get(reason, 0) + n
    if not corpus.dropped:
        return note(Words("没有去除任何文档。", "Nothing was removed."))
    return [_group(reason, counts.get(reason, 0), found, i == 0) for i, (reason, found) in enumerate(corpus.dropped.items())]


def _masked(corpus: CorpusFacts) -> Child:
    if not corpus.masks:
        return note(Words("没有发现需要遮蔽的个人信息。", "No personal information was found that had to be masked."))
    return [_group(label, n, corpus.masked.get(label, ()), i == 0) for i, (label, n) in enumerate(corpus.masks.items())]


def _group(reason: str, n: int, excerpts: Sequence[Excerpt], is_open: bool) -> Markup:
    head = el("summary", el("span", say(reason), class_="name"), el("span", figures.count(n) if n else None, class_="n"))
    body = [_quoted(e) for e in excerpts] or note(Words("没有样本。", "No samples."))
    return el("details", head, el("div", body, class_="excerpts"), open=is_open)


def _quoted(excerpt: Excerpt) -> Markup:
    about = [el("code", excerpt.doc_id[:12], title=excerpt.doc_id) if excerpt.doc_id else None]
    if excerpt.evidence:
        about.append(el("span", Words("依据 ", "evidence "), el("code", _brief(excerpt.evidence), title=excerpt.evidence)))
    return el("figure", el("blockquote", _highlighted(excerpt.text)), el("figcaption", about))


def _brief(evidence: str) -> str:
    """`doc:16cfba0a49b5`: the name of a document, short."""
    kind, _, value = evidence.partition(":")
    return f"{kind}:{value[:12]}" if value else evidence[:40]


def _highlighted(text: str) -> Markup:
    """Masks stand out; the rest is plain, escaped and isolated."""
    cut = text[:EXCERPT_CHARS]
    parts = [f"<mark>{escaped(p)}</mark>" if _MASK.fullmatch(p) else escaped(p) for p in _MASK.split(cut) if p]
    return Markup(f"<bdi>{''.join(parts)}{'…' if len(text) > EXCERPT_CHARS else ''}</bdi>")
