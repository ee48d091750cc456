"""The tokenizer step."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_world import asset, bare_work, make_tokenizer
from tokenizers import Tokenizer

from touyan.core.errors import Invalid
from touyan.model.tokenizer import TokenizerParams, run, spaced


def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path, corpus: Path, tokenizer: Path) -> None:
    again = make_tokenizer(tmp_path, corpus)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in tokenizer.iterdir()
    }


def test_a_large_corpus_is_sampled_evenly() -> None:
    texts = [f"{number:04d}" for number in range(1000)]
    assert spaced(texts, 10**6) == texts
    assert spaced(texts, 1000) == texts[::4]


def test_special_tokens_have_their_fixed_ids(tokenizer: Path) -> None:
    reader = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    assert [reader.token_to_id(token) for token in ("<|pad|>", "<|bos|>", "<|end|>")] == [0, 1, 2]


def test_transformers_finds_the_special_tokens(tokenizer: Path) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(tokenizer)
    assert (theirs.pad_token_id, theirs.bos_token_id, theirs.eos_token_id) == (0, 1, 2)
    assert theirs("船舶")["input_ids"][0] == 1


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=("Cs",))))
def test_every_text_survives(tokenizer: Path, text: str) -> None:
    reader = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    reader.encode_special_tokens = True
    assert reader.decode(reader.encode(text, add_special_tokens=False).ids, skip_special_tokens=False) == text


def test_a_vocabulary_without_room_for_bytes_is_refused(tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(Invalid, match="256 bytes"):
        run(bare_work(tmp_path, TokenizerParams(vocabulary=100), corpus=asset("corpus", corpus)))
