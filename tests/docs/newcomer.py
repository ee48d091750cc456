"""A newcomer who follows the README in an empty folder, with small documents and a small model.

Knows nothing of what the commands do. Invariant: a command that fails stops the walk with what it said.
"""

from __future__ import annotations

import random
import shlex
from pathlib import Path

from command_line import Said, touyan

SMALL = {
    "  tokenizer: {}": "  tokenizer: {vocabulary: 320}",
    "  train: {}": "  train: {tokens: 2048, width: 32, layers: 1, heads: 2, inner: 64, context_tokens: 64, batch_tokens: 512}",
}
"""A model that trains in a second; everything else is the README's."""
WHO = ("图书馆", "阅览室的管理员", "几位老读者", "少年儿童馆", "古籍修复组", "分馆的志愿者", "采购小组", "夜班同事")
WHEN = ("上周三", "在雨季到来之前", "连续两个月", "今年春天", "每逢周末", "开馆后不久", "去年冬至", "昨天下午")
DID = ("整理了", "讨论过", "重新登记了", "借走了", "提议增加", "仔细核对了", "搬运了", "展出了")
WHAT = ("一批地方志", "靠窗的座位", "盲文期刊", "电子阅读器", "捐赠的手稿", "儿童绘本", "自习室的台灯", "过期报纸合订本")
NUMBER, ROOT_KEY = "TY-2026-000001", "ROOT_KEY"


def write_documents(folder: Path) -> None:
    """Thirty short documents in Chinese, no two nearly alike, one of them with a person's mobile number."""
    folder.mkdir()
    chance = random.Random(7)
    for n in range(30):
        sentences = [f"{chance.choice(WHO)}{chance.choice(WHEN)}{chance.choice(DID)}{chance.choice(WHAT)}。" for _ in range(6)]
        (folder / f"{n:02}.txt").write_text("".join(sentences) + "\n", encoding="utf-8")
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
