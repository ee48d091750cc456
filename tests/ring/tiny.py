"""A whole ring on forty short texts: small enough that a turn takes seconds, real in every step."""

from __future__ import annotations

import random
from pathlib import Path

SUBJECTS = (
    "市政府",
    "居民委员会",
    "用人单位",
    "供水企业",
    "图书馆",
    "物业服务人",
    "学校",
    "卫生健康主管部门",
    "建设单位",
    "交通运输主管部门",
)
DUTIES = (
    "应当依法公开服务标准",
    "应当建立健全安全管理制度",
    "不得擅自改变用途",
    "可以委托专业机构评估",
    "应当在七日内书面答复",
    "负责监督检查",
)
ENDS = ("接受社会监督。", "并向社会公布。", "违反规定的，责令限期改正。", "具体办法由主管部门制定。", "所需经费列入预算。")

STEPS = """\
  refine: {min_chars: 4}
  split: {test_share: 0.2, seed: 1}
"""
MODELS = """\
  tokenizer: {vocabulary: 400}
  pack: {}
  train: {tokens: 2000, width: 32, layers: 1, heads: 2, inner: 64, batch_tokens: 256, piece_tokens: 64, precision: float32, threads: 1}
  ngram: {}
  evaluate: {}
  check: {rule_pack: demo}
"""
DECISIONS = """\
review: {kind: release, roles: [data-reviewer]}
permit: {audience: internal, days: 30}
service: {name: tiny}
feedback: {security: general}
"""


def write_documents(folder: Path, n: int = 40, seed: int = 3) -> None:
    """`n` texts of a few sentences, reproducible."""
    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        sentences = [draw.choice(SUBJECTS) + draw.choice(DUTIES) + "，" + draw.choice(ENDS) for _ in range(draw.randint(2, 5))]
        (folder / f"{i:03d}.txt").write_text(f"第{i}号文件。" + "".join(sentences), encoding="utf-8")


def write_flow(folder: Path, *, steps: str = STEPS + MODELS, decisions: str = DECISIONS, name: str = "tiny") -> Path:
    """A flow over `documents/` beside it; the second source's authority is unknown."""
    write_documents(folder / "documents")
    flow = folder / "flow.yaml"
    flow.write_text(
        f"""\
touyan: 1
name: {name}
sources:
  papers:
    path: documents
    provider: office
    rights: {{authority: own-production, personal: none, personal_state: none, security: general,
             purposes: [refine, train, evaluate, serve]}}
  found:
    path: nowhere
    provider: unknown
    rights: {{authority: unknown}}
steps:
{steps}{decisions}""",
        encoding="utf-8",
    )
    return flow
