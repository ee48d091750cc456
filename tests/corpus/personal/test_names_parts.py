"""The parts of the names' recogniser, each alone: joined texts, the gate, the lexicon, the network, the weights, repetition."""

from __future__ import annotations

from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.corpus.personal import names_gate, names_network
from touyan.corpus.personal.names_foreign import dots, dotted
from touyan.corpus.personal.names_gate import BEGINS, COLON, HAN, LOOKS, PATTERNS, TABLE_BITS, Gate
from touyan.corpus.personal.names_network import CHARS, WORD_CLASSES, WORD_STARTS, Lexicon, windows, word_keys
from touyan.corpus.personal.names_spread import Reading, names_of
from touyan.corpus.personal.names_text import MARGIN, joined, units_of
from touyan.corpus.personal.names_weights import DIGIT, LATIN, SPACE, number_table, recogniser

MAX_WEIGHTS_BYTES = 2_000_000


@given(st.text())
def test_every_code_point_is_one_unit(text: str) -> None:
    units = units_of(text)
    assert len(units) == len(text)
    assert [chr(u) for u in units.tolist() if u != 0xFFFF] == [c for c in text if ord(c) < 0xFFFF]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_a_position_leads_back_to_its_text(texts: list[str]) -> None:
    for part in joined(texts):
        for row, text in enumerate(texts):
            for offset in range(len(text)):
                assert part.place(int(part.starts[row]) + offset) == (row, offset)


def test_texts_stand_apart_by_more_than_a_window() -> None:
    assert -CHARS[0] <= MARGIN
    assert CHARS[-1] < MARGIN
    (part,) = joined(["甲", "乙"])
    assert not part.units[part.starts[0] + 1 : part.starts[1]].any()


def gate(weights: dict[int, dict[str, int]], floor: int) -> Gate:
    """A gate that knows the characters 王明天的, with these weights by pattern, and the same floor after every look."""
    numbers = number_table("天明王的", {})
    tables = np.zeros((len(PATTERNS), 1 << TABLE_BITS), np.int8)
    for pattern, by_text in weights.items():
        for text, weight in by_text.items():
            columns = [numbers[units_of(character)].astype(np.uint32) for character in text]
            tables[pattern, names_gate.slots(columns)] = weight
    flags = np.zeros(1 << 16, np.uint8)
    flags[[ord(c) for c in "天明王的"]] = HAN
    flags[ord("王")] |= BEGINS
    flags[ord("：")] = COLON
    return Gate(flags, numbers, tables, (floor,) * len(LOOKS))


def candidates(which: Gate, text: str) -> list[int]:
    (part,) = joined([text])
    return [part.place(int(at))[1] for at in which.candidates(part.units)]


def test_only_characters_that_begin_names_pass_and_whatever_stands_after_a_colon() -> None:
    assert candidates(gate({}, 0), "明王天：明的") == [1, 4]


def test_characters_that_speak_against_a_name_stop_it() -> None:
    pair = PATTERNS.index((0, 1))
    assert candidates(gate({pair: {"王天": -40}}, 0), "王天王明") == [2]


def test_what_one_look_takes_another_may_not_give_back() -> None:
    pair, second = PATTERNS.index((0, 1)), PATTERNS.index((2,))
    assert candidates(gate({pair: {"王天": -40}, second: {"的": 100}}, 0), "王天的") == []


def test_pairs_and_triples_of_the_shipped_gate_speak_only_against() -> None:
    tables = recogniser().gate.tables
    context = (-2, -1)
    for pattern, table in zip(PATTERNS, tables, strict=True):
        assert len(pattern) == 1 or pattern == context or table.max() <= 0


def test_the_lexicon_says_what_words_begin_at_each_offset() -> None:
    numbers = number_table("上小年明王马", {})
    words = {"王小明": 5, "马上": 1}
    keys = {
        int(word_keys(list(numbers[units_of(word)].reshape(-1, 1).astype(np.uint32)))[0]): kind for word, kind in words.items()
    }
    lexicon = Lexicon(np.array(sorted(keys), np.uint32), np.array([keys[key] for key in sorted(keys)], np.uint8))
    (part,) = joined(["马上王小明"])
    found = lexicon.look_up(windows(part.units, np.array([part.starts[0] + 2]), numbers))[:, 0]
    assert found.tolist() == [{-2: 1, 0: 5 * WORD_CLASSES}.get(offset, 0) for offset in WORD_STARTS]


def test_the_answer_for_a_window_does_not_depend_on_the_windows_beside_it() -> None:
    parts = recogniser()
    (some,) = joined(["市民张晓丽来电，原告李建国、被告王秀英未到庭，审判员何丽萍。" * 9])
    window = windows(some.units, np.arange(MARGIN, len(some.units) - MARGIN), parts.gate.numbers)
    together = parts.network.probabilities(window)
    assert together.sum(axis=1) == pytest.approx(1, abs=1e-4)
    alone = np.concatenate([parts.network.probabilities(window[:, i : i + 1]) for i in range(0, window.shape[1], 7)])
    assert np.array_equal(alone, together[::7])
    assert len(parts.network.probabilities(window[:, :0])) == 0


def test_the_first_layer_cannot_overflow() -> None:
    network = recogniser().network
    most = sum(
        np.abs(table.astype(np.int32)).max(axis=0) for tables in (network.chars, network.pairs, network.words) for table in tables
    )
    assert (most + np.abs(network.bias)).max() <= np.iinfo(np.int16).max
    assert names_network.STEPS > 1


def test_classes_of_characters_share_a_number_and_traditional_ones_that_of_their_simplified_form() -> None:
    numbers = number_table("张", {"張": "张"})
    assert [int(numbers[ord(c)]) for c in "7７aＡ 　"] == [DIGIT, DIGIT, LATIN, LATIN, SPACE, SPACE]
    assert numbers[ord("張")] == numbers[ord("张")]


def test_the_weights_are_small() -> None:
    assert len((files("touyan.corpus.personal") / "names_data" / "names.npz").read_bytes()) < MAX_WEIGHTS_BYTES


def test_a_sure_name_is_found_again_where_it_was_not_read() -> None:
    assert names_of("王小明甲王小明", [Reading(0, 3, 0.95)], 0.5) == [(0, 3), (4, 7)]
    assert names_of("王小明甲王小明", [Reading(0, 3, 0.6)], 0.5) == [(0, 3)]
    assert names_of("高明甲提高明显", [Reading(0, 2, 0.95)], 0.5) == [(0, 2)]


def test_a_shorter_reading_gives_way_to_a_longer_name_that_is_sure_elsewhere() -> None:
    assert names_of("欧阳修远甲欧阳修远", [Reading(0, 4, 0.95), Reading(5, 8, 0.99)], 0.5) == [(0, 4), (5, 9)]


def test_a_doubtful_reading_is_confirmed_by_a_sure_one_elsewhere() -> None:
    assert names_of("高明甲高明", [Reading(0, 2, 0.7), Reading(3, 5, 0.2)], 0.5) == [(0, 2), (3, 5)]


@pytest.mark.parametrize("text", ["约翰·史密斯", "加布里埃尔·加西亚·马尔克斯", "艾尼瓦尔·买买提"])
def test_a_foreign_name_is_one_name_with_all_its_parts(text: str) -> None:
    assert [(name.start, name.end) for name in dotted(f"据{text}说")] == [(1, 1 + len(text))]
    assert len(dots(units_of(text))) == text.count("·")


def test_a_dot_between_other_words_makes_no_name() -> None:
    assert list(dotted("《北京·上海》与数据·算法")) == []


READINGS = st.builds(
    lambda start, size, chance: Reading(start, start + size, chance), st.integers(0, 30), st.integers(1, 8), st.floats(0, 1)
)


@given(st.lists(READINGS), st.text(alphabet="王小明·约翰的", min_size=25, max_size=40))
def test_the_names_of_a_text_are_disjoint_and_in_order(readings: list[Reading], text: str) -> None:
    spans = names_of(text, readings, 0.5)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert all(0 <= start < end <= len(text) for start, end in spans)
