"""What a site says of itself, what an accelerator is worth, and what the operator prefers: read, checked, refused by name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from matching_world import sites

from touyan.compute.matching.candidate import Candidate
from touyan.compute.matching.policy import Policy, published, read_policy
from touyan.compute.rates.table import published as published_rates
from touyan.compute.rates.table import read_table
from touyan.compute.rates.throughput import Throughput
from touyan.compute.resources import read_capacity
from touyan.core.errors import Invalid, Missing

NODE = {"name": "n", "nodes": 1, "cpus": 8, "memory_bytes": 1, "model": "a800-80g", "devices": 2}


@settings(max_examples=20)
@given(sites())
def test_a_capacity_survives_the_wire(offered: list[Candidate]) -> None:
    for each in offered:
        assert read_capacity(json.loads(json.dumps(each.capacity.to_json()))) == each.capacity


@pytest.mark.parametrize(
    "wrong", [{"nodes": -1}, {"cpus": 1.5}, {"devices": 0}, {"name": ""}, {"nodes": True}, {"cpus": float("nan")}, {"free_cpus": "all"}]
)  # fmt: skip
def test_a_site_that_says_nonsense_of_itself_is_refused_by_field(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid, match=rf"capacity: .*{'model' if 'devices' in wrong else next(iter(wrong))}"):
        read_capacity({"pools": [{"name": "p", "classes": [NODE | wrong]}]})


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(Invalid, match="one name stands twice"):
        read_capacity({"pools": [{"name": "p", "classes": [NODE, NODE]}]})


def test_engines_names_lead_to_the_exact_model_and_its_rate() -> None:
    table = published_rates()
    assert table.exact("A800") == table.exact("a800_80g") == "a800-80g"
    assert table.exact("nobody's-chip") == "nobody's-chip"
    assert (table.rate("a800"), table.rate("ascend910b")) == (1.0, pytest.approx(313 / 312))
    assert not table.is_same("ascend-910b", "ascend-910b4")
    with pytest.raises(Missing, match="no accelerator is called 'h1000'"):
        table.sheet("h1000")


def test_a_table_with_one_name_for_two_models_is_refused(tmp_path: Path) -> None:
    rows = json.loads((Path(read_table.__code__.co_filename).parent / "accelerators.json").read_text())
    rows["accelerators"][1]["aliases"] = ["a10"]
    path = tmp_path / "rates.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(Invalid, match="one name stands for two models"):
        read_table(path)


def test_what_was_measured_takes_the_place_of_the_sheet_and_corrects_the_others() -> None:
    known = Throughput(published_rates())
    assert known.speed("f", "h800-80g") == pytest.approx(989 / 312)
    for _ in range(3):
        known.measured("f", "A800", 1000, 10, 1.0)
        known.measured("f", "h800", 1500, 10, 1.0)  # memory bounds it: no three times as fast
    assert known.is_measured("f", "h800-80g")
    assert known.speed("f", "h800-80g") == pytest.approx(1.5)
    # never measured: its sheet, times how those that were measured stood to theirs (1 and 0.47 of it)
    assert known.speed("f", "ascend-910b") == pytest.approx(313 / 312 * (1 + 1.5 / (989 / 312)) / 2)
    assert known.speed("other", "h800-80g") == pytest.approx(989 / 312)


def test_one_liar_does_not_move_what_was_measured() -> None:
    known = Throughput(published_rates())
    for units in (100, 101, 99, 10**9, 100):
        known.measured("f", "a800", units, 1, 1.0)
        known.measured("f", "h20", 50, 1, 1.0)
    assert known.speed("f", "h20") == pytest.approx(0.5)


def test_the_published_policy_says_what_the_code_defaults_to() -> None:
    assert published() == Policy()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("policy: 2", "no policy of version 1"),
        ("policy: 1\nhour_of_wiat: 2", r"policy.yaml:2: .*no 'hour_of_wiat'.*did you mean 'hour_of_wait'"),
        ("policy: 1\nkwh: -1", "policy.yaml:2: .*is -1"),
        ("policy: 1\nprefer: {tags: {x: 1.5}}", "makes it free"),
        ("policy: 1\nprefer: {domestik: 0.1}", "did you mean 'domestic'"),
        ("policy: 1\nunstated_trust: high", "no security class"),
        ("policy: 1\nquotas: 4", "no list of names and numbers"),
    ],
)
def test_a_mistake_in_a_policy_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(Invalid) as caught:
        read_policy(path)
    assert re.search(words, str(caught.value))


def test_what_a_policy_leaves_out_keeps_its_value(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("policy: 1\nyuan: 2\nprefer: {domestic: 0.25}\nquotas: {ann: 8}")
    read = read_policy(path)
    assert (read.yuan, read.prefer.domestic, read.prefer.own_site, read.quotas, read.kg_co2) == (2.0, 0.25, 0.3, {"ann": 8}, 0.1)
