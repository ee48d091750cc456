"""A folder with a flow of a few documents, as far as the verbs that look at a store need it."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import touyan

FLOW = """\
touyan: 1
name: small
sources:
  notes:
    path: notes/
    provider: acme
    rights: {authority: own-production, personal: none, personal_state: none, security: general, purposes: [refine, serve]}
  forum:
    path: forum/
    provider: nobody
    rights: {authority: unknown}
steps:
  refine: {}
"""


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUYAN_LANG", "en")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, english: None) -> Path:
    """A folder with a store, documents and a flow; the test stands in it."""
    for name, text in {
        "notes/a.txt": "图书馆每周二闭馆，其余时间照常开放，欢迎各位读者前来阅览。\n",
        "forum/b.txt": "不知从何而来的帖子。\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "flow.yaml").write_text(FLOW, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert touyan("init --organisation acme --person ann").status == 0
    return tmp_path
