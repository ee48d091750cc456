"""What the names found in a document tell about the rest of it.

Owns the choice among overlapping readings, the repetition of names through their document, and foreign names with their dots.
Knows nothing about how a name is recognised. Invariant: the names of a document are disjoint and in order.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

SURE = 0.9
"""So likely must a name be that it is looked for in the rest of its document."""
_SHORTEST = 3  # 高明 may stand in 提高明显; three characters in a row that are once a name hardly ever are anything else
_DOTS = "·•・‧．"
_SPELLING = (
    # What foreign names are spelt with, in the habit of the Xinhua agency, and Uyghur names; written down from general knowledge.
    "阿埃艾爱安昂奥巴拜班邦鲍贝本比彼宾波伯博布查楚茨达戴丹德邓狄迪蒂丁东杜多顿厄恩尔法范方菲费芬弗夫福富盖冈高戈哥格葛古瓜圭哈海汉豪赫黑亨胡"
    "花华怀惠霍基吉加佳贾简娇杰金津喀卡凯坎康考科柯可克肯孔库奎坤拉莱赖兰朗劳勒雷里理利莉丽连列林琳留隆卢鲁路露伦罗洛吕马玛迈麦曼芒梅美门蒙米"
    "密敏明缪摩莫默姆木慕穆拿娜纳奈南内尼妮涅宁纽农努诺欧帕派潘庞佩彭蓬皮平珀普齐奇契乔切琼丘邱屈热仁日荣肉茹儒瑞若撒萨塞赛桑瑟森沙莎山珊尚舍"
    "申圣施石史士舒朔斯丝司思松苏孙索塔泰坦汤唐陶特滕提铁廷图吐托脱瓦万旺威薇韦唯维魏温文翁沃乌武西希锡席夏肖谢辛欣休许雪逊雅亚延扬耶叶伊依易"
    "因尹英尤于约泽扎詹张珍芝直治朱祖佐兹孜则再赞曾翰买玉阔弥莲蕾伍桂帝娅妲婕咪蜜妃薰"
)
_DOTTED = re.compile(rf"[{_SPELLING}]{{1,8}}(?:[{_DOTS}][{_SPELLING}]{{1,9}})+")


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch that may be a name."""

    start: int
    end: int
    chance: float


def names_of(text: str, readings: Sequence[Reading], least: float) -> list[tuple[int, int]]:
    """The stretches of `text` that are taken for names, from readings at or above and below `least`."""
    dotted = _dotted(text) if any(dot in text for dot in _DOTS) else []
    readings = [r for r in readings if r.end <= len(text)]  # windows see blanks beyond the end
    kept = _disjoint([*dotted, *(r for r in readings if r.chance >= least)])
    spoken = {text[r.start : r.end] for r in kept}
    known = {text[r.start : r.end] for r in kept if r.chance >= SURE and r.end - r.start >= _SHORTEST}
    again = [r for r in readings if r.chance < least and text[r.start : r.end] in spoken]
    again += [Reading(at, at + len(name), 0.0) for name in known for at in _places(text, name)]
    return sorted((r.start, r.end) for r in _disjoint([*kept, *again]))


def _dotted(text: str) -> list[Reading]:
    """约翰·史密斯: the dot between characters that spell foreign names is proof enough."""
    return [
        Reading(match.start(), match.end(), 1.0) for match in _DOTTED.finditer(text) if match.end() - match.start() > _SHORTEST
    ]


def _disjoint(readings: Iterable[Reading]) -> list[Reading]:
    """Of readings that overlap the likelier stays; of equally likely ones the longer, then the first."""
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda r: (-r.chance, r.start - r.end, r.start)):
        place = bisect_left(kept, reading.start, key=_start)
        before_is_free = place == 0 or kept[place - 1].end <= reading.start
        if before_is_free and (place == len(kept) or reading.end <= kept[place].start):
            kept.insert(place, reading)
    return kept


def _start(reading: Reading) -> int:
    return reading.start


def _places(text: str, name: str) -> Iterator[int]:
    at = text.find(name)
    while at >= 0:
        yield at
        at = text.find(name, at + len(name))
