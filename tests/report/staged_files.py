"""The folders that a staged run leaves, as far as a report reads them. The figures are made up and plausible."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from touyan.core.canonical import digest


def files(name: str, text: str, assets: Mapping[str, str]) -> dict[str, Any]:
    """The files that the step `name` leaves, as far as a report reads them."""
    made = {
        "read/laws": _read_laws, "read/replies": _read_replies, "refine": _refined, "split": _split, "train": _trained,
        "ngram": _ngram,
        "linear": _linear, "check": _checked,
    }  # fmt: skip
    if name == "evaluate":
        return _evaluated(text, assets)
    return made[name](text) if name in made else {"summary.json": {"vocabulary": 4096, "documents": 26_650}}


def _read_laws(text: str) -> dict[str, Any]:
    return {
        "summary.json": {
            "documents": 26_196,
            "characters": 3_012_448,
            "unreadable": 0,
            "unreadable_reasons": {},
            "unreadable_samples": [],
        }
    }


def _read_replies(text: str) -> dict[str, Any]:
    samples = [
        {"path": f"2025/答复-0412.docx{text}", "reason": "bad-zip: the archive inflates to 4.2 GB, 1,900 times its size"},
        {"path": "2025/扫描件-17.pdf", "reason": "no-text: 12 pages hold pictures only"},
    ]
    reasons = {"no-text": 9, "bad-zip": 1}
    return {
        "summary.json": {
            "documents": 1_204, "characters": 412_903, "unreadable": 10, "unreadable_reasons": reasons,
            "unreadable_samples": samples,
        }
    }  # fmt: skip


def _sample(doc: int, excerpt: str, evidence: str = "") -> dict[str, str]:
    return {"doc_id": digest({"doc": doc}), "excerpt": excerpt, "evidence": evidence}


def _refined(text: str) -> dict[str, Any]:
    funnel = [
        {"operator": "unicode", "in": 27_400, "kept": 27_400, "reasons": {}},
        {"operator": "exact-duplicates", "in": 27_400, "kept": 26_838, "reasons": {"exact-duplicate": 560, "repeated-id": 2}},
        {"operator": "length", "in": 26_838, "kept": 26_661, "reasons": {"too-short": 177}},
        {"operator": "script", "in": 26_661, "kept": 26_650, "reasons": {"not-han": 11}},
        {"operator": "mask", "in": 26_650, "kept": 26_650, "reasons": {}},
    ]
    kept = f"doc:{digest({'doc': 1})}"
    dropped = {
        "exact-duplicate": [
            _sample(
                2,
                "第一条　为了规范行政处罚的设定和实施，保障和监督行政机关有效实施行政管理，维护公共利益，根据宪法，制定本法。"
                + text,
                kept,
            ),
            _sample(3, "本法自公布之日起施行。", kept),
        ],
        "too-short": [_sample(4, "（删去）"), _sample(5, "第三十七条　略")],
        "not-han": [_sample(6, "ISO 9001:2015 Quality management systems – Requirements, Clause 8.5.1, see annex A" + text)],
    }
    masked = {
        "mobile": [_sample(7, "来电人称其号码为[手机号]，请于三个工作日内回复。"), _sample(8, "联系电话：[手机号]（王女士）")],
        "id-card": [_sample(9, "申请人身份证号[身份证号]，户籍所在地为本市。" + text)],
        "email": [_sample(10, "材料请发至[邮箱]，逾期不予受理。")],
    }
    return {
        "summary.json": {
            "documents": 26_650, "characters": 3_377_120, "funnel": funnel, "masks": {"mobile": 214, "id-card": 31, "email": 18},
            "samples": {"dropped": dropped, "masked": masked}, "flags": {},
        }
    }  # fmt: skip


def _split(text: str) -> dict[str, Any]:
    sides = {
        "train": {"documents": 23_881, "characters": 3_031_207, "groups": 298},
        "test": {"documents": 2_552, "characters": 322_390, "groups": 31},
        "excluded": {"documents": 217, "characters": 23_523, "groups": 9},
    }
    seen = [_sample(11, "国家工作人员在法定节假日期间加班的，按照国家有关规定执行。" + text, f"doc:{digest({'doc': 12})}")]
    return {
        "summary.json": {
            "documents": 26_650, "characters": 3_377_120, "splits": sides, "excluded": {"verbatim-in-train": 217},
            "samples": {"excluded": {"verbatim-in-train": seen}},
        }
    }  # fmt: skip


def _trained(text: str) -> dict[str, Any]:
    points = []
    for i in range(1, 161):
        tokens = i * 8_125
        loss = 4.02 + 4.1 * math.exp(-tokens / 90_000) - 0.42 * (tokens / 1_300_000) ** 2 + 0.035 * math.sin(i * 2.4)
        points.append(json.dumps({"step": 4 * i, "tokens": tokens, "loss": round(loss, 5), "rate": 1.0}))
    card = {"backend": "llama", "tasks": ["generate"], "licence": None, "trained_tokens": 1_300_000}
    return {"touyan.json": card, "summary.json": {**card, "parameters": 5_243_136}, "loss.jsonl": "\n".join(points)}


def _ngram(text: str) -> dict[str, Any]:
    return {
        "touyan.json": {"backend": "ngram", "tasks": ["generate"], "order": 6},
        "summary.json": {"backend": "ngram", "parameters": 4_812_090},
    }


def _linear(text: str) -> dict[str, Any]:
    return {
        "touyan.json": {"backend": "linear", "tasks": ["classify"]},
        "summary.json": {"backend": "linear", "parameters": 1_600_008},
    }


def _evaluated(text: str, assets: Mapping[str, str]) -> dict[str, Any]:
    rows = [
        ("train", "generate", "bits_per_character", 3.684, 3.652, 3.717, 2_552, "bits/character", "lower"),
        ("ngram", "generate", "bits_per_character", 3.912, 3.876, 3.949, 2_552, "bits/character", "lower"),
        ("uniform", "generate", "bits_per_character", 4.468, 4.431, 4.506, 2_552, "bits/character", "lower"),
        ("linear", "classify", "accuracy", 0.861, 0.847, 0.874, 2_552, "share", "higher"),
        ("train", "classify", "accuracy", 0.823, 0.808, 0.837, 2_552, "share", "higher"),
        ("majority", "classify", "accuracy", 0.291, 0.274, 0.309, 2_552, "share", "higher"),
    ]
    names = ("model", "task", "metric", "value", "low", "high", "n", "unit", "better")
    metrics = [dict(zip(names, row, strict=True)) | {"level": 0.95, "model_asset": assets.get(str(row[0]), "")} for row in rows]
    winner = {
        "generate": {
            "model": "train",
            "statement": "train 每字 3.684 比特，比 6-gram 少 0.228（95 % 区间 0.205 至 0.252，逐篇配对）。" + text,
        },
        "classify": {"model": "linear", "statement": "线性基线准确率 0.861，胜过 train 的 0.823；分类请用线性模型。"},
    }
    return {"metrics.json": {"metrics": metrics, "winner": winner}, "summary.json": {}}


def _checked(text: str) -> dict[str, Any]:
    rows = [
        ("R1", "每份文档都有权利记录", "rights-known", "1", "1", 0.9986, 1.0, 2_700, "pass", ""),
        ("R2", "残留结构化个人信息不超过万分之五", "residual-identifiers", "0.0005", "0", 0.0, 0.0014, 2_700, "abstain",
         "样本太小：上限 0.0014 高于阈值，需要 7,700 份" + text),
        ("R3", "留出集与训练集无逐字重复", "contamination", "0", "0", 0.0, 0.0015, 2_552, "pass", ""),
        ("R4", "每字比特数优于 n 元基线", "beats-baseline", "0", "0.228", 0.205, 0.252, 2_552, "pass", ""),
        ("R5", "违法不良信息占比不超过 5 %（GB/T 45654—2025 第 5.1 条）", "sampled-harm", "0.05",
         None, None, None, None, "abstain",
         "需要人工抽检 4,000 条，尚无标注"),
    ]  # fmt: skip
    names = ("id", "text", "check", "threshold", "value", "low", "high", "n", "outcome", "evidence")
    pack = {"id": "demo", "version": "1.0.0", "sha256": digest({"pack": "demo"})}
    return {
        "checks.json": {"rule_pack": pack, "checks": [_rule(dict(zip(names, row, strict=True))) for row in rows]},
        "summary.json": {},
    }


def _rule(row: dict[str, Any]) -> dict[str, Any]:
    evidence = {"note": row["evidence"], "seed": "0"} if row["evidence"] else {}
    return row | {"text": {"zh": row["text"], "en": f"Rule {row['id']}"}, "clause": "暂行办法 第七条", "evidence": evidence}
