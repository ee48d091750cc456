"""A newcomer who follows the README in an empty folder, with small documents and a small model.

Knows nothing of what the commands do. Invariant: a command that fails stops the walk with what it said.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from command_line import Said, touyan

SMALL = {
    "  tokenizer: {}": "  tokenizer: {vocabulary: 320}",
    "  train: {}": "  train: {tokens: 2048, width: 32, layers: 1, heads: 2, inner: 64, context_tokens: 64, batch_tokens: 512}",
}
"""A model that trains in a second; everything else is the README's."""
NUMBER, ROOT_KEY = "TY-2026-000001", "ROOT_KEY"


def write_documents(folder: Path) -> None:
    """Thirty short documents in Chinese, one of them with a person's mobile number."""
    folder.mkdir()
    for n in range(30):
        place, year = "东西南北"[n % 4], 1990 + n
        (folder / f"{n:02}.txt").write_text(
            f"第{n}号记录。{place}城图书馆于{year}年收到读者来信，建议延长开放时间并增加第{n % 7}阅览室的座位。馆方已经答复。\n",
            encoding="utf-8",
        )
    (folder / "letter.txt").write_text(
        "读者留言：希望电话通知新书到馆，联系电话13812345678，谢谢图书馆的各位老师。\n", encoding="utf-8"
    )


class Newcomer:
    """Runs the README's commands in one folder, and fills in what each printed for the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filled: dict[str, str] = {}

    def run(self, line: str) -> Said:
        for word, value in self._filled.items():
            line = line.replace(word, value)
        said = touyan(*shlex.split(line)[1:])
        assert said.status == 0, f"{line}\n{said.err}"
        if line.startswith("touyan init"):
            self._shrink()
        if "permit export" in line:
            self._filled[ROOT_KEY] = said.out.split()[-1]
        if line.startswith("touyan run") and "TY-" in said.out:
            self._filled[NUMBER] = next(w for w in said.out.split() if w.startswith("TY-"))
        return said

    def _shrink(self) -> None:
        flow = self.folder / "flow.yaml"
        text = flow.read_text(encoding="utf-8")
        for large, small in SMALL.items():
            assert large in text
            text = text.replace(large, small)
        flow.write_text(text, encoding="utf-8")
        write_documents(self.folder / "documents")
