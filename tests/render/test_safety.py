"""Nothing a model, a tool or a server says can act on the page, in any place where it is drawn."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from claude_nb.render.bundle import turn_bundle
from claude_nb.render.html import block_html, footer_html, status_html, turn_html
from claude_nb.render.markdown import MarkdownStream, safe_markdown, to_html
from claude_nb.render.sanitize import sanitize
from claude_nb.render.style import STYLES, Look

from .inspect_html import Page
from .samples import ATTACKS, hostile_turn, rich_turn
from .strategies import markdown

LIVE, STATIC = Look(live=True), Look(live=False)
LOOKS = pytest.mark.parametrize("look", [LIVE, STATIC], ids=["live", "static"])
ATTACK = pytest.mark.parametrize("attack", ATTACKS)

hostile_markdown = st.lists(st.sampled_from(ATTACKS) | markdown, min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from(["\n", "\n\n", " ", "\n> ", "\n- ", "\n    "]).map(lambda glue: glue.join(parts))
)


@LOOKS
@ATTACK
def test_an_attack_in_every_string_of_a_turn_stays_text(attack: str, look: Look):
    turn = hostile_turn(attack)
    for html in (turn_html(turn, look), footer_html(turn, look), status_html(turn, look)):
        assert Page(html).problems == []
    for block in turn.blocks:
        assert Page(block_html(block, look)).problems == []


@LOOKS
@ATTACK
def test_an_attack_cut_by_the_stream_stays_text(attack: str, look: Look):
    stream = MarkdownStream(look)
    for char in attack:
        for html in stream.feed(char):
            assert Page(html).problems == []
        assert Page(stream.tail_html()).problems == []
    assert Page("".join(stream.close())).problems == []


@settings(max_examples=300, deadline=None)
@given(hostile_markdown)
def test_attacks_among_other_markdown_stay_text(text: str):
    for look in (LIVE, STATIC):
        assert Page(to_html(text, look)).problems == []


@settings(max_examples=300, deadline=None)
@given(hostile_markdown)
def test_sanitising_again_changes_nothing(text: str):
    html = re.sub(r"<math.*?</math>", "", to_html(text, LIVE), flags=re.DOTALL)  # put in behind the gate
    assert sanitize(html) == html


def test_text_that_looks_like_our_own_classes_gets_no_style():
    html = to_html('Write `class="cnb-bad"` or <p class="cnb-bad">.', STATIC)
    assert STYLES["bad"] not in html
    assert 'class="cnb-bad"' in Page(html).text


def test_foreign_classes_styles_and_schemes_do_not_pass_the_gate():
    html = sanitize(
        '<p class="jp-Cell cnb-p" style="color:red" id="a">x</p><a href="data:text/html,x">y</a>'
        '<img src="https://e.vil/x.png"><img src="data:image/svg+xml;base64,PHN2Zz4="><b class="cnb-p">z</b>'
    )
    assert html.count("class=") == 1
    assert not re.search(r"style|id=|href|src=", html)


def test_links_open_in_a_new_tab_that_cannot_reach_back():
    html = to_html("[a](https://a.example) https://b.example <mailto:c@d.example>", LIVE)
    assert html.count('target="_blank"') == html.count("noopener") == 3


def test_a_link_that_hides_its_address_shows_it_as_a_hint():
    assert 'title="https://evil.example"' in to_html("[https://bank.example](https://evil.example)", LIVE)


@pytest.mark.parametrize("url", ["src/app.py", "javascript:alert(1)", "file:///etc/passwd", "//e.vil", "ftp://a.b"])
def test_a_link_that_is_not_web_or_mail_becomes_its_text_with_the_address_as_a_hint(url: str):
    html = to_html(f"[the file]({url})", LIVE)
    assert "<a" not in html
    assert "the file" in html
    assert f'title="{url}"' in html


def test_a_remote_picture_is_offered_as_a_link_and_never_loaded():
    html = to_html("![the *plot*](https://a.example/p.png)", STATIC)
    assert "<img" not in html
    assert 'href="https://a.example/p.png"' in html
    assert "the plot" in html


# -- text/markdown ---------------------------------------------------------------------------------------------------

_VIEWERS = {
    "commonmark": MarkdownIt("commonmark", {"html": True}),
    "gfm": MarkdownIt("js-default", {"html": True, "linkify": False}),
}
for _viewer in _VIEWERS.values():
    _viewer.validateLink = lambda url: True  # a viewer that checks nothing
_MADE_BY_MARKDOWN = """
    a blockquote br code em h1 h2 h3 h4 h5 h6 hr img li ol p pre s span strong table tbody td th thead tr ul
"""


def dangers(text: str) -> list[str]:
    """What a trusting viewer would do with it."""
    found = []
    for name, viewer in _VIEWERS.items():
        page = Page(viewer.render(text))
        found += [f"{name}: {tag}" for tag in page.tags if tag not in _MADE_BY_MARKDOWN.split()]
        for tag, attribute, value in page.attributes:
            if attribute.startswith("on") or (attribute in ("style", "id") and tag not in ("td", "th")):
                found.append(f"{name}: {tag} {attribute}")
            if attribute == "href" and re.match(r"[\x00-\x20]*(?!https?:|mailto:)[a-z][a-z0-9+.-]*:", value, re.I):
                found.append(f"{name}: link to {value}")
            if attribute == "src":
                found.append(f"{name}: loads {value}")
    return found


@ATTACK
def test_markdown_of_a_hostile_turn_is_harmless_in_a_viewer_that_trusts_it(attack: str):
    assert dangers(turn_bundle(hostile_turn(attack), STATIC)["text/markdown"]) == []


@settings(max_examples=500, deadline=None)
@given(hostile_markdown)
def test_safe_markdown_is_harmless_whatever_it_is_made_of(text: str):
    assert dangers(safe_markdown(text)) == []


@settings(max_examples=500, deadline=None)
@given(hostile_markdown)
def test_no_viewer_however_it_parses_can_find_a_tag_or_a_picture(text: str):
    safe = re.sub(r"</?(?:pre|code)>|<span>&#36;</span>", "", safe_markdown(text))
    assert not re.search(r"<[A-Za-z/!?]|!\\?\[", safe)


@settings(max_examples=200, deadline=None)
@given(hostile_markdown)
def test_making_it_safe_twice_is_making_it_safe_once_to_a_viewer(text: str):
    assert dangers(safe_markdown(safe_markdown(text))) == []


def test_harmless_markdown_passes_unchanged():
    text = (
        "# Title\n\nSome *words*, `x < y`, 3 < 4, a [link](https://a.example), [another](notes.md#part)\n\n"
        "```python\nif a < b:\n    print('ok')\n```\n\n- [x] done\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$x_1 < 2$\n"
    )
    assert safe_markdown(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "```html\n<div>\n  <b>\n```",
        "- a\n  ```html\n  <div>\n    <b>\n  ```\n- b",
        "> ```\n> <div>\n>   <b>\n> ```",
        "    <div>\n      <b>",
    ],
)
def test_code_with_tags_still_reads_as_code(text: str):
    page = Page(_VIEWERS["gfm"].render(safe_markdown(text)))
    assert "<div>\n  <b>" in page.text
    assert "pre" in page.tags


def test_inline_code_with_tags_still_reads_as_code():
    page = Page(_VIEWERS["gfm"].render(safe_markdown("Use `<b>*bold*</b>` here")))
    assert page.text.strip() == "Use <b>*bold*</b> here"
    assert "code" in page.tags
    assert "em" not in page.tags


def test_commands_of_tex_that_make_links_never_reach_the_typesetter():
    for text in (r"$\href{javascript:alert(1)}{x}$", r"\(\url{x}\)", "$$\n\\style{x}{y}\n$$", r"\href{a}{b}"):
        html = to_html(text, STATIC)
        outside_code = re.sub(r"<(code|pre)[^>]*>.*?</\1>", "", html, flags=re.DOTALL)
        assert not re.search(r"\\(?:href|url|style)", outside_code)
        assert not re.search(r"\\(?:href|url|style)", safe_markdown(text))


def test_every_bundle_of_a_good_turn_is_clean():
    bundle = turn_bundle(rich_turn(), STATIC)
    assert Page(bundle["text/html"]).problems == []
    assert dangers(bundle["text/markdown"]) == []
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", bundle["text/plain"])
