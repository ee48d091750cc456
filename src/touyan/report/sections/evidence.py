"""How anyone can check this report: the commands, the head of the evidence log, the whole ids, and the environment.

Invariant: every id that is shown short elsewhere stands here whole, to be copied and compared.
"""

from __future__ import annotations

from touyan.core.canonical import short
from touyan.report import figures
from touyan.report.components import Column, Section, heading, note, pairs, table
from touyan.report.facts import LogHead, ReportFacts
from touyan.report.markup import Child, Markup, Words, code, el, quote
from touyan.report.words import say

_EVENTS = (
    Column(Words("位置", "Position"), "num"),
    Column(Words("时间", "Time"), "num"),
    Column(Words("事件", "Event"), "wide"),
    Column(Words("行为人", "Actor"), "minor"),
)
_ASSETS = (
    Column(Words("步骤", "Step")),
    Column(Words("种类", "Kind")),
    Column(Words("成果的完整编号", "Whole id of the result"), "wide digest"),
)


def evidence(facts: ReportFacts) -> Section:
    body: list[Child] = [heading(Words("自行核验", "Check it yourself")), _commands(facts)]
    if facts.head is not None:
        body += [heading(Words("证据日志", "Evidence log")), _head(facts.head)]
    if facts.gaps:
        body += [heading(Words("本报告缺少的", "Missing from this report")), _gaps(facts)]
    body += [heading(Words("环境", "Environment")), _environment(facts), heading(Words("编号", "Ids")), _ids(facts)]
    return Section(
        "evidence",
        Words("证据与核验", "Evidence"),
        Words(
            "许可可以离线核验：只需许可文件和本组织的公钥。日志按 RFC 6962 只增不改。",
            "A permit is checked offline with its bundle and the organisation's public key. The log is append-only (RFC 6962).",
        ),
        body,
    )


def _commands(facts: ReportFacts) -> Markup:
    lines = [(f"touyan show {facts.run.id}", Words("这次运行的记录", "the record of this run"))]
    if facts.permit is not None:
        lines = [
            (
                f"touyan permit export {facts.permit.number}",
                Words("写出可离线核验的许可文件", "the permit as a bundle that can be checked offline"),
            ),
            (
                "touyan verify PERMIT.json --key ROOT",
                Words("用本组织公钥核验签名、清单和日志", "signatures, manifests and log, by the root key"),
            ),
            *lines,
        ]
    if facts.subject:
        lines.append(
            (
                f"touyan why {short(facts.subject)}",
                Words("模型一直追到来源及其权利", "the model, back to its sources and their rights"),
            )
        )
    lines.append(("touyan log", Words("事件与日志头", "events and the head of the log")))
    return el("dl", [el("div", el("dt", code(c)), el("dd", w)) for c, w in lines], class_="commands")


def _head(head: LogHead) -> Child:
    facts = pairs(
        [
            (Words("日志", "Log"), code(head.origin)),
            (Words("事件数", "Size"), figures.count(head.size)),
            (Words("根", "Root"), el("code", head.root, class_="long")),
            (Words("签署", "Signed"), [figures.moment(head.at), " ", el("code", head.key_id, class_="long")]),
        ]
    )
    rows: list[list[Child]] = [[str(p), figures.moment(at), code(kind), quote(actor, 80)] for p, at, kind, actor in head.events]
    return [facts, table(_EVENTS, rows) if rows else None]


def _gaps(facts: ReportFacts) -> Markup:
    return el("ul", [el("li", code(what), " ", quote(why, 300)) for what, why in facts.gaps], class_="plain")


def _environment(facts: ReportFacts) -> Markup:
    if not facts.environment:
        return note(Words("这次运行没有记录环境。", "No environment was recorded with this run's results."))
    return pairs([(Words(name, name), quote(value, 300)) for name, value in facts.environment.items()], "pairs dense")


def _ids(facts: ReportFacts) -> Markup:
    named = [(s.name, "source", s.asset) for s in facts.sources] + [(s.name, s.output, s.asset) for s in facts.steps]
    rows: list[list[Child]] = [[code(n), say(kind), el("code", asset)] for n, kind, asset in named if asset]
    return table(_ASSETS, rows, "ids")
