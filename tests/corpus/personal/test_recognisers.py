"""Every kind of identifier in the spellings of people, and the numbers of offices that only look like one."""

from __future__ import annotations

import pytest

from touyan.corpus.personal.find import find

SPELLINGS = {
    "mobile": ["１３８－１２３４－５６７８", "+86 (138) 1234-5678", "+86-138-1234-5678", "1381234 5678", "(138)12345678"],
    "landline": ["010-88889999", "（0571）8765 4321转8012", "0731 88886666", "+86-10-8888 9999", "0379-6543210", "010‒68205240"],
    "hotline": ["400-123-4567", "8008201234", "400 8888 999"],
    "email": ["zhangsan＃qq.com", "zhangsan（at）pku.edu.cn", "zhang.san[at]pku.edu.cn", "ZhangSan＠163.com", "zhangsan#example.com"],
    "id-card": ["11010519491231002x", "110105 1949 1231 002X", "110105-19491231-002X"],
    "uscc": ["91110000600037341L", "91440300708461136T"],
    "vin": ["LSVAA4182E2184847", "1M8GDM9AXKP042788"],
    "plate": ["京A12345", "京A·12345", "粤B D12345", "沪AD12345", "粤Z1234港", "川A1234警", "苏E1234学", "鲁B1234挂", "渝D12345F"],
    "ip": ["114.114.114.114", "2001:db8:85a3::8a2e:370:7334"],
    "mac": ["00:1A:2b:3C:4d:5E", "00-1A-2B-3C-4D-5E"],
}  # fmt: skip

AFTER_A_WORD = [
    ("老身份证号：110105491231002", "id-card", "110105491231002"),
    ("联系电话：88886666，找王师傅", "landline", "88886666"),
    ("护照（号码EA1234567）", "passport", "EA1234567"),
    ("持往来港澳通行证C12345678", "travel-permit", "C12345678"),
    ("台湾居民来往大陆通行证号12345678", "travel-permit", "12345678"),
    ("微信：zhang-san88", "wechat", "zhang-san88"),
    ("加VX：abc_12345聊", "wechat", "abc_12345"),
    ("微信同号13812345678", "wechat", "13812345678"),
    ("QQ号码12345678", "qq", "12345678"),
    ("社保卡号A12345678", "social-card", "A12345678"),
    ("住院号：20231234", "social-card", "20231234"),
    ("出生于1985年7月3日", "birth-date", "1985年7月3日"),
    ("张三（1985.07.03生）", "birth-date", "1985.07.03"),
    ("出生年月：1985-07-03", "birth-date", "1985-07-03"),
    ("车牌号使014·578", "plate", "使014·578"),
]

NONE = [
    "国发〔2023〕15号", "苏发改规发〔2023〕8号", "中国人民银行令〔2023〕第3号", "（2023）京0105民初12345号",
    "GB 11643-1999、GB/T 35273—2020", "流水号310104200611240259", "订单号13812345678", "受理编号15912345678",
    "运单号：6222028491137578046", "1890000000亩", "共13812345678件", "京ICP备12345678号", "京公网安备11010802020134号", "豫A股600519",
    "新C919飞机", "苏A1级景区", "版本1.2.3.4", "见第1.2.3.4节", "2.6.32.71", "内网192.168.1.1", "本机127.0.0.1", "Windows 10.0.19041.1",
    "https://a.com/13812345678.html", "电话：12345、12315", "110报警、119火警", "2019年12月31日至2020年1月1日", "2023-01-01 12:00:00",
    "2020-2021学年第1学期", "学号20201234567", "自2021年5月31日以后出生的子女", "1996年3月1日生效", "发生于1987年1月1日",
    "孔子诞生于公元前551年", "他1881年9月25日出生", "drwxrwxr-x 2 wxrwxr-x", "面积12345678平方米", "促使100000人", "护照有效期2030年",
    "微信支付", "QQ音乐", "新增12345人", "10:20:30", "第一百三十八条",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "spelling"), [(kind, each) for kind, spellings in SPELLINGS.items() for each in spellings])
@pytest.mark.parametrize("frame", ["{}", "号码{}。", "请记{}，谢谢", "\n{}\n", "（{}）"])
def test_an_identifier_is_found_whole_in_every_spelling(kind: str, spelling: str, frame: str) -> None:
    text = frame.format(spelling)
    assert [(found.kind, text[found.start : found.end]) for found in find(text)] == [(kind, spelling)]


@pytest.mark.parametrize(("text", "kind", "spelling"), AFTER_A_WORD)
def test_some_numbers_are_identifiers_only_after_the_word_that_names_them(text: str, kind: str, spelling: str) -> None:
    assert [(found.kind, text[found.start : found.end]) for found in find(text)] == [(kind, spelling)]


@pytest.mark.parametrize("text", NONE)
def test_numbers_of_offices_are_left_alone(text: str) -> None:
    assert find(text) == []


def test_a_landline_is_known_by_one_spelling() -> None:
    spellings = ["010-88889999", "（010）88889999", "电话01088889999", "+86-10-8888 9999", "010 88889999转123"]
    assert {found.canonical for text in spellings for found in find(text)} == {"01088889999"}


def test_a_disguised_address_is_the_address() -> None:
    spellings = ["u1@example.com", "U1#example.com", "u1（at）example.com", "u1 @ example.com", "u1＠example.com"]
    assert {found.canonical for text in spellings for found in find(f"邮箱 {text}，")} == {"u1@example.com"}


def test_a_number_that_passes_two_checks_is_the_stronger_kind() -> None:
    text = "身份证号331004199301011119、440305200005211357、310104195607255189"
    assert {found.kind for found in find(text) if found.end - found.start == 18} <= {"id-card"}
