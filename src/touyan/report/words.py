"""The report's vocabulary in Simplified Chinese and English.

Owns the words for the slugs that Touyan itself writes; those of the refinery stand in `words_refinery`. Knows nothing about
layout. Invariant: a slug without an entry stands for itself in both languages, so that a plug-in's reasons are shown rather than
lost.
"""

from __future__ import annotations

from touyan.report.markup import Words
from touyan.report.words_refinery import FAMILIES, PAIRS

# slug|Chinese|English; the English of a whole sentence is the slug itself.
_PAIRS = """
running|运行中|running
waiting|等待评审|waiting for review
done|完成|done
failed|失败|failed
cancelled|已取消|cancelled
hit|命中缓存|hit
pending|未开始|not started
stopped|已中断|stopped
skipped|已跳过|skipped
internal|内部|internal
audience|对象|audience
domain|领域|domain
sites|站点|sites
testers|试用人|testers
named-testers|指定试用人|named testers
text|文本建模|text
label|标签分类|labels
refused|被拒绝|refused
draft|草稿|draft
submitted|评审中|under review
approved|已批准|approved
rejected|已驳回|rejected
withdrawn|已撤回|withdrawn
approve|同意|approve
reject|反对|reject
abstain|未判定|abstain
pass|通过|pass
fail|未通过|fail
valid|有效|valid
suspended|已中止|suspended
revoked|已撤销|revoked
expired|已过期|expired
project|立项|project
trial|试用|trial
release|发布|release
source|来源|source
documents|文档|documents
corpus|语料|corpus
tokenizer|分词器|tokenizer
tokens|词元|tokens
model|模型|model
evaluation|评测|evaluation
checks|检查|checks
checkpoint|检查点|checkpoint
exclusions|排除名单|exclusions
feedback|反馈|feedback
review|评审|review
permit|许可|permit
refine|精炼|refine
annotate|标注|annotate
train|训练|train
test|测试|test
excluded|排除|excluded
evaluate|评测|evaluate
serve|服务|serve
retrieve|检索|retrieve
redistribute|再分发|redistribute
inspect|查看|inspect
attribution|署名|attribution
share-alike|相同方式共享|share alike
non-commercial|非商业性使用|non-commercial
no-derivatives|禁止演绎|no derivatives
public-domain-official|官方文件（不受著作权保护）|official document, no copyright
open-licence|开放许可|open licence
contract|合同|contract
public-data-authorised|公共数据授权运营|authorised public data
own-production|自有产出|own production
statutory-exception|法定例外|statutory exception
user-consent|用户同意|user consent
synthetic|合成|synthetic
unknown|未知|unknown
none|无|none
contains|含个人信息|contains personal information
pseudonymised|已假名化|pseudonymised
de-identified|已去标识化|de-identified
pipl-consent|同意（个保法十三条一项）|consent (PIPL 13(1))
pipl-contract|合同或人事管理（个保法十三条二项）|contract or HR (PIPL 13(2))
pipl-legal-duty|法定职责（个保法十三条三项）|legal duty (PIPL 13(3))
pipl-emergency|突发事件（个保法十三条四项）|emergency (PIPL 13(4))
pipl-news|新闻报道（个保法十三条五项）|news reporting (PIPL 13(5))
pipl-disclosed|已公开信息（个保法十三条六项）|already disclosed (PIPL 13(6))
pipl-other-law|其他法定情形（个保法十三条七项）|other law (PIPL 13(7))
public|公开|public
general|一般|general
important|重要|important
core|核心|core
state-secret|国家秘密|state secret
authority|权利依据|authority
personal|个人信息依据|personal information
security|安全等级|security class
purpose|用途|purpose
expiry|期限|expiry
territory|地域|territory
withdrawal|撤回|withdrawal
read|读取|read
unicode|字符修复|Unicode repair
exclude|撤回名单|exclusions
exact-duplicates|完全重复|exact duplicates
near-duplicates|近似重复|near-duplicates
passages|重复段落|repeated passages
earlier|以往发布|earlier releases
decontaminate|剔除评测题目|decontamination
length|长度|length
script|文字|script
mask|遮蔽个人信息|masking
split|划分|split
pack|装箱|pack
ngram|n 元基线|n-gram baseline
linear|线性基线|linear baseline
check|规则检查|check
exact-duplicate|与另一文档完全相同|identical to another document
repeated-id|同一文档读到两次|the same document read twice
near-duplicate|与另一文档近似相同|nearly identical to another document
older-version|同一文件的旧版本|older version of a document
version-of|同一文件的另一版本|version of another document
contained|内容见于其他文档|contained in other documents
released-before|以往发布中已有|released before
nearly-released-before|与以往发布的文档近似|nearly a document released before
in-evaluation-set|含有评测题目|holds an evaluation item
repeated-passage|与其他文档重复的段落|passage of another document
evaluation-item|评测题目|evaluation item
too-short|过短|too short
too-long|过长|too long
not-han|汉字比例过低|too few Han characters
withdrawn-document|文档已撤回|document withdrawn
withdrawn-source|来源已撤回|source withdrawn
withdrawn-subject|当事人已撤回|subject withdrew
verbatim-in-train|原文已见于训练集|appears verbatim in training
no-reader|没有可用的读取器|no reader takes it
duplicate-key|键重复|key repeated
mobile|手机号|mobile number
email|电子邮箱|e-mail address
id-card|身份证号|ID-card number
bank-card|银行卡号|bank card
bits_per_character|每字比特数|bits per character
bits per character|每字比特数|bits per character
accuracy|准确率|accuracy
macro_f1|宏平均 F1|macro F1
macro-f1|宏平均 F1|macro F1
perplexity|困惑度|perplexity
generate|生成|generation
language-modelling|语言建模|language modelling
classify|分类|classification
department|部门分类|department
majority|多数类|majority class
uniform|均匀分布|uniform
authority over the work is unknown|作品的权利依据未知|
whether it holds personal information, and on what ground, is unknown|是否含个人信息、依据为何，均未知|
the purpose for which the personal information was collected is not stated|未说明收集个人信息的目的|
the security class is unknown|安全等级未知|
the permission has expired|许可期已过|
"""

_KNOWN = {slug: Words(zh, en or slug) for slug, zh, en in (line.split("|") for line in (_PAIRS + PAIRS).split("\n") if line)}


def say(slug: str) -> Words:
    """The words for a slug, or those of its family; the slug itself where there are none."""
    if slug in _KNOWN:
        return _KNOWN[slug]
    for prefix, (zh, en) in FAMILIES.items():
        if slug.startswith(prefix):
            rest = say(slug.removeprefix(prefix))
            return Words(zh + rest.zh, en + rest.en)
    return Words(slug, slug)


def knows(slug: str) -> bool:
    """Whether there are words for a slug, its own or its family's."""
    return slug in _KNOWN or slug.startswith(tuple(FAMILIES))
