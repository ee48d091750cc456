"""The documents as data: their code blocks, their commands and their links."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README, ZH_README = ROOT / "README.md", ROOT / "README.zh-CN.md"
PAGES = sorted([README, ZH_README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(?:\w+=\S+ )?(touyan [^`]*)`")
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language, in order."""
    return [text for found, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if found == language]


def commands(page: Path) -> list[str]:
    """The lines of all shell blocks."""
    return [line for block in blocks(page, "bash") for line in block.splitlines() if line]


def mentioned(page: Path) -> list[str]:
    """Every `touyan …` in running text."""
    return _INLINE.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    """Targets of links to files, without those in code blocks."""
    return [t for t in _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))) if "://" not in t]
