"""Chinese words for what stands in records, for the files that offices read.

Owns the words only. Invariant: the record's own word stands beside its translation, so that nothing is told in words alone.
"""

from __future__ import annotations

AUTHORITY = {
    "public-domain-official": "官方文件 (不受著作权保护)", "open-licence": "开放许可", "contract": "合同",
    "public-data-authorised": "公共数据授权", "own-production": "自有作品", "statutory-exception": "法定例外",
    "user-consent": "用户同意", "synthetic": "合成数据", "unknown": "未知",
}  # fmt: skip
PERSONAL_STATE = {"none": "不含", "contains": "含有", "pseudonymised": "假名化", "de-identified": "去标识化", "unknown": "未知"}
SECURITY = {
    "public": "公开",
    "general": "一般",
    "important": "重要",
    "core": "核心",
    "state-secret": "国家秘密",
    "unknown": "未知",
}
OUTCOME = {"pass": "通过", "fail": "未通过", "abstain": "未能测量"}
KIND = {"project": "立项", "trial": "试用", "release": "发布"}
STATE = {"draft": "草稿", "submitted": "待评审", "approved": "已批准", "rejected": "已驳回", "withdrawn": "已撤回"}
DECISION = {"approve": "同意", "reject": "不同意"}
CONFIDENCE = {"official": "官方文本", "secondary": "二手文献", "memory": "待核"}
BLOCKS = {"fail": "未通过即阻断", "unless-passed": "须通过", "never": "仅记录"}


def bilingual(table: dict[str, str], word: str) -> str:
    """`通过 pass`; the word alone where the table does not know it."""
    return f"{table[word]} {word}" if word in table else word
