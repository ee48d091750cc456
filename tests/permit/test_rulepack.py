"""Rule packs: what is wrong in one is told with its line and the nearest valid word."""

from __future__ import annotations

import pytest

from touyan.core.errors import Invalid, Missing
from touyan.permit.rulepack import Threshold, find_pack, project_permit_needed, read_pack, shipped

DEMO = find_pack("demo").text


def test_the_shipped_packs_read() -> None:
    assert set(shipped()) == {"demo", "cn-gbt45654-2025"}
    demo, yardstick = find_pack("demo"), find_pack("cn-gbt45654-2025")
    assert (demo.is_demo, yardstick.is_demo, demo.quorum, yardstick.quorum) == (True, False, 1, 2)
    assert not project_permit_needed(demo)
    assert project_permit_needed(read_pack(DEMO.replace("project_permit: false", "project_permit: true")))


def test_the_yardstick_holds_the_numbers_of_its_source() -> None:
    limits = {r.id: str(r.threshold) for r in find_pack("cn-gbt45654-2025").rules}
    wanted = {
        "source-check-after": "≤ 0.05", "corpus-manual-sample": "≥ 0.96", "corpus-technical-sample": "≥ 0.98", "keyword-library": "≥ 10000",
        "content-bank": "≥ 2000", "refuse-bank": "≥ 500", "answer-bank": "≥ 500", "content-manual": "≥ 0.9", "refusal": "≥ 0.95",
        "non-refusal": "≤ 0.05",
    }  # fmt: skip
    assert wanted.items() <= limits.items()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("evidence: measured", "evidence: mesured", "did you mean 'measured'"),
        ("confidence: official", "confidence: sure", "valid: memory"),
        ("blocks: unless-passed", "blocks: always", "valid: fail"),
        ('threshold: {at_least: "1"}', 'threshold: {atleast: "1"}', "did you mean 'at_least'"),
        ('threshold: {at_least: "1"}', "threshold: {}", "at_least"),
        ('threshold: {at_least: "1"}', 'threshold: {at_least: "many"}', "decimal"),
        ("quorum: 1", "quorom: 1", "did you mean 'quorum'"),
        ("id: source-traced", "id: rights-recorded", "own id"),
        ("    check: rights-recorded\n", "", "check"),
        ("rule_pack: 1", "rule_pack: 9", "rulepack"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, words: str) -> None:
    with pytest.raises(Invalid) as error:
        read_pack(DEMO.replace(old, new, 1))
    assert words in str(error.value)
    assert "rulepack.yaml:" in error.value.message


def test_an_unknown_pack_is_told_with_the_nearest() -> None:
    with pytest.raises(Missing) as error:
        find_pack("dem")
    assert "demo" in error.value.hint


def test_a_threshold_includes_its_limit() -> None:
    assert Threshold("at_least", "0.96").holds(0.96)
    assert Threshold("at_most", "0.05").holds(0.05)
    assert not Threshold("at_least", "0.96").holds(0.9599)
