"""Sources with their rights, what was refused and why, and the rights of the mixture.

Invariant: an unknown part of a rights record is shown as unknown, and never as absent.
"""

from __future__ import annotations

from touyan.core.rights import PURPOSES, Effective, Rights
from touyan.core.seam import iso
from touyan.report import figures
from touyan.report.components import Section, badge, heading, identifier, listed, note, pairs
from touyan.report.facts import Refusal, ReportFacts, SourceFacts
from touyan.report.markup import Child, Markup, Words, code, el, joined, quote
from touyan.report.words import knows, say


def sources(facts: ReportFacts) -> Section:
    body: list[Child] = (
        [el("ul", [_source(s) for s in facts.sources], class_="sources")]
        if facts.sources
        else [note(Words("流程没有列出来源。", "The flow names no source."))]
    )
    if facts.refusals:
        body += [heading(Words("被拒绝的", "Refused")), [_refusal(r) for r in facts.refusals]]
    if facts.mixture is not None:
        body += [heading(Words("混合后的权利", "Rights of the mixture")), _mixture(facts.mixture, facts.run.purpose)]
    return Section(
        "sources",
        Words("来源与权利", "Sources and rights"),
        Words(
            "权利分三部分，任何一部分未知即阻断。混合物的用途取交集，义务取并集，期限取最早。",
            "Rights have three parts; each blocks while unknown. A mixture has common purposes, all duties, the earliest expiry.",
        ),
        body,
    )


def _source(source: SourceFacts) -> Markup:
    where = [quote(source.provider, 80), " · ", quote(source.path, 160)] if source.path else quote(source.provider, 80)
    size = [" · ", figures.size(source.size_bytes)] if source.size_bytes else None
    verdict = badge("cleared", Words("放行", "cleared")) if source.is_cleared else badge("refused")
    named = el("p", el("b", quote(source.name, 80)), " ", verdict)
    asset = el("small", identifier(source.asset), size) if source.asset else None
    return el("li", el("div", named, el("small", where), asset, _blocks(source)), _rights(source.rights))


def _rights(rights: Rights) -> Markup:
    basis = " · ".join(x for x in (rights.licence, rights.article) if x)
    personal = [say(rights.personal), [" · ", say(rights.personal_state)] if rights.personal != rights.personal_state else None]
    purpose = (
        [el("small", Words("原目的：", "collected for: "), quote(rights.original_purpose, 160))]
        if rights.original_purpose
        else None
    )
    return pairs(
        [
            (Words("权利依据", "Authority"), [say(rights.authority), el("small", quote(basis, 160)) if basis else None]),
            (Words("个人信息", "Personal data"), [personal, purpose]),
            (Words("安全等级", "Security class"), say(rights.security)),
            (Words("证据", "Evidence"), [el("small", quote(e, 160)) for e in rights.evidence[:4]]),
        ]
    )


def _blocks(source: SourceFacts) -> Child:
    """What stands against a source, one line each."""
    return [el("small", say(part), Words("：", ": "), told(reason), class_="against") for part, reason in source.blocks]


def told(reason: str) -> Child:
    """A reason in both languages where it is one of ours, else as it came."""
    return say(reason) if knows(reason) else quote(reason, 300)


def _refusal(refusal: Refusal) -> Markup:
    return el(
        "div",
        el("p", el("b", quote(refusal.what, 120)), " ", code(refusal.code)),
        el("p", quote(refusal.message, 600)),
        el("p", Words("怎么办：", "What to do: "), quote(refusal.hint, 300), class_="hint") if refusal.hint else None,
        class_="refusal",
    )


def _mixture(mixture: Effective, purpose: str) -> Markup:
    marks = [_purpose(p, p in mixture.purposes, p == purpose) for p in PURPOSES if p != "inspect"]
    territory: Child = (
        Words("不限", "anywhere") if mixture.territory is None else ", ".join(sorted(mixture.territory)) or say("none")
    )
    expiry: Child = Words("无", "none") if mixture.expires_ms is None else figures.moment(iso(mixture.expires_ms))
    duties: Child = joined([say(d) for d in sorted(mixture.duties)], Words("、", ", ")) or say("none")
    blocks = [b for b in sorted(mixture.blocks) if b.part != "purpose"]
    blocked = listed([[quote(b.who, 80), Words("：", ": "), told(b.reason)] for b in blocks]) if blocks else say("none")
    return pairs(
        [
            (Words("允许的用途", "Permitted purposes"), el("ul", marks, class_="marks")),
            (Words("义务", "Duties"), duties),
            (Words("地域", "Territory"), territory),
            (Words("到期", "Expiry"), expiry),
            (Words("阻断", "Blocked by"), blocked),
        ]
    )


def _purpose(purpose: str, is_permitted: bool, is_asked: bool) -> Markup:
    mark = "✓" if is_permitted else "✕"
    names = " ".join(n for n, on in (("yes", is_permitted), ("no", not is_permitted), ("asked", is_asked)) if on)
    hidden = Words("允许", "permitted") if is_permitted else Words("不允许", "not permitted")
    return el("li", el("span", mark, aria_hidden="true"), " ", say(purpose), el("span", hidden, class_="unseen"), class_=names)
