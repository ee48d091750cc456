"""The step split: groups stay whole, the test has seen nothing, the draw is stable."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from corpora import STATUTE, FakeWork, bytes_of, folder, row, table
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Invalid
from touyan.corpus import refine, split
from touyan.corpus.refine import RefineParams
from touyan.corpus.split import Group, SplitParams, held_out
from touyan.store.formats.documents import DocumentRow, read_documents


def divided(tmp_path: Path, rows: list[DocumentRow], operators: tuple[str, ...] = ("unicode",), **params: float) -> FakeWork:
    """Refines without a filter for duplicates, then splits."""
    source = folder(tmp_path / "documents", rows, shard_rows=7)
    corpus = FakeWork(RefineParams(operators=operators), tmp_path / "corpus", {"documents": [source]})
    refine.run(corpus)
    work = FakeWork(SplitParams(**params), tmp_path / "split", {"corpus": [corpus.out]})  # type: ignore[arg-type]
    split.run(work)
    return work


def sides(corpus: Path) -> dict[str, str | None]:
    return {each.natural_key: each.split for each in read_documents(corpus, with_split=True)}


def laws(n: int = 40) -> list[DocumentRow]:
    return [row(f"{i}", f"第{i}条。{STATUTE}{i}", group=f"law-{i // 4}", label="甲乙"[i // 4 % 2]) for i in range(n)]


def test_no_group_lies_on_both_sides(tmp_path: Path) -> None:
    work = divided(tmp_path, laws(), test_share=0.3)
    seen = {(each.group, each.split) for each in read_documents(work.out, with_split=True)}
    assert len(seen) == 10
    assert {side for _, side in seen} == {"train", "test"}


def test_a_page_of_a_mirror_is_on_no_side_however_well_it_was_repaired(tmp_path: Path) -> None:
    page = "第二條 本法所稱(chēng)工業(yè)噪聲(shēng),是指在工業(yè)生產活動中使用固定的設(shè)備時(shí)產生的聲(shēng)音。"
    work = divided(tmp_path, [*laws(), row("mirror", page, group="law-0", label="甲")], ("encoding", "unicode"))
    assert sides(work.out)["mirror"] == "excluded"
    assert Counter(sides(work.out).values())["excluded"] == 1
    assert json.loads((work.out / "summary.json").read_text())["excluded"] == {"verbatim-in-train": 0, "withheld": 1}
    assert "本法所称工业噪声" in next(
        each.text for each in read_documents(work.out, with_split=True) if each.natural_key == "mirror"
    )


def test_every_label_is_tested(tmp_path: Path) -> None:
    work = divided(tmp_path, laws(), test_share=0.2)
    splits = json.loads((work.out / "summary.json").read_text())["splits"]
    assert set(splits["test"]["labels"]) == set(splits["train"]["labels"]) == {"甲", "乙"}


def test_documents_without_a_group_are_groups_of_their_own(tmp_path: Path) -> None:
    rows = [row(str(i), f"第{i}号{STATUTE}") for i in range(20)]
    assert Counter(sides(divided(tmp_path, rows).out).values()) == {"train": 18, "test": 2}


def test_what_the_training_has_is_kept_out_of_the_test_with_its_reason(tmp_path: Path) -> None:
    rows = laws()
    test = next(each for each in rows if sides(divided(tmp_path / "first", rows).out)[each.natural_key] == "test")
    longer = row("longer", f"转引：{test.text.replace('，', ', ')}等。" * 20, group="train-only", label="丙")
    work = divided(tmp_path / "second", [*rows, longer])
    found = sides(work.out)
    assert found["longer"] == "train"
    assert found[test.natural_key] == "excluded"
    lines = table(work.out, "verdicts")
    expected = ("verbatim-in-train", f"doc:{longer.doc_id}", "flag")
    assert [(line["reason"], line["evidence"], line["outcome"]) for line in lines] == [expected]
    assert json.loads((work.out / "summary.json").read_text())["excluded"] == {"verbatim-in-train": 1}


def test_the_summary_adds_up(tmp_path: Path) -> None:
    work = divided(tmp_path, laws())
    summary = json.loads((work.out / "summary.json").read_text())
    documents = list(read_documents(work.out, with_split=True))
    assert sum(side["documents"] for side in summary["splits"].values()) == summary["documents"] == len(documents)
    assert sum(side["characters"] for side in summary["splits"].values()) == sum(len(each.text) for each in documents)


def test_a_seed_always_gives_the_same_bytes_and_another_seed_another_draw(tmp_path: Path) -> None:
    draws = (("a", 1), ("b", 1), ("c", 2))
    one, same, other = (divided(tmp_path / name, laws(), test_share=0.3, seed=seed) for name, seed in draws)
    assert bytes_of(one.out) == bytes_of(same.out)
    assert sides(one.out) != sides(other.out)


def test_spans_and_verdicts_come_along(tmp_path: Path) -> None:
    work = divided(tmp_path, [row(str(i), f"\ufeff{i}{STATUTE}") for i in range(20)])
    assert table(work.out, "spans") == table(tmp_path / "corpus", "spans") != []


sizes = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 1000), min_size=2, max_size=30)


@given(sizes, st.floats(0.01, 0.9), st.integers(0, 5))
def test_the_test_never_exceeds_its_share_unless_it_is_one_smallest_group(found: dict[str, int], share: float, seed: int) -> None:
    groups = {name: Group(size, Counter({"": size})) for name, size in found.items()}
    chosen = held_out(groups, share, seed)
    assert chosen
    assert chosen < groups.keys()
    taken = sum(found[name] for name in chosen)
    assert taken <= share * sum(found.values()) or (len(chosen) == 1 and taken == min(found.values()))


@given(sizes, st.integers(0, 5))
def test_the_draw_does_not_depend_on_the_order_of_documents(found: dict[str, int], seed: int) -> None:
    groups = {name: Group(size, Counter({name[0]: size})) for name, size in found.items()}
    assert held_out(groups, 0.3, seed) == held_out(dict(reversed(groups.items())), 0.3, seed)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2.0])
def test_a_share_outside_its_range_is_invalid(share: float) -> None:
    with pytest.raises(Invalid, match="test_share"):
        held_out({"a": Group(1), "b": Group(1)}, share, 0)


def test_a_single_group_cannot_be_divided() -> None:
    with pytest.raises(Invalid, match="one group"):
        held_out({"a": Group(1)}, 0.1, 0)
