"""Patterns of the other lines with a variable part: breadcrumbs, neighbours, pagers, credits of pictures, promotion, templates.

Owns regular expressions over folded lines (half-width, lower case, simplified), and what protects a line from all of them.
Knows nothing about zones. Invariant: each is met at the beginning of a line.
"""

from __future__ import annotations

import re

from touyan.corpus.boilerplate.footers import any_of

_NUMERAL = "〇零一二三四五六七八九十百千"
_PROTECTED = any_of(
    rf"(?P<law>#{{1,6}}\s|第[{_NUMERAL}\d]{{1,8}}(?:条|章|节|款|项|编|部分|篇|讲|回)|[(（]?[{_NUMERAL}]{{1,4}}[)）、.．]|<!--|```)",
    r"(?P<item>[(（]?\d{1,3}(?:[)）、．]|\.(?!\d))(?=.*[^\W\d])|\[\d{1,3}\]\s?\S|[(（]?[A-Ha-h][)）、.．](?=.*\w)|[①-⑳]"
    r"|附[件则表录](?!下[载載])|附[:：]|[-*•]\s(?=.*\w)|\|.*\||>\s\w.{10}|问[:：]|答[:：]|注[:：]|特此|此复|此致|抄送|主题词)",
)
"""As it is written, not folded: headings and articles, items of lists, options, attachments, rows of tables, quotations."""
_PROTECTING = frozenset(f"#第([（<`{_NUMERAL}ABCDEFGHabcdefgh①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳附-*•|>问答注特此抄主")


def protected(line: str) -> re.Match[str] | None:
    """What protects a line. Most lines begin with nothing of the kind, which is soon seen."""
    return _PROTECTED.match(line) if line[:1] in _PROTECTING or line[:1].isdecimal() else None


CRUMBS = any_of(
    r"(?:[您你](?:现在|当前|目前)?|现在|当前|目前|所在)(?:的|所在|所处)?的?(?:位置|频道|栏目)(?:是|在)?\s?:(?=.{0,90}$)|[您你](?:现在|当前|目前)?(?:的|所在).{0,2}位置",
    r"[\[(]?(?:(?:网站|返回|本站)?首\s{0,3}页|主\s?页|home)\s?(?:[>»›→/\\|·•\-:]|&gt;)+.{0,90}$|(?:首页|主页)(?:\s+\S{1,10}){2,40}$",
    r"[^。,;!?]{1,60}(?:[>»›]|&gt;)+\s?(?:正文|详情|内容|文章|详细页面?|文章正文|新闻正文|列表|浏览)\s*$",
    r"[^。!?»›]{1,30}(?:\s?[»›]\s?[^。!?»›]{1,60}){2,}$",
    r"[^。,;!?\s>]{1,14}(?:网|频道|中心|资讯|新闻|首页|站|在线)\s?(?:[>»›]+\s?[^\s>»›。,]{1,14}\s?){1,6}[>»›]*$",
)
NEIGHBOUR = any_of(
    r"[\[(<«‹←]?\s?(?:阅读)?[上下前后]一?(?:篇|条|则|章节?|页|个|期)(?:文章|新闻|主题|帖子|公告|信息|内容|图集)?\s?[:>»\])].{0,100}$",
    r"正在(?:阅读|浏览|播放|观看)\s?:.{0,100}$|[上下]一[篇条则章](?:文章|新闻)?\s.{1,80}$|(?:previous|next)(?: post| article)?:",
)
PAGER = any_of(
    r"(?:共\s?\d+\s?(?:条|页|篇|个|则)(?:记录|数据|信息|结果)?[\s,/]*)++(?:(?:当前)?第?\s?\d.*)?$|第\s?\d+\s?(?:页|/)[\s,/]*共?\s?\d+\s?页.*$",
    r"(?:\S{0,4}?页\s*)++共\s?\d+\s?[页条].*$|\d{1,2}:\d\d\s?/\s?\d{1,2}:\d\d$|(?:\d{1,3}\s+){3,}(?:…|\.\.\.|下一?页|>).{0,20}$",
    r"[\s\d.]*(?:上一?页|下一?页|尾页|末页)[\s\d>»…]*+(?:[^\s\d>»…页]{1,4}页[\s\d>»…]*+)*+$",
)
PHOTO = any_of(
    r"[(\[]?(?:本文|文中|资料|网络)?(?:图片|照片|配图|题图|封面图?|头图|首图|图文|视频|图)\s?(?:均|由)?"
    r"(?:来源|来自|源自|提供|截图|截自|源|/|受访者)\s?[于自]?[:/]?\s?[^。;]{0,30}[)\]]?$",
    r"[(\[]?[^。;:]{0,24}(?:记者|摄影|通讯员|网友|供图|图/|本报|新华社|中新社|视觉中国)[^。;:]{0,16}(?:摄|供图|摄影报道|图)[)\]]?$",
    r"[(\[]?资料(?:图片?|照片)[)\]]?(?:[。.].{0,24})?$|图(?:为|片说明|说|\d{0,2}:).{0,80}(?:摄|供图|提供|摄影|图)[)\]]?$",
)
_PLACE = "公众号|客户端|app|频道|二维码|微信|官网|小程序|专题|好友|朋友圈|蓝字|群|链接|原文|微博|号"
_ACT = "关注|下载|进入|点击|订阅|扫描|扫码|搜索|识别|打开|添加|加入|登录|浏览|尽在|请看|阅读"
PROMOTION = any_of(
    r"[(\[]?(?:更多|想|欲|获取|查看更多|了解更多|欢迎|敬请|请|长按|扫描|扫码|点击|打开|下载|搜索|关注)"
    rf"[^。;]{{0,30}}(?:{_ACT})[^。;]{{0,30}}(?:{_PLACE})[^。;]{{0,20}}[。!)\]]?$",
    r"(?:来源|稿源|转自)?\s?(?:微信)?公众号\s?[:|].{1,24}$|微信(?:公众)?号\s?:.{1,24}$|(?:关注|搜索)(?:微信)?(?:公众号|微信号).{0,24}$",
    r"在?[「“\"]?.{1,12}[」”\"]?app内?(?:打开|查看|阅读).{0,10}$|打开.{1,12}app.{0,20}$|返回(?:搜狐|网易|新浪|腾讯|凤凰|首页).{0,20}$",
    r"(?:powered|produced|generated|designed) by .{1,40}$|theme[: ].{1,30}by|uid\s?:?\s?\d+$",
    r"[¥￥$]\s?\d[\d.,]*.{0,10}(?:已售|销量|月销|库存|包邮|起).{0,20}$|[7七][x×*]24小?时?.{0,20}$",
    r"(?:热线|报料|爆料|新闻热线|投稿邮箱|新闻报料)\s?:?\s?[\w@.\-/ ]{6,40}$",
    r"来自\s?(?:iphone|android|安卓|华为|小米|微博).{0,20}$|ip属地\s?:?.{1,6}$|您是第\s?\d+\s?位",
)
RELATED = any_of(
    r"[\[(]?(?:相关|推荐|热门|最新|精彩|更多|延伸|扩展|往期|近期|同类|最热|热点|今日|本周|本月|独家|精选|其[他它])"
    r"(?:阅读|新闻|文章|报道|链接|推荐|内容|资讯|视频|专题|话题|回顾|图集|排行|帖子|稿件|评论|要闻|头条|热点|搜索)"
    r"(?:排行榜?|列表|推荐|榜)?\s?(?:[:>»\])]+|more|更多|换一[换批])*\s*$",
    r"(?:related|recommended)(?: \w+){0,2}:?$",
)
LABELLED = any_of(
    r"(?:本文)?(?:标签|tags?|关键[词字]|所属(?:频道|栏目|分类)|主管|主办|承办|协办|技术支持|建设维护)(?:单位)?\s?:.{0,80}$"
)

_VOID = (
    r"(?:\[\[\$?\{[^\]]*\}\]\]|\{\{.*?\}\}|\{\$[^}]*\}|\$\{[^}]*\}|#\{[^}]*\}|\{[a-z]+:[a-z_]+[^}]*\}|(?<!\w)\{[a-z]\w*[_.]\w+\}"
    r"|<%.*?%>|\{%.*?%\}|<\?(?:php|=).*?\?>|%\d\$[sd]|%[sd]|\[object object\]|#(?:if|else|end|foreach|set)\b(?:\([^)]*\))?"
    r"|&nbsp;?|v-if=\S+)"
)
# A backslash is TeX, whose braces are no templates.
PLACEHOLDER = any_of(
    rf"(?!.*\\)[^\u4e00-\u9fff{{$#<%\[&]{{0,8}}(?:[\u4e00-\u9fff]{{0,4}}:?\s*{_VOID}[^\u4e00-\u9fff{{$#<%\[&]{{0,6}})++[\u4e00-\u9fff]{{0,4}}\W*$"
)
SCRIPT = any_of(
    r".*(?:_hmt\b|cnzz|googletag|adsbygoogle|google_ad|gtag\(|window\.(?:onload|location|_bd|open)|__initial_state__|initial-scale)",
    r".*(?:document\.(?:write|ready|getelement|cookie|createelement)|function\s?\(\)\s?\{|\$\((?:document|function|['\"][.#]))",
    r"var \w+\s?=\s?(?:document|window|new date)|[.#@]?[\w.#\- >,]+\{\s?[a-z-]+\s?:[^。]*\}?$",
    r"</?(?:script|style|iframe|div|span|img|ul|li)\b",
)
ASSIGNED = any_of(r"var \w+ ?= ?[\"'\[{]")
ADDRESS = any_of(r"(?:https?:)?//\S+$|www\.\S+$")

HINT = any_of(
    r">|»|›|→|©|\{|<|摄|页$|条$|%s|%d|%1|<%|\{%|icp|公网安备|记者|通讯员|共\s?\d|copy|rights|版权|许可|备案|标识码|网文|位置|频道|栏目",
    r"首页|首 +页|主页|home|转载|侵权|侵删|出处|来源|来自|源自|仅供|投资建议|据此操作",
    r"存储|发布平台|传播|代表|声明|提示:|授权|cookie|浏览|script|举报|最后",
    r"文明上网|登录|登入|评论|未经|图片|图/|图:|图源|图文|图为|图说|配图|题图|头图|首图|照片|供图|视频|object|document|window|adsby|cnzz|_hmt",
    r"google|gtag|分辨率|notice:|知识共享|友情|cc by|cc-by|creative|自负|法律责任|取自|留言|回帖|资格证|证书|浏览效果",
)
"""What a line has that one of the costly patterns matches; most lines have none of it. Literals first, as in NOTICE_HINT."""
