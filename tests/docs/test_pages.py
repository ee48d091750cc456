"""What the documents say about commands, files and formats is so."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from pages import PAGES, README, ROOT, ZH_README, blocks, commands, links, mentioned

from touyan.cli.init import FLOW
from touyan.cli.main import command as program
from touyan.flow.file import read_flow
from touyan.flow.schema import json_schema


def verb(words: list[str]) -> tuple[Any, list[str]]:
    """The command that `words` call, and the words after it."""
    command, rest = program, words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"no such verb: {' '.join(words)}"
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_line_on_a_page_parses(page: Path) -> None:
    for line in commands(page):
        if line.startswith("touyan "):
            command, rest = verb(shlex.split(line))
            assert command.make_context(command.name, rest).command is command


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_verb_and_option_that_a_page_mentions_exists(page: Path) -> None:
    for text in mentioned(page):
        if "VERB" in text:
            continue
        command, rest = verb(re.split(r" [>|] |[;,…]", text)[0].split())
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        assert {w for w in rest if w.startswith("--")} <= options, f"{page.name}: {text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_on_a_page_leads_to_a_file(page: Path) -> None:
    assert [t for t in links(page) if not (page.parent / t).exists()] == []


def test_both_languages_show_the_same_commands_and_files() -> None:
    assert commands(README) == commands(ZH_README)
    for language in ("yaml", "python"):
        assert blocks(README, language) == blocks(ZH_README, language)
    assert links(README)[1:] == links(ZH_README)[1:]


def test_both_languages_give_the_same_figures() -> None:
    def figures(page: Path, title: str) -> list[str]:
        section = page.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
        return re.findall(r"FIGURE_[A-Z_]+|\d[\d.,]*\d|\d", section)

    assert [f for f in figures(README, "Measured") if f != "6"] == [f for f in figures(ZH_README, "实测") if f != "6"]


def test_the_readme_opens_with_two_commands_and_stays_short() -> None:
    assert commands(README)[:2] == ["make demo", "make test"]
    assert max(len(p.read_text().splitlines()) for p in (README, ZH_README)) <= 160


def test_the_flow_of_the_readme_is_the_one_that_init_writes_and_is_valid(tmp_path: Path) -> None:
    assert blocks(README, "yaml") == [FLOW]
    (tmp_path / "flow.yaml").write_text(FLOW, encoding="utf-8")
    assert read_flow(tmp_path / "flow.yaml").file.service is not None


def test_the_python_of_the_readme_compiles() -> None:
    found = list(blocks(README, "python"))
    assert found
    for block in found:
        compile(block, "README.md", "exec")


def test_the_published_schema_is_that_of_the_code() -> None:
    published = (ROOT / "docs" / "formats" / "flow.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == json.loads(json.dumps(json_schema())), (
        "renew it: touyan flow schema > docs/formats/flow.schema.json"
    )


def test_the_map_names_every_page() -> None:
    named = {(ROOT / "docs" / t).resolve() for t in links(ROOT / "docs" / "index.md")}
    pages = {p for p in PAGES if p.is_relative_to(ROOT / "docs") and p.name != "index.md"}
    assert pages <= named


def test_every_term_of_the_glossary_has_both_languages() -> None:
    rows = [
        line.split("|")[1:-1]
        for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    assert len(rows) > 70
    assert [row for row in rows if len(row) != 4 or not all(cell.strip() for cell in row)] == []
