"""A flow file of one page, and small changes to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from touyan.core.errors import TouyanError
from touyan.flow.file import Flow, read_flow

BASE = """\
touyan: 1
name: notes
sources:
  papers:
    path: documents
    provider: office
    rights: {authority: own-production, personal: none, personal_state: none, security: general, purposes: [refine, train]}
  letters:
    path: letters
    provider: office
    rights: {authority: unknown}
steps:
  refine: {min_chars: 4}
  split: {test_share: 0.2, seed: 1}
  tokenizer: {vocabulary: 400}
  pack: {}
  train: {tokens: 2000}
  ngram: {}
  evaluate: {}
  check: {rule_pack: demo}
review: {kind: release, roles: [data-reviewer]}
permit: {audience: internal, days: 30}
service: {name: notes}
feedback: {security: general}
"""


def flow_of(folder: Path, text: str | bytes = BASE) -> Flow:
    """The flow of `text`, read from a file."""
    path = folder / "flow.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_flow(path)


def changed(old: str, new: str) -> str:
    """BASE with one place changed."""
    assert BASE.count(old) == 1, old
    return BASE.replace(old, new)


def complaint(folder: Path, text: str | bytes) -> TouyanError:
    """The error that a flow file gives; its message without the folder."""
    with pytest.raises(TouyanError) as raised:
        flow_of(folder, text)
    raised.value.message = raised.value.message.replace(f"{folder}/", "")
    return raised.value
