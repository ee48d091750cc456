"""Answers: one JSON value, errors in the same form, exit statuses by family, and what people read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from command_line import touyan
from touyan.cli.output import print_json

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


def test_a_flow_file_that_is_not_there_leaves_no_store_behind_and_init_still_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, english: None
) -> None:
    monkeypatch.chdir(tmp_path)
    assert touyan("run").status == 4
    assert list(tmp_path.iterdir()) == []
    assert touyan("init").status == 0
    (tmp_path / "flow.yaml").unlink()
    assert "stays as it is" in touyan("init").out
    assert (tmp_path / "flow.yaml").is_file()


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
    assert "May be used for: refine" not in touyan("why refine").out
    assert touyan(f"withdraw --lift {withdrawn['id']} --reason mistaken").status == 0
    assert "May be used for: refine" in touyan("why refine").out


def test_what_is_printed_as_json_cannot_drive_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"\x1b[2J": "\x9b31m \u202e \ud800 \x7f 头雁", "lines": "a\nb"}
    print_json(value)
    printed = capsys.readouterr().out
    assert "头雁" in printed
    assert all(c == "\n" or c.isprintable() for c in printed)
    assert json.loads(printed) == value


@pytest.mark.parametrize("line", ["show", "why notes", "jobs", "review", "permit list", "log", "report"])
def test_who_may_not_inspect_is_shown_nothing(office: Path, line: str) -> None:
    assert touyan("party enrol guest --role user").status == 0
    said = touyan(f"{line} --as guest --json")
    assert (said.status, said.json["error"]["code"]) in {(3, "not-permitted"), (4, "no-run")}


def test_a_person_is_withdrawn_without_a_word_on_the_command_line(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("13812345678\n"))
    said = touyan("withdraw --subject - --reason asked --json")
    assert said.status == 0, said.err
    assert "13812345678" not in said.out
