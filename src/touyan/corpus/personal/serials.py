"""Words that name a number as something else than a person's: 单号, 编号, 受理号, ISBN.

Owns the words. Knows nothing about numbers. Invariant: only a word right before the number speaks for it.
"""

from __future__ import annotations

import re

_WORD = re.compile(
    r"(?:(?:流水|受理|受案|工单|案件|订单|单据|运单|面单|快递|设备|产品|合同|发票|票据|凭证|批|序列|档案|备案|登记|注册|许可证?|追溯|交易|申请|专利|"
    r"项目|资产|出厂|标准|型|案|文|刊|书)号码?|编号|单号|编码|条码|代码|序号|IMEI|ISBN|S/?N|[Ss]erial|[A-Z]/?T)[为是:：]{0,2} ?\Z"
)
_LONGEST = 12


def is_serial(text: str, start: int) -> bool:
    """Whether the number at `start` stands right after a word for serials."""
    return bool(_WORD.search(text, max(0, start - _LONGEST), start))
