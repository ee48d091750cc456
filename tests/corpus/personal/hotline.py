"""Records of a citizens' hotline that no rule was written from: other sentences, spellings and look-alikes than the planter's.

The recognisers were written with the templates of `touyan.corpus.plant.persons` at hand; these were written afterwards, once.
"""

from __future__ import annotations

from random import Random
from string import Formatter

from touyan.corpus.plant.persons import Truth, person

RECORDS = (
    "【工单】诉求人：{person}；来电号码：{mobile}；诉求内容：小区电梯连续三天停运，业主出行困难。",
    "2024-03-15 09:21 {person} {mobile} 反映噪音扰民",
    "本人{person}，公民身份证号为{id-card}，现委托我的儿子代为办理，联系{mobile}。",
    "张女士您好，您的快件已到驿站，收件电话{mobile}，如有疑问请回复。",
    "罪犯{person}，男，{birth-date}生，汉族，户籍所在地{address}。",
    "上诉人（原审被告）{person}，女，{birth-date}出生，住{address}，身份号码{id-card}。",
    "学生{person}的家长手机是{mobile}，备用{landline}。",
    "转账户名{person}，账号{bank-card}，开户行建设银行城东支行。",
    "尾款请打到这个卡上：{bank-card}（{person}）。",
    "发票抬头个人，寄到{address}，收件人{person}{mobile}",
    "微信{wechat}，QQ{qq}，都能找到我。",
    "客服已加其微信号“{wechat}”，请其补充身份证{id-card}照片。",
    "邮件发到{email}就可以了，谢谢！",
    "From: {email}\nTo: service@city.example\nSubject: 关于道路积水的投诉".replace("service@city.example", "市政热线"),
    "账号登录异常：{ip}（异地），绑定邮箱 {email}。",
    "入住登记：{person}，护照号码：{passport}，房费已付。",
    "旅客{person}（往来港澳通行证{travel-permit}）行李遗失。",
    "肇事车辆为{plate}的白色面包车，车主{person}。",
    "停车位被{plate}占了，打{mobile}没人接",
    "车辆识别代号{vin}，登记在{person}名下。",
    "医保卡号：{social-card}\n就诊人：{person}\n联系方式：{mobile}",
    "序号,姓名,证件号,电话\n1,{person},{id-card},{mobile}",
    "姓名|{person}|电话|{mobile}|卡号|{bank-card}",
    "{person}家住{address}，座机{landline}白天没人。",
    "门店没有退我押金，我的手机号：{mobile}，身份证后附：{id-card}。",
    "生日：{birth-date}  电话：{mobile}  地址：{address}",
    "电话{mobile}（同微信），找{person}即可；传真{landline}。",
    "死者{person}（公民身份号码{id-card}）生前居住于{address}。",
    "网卡地址{mac}，分配给{person}使用，公网出口{ip}。",
    "Please contact {person} at {email} or {mobile}.",
    "把{id-card}和{bank-card}都发给了骗子，现在手机{mobile}也停机了。",
    "房屋坐落：{address}；共有人：{person}，证件号：{id-card}。",
)

LOOK_ALIKES = (
    "行政处罚决定书文号：京市监处罚〔2023〕第{n4}号，罚款人民币{n4}.00元。",
    "（2022）沪0115民初{n5}号案件已于2022年{m}月{d}日立案。",
    "依据《中华人民共和国民法典》第{n3}条、第1{n3}条之规定。",
    "工单编号：{y}{m2}{d2}{n8}，办结时间{y}-{m2}-{d2} 10:{d2}:{m2}。",
    "全市共受理诉求1{n5}{n5}件，同比增长{d}.{m}%。",
    "工程总造价13{n5}0000元，折合约{n4}万美元。",
    "请拨打市民服务热线12345，或客户服务400-{n3}-{n4}。",
    "软件版本号为{m}.{d}.{m}.{d}，请升级到V{d}.{m}.{d}。",
    "本标准代替GB {n5}-2008，与ISO {n4}:2015一致。",
    "快递单号：SF13{n8}{n3}，预计{m}月{d}日送达。",
    "坐标：东经116.{n5}，北纬39.{n5}，海拔{n3}米。",
    "统计用区划代码1101{n5}{n3}，邮编1000{d2}。",
    "合同编号HT-{y}-{n4}-{n3}，金额¥1{n3},{n3},000.00。",
    "发票代码0{n8}{n3}，发票号码{n8}，校验码{n5} {n5} {n5} {n5}。",
    "第{n3}次常务会议{y}年{m}月{d}日召开，会议室在{m}号楼。",
    "人民路{n3}号的便民服务点将于{m}月{d}日起试运行。",
    "ISBN 978-7-{n4}-{n4}-{d}，定价{n3}.00元。",
    "自{y}年{m}月{d}日以后出生的子女，可以享受育儿补贴。",
    "每户限购2套，{d}栋住宅楼已封顶，{m}单元正在装修。",
    "设备序列号SN:{n8}{n8}，固件1.{m}.{d}.{d}。",
)


def record(rng: Random) -> tuple[str, Truth]:
    """A record about a made-up person, and the identifiers in it."""
    template = rng.choice(RECORDS)
    spelt = {kind: rng.choice(spellings) for kind, spellings in _spellings(rng).items()}
    used = {name for _, name, _, _ in Formatter().parse(template) if name}
    return template.format_map(spelt), {kind: spelt[kind] for kind in used}


def look_alike(rng: Random) -> str:
    """A record full of numbers that are nobody's."""
    m, d = rng.randrange(1, 13), rng.randrange(1, 29)
    digits = {f"n{size}": str(rng.randrange(10 ** (size - 1), 10**size)) for size in (3, 4, 5, 8)}
    return rng.choice(LOOK_ALIKES).format(y=rng.randrange(2000, 2026), m=m, d=d, m2=f"{m:02}", d2=f"{d:02}", **digits)


def _spellings(rng: Random) -> dict[str, tuple[str, ...]]:
    who = person(rng)
    mobile = f"1{rng.randrange(3, 10)}{rng.randrange(10**9):09}"
    plate = rng.choice("京津沪渝冀豫苏浙粤川鲁湘鄂皖闽") + rng.choice("ABCDEFGH")
    birth = who.birth
    return {
        "person": (who.name,),
        "mobile": (mobile, f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}", f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}", f"(+86){mobile}"[5:]),
        "landline": (who.landline[:3] + "-" + who.landline[3:] if who.landline[1] in "12" else who.landline[:4] + "-" + who.landline[4:],),
        "id-card": (who.id_card, who.id_card.lower(), who.id_card.translate({48 + i: 0xFF10 + i for i in range(10)})),
        "bank-card": (who.bank_card, " ".join(who.bank_card[i : i + 4] for i in range(0, len(who.bank_card), 4))),
        "email": (who.email, who.email.upper(), who.email.replace("@", "(at)"), who.email.replace("@", " @ ")),
        "plate": (
            plate + f"{rng.randrange(10**5):05}", plate + f"{rng.randrange(10**4):04}学", plate + f"·D{rng.randrange(10**5):05}",
            plate + f"{rng.randrange(10**3):03}KL",
        ),
        "address": _addresses(rng),
        "birth-date": (f"{birth.year}年{birth.month}月{birth.day}日", f"{birth.year}-{birth.month:02}-{birth.day:02}", f"{birth:%Y/%m/%d}"),
        "passport": (who.passport,), "travel-permit": (who.permit,), "wechat": (who.wechat,), "qq": (who.qq,),
        "ip": (who.ip, f"{rng.randrange(110, 123)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"),
        "mac": (who.mac, who.mac.lower()), "vin": (who.vin,), "social-card": (who.social_card,),
    }  # fmt: skip


def _addresses(rng: Random) -> tuple[str, ...]:
    n, room = rng.randrange(1, 300), rng.randrange(101, 2900)
    return (
        f"北京市丰台区马家堡西路{n}号院{n % 9 + 1}号楼{n % 5 + 1}单元{room}室",
        f"上海市闵行区七莘路{n}弄{n % 60 + 1}号{room}室",
        f"广东省佛山市顺德区大良街道凤翔路{n}号君悦花园{n % 12 + 1}座{room}",
        f"湖南省邵阳市隆回县羊古坳镇石桥村{n % 12 + 1}组{n % 90 + 1}号",
        f"山东省济南市历下区泉城路{n}号恒隆公寓{n % 7 + 1}栋{n % 4 + 1}单元{room}",
        f"浙江省宁波市鄞州区中河街道宋诏桥小区{n % 80 + 1}幢{room}室",
        f"四川省成都市锦江区东大街{n}号附{n % 20 + 1}号",
        f"河南省南阳市卧龙区七一路{n}号家属院{n % 6 + 1}号楼东单元{room}",
        f"重庆市江北区观音桥步行街{n}号{n % 30 + 1}-{n % 8 + 1}",
        f"哈尔滨市道里区友谊路{n}号{n % 5 + 1}单元{n % 7 + 1}层{n % 3 + 1}号",
    )
