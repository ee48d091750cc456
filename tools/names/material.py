"""What the recogniser learns from: posts, encyclopaedia, statutes, written sentences, and the words of a dictionary.

Owns the readers of these files and how much each of them counts. Knows nothing about networks. Invariant: the same files and the
same seed give the same examples in the same order.
"""

from __future__ import annotations

import json
import lzma
import random
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import jieba
import opencc

from names.fit import Example
from names.sentences import Labelled, Spans, Writer, read_list
from names.teacher import Teacher
from touyan.corpus.personal.names_gate import Gate
from touyan.corpus.personal.names_text import joined

PLACE, PERSON = 4, 5
_WRITTEN, _MENTIONS, _SUBSTITUTED, _PLAIN = 24_000, 20_000, 6, 8
_LAW_FILES, _LAW_CHARS, _LAW_PART = 1_500, 4_000, 400
_LONGEST_SENTENCE = 120


def posts(folder: Path, split: str) -> list[Labelled]:
    """Weibo posts with their named persons (PER.NAM), from the CoNLL files of Weibo NER, second edition."""
    return [_post(block.splitlines()) for block in _unpacked(folder / f"weibo2_{split}.conll.xz").strip().split("\n\n")]


def _post(lines: list[str]) -> Labelled:
    rows = [re.split(r"[\t ]", line) for line in lines]  # 科0<tab>O: the character, its place in its word, the label
    spans: Spans = []
    for at, row in enumerate(rows):
        if row[-1] == "B-PER.NAM":
            spans.append((at, at + 1))
        elif row[-1] == "I-PER.NAM" and spans and spans[-1][1] == at:
            spans[-1] = (spans[-1][0], at + 1)
    return "".join(row[0][0] for row in rows), spans


def _unpacked(path: Path) -> str:
    return lzma.decompress(path.read_bytes()).decode("utf-8")


def paragraphs(folder: Path) -> Iterator[str]:
    """Paragraphs of the Chinese Wikipedia as CMRC 2018 and DRCD carry them, all in simplified characters."""
    simplified = opencc.OpenCC("t2s")
    for path in sorted(folder.glob("*.json.xz")):
        for article in json.loads(_unpacked(path))["data"]:
            for paragraph in article["paragraphs"]:
                yield simplified.convert(paragraph["context"])


def sentences_of(text: str) -> Iterator[str]:
    """The text in sentences, short ones joined, none longer than the teacher was trained on."""
    for line in text.split("\n"):
        current = ""
        for sentence in re.split(r"(?<=[。！？；])", line):
            if current and len(current) + len(sentence) > _LONGEST_SENTENCE:
                yield current
                current = ""
            current += sentence
            while len(current) > _LONGEST_SENTENCE:
                yield current[:_LONGEST_SENTENCE]
                current = current[_LONGEST_SENTENCE:]
        if current.strip():
            yield current


def statutes(archive: Path) -> list[str]:
    """Statutes, regulations and interpretations, but for every fifth file: those are left to measure by."""
    with tarfile.open(archive) as tar:
        names = sorted(member.name for member in tar if member.isfile() and member.name.endswith(".md"))
        learnt = set(names) - set(names[::5])
        return [tar.extractfile(name).read().decode("utf-8", "replace") for name in names if name in learnt]  # type: ignore[union-attr]


def passages(laws: list[str], rng: random.Random) -> list[str]:
    """Pieces of some of the laws. They name nobody, but for cases, where everybody is 某."""
    some = rng.sample(laws, min(len(laws), _LAW_FILES))
    pieces = (text[at : at + _LAW_PART] for text in some for at in range(0, min(len(text), _LAW_CHARS), _LAW_PART))
    return [piece for piece in pieces if "某" not in piece]


def traps(laws: list[str], gate: Gate, teacher: Teacher) -> list[Example]:
    """Sentences of all laws in which the gate suspects a name and the teacher sees none."""
    parts = [part for law in laws for part in sentences_of(law) if "某" not in part]
    suspect = sorted({texts.place(int(at))[0] for texts in joined(parts) for at in gate.candidates(texts.units)})
    told = teacher.persons([parts[row] for row in suspect])
    return [Example(parts[row], []) for row, spans in zip(suspect, told, strict=True) if not spans]


def dictionary(teacher: Teacher) -> dict[str, int]:
    """Words of jieba's dictionary (MIT) and their classes; what it calls persons only where the teacher agrees."""
    rows = [line.split(" ") for line in (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines()]
    people = [word for word, _, tag in rows if tag.startswith("nr") and 2 <= len(word) <= 8]
    told = teacher.persons([f"昨天{word}来了。" for word in people])
    agreed = {word: PERSON for word, spans in zip(people, told, strict=True) if spans == [(2, 2 + len(word))]}
    words = {word: _class(int(count), tag) for word, count, tag in rows if _is_word(word, int(count), tag)}
    return words | agreed | dict.fromkeys(" ".join(read_list("public.txt")).split(), PERSON)


def _is_word(word: str, count: int, tag: str) -> bool:
    return 2 <= len(word) <= 4 and count >= 5 and not tag.startswith("nr")


def _class(count: int, tag: str) -> int:
    if tag.startswith(("ns", "nt")):
        return PLACE
    return 1 if count >= 500 else 2 if count >= 50 else 3


def examples(weibo: list[Labelled], wiki: Iterable[str], laws: list[str], teacher: Teacher, writer: Writer) -> list[Example]:
    """All of it, with its weights: real posts count most, because they are few."""
    rng = writer.rng
    found = [Example(text, spans, weight=3.0) for text, spans in weibo]
    found += [Example(*writer.substituted(post)) for post in weibo for _ in range(_SUBSTITUTED)]
    for write, count in ((writer.write, _WRITTEN), (writer.mention, _MENTIONS)):
        found += [Example(*writer.within(write(), laws)) for _ in range(count)]
    found += [Example(*writer.within(plain, laws), weight=1.5) for _ in range(_PLAIN) for plain in writer.plain()]
    told = [sentence for paragraph in wiki for sentence in sentences_of(paragraph)]
    for labelled in zip(told, teacher.persons(told), strict=True):
        found.append(Example(*labelled))
        if labelled[1] and rng.random() < 0.5:
            found.append(Example(*writer.substituted(labelled)))
    return found + [Example(law, []) for law in laws]


def held_out(weibo: list[Labelled], writer: Writer) -> list[Example]:
    """What the gate's floors are set by: posts that nothing was learnt from, and new sentences."""
    return [
        *(Example(text, spans, weight=2.0) for text, spans in weibo),
        *(Example(*write()) for write in (writer.write, writer.mention) for _ in range(300)),
        *(Example(*writer.substituted(post)) for post in weibo),
    ]
