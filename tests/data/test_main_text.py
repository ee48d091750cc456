from __future__ import annotations

import pytest

from touyan.data.readers.html import page

BODY = "各级人民政府应当加强领导，将所需经费列入预算。"
LINKS = "".join(f"<li><a href='/{i}'>另一篇文章的标题{i}</a></li>" for i in range(8))


def main(markup: str) -> str:
    return page(markup.encode())[0]


@pytest.mark.parametrize(
    "frame",
    [
        f"<nav>{BODY}</nav>",
        f"<div class='top-nav'>{BODY}</div>",
        f"<div id='footer'><p>{BODY}</p></div>",
        f"<footer><div class='copyright'>{BODY}</div></footer>",
        f"<div><h3></h3><ul>{LINKS}</ul></div>",
        "<p><a>首页</a> | <a>新闻</a> | <a>服务</a> > <a>联系</a></p>",
        "<p hidden>看不见</p>",
    ],
)
def test_what_leads_elsewhere_is_no_main_text(frame: str) -> None:
    body = "".join(f"<p>{number}{BODY}</p>" for number in range(5))
    assert main(frame + body) == main(body + frame) == "\n".join(f"{number}{BODY}" for number in range(5))


@pytest.mark.parametrize(
    "content",
    [
        "<ul><li>第一</li><li>第二</li><li>第三</li></ul>",
        "<table><tr><th>项目</th><th>标准</th></tr><tr><td>一</td><td>十元</td></tr></table>",
        "<p>附件：</p><p><a>附件一</a></p><p><a>附件二</a></p>",
        "<p>" + "".join(f"<a>词条{i}</a>，" for i in range(9)) + "等。</p>",
        "<header><h1>标题</h1></header>",
        "<div class='footnotes'>注：见附表。</div>",
    ],
)
def test_lists_tables_attachments_and_notes_stay(content: str) -> None:
    assert main(f"<p>{BODY}</p>{content}").count("\n") >= 1


def test_a_page_of_links_keeps_them() -> None:
    text, values = page(f"<ul>{LINKS}</ul>".encode())
    assert text.count("\n") == 7
    assert values["main_percent"] == "100"
    assert int(values["link_percent"] or 0) > 90


def test_a_body_that_is_named_like_a_frame_stays() -> None:
    assert main(f"<div class='nav-wrap'><p>{BODY}</p><div class='menu'>菜单</div></div><p>尾</p>") == f"{BODY}\n尾"


def test_the_date_of_a_page_is_a_value() -> None:
    assert page(f'<meta name="PubDate" content="2024-03-05 10:00"><p>{BODY}'.encode())[1]["date"] == "2024-03-05 10:00"


def test_marks_that_a_page_brings_are_spaces() -> None:
    assert main("<p>a\x1cb\x1ec\x02d</p>") == "a b c d"


def test_frames_nested_without_end_are_read() -> None:
    assert "deep" in main("<nav>" * 3_000 + "deep")
