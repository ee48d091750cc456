"""The refinery's vocabulary: operators, reasons, labels of spans, kinds of identifiers, categories of lexicons, languages.

Owns the words for slugs of `corpus` in Simplified Chinese and English. Knows nothing about layout. Invariant: every slug that a
shipped operator writes has words, its own or those of its family.
"""

from __future__ import annotations

PAIRS = """
encoding|编码修复|encoding repair
punctuation|标点宽度|punctuation
simplified|繁简转换|simplified script
boilerplate|网页版面文字|boilerplate
language|语言|language
repetition|重复度|repetition
quality|质量|quality
lexicon|词表|lexicons
mojibake|乱码已还原|mojibake restored
mirror-mark|镜像页拼音注记|pinyin mark of a mirror page
torn-bytes|断裂字节已还原|torn bytes restored
damage|损坏处|damage
entity|字符实体|character entity
half-width|半角标点|half-width mark
traditional|繁体字|traditional characters
mixed-script|繁简混用|mixed script
suspected-mirror|疑为镜像站拷贝|suspected copy by a mirror site
mirror-unproved|镜像页，修复未获证实|mirror page, repair not proved
mojibake-repaired|乱码已修复|mojibake repaired
mojibake-unproved|乱码，修复未获证实|mojibake, repair not proved
ruined|文字已毁|ruined text
lost-characters|字符丢失|lost characters
stray-replacement|个别字符丢失|a stray lost character
line-end|换行符|line end
invisible|不可见字符|invisible character
control|控制字符|control character
private-use|私用区字符|private-use character
noncharacter|非字符码位|noncharacter
composition|组合字符|composition
trailing-space|行末空白|trailing space
indent|段首缩进|indent
space|空白种类|kind of space
only-boilerplate|只有版面文字|nothing but boilerplate
meta.title|标题（留作元数据）|title, kept as metadata
meta.date|日期（留作元数据）|date, kept as metadata
meta.source|出处（留作元数据）|source, kept as metadata
meta.author|作者（留作元数据）|author, kept as metadata
meta.licence|版权与备案（留作元数据）|licence and notices, kept as metadata
foreign-language|其他语言的段落|passage in another language
repeated-lines|行重复|repeated lines
repeated-passages|段落重复|repeated passages
repeated-words|词重复|repeated words
little-said|信息量过低|little said
low-quality|质量过低|low quality
doubtful-quality|质量存疑|doubtful quality
no-running-text|没有连贯文字|no running text
landline|固定电话|landline
hotline|服务热线|hotline
uscc|统一社会信用代码|unified social credit code
vin|车架号|vehicle identification number
plate|车牌号|number plate
passport|护照号|passport number
travel-permit|通行证号|travel permit number
social-card|社保卡号|social security card
wechat|微信号|WeChat account
qq|QQ 号|QQ account
ip|IP 地址|IP address
mac|MAC 地址|MAC address
birth-date|出生日期|date of birth
address|住址|home address
office-address|单位地址|office address
person|姓名|name of a person
gambling|赌博|gambling
loans|贷款|loans
fake-documents|假证|forged documents
contact|留联系方式|contact solicitation
sales|推销|sales talk
easy-money|轻松赚钱|easy money
search-spam|搜索作弊|search spam
piracy|盗版|piracy
insult|辱骂|insult
curse|咒骂|curse
threat|威胁|threat
hatred|仇恨|hatred
self-harm|自伤|self-harm
en|英语|English
ja|日语|Japanese
ko|韩语|Korean
ru|俄语|Russian
de|德语|German
fr|法语|French
es|西班牙语|Spanish
pt|葡萄牙语|Portuguese
it|意大利语|Italian
vi|越南语|Vietnamese
th|泰语|Thai
ar|阿拉伯语|Arabic
ug|维吾尔语|Uyghur
bo|藏语|Tibetan
mn|蒙古语|Mongolian
kk|哈萨克语|Kazakh
zh|中文|Chinese
yue|粤语|Cantonese
lzh|文言|classical Chinese
latin|拉丁字母文字|Latin script
cyrillic|西里尔字母文字|Cyrillic script
arabic|阿拉伯字母文字|Arabic script
code|程序代码|code
und|未能判定|undetermined
counted|计数|counted
machine|机器|machine
human|人工|people
"""
"""slug|Chinese|English"""

FAMILIES = {
    "language-": ("语言：", "language: "),
    "lexicon-": ("命中词表：", "lexicon: "),
    "holds-": ("含有：", "holds: "),
}
"""Slugs that are made of one of these and another slug."""
