"""Pieces of text: whole characters, and nothing beyond a stop string."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from serving import Bytes

from touyan.service.text import Decoder, Stopper

TEXT = st.text(alphabet="ab第一条。🙂\n", max_size=40)


class Spaced:
    """A tokenizer that, like those of SentencePiece, drops the blank before the first word it is given."""

    WORDS = (" the", " law", "s", " of", " 法", "律")

    def encode(self, text: str) -> list[int]:
        raise NotImplementedError

    def decode(self, ids: list[int]) -> str:
        return "".join(self.WORDS[i] for i in ids).removeprefix(" ")


@given(st.lists(st.integers(0, 255), max_size=60))
def test_the_pieces_joined_are_the_text_of_any_bytes(ids: list[int]) -> None:
    decoder = Decoder(Bytes())
    assert "".join([*map(decoder.feed, ids), decoder.rest()]) == Bytes().decode(ids)


@given(TEXT)
def test_no_piece_of_a_good_text_holds_half_a_character(text: str) -> None:
    decoder = Decoder(Bytes())
    pieces = [decoder.feed(b) for b in text.encode()]
    assert "\ufffd" not in "".join(pieces)
    assert "".join(pieces) == text
    assert decoder.rest() == ""


@given(st.lists(st.integers(0, 5), max_size=20))
def test_blanks_between_words_survive_a_tokenizer_that_drops_the_first(ids: list[int]) -> None:
    decoder = Decoder(Spaced())
    assert "".join([*map(decoder.feed, ids), decoder.rest()]) == Spaced().decode(ids)


@given(st.lists(TEXT, max_size=8), st.lists(st.text(alphabet="ab第一。", min_size=1, max_size=4), max_size=3))
def test_a_text_is_cut_before_the_stop_string_that_is_complete_first(pieces: list[str], stops: list[str]) -> None:
    stopper, whole = Stopper(stops), "".join(pieces)
    sent = "".join([*map(stopper.feed, pieces), stopper.rest()])
    assert sent == cut(whole, stops)
    assert stopper.is_stopped == any(s in whole for s in stops)


def cut(text: str, stops: list[str]) -> str:
    """The plain meaning: read on until the text read ends with a stop string, and leave the longest such one out."""
    for end in range(1, len(text) + 1):
        complete = [s for s in stops if text[:end].endswith(s)]
        if complete:
            return text[: end - max(map(len, complete))]
    return text
