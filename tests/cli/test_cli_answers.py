"""Answers: one JSON value, errors in the same form, exit statuses by family, and what people read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import touyan

STORE_VERBS = (
    "show", "jobs", "log", "review", "party list", "project list", "key list", "permit list", "key create --label a",
    "party enrol li-wei --role reviewer", "project add hotline", "log --head",
)  # fmt: skip
BAD_FLOWS = {
    "type": ("name: small", "name: [1]", ":2: name:"),
    "field": ("name: small", "name: small\ntitel: notes", ":3: titel: 'titel' is not a field here"),
    "step": ("refine: {}", "refien: {}", "did you mean 'refine'"),
    "parameter": ("refine: {}", "refine: {min_char: 3}", "flow.yaml:13: steps.refine.min_char"),
    "right": ("authority: own-production", "authority: own-productoin", "own-production"),
}


@pytest.mark.parametrize("line", STORE_VERBS)
def test_json_is_exactly_one_value(office: Path, line: str) -> None:
    said = touyan(f"{line} --json")
    assert said.status == 0, said.err
    assert said.json is not None


@pytest.mark.parametrize(
    ("line", "status", "family"),
    [
        ("flow check missing.yaml", 4, "Missing"),
        ("show nothing", 4, "Missing"),
        ("why nothing", 4, "Missing"),
        ("verify PERMIT.json", 4, "Missing"),
        ("review --approve", 4, "Missing"),
        ("withdraw --reason x", 2, "Invalid"),
        ("withdraw --source acme/notes --effect forget", 2, "Invalid"),
        ("review --approve --reject", 2, "Invalid"),
        ("init", 5, "Conflict"),
        ("party enrol li-wei --as nobody", 4, "Missing"),
    ],
)
def test_an_error_has_its_family_its_exit_status_and_what_to_do(office: Path, line: str, status: int, family: str) -> None:
    said = touyan(f"{line} --json")
    assert (said.status, said.json["error"]["family"]) == (status, family), said
    assert said.json["error"]["hint"]
    plain = touyan(line)
    assert (plain.status, plain.out) == (status, "")
    assert f"{family}: " in plain.err
    assert said.json["error"]["hint"].split()[0] in plain.err


@pytest.mark.parametrize(("right", "wrong", "told"), BAD_FLOWS.values(), ids=BAD_FLOWS)
def test_a_wrong_flow_file_is_named_with_its_line_and_the_nearest_word(office: Path, right: str, wrong: str, told: str) -> None:
    flow = office / "flow.yaml"
    flow.write_text(flow.read_text(encoding="utf-8").replace(right, wrong, 1), encoding="utf-8")
    said = touyan("flow check")
    assert said.status == 2
    assert "flow.yaml:" in said.err
    assert told in said.err


def test_init_does_not_touch_a_flow_file_that_is_there(office: Path) -> None:
    assert "small" in (office / "flow.yaml").read_text(encoding="utf-8")


def test_a_verb_without_a_store_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, english: None) -> None:
    monkeypatch.chdir(tmp_path)
    said = touyan("show")
    assert said.status == 4
    assert "touyan init" in said.err
    assert list(tmp_path.iterdir()) == []


def test_what_a_document_holds_cannot_drive_the_terminal(office: Path) -> None:
    assert "\x1b[31m" not in touyan("withdraw", "--source", "a/\x1b[31mb").err


def test_a_run_that_ends_early_can_be_looked_at_from_every_side(office: Path) -> None:
    ran = touyan("refine --json")
    assert ran.status == 0, ran.err
    assert ran.json["assets"].keys() == {"read/notes", "refine"}
    assert [s["is_cleared"] for s in ran.json["sources"]] == [True, False]
    again = touyan("refine --json").json
    assert {s["state"] for s in again["steps"] if s["asset"]} == {"hit"}
    assert again["assets"] == ran.json["assets"]

    asset = ran.json["assets"]["refine"]
    assert touyan(f"show {asset[:12]} --json").json["id"] == asset
    assert touyan("show refine").out.startswith(f"id           {asset}")
    assert touyan(f"show {ran.json['run']}").status == 0
    assert "acme/notes: own-production" in touyan("why refine").out
    assert "authority over the work is unknown" in touyan("why forum").out
    assert json.loads(touyan("why refine --json").out)["inputs"][0]["role"] == "documents"
    assert "source.refused" in touyan("log --last 100").out
    assert touyan("log refine").status == 0
    assert touyan("report --out page.html").status == 0
    assert (office / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")

    withdrawn = touyan("withdraw --source acme/notes --reason ended --json").json
    assert asset in withdrawn["reached"]["corpus"]
    assert "Not for refine" in touyan("why refine").out
    assert touyan(f"withdraw --lift {withdrawn['id']} --reason mistaken").status == 0
    assert "Not for" not in touyan("why refine").out.replace("Not for annotate", "")
