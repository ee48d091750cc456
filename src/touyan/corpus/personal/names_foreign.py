"""Foreign names in Chinese spelling, known by their dot: 约翰·史密斯.

Owns the dots and the characters that such names are spelt with. Knows nothing about other names. Invariant: every part of a name
is spelt with these characters alone, so that 《北京·上海》 is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from typing import TYPE_CHECKING

from touyan.corpus.personal.names_spread import Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SHORTEST = 4
_DOTS = "·•・‧．"
_SPELLING = (
    # What foreign names are spelt with, in the habit of the Xinhua agency, and Uyghur names; written down from general knowledge.
    "阿埃艾爱安昂奥巴拜班邦鲍贝本比彼宾波伯博布查楚茨达戴丹德邓狄迪蒂丁东杜多顿厄恩尔法范方菲费芬弗夫福富盖冈高戈哥格葛古瓜圭哈海汉豪赫黑亨胡"
    "花华怀惠霍基吉加佳贾简娇杰金津喀卡凯坎康考科柯可克肯孔库奎坤拉莱赖兰朗劳勒雷里理利莉丽连列林琳留隆卢鲁路露伦罗洛吕马玛迈麦曼芒梅美门蒙米"
    "密敏明缪摩莫默姆木慕穆拿娜纳奈南内尼妮涅宁纽农努诺欧帕派潘庞佩彭蓬皮平珀普齐奇契乔切琼丘邱屈热仁日荣肉茹儒瑞若撒萨塞赛桑瑟森沙莎山珊尚舍"
    "申圣施石史士舒朔斯丝司思松苏孙索塔泰坦汤唐陶特滕提铁廷图吐托脱瓦万旺威薇韦唯维魏温文翁沃乌武西希锡席夏肖谢辛欣休许雪逊雅亚延扬耶叶伊依易"
    "因尹英尤于约泽扎詹张珍芝直治朱祖佐兹孜则再赞曾翰买玉阔弥莲蕾伍桂帝娅妲婕咪蜜妃薰"
)
_DOT = re.compile(rf"[{_DOTS}]")
_FIRST_PART = re.compile(rf"[{_SPELLING}]{{1,8}}\Z")
_WHOLE = re.compile(rf"[{_SPELLING}]{{1,8}}(?:[{_DOTS}][{_SPELLING}]{{1,9}})+")


def dots(units: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Positions of what may divide the parts of a foreign name."""
    import numpy as np

    return np.flatnonzero(reduce(np.logical_or, [units == ord(dot) for dot in _DOTS]))


def dotted(text: str) -> Iterator[Reading]:
    """The foreign names around the dots of a text. The dot between such characters is proof enough: their chance is 1."""
    end = 0
    for dot in _DOT.finditer(text):
        first = _FIRST_PART.search(text, max(end, dot.start() - 8), dot.start())
        whole = first and _WHOLE.match(text, first.start())
        if whole and whole.end() - whole.start() >= _SHORTEST:
            yield Reading(whole.start(), whole.end(), 1.0)
            end = whole.end()
