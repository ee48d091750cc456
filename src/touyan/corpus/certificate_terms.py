"""The words of a quality certificate: its dimensions, how each is measured, and the indicators of GB/T 36344-2018.

Owns the words and their order. Knows no figures. Invariant: what no dimension measures is said under its indicator, in both
languages; every dimension says by what it was measured.

Source: GB/T 36344-2018, Information technology: evaluation indicators for data quality, whose six indicators these are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Pair = tuple[str, str]
"""English and Simplified Chinese."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of one dimension."""

    indicator: str
    """The indicator of the standard, in Chinese; empty for what only describes."""
    name: Pair
    method: Pair
    by_people: Pair | None = None
    """How people measure it, where they do."""


_NORM, _WHOLE, _TRUE, _SAME, _TIME, _OPEN = "规范性", "完整性", "准确性", "一致性", "时效性", "可访问性"

INDICATORS: Mapping[str, tuple[str, str, str]] = {
    _NORM: (
        "conformity",
        "conformity to a data standard or data model of the owner",
        "对所有者自有数据标准、数据模型的符合程度",
    ),
    _WHOLE: (
        "completeness",
        "whether the source itself is complete",
        "来源本身是否齐全",
    ),
    _TRUE: (
        "accuracy",
        "whether what a text says is true",
        "文本所述是否属实",
    ),
    _SAME: (
        "consistency",
        "agreement of the same fact between documents",
        "不同文档对同一事实的表述是否一致",
    ),
    _TIME: (
        "timeliness",
        "age against a moment of use, which nobody has named; the share of documents with a date stands under completeness",
        "未给定使用时点，故未测；带日期的文档比例见“完整性”",
    ),
    _OPEN: (
        "accessibility",
        "whether users reach the data when they need them",
        "用户需要时能否取得数据",
    ),
}
"""English name and what is not measured, in English and Chinese."""

_READ: Pair = ("read by people in a part of the sample", "由人工通读部分样本")
_FIELD: Pair = ("counted over all released documents: field or mark in the text", "对全部发布文档计数：元数据字段或正文中的标注")

TERMS: Mapping[str, Terms] = {
    "personal-information": Terms(
        _NORM,
        ("Personal information left", "残余个人信息"),
        (
            "de-identified; documents in which a second detector, which sees too much, suspects an identifier: an upper bound",
            "已去标识化；第二检测器有疑点的文档比例，检测从严，为上界",
        ),
        ("de-identified, residual estimate: passages with an identifier per million characters, found by people",
         "已去标识化，残余估计：人工判读，每百万字中含标识符的段数"),
    ),
    "checked-numbers": Terms(
        _NORM,
        ("Identity and card numbers with a true check digit: documents that hold one", "含校验通过的证件号或银行卡号的文档"),
        ("GB 11643 and Luhn arithmetic over all numbers of that length", "对所有等长数字按 GB 11643 与 Luhn 校验"),
    ),
    "has-rights": Terms(
        _NORM,
        ("Rights known: documents with a rights record", "权利已知：附有权利记录的文档"),
        ("counted over all released documents", "对全部发布文档计数"),
    ),
    "readable": Terms(
        _WHOLE,
        ("Files and rows that could be read", "可读取的文件与记录"),
        ("counted; the others are listed with their reasons", "计数；未能读取者逐条列出原因"),
    ),
    "has-title": Terms(_WHOLE, ("Documents with a title", "有标题的文档"), _FIELD),
    "has-date": Terms(_WHOLE, ("Documents with a date", "有日期的文档"), _FIELD),
    "has-source": Terms(_WHOLE, ("Documents with an address or a named source", "有网址或注明出处的文档"), _FIELD),
    "encoding-damage": Terms(
        _TRUE,
        ("Documents with damaged characters", "含乱码的文档"),
        ("second look with patterns of its own", "以独立规则复查"),
        _READ,
    ),
    "page-lines": Terms(
        _TRUE,
        ("Documents with a line of the page", "残留网页版面文字的文档"),
        ("second look with patterns of its own", "以独立规则复查"),
        _READ,
    ),
    "exact-duplicates": Terms(
        _TRUE,
        ("Documents whose text occurs again", "与他文完全相同的文档"),
        ("each of the sample against the documents compared; scaled by their share of the corpus",
         "样本逐篇与比对文档比较，并按比对比例折算"),
    ),
    "near-duplicates": Terms(
        _TRUE,
        ("Documents nearly the same as another", "与他文近似相同的文档"),
        ("the same, by the exact Jaccard index of 5-grams at the recipe's threshold; other hashes than the refinery's",
         "同上，以五元组的精确 Jaccard 系数、按配方阈值判定，所用散列与精炼不同"),
    ),
    "mainly-han": Terms(
        "",
        ("Documents of which half the letters or more are Han", "汉字占字母类字符一半以上的文档"),
        ("counted in the sample", "对样本计数"),
        ("documents that people call Chinese", "经人工判读为中文的文档"),
    ),
    "length": Terms(
        "",
        ("Median length, characters without white space", "篇幅中位数（不计空白，字符）"),
        ("order statistics of the sample", "样本次序统计量"),
    ),
    "opens": Terms(
        _OPEN,
        ("Shards that open and were digested", "可打开并已计算摘要的分片"),
        ("all shards read, sha256 in the Croissant record", "读取全部分片，sha256 载于 Croissant 记录"),
    ),
}  # fmt: skip
"""In the order of a certificate."""
