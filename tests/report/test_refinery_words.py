"""The report has words in both languages for what the refinery writes."""

from __future__ import annotations

import pytest

from touyan.corpus.operator import operator_names
from touyan.corpus.personal.policy import REPLACEMENTS
from touyan.corpus.quality.lexicon import terms_of
from touyan.report.words import knows, say

REASONS = (
    "exact-duplicate", "near-duplicate", "too-short", "only-boilerplate", "ruined", "mojibake-unproved", "suspected-mirror",
    "language-en", "language-latin", "repeated-lines", "little-said", "low-quality", "holds-mobile", "mirror-mark", "torn-bytes",
    "meta.date", "foreign-language", "half-width", "traditional", "stray-replacement",
)  # fmt: skip


@pytest.mark.parametrize("slug", [*operator_names(), *REPLACEMENTS, *REASONS])
def test_operators_reasons_labels_and_kinds_have_words(slug: str) -> None:
    assert knows(slug)
    assert say(slug).zh != slug or slug.isupper()


@pytest.mark.parametrize("pack", ["ads-zh", "toxic-zh"])
def test_every_category_of_the_lexicons_has_words(pack: str) -> None:
    assert all(knows(category) for category in {term.category for term in terms_of(pack).values()})


def test_a_slug_made_of_two_says_both() -> None:
    assert (say("language-en").zh, say("language-en").en) == ("语言：英语", "language: English")
    assert say("holds-mobile").zh == "含有：手机号"
    assert say("of-a-plug-in").zh == "of-a-plug-in"
