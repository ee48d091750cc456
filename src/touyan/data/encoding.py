"""Bytes to text without guessing: a strict ladder, then the statistics of what the decoded text looks like.

Owns the choice of an encoding for a document or a file of lines. Knows nothing about formats. Invariant: text comes only from
a strict decoding; where no encoding both decodes and looks like a language, there is no text but a reason.

UTF-8 is its own proof. GB18030 and Big5 accept most of each other's bytes, so they are told apart by the share of very
frequent characters: real text has 30 to 80 % of them among its non-ASCII characters, text in the wrong encoding under 10 %.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from functools import cache

from touyan.data.reader import Damaged

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CANDIDATES = ("gb18030", "big5hkscs", "cp932", "cp949", "cp1252")
LIKELY_SHARE = 0.2
SAMPLE_BYTES = 1 << 20

_FREQUENT_HAN = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家"
    "电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看"
    "原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少"
    "图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联"
    "這為個國時來們於會對發動過說產種後學經進著電裡裏現實當點從業應開還無與關間樣線內數質氣變條沒結問見計別總設長資邊級圖統較將組體機務員條單違規罰責權"
    "，。、；：？！“”《》（）「」〔〕…—·　"
)
_FREQUENT_OTHER = (
    "のにはをたがでてとしれさあいるくかっなもりまらすきけこそんーンスルトイアラリクレシ"
    + "이다는에의가을를고하지은로도한사자기서어대인시나리정그해일들"
)
_LATIN = "àâäçèéêëîïôöùûüßñáíóúåæøÀÂÄÇÈÉÊËÎÏÔÖÙÛÜÑÁÍÓÚÅÆØ‘’“”–—…°«»€£·"


def decode(raw: bytes) -> tuple[str, str]:
    """(text, encoding) of a whole document. Raises Damaged where no encoding fits, or where the bytes are no text at all."""
    name = encoding_of(raw)
    try:
        text = raw.decode(name)
    except UnicodeDecodeError as error:
        raise Damaged("encoding", f"not valid {name} at byte {error.start}") from error
    if "\0" in text:
        raise Damaged("binary", "holds NUL characters: not a text")
    return text, name


def encoding_of(raw: bytes) -> str:
    """The encoding of a document or of a sample of lines. Raises Damaged where none fits."""
    for mark, name in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return name
    if _decodes(raw, "utf-8"):
        return "utf-8"
    name, share = max(((name, _likely_share(raw, name)) for name in CANDIDATES), key=lambda pair: pair[1])
    if share < LIKELY_SHARE:
        raise Damaged("encoding", f"neither UTF-8 nor any of {', '.join(CANDIDATES)}")
    return name


def encoding_of_lines(lines: Iterable[bytes]) -> str:
    """The encoding of a file of lines, of which some may be damaged: UTF-8 where most lines with non-ASCII bytes are.

    Looks at non-ASCII lines only, and at no more than 1 MiB of them. Raises Damaged.
    """
    sample: list[bytes] = []
    size = 0
    for line in lines:
        if not sample and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise Damaged("encoding", "UTF-16 tables are not read: save the file as UTF-8")
        if not line.isascii():
            sample.append(line)
            size += len(line)
        if size >= SAMPLE_BYTES:
            break
    foreign = [line for line in sample if not _decodes(line, "utf-8")]
    return "utf-8" if 2 * len(foreign) <= len(sample) else encoding_of(b"\n".join(foreign))


def _decodes(raw: bytes, name: str) -> bool:
    try:
        raw.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _likely_share(raw: bytes, name: str) -> float:
    """Share of frequent characters among the non-ASCII ones; 0 where the bytes do not decode.

    A few damaged places in a long text do not change which encoding it is in, so the share is taken with replacement.
    """
    text = raw[:SAMPLE_BYTES].decode(name, "replace")
    foreign = [character for character in text if character > "\x7f"]
    if not foreign or text.count("\ufffd") * 50 > len(foreign):
        return 0.0
    frequent = _frequent(name)
    share = sum(character in frequent for character in foreign) / len(foreign)
    # One byte a character accepts everything: believe it only where the text is ASCII for the most part.
    return 0.0 if name == "cp1252" and len(foreign) * 3 > len(text) else share


@cache
def _frequent(name: str) -> frozenset[str]:
    return frozenset(_LATIN if name == "cp1252" else _FREQUENT_HAN + _FREQUENT_OTHER)
