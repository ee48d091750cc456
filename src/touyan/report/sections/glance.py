"""What was asked and what came of it, at a glance: the masthead, one verdict in words, and the figures that matter.

Invariant: the verdict follows from the facts alone, and a run that stopped says where and why before anything else.
"""

from __future__ import annotations

from collections.abc import Sequence

from touyan.core.seam import from_iso
from touyan.report import figures
from touyan.report.components import badge, identifier, tone
from touyan.report.facts import Metric, ReportFacts, Winner
from touyan.report.markup import Child, Markup, Words, code, el, quote
from touyan.report.words import say


def masthead(facts: ReportFacts) -> Markup:
    run = facts.run
    line = [
        el("span", Words("运行", "Run"), " ", code(run.id)),
        el("span", Words("流程", "Flow"), " ", quote(run.flow), " ", identifier(run.flow_sha256)),
        el("span", el("time", figures.moment(run.started_at), datetime=run.started_at)),
        el("span", quote(run.actor)),
    ]
    return el(
        "header",
        el(
            "p",
            el("b", "头雁", lang="zh"),
            el("b", "Touyan", lang="en"),
            el("span", Words("运行报告", "Run report")),
            class_="kicker",
        ),
        el("h1", quote(run.title)),
        el("p", line, class_="byline"),
        class_="masthead",
    )


def verdict(facts: ReportFacts) -> Markup:
    """One paragraph: the state, and the sentence that follows from it."""
    state = facts.run.state
    demo = facts.permit is not None and facts.permit.is_demo
    mark = badge("waiting", Words("演示许可，仅限本机", "demo permit, loopback only")) if demo else None
    return el(
        "section",
        el("p", badge(state), mark, class_="state"),
        el("p", _sentence(facts), class_="lead"),
        [el("p", won(w, facts.evaluation.metrics), class_="won") for w in facts.evaluation.winners] if facts.evaluation else None,
        figures_row(facts),
        class_=f"verdict {tone(state)}",
        aria_label="结论 / Verdict",
    )


def _sentence(facts: ReportFacts) -> Child:
    run, permit = facts.run, facts.permit
    failed = next((s for s in facts.steps if s.state == "failed"), None)
    if failed is not None:
        why = quote(failed.reason or "", 600)
        return [Words("运行在步骤 ", "The run stopped at the step "), code(failed.name), Words(" 停下：", ": "), why]
    if permit is not None:
        return _permitted(facts)
    if run.state == "waiting":
        return _waiting(facts)
    if run.state == "done":
        return Words(
            "全部步骤已完成。尚未签发许可，模型不得提供服务。",
            "All steps are done. No permit has been issued: the model may not be served.",
        )
    if run.state in ("cancelled", "stopped"):
        return Words("运行已中断，以下是中断前的记录。", "The run was interrupted; what follows is the record up to then.")
    done = sum(s.state in ("done", "hit") for s in facts.steps)
    return Words(f"{len(facts.steps)} 个步骤已完成 {done} 个。", f"{done} of {len(facts.steps)} steps are done.")


def _waiting(facts: ReportFacts) -> Child:
    state = facts.review.state if facts.review else ""
    if state == "approved":
        return Words("评审已批准，等待签发许可。", "The review is approved; a permit is yet to be issued.")
    if state in ("rejected", "withdrawn"):
        word = say(state)
        return Words(f"评审{word.zh}，模型不得提供服务。", f"The review was {word.en}: the model may not be served.")
    roles = Markup(", ".join(code(r).html for r in facts.review.roles)) if facts.review and facts.review.roles else None
    return [
        Words("模型已就绪，等待评审", "The model is ready and waits for review"),
        [Words("（需要：", " (needed: "), roles, Words("）", ")")] if roles else None,
        Words("。在许可签发之前，模型不得提供服务。", ". Until a permit is issued it may not be served."),
    ]


def _permitted(facts: ReportFacts) -> Child:
    permit = facts.permit
    assert permit is not None, "called for a run with a permit"
    if permit.state != "valid":
        state = say(permit.state)
        return [
            Words("许可 ", "The permit "),
            code(permit.number),
            Words(f" {state.zh}，模型不得提供服务。", f" is {state.en}: the model may not be served."),
        ]
    kind, until = say(permit.kind), figures.day(permit.expires_at)
    return [
        Words("模型 ", "The model "), identifier(facts.subject), Words(f" 已获{kind.zh}许可 ", f" holds the {kind.en} permit "),
        code(permit.number), Words(f"，有效期至 {until}。", f", valid until {until}."),
    ]  # fmt: skip


NO_WINNER = "no winner"
"""In the words of an evaluation whose interval of the difference holds zero."""


def won(winner: Winner, metrics: Sequence[Metric]) -> Child:
    """Who won a task: the evaluation's own words in English, and the same from its figures in Chinese."""
    rows = sorted((m for m in metrics if m.task == winner.task), key=lambda m: m.value if m.is_better_low else -m.value)
    if len(rows) < 2 or rows[0].model != winner.model:
        return [say(winner.task), Words("：", ": "), quote(winner.statement or winner.model, 600)]
    first, second = rows[:2]
    figure = f"{say(first.metric).zh} {figures.measured(first.value)}，{second.model} 为 {figures.measured(second.value)}"
    is_open = NO_WINNER in winner.statement
    verdict = (
        f"{first.model} 的数值较好（{figure}），但差值的区间含零，不分胜负。" if is_open else f"{first.model} 胜出：{figure}。"
    )
    english = winner.statement or f"{first.model} won: {figures.measured(first.value)} against {figures.measured(second.value)}."
    return Words(f"{say(winner.task).zh}：{verdict}", f"{say(winner.task).en}: {english}")


def figures_row(facts: ReportFacts) -> Markup | None:
    """Four to six figures; each only where the run has come so far."""
    cells = [_subject(facts), *_measured(facts), _documents(facts), _checks(facts), _time(facts)]
    given = [c for c in cells if c is not None]
    return el("dl", given, class_="figures") if given else None


def _figure(name: Words, value: Child, detail: Child = None) -> Markup:
    return el(
        "div",
        el("dt", name),
        el("dd", el("span", value, class_="value"), el("span", detail, class_="detail") if detail else None),
    )


def _subject(facts: ReportFacts) -> Markup | None:
    if not facts.subject:
        return None
    model = next((m for m in facts.models if m.asset == facts.subject), None)
    parameters = model.card.get("parameters", "") if model else ""
    detail = (
        Words(f"{figures.short_count(int(parameters))} 参数", f"{figures.short_count(int(parameters))} parameters")
        if parameters.isdigit()
        else None
    )
    return _figure(Words("模型", "Model"), identifier(facts.subject), detail)


def _measured(facts: ReportFacts) -> list[Markup | None]:
    """Per task: the value of the model this run is about, beside the best of the others."""
    if facts.evaluation is None:
        return []
    tasks = dict.fromkeys((m.task, m.metric) for m in facts.evaluation.metrics)
    return [_task(facts, [m for m in facts.evaluation.metrics if (m.task, m.metric) == key]) for key in tasks][:3]


def _task(facts: ReportFacts, rows: list[Metric]) -> Markup | None:
    own = [m for m in rows if m.asset == facts.subject] or [best(rows)]
    others = [m for m in rows if m.asset != own[0].asset]
    value = figures.measured(own[0].value)
    if not others:
        return _figure(say(own[0].metric), value, figures.interval(own[0].low, own[0].high))
    rival = best(others)
    is_ahead = own[0].value != rival.value and best([own[0], rival]) is own[0]
    against = Words(
        f"{'优于' if is_ahead else '不及'} {rival.model} {figures.measured(rival.value)}",
        f"{'ahead of' if is_ahead else 'behind'} {rival.model} {figures.measured(rival.value)}",
    )
    return _figure(say(own[0].metric), value, el("span", against, class_="up" if is_ahead else "down"))


def best(rows: list[Metric]) -> Metric:
    """The metric with the best value; the first of equals."""
    return min(rows, key=lambda m: m.value if m.is_better_low else -m.value)


def _documents(facts: ReportFacts) -> Markup | None:
    sieves = facts.corpus.sieves
    if not sieves:
        return None
    read = sum(s.entered for s in sieves if s.operator == "read")
    kept = facts.corpus.documents
    return _figure(Words("语料文档", "Documents kept"), figures.count(kept), Words(f"共读到 {read:,}", f"of {read:,} found"))


def _checks(facts: ReportFacts) -> Markup | None:
    if facts.checks is None or not facts.checks.checks:
        return None
    outcomes = [c.outcome for c in facts.checks.checks]
    passed, failed, open_ = (outcomes.count(o) for o in ("pass", "fail", "abstain"))
    detail = Words(f"{failed} 项未通过，{open_} 项未判定", f"{failed} failed, {open_} abstained")
    return _figure(Words("检查通过", "Checks passed"), f"{passed} / {len(outcomes)}", detail)


def _time(facts: ReportFacts) -> Markup | None:
    if not facts.run.ended_at:
        return None
    hits = sum(s.state == "hit" for s in facts.steps)
    wall = max(0, from_iso(facts.run.ended_at) - from_iso(facts.run.started_at))
    return _figure(
        Words("用时", "Wall time"),
        figures.duration(wall),
        Words(f"{len(facts.steps)} 步，{hits} 步命中", f"{len(facts.steps)} steps, {hits} hits"),
    )
