"""`touyan corpus plant` and `score` as somebody would type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import touyan
from touyan.corpus.plant.planted import read_planted

TEXT = "\n".join(
    f"第{n}条　市人民政府应当在{n + 3}日内公布第{n * 7}号名录，并接受社会监督；逾期未公布的，由上级机关责令改正。"
    for n in range(200)
)


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    folder = tmp_path / "clean"
    folder.mkdir()
    (folder / "notice.txt").write_text(TEXT, encoding="utf-8")
    return folder


def test_a_folder_of_text_is_planted_and_a_result_scored(clean: Path, tmp_path: Path) -> None:
    said = touyan(
        "corpus", "plant", str(clean), str(tmp_path / "planted"), "--kinds", "junk,boilerplate", "--share", "0.9", "--json"
    )
    assert said.status == 0, said.err
    planted = list(read_planted(Path(said.json["planted"])))
    assert said.json["documents"] == len(planted)
    assert {kind for each in planted for kind in each.plant} == {"junk", "boilerplate"}
    card = touyan("corpus", "score", str(tmp_path / "planted"), said.json["planted"], "--json").json
    shares = {line["key"]: line["share"] for line in card["lines"]}
    assert shares["junk-removed"] == shares["boilerplate-removed"] == shares["body-lost"] == 0


def test_the_table_says_what_was_asked_and_whether_it_was_reached(clean: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "planted.jsonl")
    assert touyan("corpus", "plant", str(clean), path, "--kinds", "boilerplate", "--share", "1").status == 0
    said = touyan("corpus", "score", path, path)
    assert "95" in said.out
    assert "✗" in said.out


def test_wrong_paths_and_kinds_are_named(clean: Path, tmp_path: Path) -> None:
    assert touyan("corpus", "plant", str(clean)).status == 2
    said = touyan("corpus", "plant", str(clean), str(tmp_path / "x.jsonl"), "--kinds", "near_dub")
    assert "near_dup" in said.err
    assert touyan("corpus", "score", str(tmp_path / "none.jsonl"), str(clean)).status == 4
