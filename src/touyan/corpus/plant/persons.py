"""Made-up persons and the sentences that speak of them: what the planter puts into clean text, and the truth about it.

Owns the draws and the templates. Knows nothing about recognisers: what it writes is how people write. Invariant: every check
digit holds, nothing was ever issued where a range exists that never is, and the same random state gives the same person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from string import Formatter
from typing import TypeAlias

Truth: TypeAlias = dict[str, str]
"""Kind of identifier -> how it stands in the text; `person` is the name."""

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭"
    "廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢"
)
_COMPOUND_SURNAMES = ("欧阳", "司马", "上官", "诸葛", "尉迟", "皇甫", "令狐", "慕容", "司徒", "夏侯")
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国志海波峰鹏飞宇浩然子轩欣怡雨桐诗涵梓晨思远佳琪晓东文博俊凯嘉宁永福德胜"
    "春生淑珍凤琴立新庆林宝山金龙雪莲美玲小燕慧颖瑞祥天佑家豪振中学良国栋培根素芬爱民长江月娥秋菊冬青一鸣清源景行知夏安若云舒亦凡"
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_PROVINCE_CODES = (
    "11",
    "12",
    "13",
    "21",
    "31",
    "32",
    "33",
    "34",
    "35",
    "36",
    "37",
    "41",
    "42",
    "43",
    "44",
    "50",
    "51",
    "53",
    "61",
    "65",
)
_UNISSUED_PREFECTURE = "98"  # GB/T 2260 numbers prefectures 01 to 70 and counties under a province 90
_UNISSUED_MOBILE = ("142", "143", "154", "161", "163", "164", "168", "169")  # segments that no operator was given
_UNISSUED_PLATES = (("渝", "JKLM"), ("琼", "GHJK"), ("青", "JKLM"), ("宁", "FGHJ"), ("藏", "KLMN"), ("新", "TUVW"))
_PLATE_TAIL = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"  # no I and no O (GA 36)
_MAIL_HOSTS = ("example.com", "example.org", "mail.example.net", "post.example", "city-office.example")  # RFC 2606
_AREA_CODES = (
    "010",
    "021",
    "022",
    "023",
    "025",
    "027",
    "028",
    "0311",
    "0371",
    "0451",
    "0512",
    "0531",
    "0571",
    "0592",
    "0755",
    "0898",
)
_VIN_VALUES = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", (*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)  # GB 16735, from ISO 3779
_TOWNS = (
    ("北京市", "朝阳区"), ("北京市", "海淀区"), ("上海市", "浦东新区"), ("天津市", "河西区"), ("重庆市", "渝北区"),
    ("江苏省南京市", "鼓楼区"), ("江苏省苏州市", "昆山市"), ("浙江省杭州市", "余杭区"), ("广东省深圳市", "南山区"),
    ("广东省广州市", "天河区"), ("四川省成都市", "武侯区"), ("湖北省武汉市", "江夏区"), ("河南省郑州市", "中牟县"),
    ("山东省青岛市", "即墨区"), ("福建省厦门市", "思明区"), ("湖南省长沙市", "望城区"), ("陕西省西安市", "雁塔区"),
    ("安徽省合肥市", "肥西县"), ("辽宁省大连市", "甘井子区"), ("河北省石家庄市", "正定县"), ("云南省大理白族自治州", "祥云县"),
    ("新疆维吾尔自治区伊犁哈萨克自治州", "霍城县"),
)  # fmt: skip
_ROADS = (
    "幸福",
    "建设",
    "人民",
    "解放",
    "和平",
    "胜利",
    "文昌",
    "滨河",
    "学府",
    "朝晖",
    "青年",
    "丰收",
    "迎宾",
    "长虹",
    "梧桐",
    "云栖",
)
_ESTATES = ("幸福里", "阳光花园", "翠湖苑", "锦绣华庭", "东湖小区", "金桂园", "和谐家园", "书香名邸", "望江公寓", "绿洲新村")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist, with all numbers that an office could ask for."""

    name: str
    birth: date
    id_card: str
    mobile: str
    landline: str
    email: str
    bank_card: str
    plate: str
    address: str
    passport: str
    permit: str
    wechat: str
    qq: str
    ip: str
    mac: str
    vin: str
    social_card: str


def person(rng: Random) -> Person:
    """Draws one person."""
    birth = date(1945, 1, 1) + timedelta(days=rng.randrange(22_000))
    return Person(
        name=_name(rng),
        birth=birth,
        id_card=id_card(rng, birth),
        mobile=rng.choice(_UNISSUED_MOBILE) + _digits(rng, 8),
        landline=_landline(rng),
        email=f"{_word(rng)}{rng.choice(('', '.', '_'))}{_digits(rng, rng.randrange(1, 6))}@{rng.choice(_MAIL_HOSTS)}",
        bank_card=bank_card(rng),
        plate=_plate(rng),
        address=_address(rng),
        passport=rng.choice("EEEG") + _digits(rng, 8),
        permit=rng.choice("CCHM") + _digits(rng, 8),
        wechat=f"{_word(rng)}{rng.choice(('_', '-', ''))}{_digits(rng, 4)}",
        qq=rng.choice("123456789") + _digits(rng, rng.randrange(6, 10)),
        ip=rng.choice(("192.0.2.", "198.51.100.", "203.0.113.")) + str(rng.randrange(1, 255)),  # RFC 5737
        mac="00:00:5E:00:53:" + f"{rng.randrange(256):02X}",  # RFC 7042
        vin=vin(rng),
        social_card=_digits(rng, rng.choice((9, 10, 12))),
    )


def mention(who: Person, rng: Random) -> tuple[str, Truth]:
    """A sentence or a few about `who`, and every identifier in it as it stands there."""
    template = rng.choice(TEMPLATES)
    used = {field for _, field, _, _ in Formatter().parse(template) if field}
    # Drawn for every kind, so that a template more or less moves no other draw.
    spelt = {kind: spell(rng) for kind, spell in _spellings(who).items()}
    return template.format_map(spelt), {kind: spelt[kind] for kind in sorted(used)}


def decoy(rng: Random) -> str:
    """A sentence with numbers that look like identifiers of persons and are none: nothing in it may be masked."""
    return rng.choice(DECOYS).format_map(_look_alikes(rng))


def id_card(rng: Random, birth: date) -> str:
    """A citizen identification number with a region code that was never issued and a true check character (GB 11643)."""
    region = rng.choice(_PROVINCE_CODES) + _UNISSUED_PREFECTURE + f"{rng.randrange(1, 100):02}"
    body = region + birth.strftime("%Y%m%d") + _digits(rng, 3)
    return body + "10X98765432"[sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, body, strict=True)) % 11]


def bank_card(rng: Random) -> str:
    """A UnionPay number of 16 or 19 digits with the issuer 62999x, which nobody was given, and a true Luhn digit."""
    body = "62999" + _digits(rng, rng.choice((10, 13)))
    doubled = "".join(str(int(digit) * (2 - i % 2)) for i, digit in enumerate(reversed(body)))
    return body + str(-sum(map(int, doubled)) % 10)


def vin(rng: Random) -> str:
    """A vehicle identification number with a true check digit; LZZ with 00 as its plant."""
    letters = (
        "LZZ" + "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(5)) + "0" + "0" + "0" + _digits(rng, 6)
    )
    check = sum(weight * _VIN_VALUES[letter] for weight, letter in zip(_VIN_WEIGHTS, letters, strict=True)) % 11
    return letters[:8] + "0123456789X"[check] + letters[9:]


def _digits(rng: Random, n: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(n))


def _word(rng: Random) -> str:
    return rng.choice("bcdfghlmnpstwxyz") + "".join(rng.choice("aeiou") + rng.choice("ngrlt") for _ in range(rng.randrange(2, 4)))


def _name(rng: Random) -> str:
    surname = rng.choice(_COMPOUND_SURNAMES) if rng.random() < 0.03 else rng.choice(_SURNAMES)
    return surname + "".join(rng.choice(_GIVEN) for _ in range(1 if rng.random() < 0.2 else 2))


def _landline(rng: Random) -> str:
    """No local number begins with 9."""
    area = rng.choice(_AREA_CODES)
    return (
        area + "9" + _digits(rng, 7 if len(area) == 3 or area in ("0311", "0371", "0451", "0512", "0531", "0571", "0755") else 6)
    )


def _plate(rng: Random) -> str:
    province, offices = rng.choice(_UNISSUED_PLATES)
    if rng.random() < 0.3:
        return province + rng.choice(offices) + rng.choice("DF") + _digits(rng, 5)
    tail = [rng.choice(_PLATE_TAIL[:24]) if i in (1, 3) and rng.random() < 0.4 else rng.choice("0123456789") for i in range(5)]
    return province + rng.choice(offices) + "".join(tail)


def _address(rng: Random) -> str:
    city, county = rng.choice(_TOWNS)
    road = f"{rng.choice(_ROADS)}{rng.choice(('东', '西', '南', '北', '中', '', '', ''))}{rng.choice(('路', '街', '大道', '巷'))}"
    number = rng.randrange(1, 400)
    place = rng.choice((
        f"{road}{number}号{rng.choice(_ESTATES)}{rng.randrange(1, 40)}号楼{rng.randrange(1, 6)}单元{rng.randrange(101, 2800)}室",
        f"{road}{number}弄{rng.randrange(1, 90)}号{rng.randrange(101, 1800)}室",
        f"{rng.choice(_ESTATES)}{rng.randrange(1, 20)}栋{rng.randrange(101, 3300)}",
        f"{road}{number}号{rng.randrange(1, 9)}幢{rng.randrange(1, 4)}单元{rng.randrange(101, 700)}",
        f"{rng.choice(_ROADS)}镇{rng.choice(_ROADS)}村{rng.randrange(1, 15)}组{rng.randrange(1, 120)}号",
    ))  # fmt: skip
    return rng.choice(("", city, city)) + county + place


def _spellings(who: Person) -> dict[str, Callable[[Random], str]]:
    """How people write each of them."""
    return {
        "person": lambda rng: who.name,
        "id-card": lambda rng: _varied(rng, who.id_card, who.id_card, who.id_card.lower(), _grouped(who.id_card, 6, 8)),
        "mobile": lambda rng: _varied(rng, who.mobile, *_mobile_spellings(who.mobile)),
        "landline": lambda rng: _landline_spelling(rng, who.landline),
        "email": lambda rng: _varied(
            rng, who.email, who.email.replace("@", "＠"), who.email.title(), who.email.replace("@", "#")
        ),
        "bank-card": lambda rng: _varied(rng, who.bank_card, _grouped(who.bank_card, 4, 4, 4, 4)),
        "plate": lambda rng: _varied(rng, who.plate, who.plate[:2] + "·" + who.plate[2:], who.plate[:2] + " " + who.plate[2:]),
        "address": lambda rng: who.address,
        "passport": lambda rng: who.passport,
        "travel-permit": lambda rng: who.permit,
        "birth-date": lambda rng: _varied(
            rng, f"{who.birth.year}年{who.birth.month}月{who.birth.day}日", who.birth.isoformat(), who.birth.strftime("%Y.%m.%d")
        ),
        "wechat": lambda rng: who.wechat,
        "qq": lambda rng: who.qq,
        "ip": lambda rng: who.ip,
        "mac": lambda rng: _varied(rng, who.mac, who.mac.replace(":", "-"), who.mac.lower()),
        "vin": lambda rng: who.vin,
        "social-card": lambda rng: who.social_card,
    }


def _varied(rng: Random, usual: str, *others: str) -> str:
    """Two times in three as it is usually written."""
    return usual if rng.random() < 2 / 3 else rng.choice(others)


def _grouped(digits: str, *sizes: int) -> str:
    groups, at = [], 0
    for size in sizes:
        groups.append(digits[at : at + size])
        at += size
    return " ".join([*groups, digits[at:]]).rstrip()


def _mobile_spellings(mobile: str) -> tuple[str, ...]:
    three = _grouped(mobile, 3, 4)
    full_width = mobile.translate({0x30 + d: 0xFF10 + d for d in range(10)})
    return three, three.replace(" ", "-"), f"+86{mobile}", f"+86 {mobile}", f"+86-{three.replace(' ', '-')}", full_width


def _landline_spelling(rng: Random, digits: str) -> str:
    cut = 3 if digits[:3] in _AREA_CODES else 4
    area, local = digits[:cut], digits[cut:]
    return _varied(
        rng,
        f"{area}-{local}",
        f"（{area}）{local}",
        f"({area}){local}",
        f"{area} {local}",
        f"{area}-{local}转{rng.randrange(100, 9999)}",
    )


def _broken(number: str, rng: Random) -> str:
    """`number` with another last digit than its check asks for."""
    return number[:-1] + rng.choice([digit for digit in "0123456789" if digit != number[-1]])


def _look_alikes(rng: Random) -> dict[str, str]:
    """What `DECOYS` speak of. Long serials begin with 0, 7 or 90, as no identity number, card or telephone does."""
    year = rng.randrange(1998, 2026)
    return {
        "broken-id": _broken(id_card(rng, date(year - 30, rng.randrange(1, 13), rng.randrange(1, 29))), rng),
        "broken-card": _broken(bank_card(rng), rng),
        "amount": f"1{rng.randrange(3, 10)}{_digits(rng, 5)}0000",
        "year": str(year),
        "n": str(rng.randrange(1, 999)),
        "n4": _digits(rng, 4),
        "serial": rng.choice(("90", "07", "00")) + _digits(rng, rng.choice((8, 10, 12, 22))),
        "hotline": f"{rng.choice(('400', '800'))}-{_digits(rng, 3)}-{_digits(rng, 4)}",
        "version": f"{rng.randrange(1, 9)}.{rng.randrange(20)}.{rng.randrange(10)}.{rng.randrange(10)}",
        "date": f"{year}{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}",
        "price": f"{rng.randrange(1, 9999)}.{_digits(rng, 2)}",
    }


TEMPLATES = (
    "市民{person}（身份证号：{id-card}）来电反映，联系电话{mobile}，住址{address}。",
    "{person}，{birth-date}出生，公民身份号码{id-card}，户籍地{address}。",
    "来电人{person}称其住在{address}，家中电话{landline}，希望尽快回复。",
    "退款请转至{person}的账户{bank-card}，办好后短信通知{mobile}。",
    "原告{person}，住{address}，公民身份号码{id-card}。",
    "被告{person}驾驶{plate}号小型轿车与电动车相撞，联系方式{mobile}。",
    "姓名：{person}\n性别：女\n出生日期：{birth-date}\n身份证号码：{id-card}\n手机：{mobile}\n电子邮箱：{email}\n家庭住址：{address}",
    "{person}\t{id-card}\t{mobile}\t{bank-card}",
    "{person},{mobile},{email},{address}",
    "| {person} | {mobile} | {plate} | {address} |",
    "你好，我是{person}，加我微信{wechat}或者打{mobile}都行。",
    "简历请发送至{email}，或添加QQ：{qq}，联系人{person}。",
    "护照号{passport}的旅客{person}已办理登机，手机号为{mobile}。",
    "{person}持港澳通行证{travel-permit}入境，电话{mobile}。",
    "用户{person}于昨日从IP地址{ip}登录，设备MAC为{mac}，绑定手机{mobile}。",
    "车主{person}，车牌号{plate}，车架号{vin}，电话{mobile}。",
    "参保人{person}，社保卡号{social-card}，身份证{id-card}，请核对缴费记录。",
    "患者{person}，身份证号{id-card}，家属电话{mobile}，现住{address}。",
    "我叫{person}手机{mobile}邮箱{email}麻烦您查一下。",
    "车主您好，您的{plate}挡住了出口，请速与{person}联系：{mobile}。",
    "收件人：{person} {mobile} {address}",
    "寄件地址：{address}，{person}收，{mobile}",
    "举报人{person}（电话：{landline}）反映，车辆{plate}长期占用消防通道。",
    "诉求人{person}，微信号：{wechat}，银行卡号为{bank-card}，要求退还押金。",
    "当事人{person}({id-card})未到庭，电话{mobile}无人接听。",
    "{person}的身份证{id-card}和银行卡{bank-card}一并遗失，拾到者请拨打{mobile}。",
    "开户名{person}，卡号{bank-card}，预留手机{mobile}，证件号码{id-card}。",
    "报名表已收到：{person}、{id-card}、{mobile}、{email}。",
    "联系人：{person}；电话：{landline}；手机：{mobile}；邮箱：{email}",
    "请{person}师傅尽快联系业主，地址在{address}，电话{mobile}。",
)

DECOYS = (
    "流水号{broken-id}已登记，受理编号{serial}。",
    "设备序列号为{broken-card}，保修期三年。",
    "项目总投资{amount}元，其中中央预算内资金{price}万元。",
    "（{year}）京01民终{n4}号民事判决书已发生法律效力。",
    "根据国办发〔{year}〕{n}号文件，第{n}条规定同时废止。",
    "物流单号{serial}，请登录查询。",
    "咨询请拨打{hotline}或12345热线。",
    "系统升级到v{version}，版本号{version}。",
    "{year}年全市生产总值{price}亿元，增长{n}%。",
    "编号{date}{n4}的合同自签订之日起生效。",
    "标准GB/T {n4}5-{year}第{n}号修改单。",
    "共发放{n}张，合计人民币{amount}元整，单价￥{price}。",
    "邮政编码100{n}，信箱{n}号。",
    "第{n}号公告，{year}年第{n}期，总第{n4}期。",
    "中山路{n}号的市政务服务中心提供帮办服务。",
)
