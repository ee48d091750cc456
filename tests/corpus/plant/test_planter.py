"""The planter: the same seed gives the same corpus, and every label says what was done."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from touyan.core.errors import Invalid, Missing
from touyan.corpus.plant.clean import CleanDocument, read_clean
from touyan.corpus.plant.draws import DRAWS, SECTIONS, read_draw, word_classes
from touyan.corpus.plant.kinds import BESIDE, KINDS
from touyan.corpus.plant.likeness import folded, grams, jaccard
from touyan.corpus.plant.lines import lines_of
from touyan.corpus.plant.plant import Plan, plant
from touyan.corpus.plant.planted import Planted, read_planted, write_planted
from touyan.corpus.plant.reword import rewording

WORDS = [word for words in word_classes() for word in words]


def document(number: int) -> CleanDocument:
    """A text of its own, in the words and with the marks of a regulation."""
    lines = [
        f"第{n}条　{''.join(WORDS[(number * 31 + n * 17 + k * k) % len(WORDS)] for k in range(20))}，应当在{n + 3}日内"
        f"{''.join(WORDS[(number * 13 + n * 29 + k * 7) % len(WORDS)] for k in range(16))}；逾期未报（{number}）的，依法处理。"
        for n in range(1, 9)
    ]
    return CleanDocument("\n".join([f"某市管理办法之{number}", *lines]), f"办法-{number}", 0)


CLEAN = [document(number) for number in range(40)]


def planted(kind: str, draw: str = "a") -> list[Planted]:
    plan = Plan(kinds=(kind,), share=1.0, draw=draw)  # type: ignore[arg-type]
    return [each for each in plant(CLEAN, plan) if each.plant]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_labelled_and_differs_from_its_clean_text(kind: str) -> None:
    made = planted(kind)
    assert len(made) > 30
    assert {each.plant for each in made} == {(kind,)}
    texts = {f"0-{number:06d}": clean.text for number, clean in enumerate(CLEAN)}
    if kind not in ("exact_dup", "decoy"):
        assert all(each.text != texts[each.of or ""] for each in made)
    if kind == "exact_dup":
        assert all(folded(each.text) == folded(texts[each.of or ""]) for each in made)


@pytest.mark.parametrize("kind", sorted(BESIDE))
def test_copies_stand_beside_their_original(kind: str) -> None:
    corpus = list(plant(CLEAN, Plan(kinds=(kind,), share=1.0)))
    ids = {each.id for each in corpus}
    assert all(each.of in ids for each in corpus if each.plant)


def test_other_defects_stand_in_the_place_of_their_original() -> None:
    corpus = list(plant(CLEAN, Plan(kinds=("boilerplate",), share=1.0)))
    assert len(corpus) == len(CLEAN)
    assert not {each.of for each in corpus} & {each.id for each in corpus}


def test_near_duplicates_and_versions_are_alike_as_near_duplicates_are() -> None:
    texts = {f"0-{number:06d}": grams(folded(clean.text)) for number, clean in enumerate(CLEAN)}
    assert min(jaccard(grams(folded(each.text)), texts[each.of or ""]) for each in planted("near_dup")) >= 0.7


@pytest.mark.parametrize("kind", ["boilerplate", "template", "teaser"])
def test_without_the_planted_lines_the_clean_text_stands(kind: str) -> None:
    for each in planted(kind):
        assert each.clean is not None
        assert folded(each.clean) in folded(each.text)


def test_every_identifier_named_as_truth_stands_in_the_text() -> None:
    for each in planted("pii"):
        for values in each.truth.values():
            assert all(value in each.text for value in values)


def test_a_paragraph_is_planted_several_times() -> None:
    paragraphs = [each.truth["paragraph"] for each in planted("paragraph")[3:]]
    assert len(set(paragraphs)) * 3 < len(paragraphs)


def test_the_same_seed_gives_the_same_corpus_and_another_seed_another() -> None:
    first, again, other = (list(plant(CLEAN, Plan(share=0.6, seed=seed))) for seed in (1, 1, 2))
    assert first == again != other


def test_the_two_draws_share_no_phrase() -> None:
    first, second = (read_draw(name) for name in DRAWS)
    assert set(first.sections) == set(second.sections) == set(SECTIONS)
    phrases = [{phrase for section in draw.sections.values() for phrase in section} for draw in (first, second)]
    assert not phrases[0] & phrases[1]


def test_a_page_of_one_draw_has_no_line_of_the_other() -> None:
    fixed = {line for line in (folded(p) for s in read_draw("b").sections.values() for p in s) if "{" not in line}
    assert not [line for each in planted("boilerplate", "a") for line in lines_of(each.text) if line in fixed]


def test_a_further_copy_is_no_near_duplicate_of_the_first_and_keeps_alike_what_is_alike() -> None:
    second, third = rewording(0, 1), rewording(0, 2)
    for clean in CLEAN[:10]:
        copies = [grams(folded(text)) for text in (clean.text, second(clean.text), third(clean.text))]
        assert max(jaccard(copies[0], copies[1]), jaccard(copies[1], copies[2])) < 0.6
    assert rewording(0, 0)(CLEAN[0].text) == CLEAN[0].text
    one, other = CLEAN[0].text, CLEAN[0].text + "\n附则"
    assert jaccard(grams(second(one)), grams(second(other))) > 0.9


@pytest.mark.parametrize("name", ["p.jsonl", "p.jsonl.gz", "p.jsonl.zst"])
def test_a_planted_corpus_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    corpus = list(plant(CLEAN, Plan(share=1.0)))
    assert write_planted(tmp_path / name, corpus) == len(corpus)
    assert list(read_planted(tmp_path / name)) == list(read_planted(tmp_path)) == corpus


def test_unknown_kinds_draws_and_shares_are_refused() -> None:
    with pytest.raises(Invalid, match="kind") as error:
        Plan(kinds=("near_dop",))
    assert "near_dup" in error.value.hint
    with pytest.raises(Invalid, match="draw"):
        Plan(draw="c")  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        Plan(share=2)


def test_clean_text_comes_from_folders_lines_and_laws(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(CLEAN[0].text * 9)
    write_planted(tmp_path / "two.jsonl", [Planted("x", CLEAN[1].text), Planted("y", CLEAN[2].text, plant=("pii",))])
    found = list(read_clean(tmp_path))
    assert len(found) > 2
    assert found[-1].text == CLEAN[1].text
    with sqlite3.connect(tmp_path / "laws.db") as database:
        database.execute("CREATE TABLE articles (id INTEGER, law_id TEXT, law_name TEXT, article_no TEXT, article_text TEXT)")
        database.executemany(
            "INSERT INTO articles VALUES (?, 'l', '某法', ?, ?)", [(n, f"第{n}条", "规定。" * 30) for n in range(40)]
        )
    database.close()
    laws = list(read_clean(tmp_path / "laws.db"))
    assert laws[0].text.startswith("某法\n第0条　规定。")
    assert len(laws) > 2
    with pytest.raises(Missing):
        list(read_clean(tmp_path / "none"))
    with pytest.raises(Invalid):
        list(read_clean(Path(__file__)))
