"""Markdown -> HTML: which constructs count, and how they look."""

from __future__ import annotations

import pytest

from claude_nb.render.markdown import MarkdownStream, safe_markdown, to_html
from claude_nb.render.style import Look

from .inspect_html import Page

LIVE, STATIC = Look(live=True), Look(live=False)


def html(text: str) -> str:
    return to_html(text, LIVE)


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("# One", '<h1 class="cnb-h1">One</h1>'),
        ("*a* **b** ~~c~~", "<em>a</em> <strong>b</strong> "),
        ("`x < y`", '<code class="cnb-code">x &lt; y</code>'),
        ("> quote", '<blockquote class="cnb-quote">'),
        ("3. three", '<ol start="3"'),
        ("| a |\n|--:|\n| 1 |", '<td class="cnb-td cnb-right">1</td>'),
        ("- [x] done", '<li class="cnb-task">☑ done</li>'),
        ("- [ ] open", '<li class="cnb-task">☐ open</li>'),
        ("see https://a.example/b.", 'href="https://a.example/b"'),
        ("<me@b.example>", 'href="mailto:me@b.example"'),
        ("a  \nb", "<br>"),
        ("---", '<hr class="cnb-rule">'),
    ],
)
def test_a_construct_becomes_its_element(text: str, piece: str):
    assert piece in html(text)


def test_bare_words_with_dots_are_no_links():
    assert "<a" not in html("see app.py and example.com")


def test_code_of_a_known_language_has_colours_and_of_another_none():
    assert '<span class="cnb-k">def ' in html("```python\ndef f(): pass\n```")
    assert "<span" not in html("```nosuch\ndef f(): pass\n```")
    assert "<span" not in html("```\ndef f(): pass\n```")


@pytest.mark.parametrize("code", ["\n\n  x = 1\n\n", "tab\there", "a &amp; <b>", "x" * 40_000])
def test_code_keeps_every_character(code: str):
    assert Page(html(f"```python\n{code}\n```")).text.rstrip("\n") == code.rstrip("\n")


@pytest.mark.parametrize(
    "tex",
    [
        "$x_1 * y_2$",
        r"$\frac{a}{b}$",
        r"\(a_b\)",
        r"\[a_b\]",
        "$$x$$",
        "$$\na_1 \\\\\nb_2\n$$",
        "$a<b$",
        r"\[" + "\nx\n" + r"\]",
    ],
)
def test_a_formula_keeps_its_source_for_the_front_end(tex: str):
    assert Page(to_html(tex, STATIC)).text.strip() == tex
    assert any("cnb-maths" in value for _, name, value in Page(html(tex)).attributes if name == "class")


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $6",
        "from $5 to $6.",
        "$HOME/$USER",
        "costs 5$ or 6$",
        "$ x $",
        "`$x$`",
        "$$ open\n\nwords $$",
        "US$5, CA$6",
    ],
)
def test_dollars_that_are_no_formula_stay_text_that_no_typesetter_pairs(text: str):
    page = Page(html(text))
    assert not any("cnb-maths" in value for _, _, value in page.attributes)
    if "`" not in text:
        assert page.text.split() == text.split()
        assert html(text).count("<span>$</span>") == text.count("$")


def test_a_formula_in_a_list_or_a_quote_belongs_to_it():
    for text in ("- a\n  $$\n  x\n  $$\n- b", "> $$\n> x\n> $$"):
        assert "<div>$$\nx\n$$</div>" in to_html(text, STATIC)
        assert '<div class="cnb-maths-block"><math' in html(text)


def test_a_display_formula_that_a_blank_line_cuts_is_text():
    page = Page(html("$$\na\n\nb\n$$"))
    assert not any("cnb-maths" in value for _, _, value in page.attributes)


def test_markdown_for_other_viewers_sets_lone_dollars_apart_and_keeps_formulas():
    text = "It is $5 of \\$60; $x_1$ and\n\n$$\ny\n$$\n"
    assert safe_markdown(text) == text.replace("$5", "<span>&#36;</span>5").replace("\\$", "<span>&#36;</span>")


def test_both_looks_have_the_same_structure():
    text = "# T\n\n- a `b`\n\n```python\nx = 1\n```\n\n| a |\n|---|\n| 1 |\n"
    assert Page(to_html(text, LIVE)).tags == Page(to_html(text, STATIC)).tags


@pytest.mark.parametrize(
    "start", [">" * 500, "- " * 300, "[" * 5000, "*" * 5000, "`" * 5001, "\\[" * 3000, "$" * 3000, "$a" * 3000]
)
@pytest.mark.timeout(20)
def test_deep_and_unbalanced_markdown_ends_soon(start: str):
    text = start + "x"
    assert Page(html(text)).problems == []
    safe_markdown(text)


def test_escape_sequences_and_control_characters_never_arrive():
    assert Page(html("a\x1b[31mb\x1b]0;title\x07c\x00\x9bd")).text.strip() == "abc"


@pytest.mark.parametrize(
    "nested",
    [
        "\n".join(f"{'  ' * depth}- level {depth}" for depth in range(80)),
        ">" * 200 + " level 79",
        "- " * 80 + "level 79",
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_nothing_is_hidden_below_or_after_what_is_nested_too_deeply(nested: str, streamed: bool):
    text = f"# Title\n\n{nested}\n\nThe <end>.\n"
    stream = MarkdownStream(LIVE)
    page = "".join([*stream.feed(text), *stream.close()]) if streamed else html(text)
    assert '<h1 class="cnb-h1">Title</h1>' in page
    assert "level 79" in page
    assert "The &lt;end&gt;." in page
