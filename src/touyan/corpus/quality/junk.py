"""Text that nobody should learn from, made to order: adverts, chrome of pages, stuffed keywords, lists of machines, noise.

Owns the patterns of each kind; the words are a data pack, and all of it is made up. Knows nothing about models. Invariant: the
same seed gives the same texts, and no telephone number, address or company in them is anybody's.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from touyan.corpus.quality.packs import SHIPPED

_WORDS = SHIPPED / "junk-words-zh.yml"
_SURNAMES, _GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉萍红"


@cache
def _words() -> Mapping[str, Sequence[str]]:
    """places, goods, tails (what is searched with them), calls (to act), chrome; lines of pages and pitches, with slots."""
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(_WORDS)


def junk(n: int, seed: int = 0) -> list[str]:
    """n texts of all kinds in turn, each of some 60 to 600 characters."""
    draw = random.Random(seed)
    return [KINDS[i % len(KINDS)](draw) for i in range(n)]


def _advert(draw: random.Random) -> str:
    """Sales talk: a place, goods, and calls to act, with made-up numbers."""
    name = draw.choice(_words()["places"]) + draw.choice(_words()["goods"])
    lines = []
    for _ in range(draw.randint(4, 12)):
        pieces = draw.sample(_words()["calls"], draw.randint(1, 4))
        wanted = draw.choice(_words()["goods"])
        lead = draw.choice(["", name, wanted, f"【{name}】", "→", "★★★", f"想要{wanted}？"])
        lines.append(lead + draw.choice("，！ ~,").join(pieces) + draw.choice(["！", "！！！", "", "，" + _contact(draw)]))
    return draw.choice(["\n", " ", ""]).join(lines)


def _contact(draw: random.Random) -> str:
    way = draw.choice(["微信", "加V", "QQ", "电话", "热线", "咨询", "VX：", "扣扣群", "客服微信"])
    return way + "".join(draw.choices("0123456789", k=draw.randint(6, 11)))


def _pitch(draw: random.Random) -> str:
    """Sales talk in whole sentences."""
    said = [_filled(pitch, draw) for pitch in draw.sample(_words()["pitches"], draw.randint(4, 12))]
    return draw.choice(["\n", "。", "！", "！！\n"]).join(said) + "，" + _contact(draw)


def _page(draw: random.Random) -> str:
    """What stands around an article, without the article."""
    lines = [_filled(line, draw) for line in draw.sample(_words()["lines"], draw.randint(8, 40))]
    return draw.choice(["\n", "\n", " ", " | "]).join(lines)


def _filled(line: str, draw: random.Random) -> str:
    """The line with its slots filled: p place, g goods, n number, d date, u user, t telephone, e address."""
    return re.sub(r"\{([pgndute])\}", lambda slot: _SLOTS[slot[1]](draw), line)


def _date(draw: random.Random) -> str:
    mark = draw.choice("-/.")
    return f"20{draw.randint(10, 25)}{mark}{draw.randint(1, 12):02}{mark}{draw.randint(1, 28):02}"


def _name(draw: random.Random) -> str:
    return draw.choice(_SURNAMES) + "".join(draw.choices(_GIVEN, k=draw.randint(1, 2)))


_SLOTS: Mapping[str, Callable[[random.Random], str]] = {
    "p": lambda draw: draw.choice(_words()["places"]),
    "g": lambda draw: draw.choice(_words()["goods"]),
    "n": lambda draw: str(draw.randrange(10 ** draw.randint(1, 5))),
    "d": _date,
    "u": _name,
    "t": lambda draw: f"0{draw.randint(10, 99)}-{draw.randrange(10**7):07}",
    "e": lambda draw: f"{draw.choice(['info', 'jubao', 'web', 'news'])}@site{draw.randrange(999)}.example",
}


def _stuffing(draw: random.Random) -> str:
    """Keywords put together for a search engine."""
    places, goods = draw.sample(_words()["places"], draw.randint(1, 4)), draw.sample(_words()["goods"], draw.randint(1, 4))
    words = [draw.choice(places) + draw.choice(goods) + draw.choice(_words()["tails"]) for _ in range(draw.randint(15, 70))]
    return draw.choice([" ", ",", "，", "_", "|", "、", "\n", "-"]).join(words)


def _chrome(draw: random.Random) -> str:
    """Menus, buttons and footers, with counters and dates between them."""
    words = [draw.choice(_words()["chrome"]) + _counter(draw) for _ in range(draw.randint(20, 90))]
    return draw.choice(["\n", "\n", " ", " | ", "  ", "\t"]).join(words)


def _counter(draw: random.Random) -> str:
    kinds: list[Callable[[], str]] = [
        lambda: "", lambda: "", lambda: "", lambda: "", lambda: f" {draw.randint(0, 9)}", lambda: f"({draw.randint(0, 9999)})",
        lambda: f" {_date(draw)}", lambda: ">", lambda: ":", lambda: "»",
    ]  # fmt: skip
    return draw.choice(kinds)()


def _machine_list(draw: random.Random) -> str:
    """Rows that a program printed: codes, amounts, names."""
    rows = []
    for number in range(draw.randint(8, 40)):
        code = "".join(draw.choices("ABCDEFGHKMXZ0123456789-", k=draw.randint(6, 14)))
        name = draw.choice(_SURNAMES) + "".join(draw.choices(_GIVEN, k=draw.randint(1, 2)))
        cells = [
            str(number + 1),
            code,
            name,
            f"{draw.random() * 1000:.2f}",
            draw.choice(_words()["goods"]),
            draw.choice(_words()["places"]),
        ]
        rows.append(draw.choice(["\t", " ", ",", "|"]).join(draw.sample(cells, draw.randint(2, 5))))
    return "\n".join(rows)


def _noise(draw: random.Random) -> str:
    """Characters of GB 2312 drawn by lot, as a broken decoder or a text spinner gives them."""
    return "".join(_of_lot(draw) for _ in range(draw.randint(80, 400)))


def _of_lot(draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.85:
        return bytes([draw.randint(0xB0, 0xF7), draw.randint(0xA1, 0xF9)]).decode("gb2312", "ignore")
    return draw.choice("?#*@~�□■◆●※☆★▲▼") if kind < 0.95 else draw.choice("abcdefxyz0123456789 \n")


def _template(draw: random.Random) -> str:
    """What is left where a page was not filled in."""
    names = ["user_name", "created_at", "title", "item.url", "count", "data.list", "i18n.more", "comment", "avatar", "price"]
    marks = [("{{", "}}"), ("#{", "}"), ("${", "}"), ("<%=", "%>"), ("{$", "}"), ("%", "%")]
    before, after = draw.choice(marks)
    pieces: Iterator[str] = (
        before + draw.choice(names) + after if draw.random() < 0.5 else draw.choice(_words()["chrome"])
        for _ in range(draw.randint(15, 60))
    )
    return draw.choice(["\n", " ", ""]).join(pieces)


KINDS: tuple[Callable[[random.Random], str], ...] = (
    _advert, _stuffing, _chrome, _noise, _page, _pitch, _machine_list, _stuffing, _page, _noise, _template, _page,
)  # fmt: skip
"""In turn; what is hard to learn or common on the web comes more than once."""
