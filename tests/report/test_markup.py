"""Escaping: hostile text is shown and never obeyed."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.report.markup import MAX_CHARS, Markup, Words, el, escaped, quote, render, visible


class Outline(HTMLParser):
    """The tags and the text that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(html: str) -> Outline:
    found = Outline()
    found.feed(html)
    found.close()
    return found


@given(st.text())
def test_no_text_makes_a_tag(text: str) -> None:
    seen = outline(el("p", text).html)
    assert seen.tags == ["p"]
    assert seen.text == visible(text)


@given(st.text())
def test_no_text_leaves_its_attribute(text: str) -> None:
    seen = outline(el("p", title=text).html)
    assert seen.tags == ["p"]
    assert [name for name, _ in seen.attributes] == ["title"]


@given(st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp")), min_size=1))
def test_what_cannot_be_seen_is_spelt_out_or_a_space(text: str) -> None:
    assert visible(text).isprintable()


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\ud800", "\U000e0041"])
def test_a_hidden_character_is_named(hidden: str) -> None:
    assert f"⟨U+{ord(hidden):04X}⟩" in visible(f"甲{hidden}乙")


def test_the_ideographic_space_stays() -> None:
    assert visible("第一条\u3000为了") == "第一条\u3000为了"


def test_a_tower_of_accents_is_cut_to_three() -> None:
    assert visible("a" + "\u0301" * 300) == "a" + "\u0301" * 3


def test_a_huge_text_is_cut_and_says_how_much_is_missing() -> None:
    shown = visible("法" * 1_000_000)
    assert len(shown) < MAX_CHARS + 20
    assert shown.endswith("… (+999,600)")


@given(st.text())
def test_whatever_is_shown_can_be_written_as_utf_8(text: str) -> None:
    assert escaped(text).encode("utf-8").decode("utf-8") == escaped(text)


def test_words_come_in_both_languages() -> None:
    assert render(Words("来源", "source")) == '<span lang="zh">来源</span><span lang="en">source</span>'


def test_children_nest_and_none_is_nothing() -> None:
    assert el("ul", [el("li", n) for n in (1, 2)], None, class_="plain").html == '<ul class="plain"><li>1</li><li>2</li></ul>'


def test_attributes_are_bare_or_absent_by_truth() -> None:
    assert el("input", checked=True, disabled=False, aria_label="中文").html == '<input checked aria-label="中文">'


def test_a_quote_is_isolated_from_the_direction_around_it() -> None:
    assert quote("<b>") == Markup("<bdi>&lt;b&gt;</bdi>")
