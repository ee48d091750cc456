"""Text that nobody should learn from, made to order: adverts, chrome of pages, stuffed keywords, lists of machines, noise.

Owns the vocabulary and the patterns of each kind; all of it is made up. Knows nothing about models. Invariant: the same seed
gives the same texts, and no telephone number, address or company in them is anybody's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

_PLACES = "北京 上海 广州 深圳 成都 杭州 武汉 西安 重庆 南京 天津 郑州 长沙 东莞 佛山 青岛 宁波 合肥 昆明 沈阳 海南 全国 本地 同城".split()
_GOODS = (
    "装修 搬家 开锁 空调维修 管道疏通 保洁 月嫂 办公家具 不锈钢板 镀锌管 钢结构 挖掘机 叉车 输送带 轴承 阀门 水泵 变压器 电缆 激光切割机 包装盒 "
    "印刷 广告牌 展台 服装批发 女装 童鞋 假发 眼镜 手表 珠宝 白酒 茶叶 保健品 减肥茶 祛斑霜 植发 隆鼻 近视手术 种植牙 男科 妇科 不孕不育 白癜风 "
    "考研培训 英语口语 驾校 成人高考 会计证 公司注册 代理记账 商标注册 网站建设 小程序开发 推广优化 服务器租用 二手车 二手房 租房 信用卡 小额贷款 "
    "手机回收 黄金回收 礼品卡回收 游戏代练 账号交易 传奇私服 手游下载 小说全集 电影在线观看 高清资源 壁纸 头像"
).split()
_TAILS = (
    "公司 厂家 价格 多少钱 哪家好 排名 电话 地址 报价 批发 直销 图片 官网 加盟 招商 培训 下载 免费 最新 大全 推荐 十大品牌 怎么样 联系方式 供应商 "
    "一条龙 上门服务 24小时 附近 专业 正规 靠谱 便宜 定制 团购"
).split()
_CALLS = (
    "加微信领取 扫码进群 点击立即领取 免费咨询热线 在线客服一对一 名额有限先到先得 限时优惠错过不再有 下单立减 买一送一 全国包邮 货到付款 假一赔十 "
    "厂家直销无中间商 当天下款 无抵押无担保 不看征信 黑户可做 秒到账 日结工资 轻松月入过万 在家就能赚钱 手机兼职 刷单返利 稳赚不赔 跟单回血 "
    "注册即送彩金 首存送百分百 真人在线发牌 百家乐 时时彩计划 六合彩内幕 一码中特 滚球投注 提款秒到 代开发票 税点优惠 办理各类证件 学历可查 "
    "快速排名不收费 包年推广 百度霸屏 诚招代理 一件代发 拿货价 微商货源 原单正品 高仿一比一 七天见效 无效退款 祖传秘方 根治不复发 专家在线解答"
).split()
_CHROME = (
    "首页 新闻 要闻 国内 国际 财经 体育 娱乐 科技 教育 健康 房产 汽车 旅游 视频 图片 专题 论坛 博客 直播 登录 注册 退出 忘记密码 个人中心 我的订单 购物车 "
    "收藏夹 搜索 热搜 设为首页 加入收藏 手机版 电脑版 客户端下载 网站地图 关于我们 联系我们 加入我们 广告服务 法律声明 隐私政策 用户协议 友情链接 "
    "意见反馈 帮助中心 无障碍 繁体 简体 返回顶部 返回列表 上一页 下一页 上一篇 下一篇 末页 更多 查看更多 加载更多 展开全文 阅读全文 点击查看 收起 "
    "分享 分享到 微信 微博 朋友圈 复制链接 扫一扫 举报 点赞 收藏 打赏 评论 发表评论 查看评论 暂无评论 我来说两句 热门评论 最新评论 相关阅读 相关推荐 "
    "热门推荐 猜你喜欢 今日热点 点击排行 热点排行 广告 关闭 打印 字号 大 中 小 来源 作者 责任编辑 浏览次数 阅读 当前位置 标签 上传 下载 附件 "
    "版权所有 未经授权不得转载 备案号 公网安备 技术支持 主办单位 承办单位 网站标识码 建议使用浏览器访问 正在加载 请稍候 页面不存在 您没有权限 "
    "请输入验证码 获取验证码 同意 取消 确定 提交 重置 全选 删除 编辑 保存 发布于 回复 楼主 沙发 只看楼主 顶 踩 喜欢 关注 粉丝 私信 在线客服 电话 邮箱 "
    "地址 邮编 传真 新人 送花 愤怒 惊讶 高兴 无聊 期待 支持 扫描二维码 长按识别 下载到手机 用手机看 选择语言 皮肤 夜间模式 回到首页 订阅 推送 通知"
).split()
_SURNAMES, _GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉萍红"


def junk(n: int, seed: int = 0) -> list[str]:
    """n texts of all kinds in turn, each of some 60 to 600 characters."""
    draw = random.Random(seed)
    return [KINDS[i % len(KINDS)](draw) for i in range(n)]


def _advert(draw: random.Random) -> str:
    """Sales talk: a place, goods, and calls to act, with made-up numbers."""
    name = draw.choice(_PLACES) + draw.choice(_GOODS)
    lines = []
    for _ in range(draw.randint(4, 12)):
        pieces = draw.sample(_CALLS, draw.randint(1, 4))
        lead = draw.choice(["", name, draw.choice(_GOODS), "【" + name + "】", "→", "★★★", "想要" + draw.choice(_GOODS) + "？"])
        lines.append(lead + draw.choice("，！ ~,").join(pieces) + draw.choice(["！", "！！！", "", "，" + _contact(draw)]))
    return draw.choice(["\n", " ", ""]).join(lines)


def _contact(draw: random.Random) -> str:
    way = draw.choice(["微信", "加V", "QQ", "电话", "热线", "咨询", "VX：", "扣扣群", "客服微信"])
    return way + "".join(draw.choices("0123456789", k=draw.randint(6, 11)))


def _stuffing(draw: random.Random) -> str:
    """Keywords put together for a search engine."""
    places, goods = draw.sample(_PLACES, draw.randint(1, 4)), draw.sample(_GOODS, draw.randint(1, 4))
    words = [draw.choice(places) + draw.choice(goods) + draw.choice(_TAILS) for _ in range(draw.randint(15, 70))]
    return draw.choice([" ", ",", "，", "_", "|", "、", "\n", "-"]).join(words)


def _chrome(draw: random.Random) -> str:
    """Menus, buttons and footers, with counters and dates between them."""
    words = [draw.choice(_CHROME) + _counter(draw) for _ in range(draw.randint(20, 90))]
    return draw.choice(["\n", "\n", " ", " | ", "  ", "\t"]).join(words)


def _counter(draw: random.Random) -> str:
    kinds: list[Callable[[], str]] = [
        lambda: "", lambda: "", lambda: "", lambda: "", lambda: f" {draw.randint(0, 9)}", lambda: f"({draw.randint(0, 9999)})",
        lambda: f" 20{draw.randint(10, 25)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}", lambda: ">", lambda: ":", lambda: "»",
    ]  # fmt: skip
    return draw.choice(kinds)()


def _machine_list(draw: random.Random) -> str:
    """Rows that a program printed: codes, amounts, names."""
    rows = []
    for number in range(draw.randint(8, 40)):
        code = "".join(draw.choices("ABCDEFGHKMXZ0123456789-", k=draw.randint(6, 14)))
        name = draw.choice(_SURNAMES) + "".join(draw.choices(_GIVEN, k=draw.randint(1, 2)))
        cells = [str(number + 1), code, name, f"{draw.random() * 1000:.2f}", draw.choice(_GOODS), draw.choice(_PLACES)]
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
        before + draw.choice(names) + after if draw.random() < 0.5 else draw.choice(_CHROME) for _ in range(draw.randint(15, 60))
    )
    return draw.choice(["\n", " ", ""]).join(pieces)


KINDS: tuple[Callable[[random.Random], str], ...] = (
    _advert, _stuffing, _chrome, _machine_list, _advert, _noise, _chrome, _template,
)  # fmt: skip
