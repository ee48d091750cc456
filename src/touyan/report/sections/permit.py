"""The review and its votes, and the permit that came of it.

Invariant: a demo permit says so wherever it is named; a permit is the organisation's decision and no licence or filing.
"""

from __future__ import annotations

from touyan.report import figures
from touyan.report.components import Column, Section, badge, heading, identifier, listed, note, pairs, table
from touyan.report.facts import Permit, ReportFacts, Review
from touyan.report.markup import Child, Markup, Words, code, el, joined, quote
from touyan.report.words import say

_VOTES = (
    Column(Words("评审人", "Reviewer")),
    Column(Words("角色", "Role")),
    Column(Words("意见", "Vote")),
    Column(Words("说明", "Comment"), "wide"),
    Column(Words("时间", "Time"), "num minor"),
)


def permit(facts: ReportFacts) -> Section:
    return Section(
        "permit",
        Words("评审与许可", "Review and permit"),
        Words(
            "提交人不能评审自己的模型。许可是本组织的签字决定，不代替任何主管部门的许可或备案。",
            "Nobody reviews what they submitted. A permit is the organisation's own decision, no authority's licence or filing.",
        ),
        [_review(facts.review), _permit(facts.permit)],
    )


def _review(review: Review | None) -> Child:
    if review is None:
        return note(Words("还没有提交评审。", "No review has been asked for yet."))
    head = pairs(
        [
            (Words("评审", "Review"), [identifier(review.id), " ", badge(review.state)]),
            (Words("种类", "Kind"), say(review.kind)),
            (Words("提交人", "Submitted by"), quote(review.submitter, 120) if review.submitter else None),
            (Words("需要的角色", "Roles needed"), joined([code(r) for r in review.roles], " ")),
        ]
    )
    rows: list[list[Child]] = [
        [quote(v.party, 80), code(v.role), badge(v.decision), quote(v.comment, 600), figures.moment(v.at)] for v in review.votes
    ]
    votes = table(_VOTES, rows) if rows else note(Words("还没有人投票。", "Nobody has voted yet."))
    return [head, votes]


def _permit(found: Permit | None) -> Child:
    if found is None:
        return note(Words("没有许可：模型不得提供服务。", "There is no permit: the model may not be served."), "note strong")
    return [heading(Words("许可", "Permit")), _card(found)]


def _scope(item: str) -> Child:
    """`audience: internal`, in the words we have for it."""
    name, colon, value = item.partition(": ")
    return [say(name), Words("：", ": "), say(value)] if colon else quote(item, 200)


def _card(found: Permit) -> Markup:
    demo = badge("waiting", Words("演示", "demo")) if found.is_demo else None
    limits = Words(
        "演示许可：只有 touyan serve --demo 在本机回环地址上接受它。",
        "A demo permit: only touyan serve --demo on a loopback address accepts it.",
    )
    return el(
        "div",
        el("p", el("span", found.number, class_="number"), " ", badge(found.state), " ", demo),
        pairs(
            [
                (Words("种类", "Kind"), say(found.kind)),
                (Words("模型", "Model"), identifier(found.model) if found.model else None),
                (Words("签发", "Issued"), figures.moment(found.issued_at) if found.issued_at else None),
                (Words("到期", "Expires"), figures.moment(found.expires_at) if found.expires_at else None),
                (Words("范围", "Scope"), listed([_scope(s) for s in found.scope]) if found.scope else None),
                (Words("条件", "Conditions"), listed([quote(c, 300) for c in found.conditions]) if found.conditions else None),
                (Words("签名密钥", "Signed by"), listed([code(k) for k in found.key_ids]) if found.key_ids else None),
            ]
        ),
        note(limits) if found.is_demo else None,
        class_="card",
    )
