"""Mirror pages: each way in which bytes are torn, and that what is kept is what was copied."""

from __future__ import annotations

import re
import unicodedata
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.document import apply
from touyan.corpus.encoding.mirror import cured, diagnosed
from touyan.corpus.plant.damage import seo_mirror

SENTENCES = (
    "县级以上人民政府应当建立健全产业发展协调机制，统筹解决产业发展中的重大问题。",
    "国家鼓励学校、幼儿园、医疗机构和科研机构开展产品质量安全宣传教育活动。",
    "违反本条例规定的，由市场监督管理部门责令改正，没收违法所得；情节严重的，处五万元以上二十万元以下的罚款。",
    "经营者应当按照国家有关规定，对其提供的商品和服务的质量负责，并接受社会监督。",
    "沿海县级以上人民政府应当加强海洋环境保护，建设滨海火电站、核电站应当依法进行环境影响评价。",
    "任何单位和个人都有权向人民检察院、公安机关举报违法行为，接到举报的机关应当及时处理。",
    "设区的市级人民政府规划主管部门组织编制控制性详细规划，报本级人民政府批准后公布实施。",
    "行政许可的实施和结果，除涉及国家秘密、商业秘密或者个人隐私的外，应当公开。",
    "当事人对当地人民法院作出的裁定不服的，可以自裁定书送达之日起十日内提起上诉。",
)
TEXT = "\n".join(f"第{i}条 {sentence}" for i, sentence in enumerate(SENTENCES, 1))


def same_width(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def repaired(page: str) -> str | None:
    """The page's original where it is proved."""
    facts = diagnosed(page)
    if facts is None:  # a short text may have drawn no marks, and then it has no torn bytes either
        return page if "?" not in page else None
    cure = cured(page, facts)
    return None if cure.unproved else apply(page, cure.edits)


@pytest.mark.parametrize(
    ("torn", "original"),
    [
        ("當(dāng)?shù)厝嗣裾", "当地人民政府"),  # 94B5 is 數, and 地 begins with B5
        ("國家學(xué)?!(15)變?ér)園", "国家学校、幼儿园"),  # 校、 has ！ (A3A1) in its middle
        ("沿??h級(jí)以上", "沿海县级以上"),  # 海縣 has ？ (A3BF) in its middle
    ],
)
def test_each_way_of_tearing_is_undone(torn: str, original: str) -> None:
    base = "國(guó)務(wù)院應(yīng)當(dāng)根據(jù)產(chǎn)業(yè)發(fā)展規(guī)劃,會(huì)同級(jí)部門設(shè)立標(biāo)準。\n"
    answer = repaired(f"{base}第二條 {torn}")
    assert answer is None or original in answer


@settings(max_examples=6, deadline=None)
@given(st.permutations(SENTENCES), st.integers(0, 10_000))
def test_a_page_that_is_kept_is_the_page_that_was_copied(sentences: list[str], seed: int) -> None:
    text = "\n".join(sentences)
    answer = repaired(seo_mirror(text, Random(seed)))
    assert answer is None or same_width(answer) == same_width(text)


def test_most_pages_are_proved() -> None:
    pages = [(sentence, repaired(seo_mirror(sentence, Random(seed)))) for seed, sentence in enumerate(SENTENCES * 3)]
    assert all(answer is None or same_width(answer) == same_width(sentence) for sentence, answer in pages)
    assert sum(answer is not None for _, answer in pages) >= 0.7 * len(pages)


def test_a_reading_given_for_a_rare_character_makes_no_mirror() -> None:
    assert diagnosed("亳(bó)州市、歙(shè)县、黟(yī)县都在安徽省。" + TEXT) is None


def test_a_question_is_a_question() -> None:
    page = seo_mirror("这些产品的质量标准是什么？" + TEXT.replace("违反", "违犯"), Random(2))
    facts = diagnosed(page)
    assert facts is not None
    assert not any(
        start < 40 and page[start] == "?" and "麼?" in page[start - 1 : end] for start, end in cured(page, facts).unproved
    )
