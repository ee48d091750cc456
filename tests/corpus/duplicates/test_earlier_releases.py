"""Earlier releases: what they have is found by their index or their documents, and named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from copies import prose, reworded, shard
from corpora import folder, row

from touyan.core.errors import Invalid, Missing
from touyan.corpus.duplicates.earlier import Earlier
from touyan.corpus.duplicates.index import INDEX, Index, write_index

OLD = [prose(1, 300), prose(2, 300), "短文。", "甲乙"]
NEW = [prose(3, 300), OLD[1].replace("。", " 。"), reworded(OLD[0], 1, 2), "短文。", reworded(OLD[0], 2, 150)]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """An Asset of documents in two shards."""
    return folder(tmp_path / "old", [row(f"old-{n}", text) for n, text in enumerate(OLD)], shard_rows=2)


@pytest.fixture
def index(tmp_path: Path, release: Path) -> Path:
    write_index(release, tmp_path / "index")
    return tmp_path / "index"


def found(operator: Earlier) -> dict[int, tuple[str, str]]:
    verdicts = operator.judge(shard(NEW)).verdicts
    return {n: (verdict.reason, verdict.evidence or "") for n, verdict in verdicts.items()}


def named(n: int) -> str:
    return f"doc:{row(f'old-{n}', '').doc_id}"


def test_what_a_release_has_is_dropped_and_named(index: Path) -> None:
    assert found(Earlier((str(index),))) == {
        1: ("released-before", named(1)),
        2: ("nearly-released-before", named(0)),
        3: ("released-before", named(2)),
    }


def test_documents_do_where_no_index_was_left(index: Path, release: Path) -> None:
    assert found(Earlier((str(release),))) == found(Earlier((str(index),)))


def test_the_first_release_that_has_a_document_is_named(tmp_path: Path, index: Path) -> None:
    Index.of([([row("other", "").doc_id], [NEW[3]])]).write(tmp_path / "other")
    other = Earlier((str(tmp_path / "other"), str(index)))
    assert found(other)[3] == ("released-before", f"doc:{row('other', '').doc_id}")


def test_nearly_the_same_may_be_flagged_or_left_alone(index: Path) -> None:
    flags = Earlier((str(index),), outcome="flag").judge(shard(NEW)).verdicts
    assert {verdict.outcome for verdict in flags.values()} == {"flag"}
    assert set(found(Earlier((str(index),), min_similarity=1.0))) == {1, 3}


def test_an_empty_release_has_nothing(tmp_path: Path) -> None:
    Index.of([]).write(tmp_path / "empty")
    assert found(Earlier((str(tmp_path / "empty"),))) == {}


def test_an_index_of_another_sketch_is_invalid(index: Path) -> None:
    body = json.loads((index / INDEX).read_text())
    (index / INDEX).write_text(json.dumps({**body, "sketch": "0"}))
    with pytest.raises(Invalid, match="version 0"):
        found(Earlier((str(index),)))


def test_a_release_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="nowhere"):
        found(Earlier((str(tmp_path / "nowhere"),)))


def test_an_outcome_that_is_none_is_invalid() -> None:
    with pytest.raises(Invalid, match="outcome"):
        Earlier(outcome="cut")  # type: ignore[arg-type]
