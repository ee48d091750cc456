"""`site.yaml`: what an owner may write, and how a slip is told."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.compute.site.policy import DAYS, Opening
from touyan.compute.site.site_file import read_policy
from touyan.compute.site.template import TEMPLATE
from touyan.core.errors import Invalid

KEY = "ed25519-sha256:" + "0" * 64
LEAST = f"site: 1\nroots: {{acme-1: '{KEY}'}}\n"


def read(folder: Path, text: str) -> object:
    (folder / "site.yaml").write_text(text)
    return read_policy(folder / "site.yaml")


def test_the_template_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(TEMPLATE)
    policy = read_policy(tmp_path / "site.yaml")
    assert (policy.accounts, policy.slots, policy.largest.devices) == ({"example-0a1b2c3d/ann": "ann"}, 1, 8)
    assert [c.cpus for _, c in policy.capacity.classes()] == [8]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("site: 2\n", 1, "site: 1"),
        ("site: 1\n", 1, "no root key is pinned"),
        (LEAST + "slotz: 3\n", 3, "did you mean 'slots'?"),
        (LEAST + "slots: none\n", 3, "must be a number"),
        (LEAST + "slots: -1\n", 3, "must be a number"),
        (LEAST + "purposes:\n  - refine\n  - trian\n", 5, "did you mean 'train'?"),
        (LEAST + "kinds: [gpu]\n", 3, "valid: ai, general, hpc"),
        (LEAST + "largest: {gpus: 8}\n", 3, "'gpus' is not a field here"),
        (LEAST + "accounts:\n  acme-1/ann: lab\n  acme-1/bob: lab\n", 5, "is acme-1/ann's already"),
        (LEAST + "accounts: {acme-1/ann: ../root}\n", 3, "is no account"),
        (LEAST + "accounts: {acme-1/ann: root}\n", 3, "is no account"),
        (LEAST + "open: [{days: [mon, tues]}]\n", 3, "did you mean 'tue'?"),
        (LEAST + "open: [{from: 25:00}]\n", 3, "no time of day"),
        (LEAST + "open: weekends\n", 3, "a list"),
        (LEAST + "time_zone: Mars/Base\n", 3, "no time zone"),
        (LEAST + "when_closed: stopp\n", 3, "did you mean 'stop'?"),
        (LEAST + "python: python3\n", 3, "no absolute path"),
        (LEAST + "pools: [{name: a, classes: [{name: x, nodes: -1}]}]\n", 3, "nodes"),
        ("site: 1\nroots: {acme-1: abc}\n", 2, "no id of a key"),
    ],
)
def test_a_slip_is_told_with_its_line_and_what_would_be_right(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(tmp_path, text)
    assert f"site.yaml:{line}:" in refusal.value.message
    assert words in f"{refusal.value.message} {refusal.value.hint}"
    assert refusal.value.code == "bad-site"


def test_hours_that_end_before_they_begin_end_on_the_next_day() -> None:
    night = Opening(frozenset({"fri"}), time(19, 0), time(7, 0))
    friday = datetime(2026, 11, 20, 20, tzinfo=UTC)
    assert night.holds(friday)
    assert night.holds(friday.replace(day=21, hour=6))
    assert not night.holds(friday.replace(day=20, hour=6))
    assert not night.holds(friday.replace(day=21, hour=20))


@given(days=st.frozensets(st.sampled_from(DAYS)), at=st.datetimes(), begins=st.times(), ends=st.times())
def test_hours_and_their_complement_cover_the_week(days: frozenset[str], at: datetime, begins: time, ends: time) -> None:
    if begins == ends:
        return
    opening = Opening(frozenset(DAYS), begins, ends)
    assert opening.holds(at) != Opening(frozenset(DAYS), ends, begins).holds(at)
    assert not Opening(frozenset(), begins, ends).holds(at)
    assert Opening(days, begins, ends).holds(at) <= opening.holds(at)  # type: ignore[arg-type]


def test_hours_are_those_of_the_sites_own_zone(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(LEAST + 'time_zone: Asia/Shanghai\nopen: [{from: "09:00", to: "10:00"}]\n')
    policy = read_policy(tmp_path / "site.yaml")
    nine = round(datetime(2026, 11, 20, 1, 30, tzinfo=UTC).timestamp() * 1000)  # 09:30 in Shanghai
    assert policy.is_open(nine)
    assert not policy.is_open(nine + 3_600_000)
