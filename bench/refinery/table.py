"""The refinery against planted corpora and against its peers: `python bench/refinery/table.py [--size=400] [--peers]`.

One named recipe with everything on, through `touyan corpus run` as anybody would call it: MB of text per CPU second of the whole
process tree, peak memory, the same without names of persons, one worker against two; then the scorecard of those runs. With
`--peers`, datatrove and Data-Juicer run on `--peer-mb` megabytes of the reference corpus, and so does the recipe. Corpora and the
environments of the peers stay in ~/.cache/touyan-bench (TOUYAN_BENCH_CACHE), several gigabytes of them.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import corpora
import measured
import peers

from touyan.corpus.personal.policy import IDENTIFIERS
from touyan.corpus.plant.planted import Planted, read_planted, write_planted
from touyan.corpus.plant.score import score
from touyan.corpus.plant.scorecard import Scorecard
from touyan.corpus.recipe import read_recipe

RECIPE = "zh-web"
RUNS = corpora.CACHE / "runs"
TOUYAN = (sys.executable, "-m", "touyan.cli.main", "corpus", "run")
NO_DOCUMENT = (
    "为了规范公共数据资源的授权运营，促进数据要素流通，保护自然人、法人和非法人组织的合法权益，根据有关法律，制定本办法。"
)


@dataclass(frozen=True)
class Row:
    """A run of the table."""

    what: str
    megabytes: float
    taken: measured.Taken
    start_cpu_s: float
    """CPU seconds of the same command on one short document; they are in `taken` too."""

    def cells(self) -> str:
        """The row in Markdown."""
        taken = self.taken
        net = self.megabytes / max(taken.cpu_s - self.start_cpu_s, 1e-3)
        cells = (
            self.what, f"{self.megabytes:.1f}", f"{taken.cpu_s:.1f}", f"{self.start_cpu_s:.1f}", f"{self.megabytes / taken.cpu_s:.2f}",
            f"{net:.2f}", f"{taken.wall_s:.0f}", f"{taken.peak_mb:.0f}", f"{taken.load:.1f}",
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


HEAD = "| run | MB | CPU s | of these start-up | MB / CPU s | start-up apart | wall s | peak MB | load |\n" + "|---" * 9 + "|"


def touyan(corpus: Path, name: str, processes: int = 1, *changes: str) -> tuple[measured.Taken, Path]:
    """What `touyan corpus run` takes for `corpus`, and its OUT; `changes` are values for `--set`."""
    out = RUNS / name
    shutil.rmtree(out, ignore_errors=True)
    RUNS.mkdir(parents=True, exist_ok=True)
    changed = [word for change in changes for word in ("--set", change)]
    command = [*TOUYAN, "--recipe", RECIPE, "--processes", str(processes), *changed, str(corpus), str(out)]
    return measured.run(command, RUNS / f"{name}.log"), out


def without_names() -> str:
    """The change to the recipe that leaves names of persons alone."""
    kinds = read_recipe(RECIPE).settings.get("mask", {}).get("kinds", IDENTIFIERS)
    return f"mask.kinds={','.join(kind for kind in kinds if kind != 'person')}"  # type: ignore[union-attr]


def start_up() -> float:
    """CPU seconds of the command on one short document."""
    folder = corpora.CACHE / "start"
    folder.mkdir(parents=True, exist_ok=True)
    write_planted(folder / "planted.jsonl", [Planted("one", NO_DOCUMENT)])
    return min(touyan(folder, "start")[0].cpu_s for _ in range(3))


def own_rows(corpus: Path, label: str) -> tuple[list[Row], Scorecard]:
    """The runs of the recipe, and the scorecard of the first."""
    megabytes, start = corpora.size_bytes(read_planted(corpus)) / 1e6, start_up()
    taken, out = touyan(corpus, label)
    card = score(corpus, out)
    rows = [Row(f"{label}, 1 worker", megabytes, taken, start)]
    rows.append(Row(f"{label}, 1 worker, without names", megabytes, touyan(corpus, "again", 1, without_names())[0], start))
    rows.append(Row(f"{label}, 2 workers", megabytes, touyan(corpus, "again", 2)[0], start))
    return rows, card


def peer_row(peer: peers.Peer, part: Path) -> tuple[Row, Scorecard]:
    """A peer's run on `part`."""
    peer.prepare()
    start = peers.warm_up(peer, part)
    taken, kept = peer.run(part)
    row = Row(f"{peer.name} {peer.version}, 1 worker", corpora.size_bytes(read_planted(part)) / 1e6, taken, start.cpu_s)
    return row, score(part, kept)


def print_cards(cards: dict[str, Scorecard]) -> None:
    """Scorecards side by side: found of n, share and its 95 % interval."""
    print(f"\n| measure | reach | {' | '.join(cards)} |\n|---|---|{'---|' * len(cards)}")
    found = {name: {line["key"]: line for line in card.to_json()["lines"]} for name, card in cards.items()}
    lines = {line.measure.key: line.measure for card in cards.values() for line in card.lines}
    for key, measure in lines.items():
        reach = "" if measure.reach is None else f"{'≤' if measure.better == 'low' else '≥'} {measure.reach:.1%}"
        cells = [_cell(found[name].get(key)) for name in cards]
        print(f"| {measure.words.strip()} | {reach} | {' | '.join(cells)} |")


def _cell(line: dict[str, float] | None) -> str:
    if line is None:
        return "–"
    return f"{line['hits']:,}/{line['n']:,} = {line['share']:.2%} ({line['low']:.1%}–{line['high']:.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=400, help="megabytes of text of the big corpus; 0: leave it out")
    parser.add_argument("--peers", action="store_true", help="run datatrove and Data-Juicer too")
    parser.add_argument("--peer-mb", type=float, default=4.0, help="megabytes that the peers get")
    asked = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=corpora.ROOT, capture_output=True, text=True, check=False
    )
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · `python -m bench refinery {' '.join(sys.argv[1:])}` · commit {commit.stdout.strip()} · "
        f"{len(os.sched_getaffinity(0))} cores {platform.machine()} · Python {platform.python_version()}\n\n{HEAD}"
    )
    small = corpora.reference() or corpora.big(20)
    cards: dict[str, Scorecard] = {}
    for name, corpus in {"big": corpora.big(asked.size) if asked.size else None, "reference": small}.items():
        if corpus is not None:
            rows, cards[f"Touyan, {name}"] = own_rows(corpus, name)
            print("\n".join(row.cells() for row in rows), flush=True)
    print_cards(cards)
    if asked.peers:
        _print_peers(small, asked.peer_mb)


def _print_peers(whole: Path, megabytes: float) -> None:
    """The same part of the reference corpus for everybody."""
    part = corpora.part(whole, megabytes)
    print(f"\nPeers, on {megabytes:g} MB of the reference corpus:\n\n{HEAD}")
    taken, out = touyan(part, "part")
    print(Row(f"Touyan {RECIPE}, 1 worker", corpora.size_bytes(read_planted(part)) / 1e6, taken, start_up()).cells(), flush=True)
    cards = {"Touyan": score(part, out)}
    for peer in peers.PEERS:
        row, cards[peer.name] = peer_row(peer, part)
        print(row.cells(), flush=True)
    print_cards(cards)


if __name__ == "__main__":
    main()
