"""Patterns of footers and notices: filings and licences of sites, rights and their exclusion, requests to log in or to upgrade.

Owns regular expressions over folded lines (half-width, lower case, simplified) and nothing else. Invariant: each is met at the
beginning of a line, and none matches an article of a law, however much it speaks of licences and copying.
"""

from __future__ import annotations

import re


def any_of(*alternatives: str) -> re.Pattern[str]:
    """One pattern of several, tried in order."""
    return re.compile("|".join(alternatives))


_SERVICES = (
    "增值电信业务|电信与信息服务业务|网络文化|信息网络传播|互联网新闻信息|互联网视听|网络视听|网上传播视听|广播电视节目制作|互联网出版|网络出版"
    "|出版物经营|互联网药品信息|互联网宗教|营业性演出|医疗器械网络"
)
LICENCE = any_of(
    r".{0,60}(?:icp[备证]\s?[:\d(]?|公网安备|公安备案号|icp\s?\d{5})",  # 非经营性互联网信息服务备案, 公安机关备案
    rf"[^。;]{{0,40}}(?:{_SERVICES})[^。;]{{0,16}}(?:许可|备案|资格证|证书?)[^。;]{{0,24}}\d{{2}}[^。;]*$",
    r"[^。;]{0,8}(?:网站标识码|网文\[\d{4}\])|[^。;]{0,12}备案编?号\s?:|(?:网站)?备案号?\s?:",
    r".{0,40}\bcopyrights?\b\s?(?:©|\(c\)|:|\d{4}|by|,|$)|.{0,24}all rights reserved|.{0,30}©",
    r"[^。;]{0,30}版权所有(?!人|者|权)|.{0,40}(?:版权|著作权)归.{0,20}所有[^。;]{0,30}$",
    r".{0,20}(?:采用|遵循|以|依据|遵守|在).{0,8}(?:知识共享|creative commons|cc[ -]by).{0,60}(?:协议|许可|提供|授权|发布)",
    r"友情[链连][接结]\s?:",
)

# Who speaks, or of what: a notice speaks of the site or of the article, a law of works and of persons.
_THIS = (
    "本站|本网|本公众号|本平台|本号|我站|小编|自媒体|[\u4e00-\u9fff]{2,3}号|网络|互联网|原作者|原创|本文|此文|该文|文章"
    "|以上(?:内容|信息|图片|文章|观点|作品|资料|言论|图文)|声明|上述|作品|稿件|刊用|来源|图文|素材|图片|内容"
)
_RIGHTS = "不代表(?!人)|侵权(?:请|的?,|必究|内容)|侵删|[如若]有侵权|如涉及?侵权|涉及版权|涉及作品|版权[归属]|版权问题"
_REMEDY = "本站|本网|本平台|本公众号|观点|联系|删|处理|告知|所有|立场|目的|仅供|转载"
_COPYING = (
    "转载请|如需转载|请注明(?:出处|来源|转自)|注明出处|注明来源|(?:不得|禁止|谢绝|严禁|请勿|不可|勿)(?:擅自|任意|随意)?转载|转载授权"
    "|未经(?:授权|许可|允许).{0,6}(?:转载|使用)"
)
_NO_ADVICE = (
    "仅供参考|不构成(?:任何)?(?:投资|理财)?建议|据此操作|信息存储空间|存储服务|仅提供信息|信息发布平台|仅为传播|传递更多信息|仅代表作者"
    "|作者个人观点|作者本人|仅供其?表达"
)
NOTICE = any_of(
    rf"(?=.*(?:{_THIS}))(?:(?=.*(?:{_RIGHTS}))(?=.*(?:{_REMEDY}))|(?=.*(?:{_COPYING}))(?=[^第]{{0,120}}$)|(?=.*(?:{_NO_ADVICE})).{{0,200}}$)",
    r"(?:欢迎|如需|如要|若需|商业)?转载[^。]{0,40}(?:出处|来源|授权|联系|作者|链接)[^。]{0,20}[。!]?$",
    r"(?:特别|免责|版权|郑重)?声明\s?:.{0,24}(?:本站|本网|本文|该文|以上|转载|来源|版权|作者|内容).{0,200}$",
    r"(?:特别|风险|温馨)提示\s?:.{0,24}(?:本站|本网|本文|该文|以上|转载|来源|版权|作者|内容).{0,200}$",
    r"(?:版权所有[,\s]*)?(?:未经|如需|欲).{0,16}(?:授权|许可|允许|同意).{0,20}(?:不得|严禁|请勿|谢绝|禁).{0,16}"
    r"(?:转载|使用|复制|镜像|摘编|刊登|链接)[^。;]{0,16}$",
    r"(?:notice|disclaimer|statement):.{0,40}(?:content|above|article|information)|.{0,30}(?:we|this (?:web)?site) uses? cookies",
    r"(?:我们|本(?:网站|站|页)|为了|继续|点击|使用本).{0,24}cookies?.{0,40}(?:体验|同意|隐私|服务).{0,60}$",
    r".{0,20}浏览器.{0,10}(?:版本|不支持|升级|过低|兼容)[^。]{0,40}$|(?:本站)?建议.{0,6}使用.{0,30}(?:浏览器|分辨率).{0,30}$",
    r"请(?:开启|启用|打开|使用|升级).{0,16}(?:javascript|浏览器).{0,24}$|最佳浏览效果",
    r".{0,16}违法和?不良信息|.{0,20}涉未成年人?举报|网上有害信息",
    r"本(?:页面?|网页)最后(?:修订|编辑|修改|更新)|本帖最后由.{1,40}编辑",
    r"取自[“\"]https?:|retrieved from|gmt\s?\+8,|processed in .{1,60}quer",
    r".{0,6}文明上网.{0,40}(?:发言|评论|跟[帖贴])|请遵守.{0,20}(?:法律|协议|规定).{0,40}(?:发言|评论|言论)",
    r".{0,24}(?:言论|留言|评论|发言|回帖|文章).{0,30}(?:自负|法律责任|请遵守|个人观点).{0,24}$",
    r"您需要登录.{0,60}$|(?:该|此|本)(?:文章|帖子?|内容|页面).{0,6}(?:关闭|不支持|暂无)评论.{0,10}$",
    r"(?:请|您)?(?:登录|登入)(?:后|之后)(?:才|再|方)?(?:可|能)?.{0,12}(?:评论|回复|发言|查看|回[帖贴]|操作|参与|下载).{0,12}$",
)
NOTICE_HINT = any_of(
    "转载|轉載|侵权|侵權|侵删|侵刪|出处|出處|来源|來源|仅供参考|不构成|据此|存储|儲存|传播|代表|声明|聲明|授权|授權|版权|版權",
    "cookie|Cookie|浏览器|举报|公众号|客户端|最后由|评论|登录|登錄|登入|ICP|二维码|更多|知识共享|CC BY|自负|法律责任|取自",
)
"""What a notice has, as it is written. A longer sentence without any of it is prose.

Each alternative begins with a letter and not with a class: only then does `re` skip what none of them begins with.
"""
