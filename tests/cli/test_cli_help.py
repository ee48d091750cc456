"""Help: every verb shows an example that parses, says what each option is, and speaks both languages."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import Any

import pytest
from verbs import ALL, ROOT

from command_line import touyan
from touyan.cli.main import VERBS

HEAVY = (
    "alembic", "cedarpy", "cryptography", "fsspec", "httpx", "numpy", "peft", "pyarrow", "pydantic", "pytest", "rich", "ruamel",
    "sklearn",    "sqlalchemy", "tokenizers", "torch", "transformers",
)  # fmt: skip
NO_JSON = {("demo",), ("flow", "schema")}
"""The demonstration is for people; a schema is JSON already."""

every_verb = pytest.mark.parametrize(("path", "command"), ALL.items(), ids=map(" ".join, ALL))


@every_verb
def test_every_verb_has_a_help_page_with_an_example_that_parses(path: tuple[str, ...], command: Any) -> None:
    said = touyan(*path, "--help")
    assert said.status == 0
    example = re.sub(r"\s+", " ", said.out).partition("Example: ")[2] or re.sub(r"\s+", " ", said.out).partition("示例：")[2]
    words = shlex.split(re.split(r" > ", example)[0])
    assert tuple(words[: len(path) + 1]) == ("touyan", *path)
    command.make_context(path[-1], words[len(path) + 1 :])


@every_verb
def test_every_verb_and_every_option_says_what_it_is(path: tuple[str, ...], command: Any) -> None:
    assert command.help
    assert [p.name for p in command.params if not getattr(p, "help", None)] == []


@every_verb
def test_every_verb_answers_in_json(path: tuple[str, ...], command: Any) -> None:
    assert any("--json" in p.opts for p in command.params) or path in NO_JSON


def test_the_first_help_page_names_every_verb_in_full() -> None:
    said = touyan("--help")
    assert all(f"\n  {name} " in said.out for name in ROOT.commands)
    assert "..." not in said.out.replace("[ARGS]...", "")


def test_the_first_help_page_says_of_a_verb_what_the_verb_says_of_itself() -> None:
    said = {name: verb.summary for name, verb in VERBS.items()}
    assert said == {name: (ROOT.commands[name].help or "").partition("\n\n")[0].replace("\n", " ") for name in VERBS}


def test_help_speaks_chinese() -> None:
    said = python("-m", "touyan.cli.main", "permit", "issue", "--help", TOUYAN_LANG="zh_CN")
    assert "用法：touyan" in said or "用法：" in said
    assert "以机构名义" in said
    assert "选项" in said
    assert "Show this message" not in said
    assert "default:" not in said


def test_help_loads_no_heavy_library() -> None:
    loaded = python(
        "-c", "import sys; from touyan.cli.main import command; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    ).split()
    assert [name for name in HEAVY if name in loaded] == []


def test_a_missing_verb_is_named_and_ends_with_2() -> None:
    said = touyan("reveiw")
    assert said.status == 2
    assert "reveiw" in said.err


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"touyan \d+\.\d+\.\d+\n", touyan("--version").out)


def python(*words: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    import os

    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True, check=True).stdout
