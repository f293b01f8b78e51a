"""Formulas of a live page as MathML: what is set, what stays as it was written, and that nothing else comes out."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_nb.render.markdown import MarkdownStream, to_html
from claude_nb.render.mathml import set_formulas, to_mathml
from claude_nb.render.style import Look

from .inspect_html import Page

LIVE, STATIC = Look(live=True), Look(live=False)


@pytest.mark.parametrize(
    ("formula", "made"),
    [
        ("$x^2$", "<math><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>"),
        (r"\(\alpha<1\)", "<math><mrow><mi>α</mi><mo>&lt;</mo><mn>1</mn></mrow></math>"),
        ("$$x$$", '<math display="block"><mrow><mi>x</mi></mrow></math>'),
        (r"\[x\]", '<math display="block"><mrow><mi>x</mi></mrow></math>'),
        (r"$\begin{equation}x\end{equation}$", "<math><mrow><mi>x</mi></mrow></math>"),
    ],
)
def test_a_formula_is_set(formula: str, made: str):
    assert to_mathml(formula) == made


@pytest.mark.parametrize(
    "tex",
    [
        r"\hat{\beta} = (X^\top X)^{-1} X^\top y",
        r"\bar{x}_t = \frac{1}{w} \sum_{i=0}^{w-1} x_{t-i}",
        r"\int_0^\infty e^{-x}\,dx",
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
        r"f(x) = \begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
        r"\binom{n}{k} \sqrt[3]{x} \lim_{x \to 0} \mathbb{R} \mathcal{N}(0, \sigma^2)",
        r"\left( \frac{a}{b} \right) \quad 90^\circ \cdot \underbrace{a + b}_{n}",
    ],
)
def test_what_answers_about_data_are_full_of_is_set(tex: str):
    assert to_mathml(f"$${tex}$$") is not None


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{a",
        r"x_",
        r"a_b_c",
        r"\nosuchcommand x",
        r"\begin{tikzcd} a & b \end{tikzcd}",
        r"\phantom{hidden}",
        r"\text{<b>bold</b>}",
        "{" * 1500 + "}" * 1500,
        "x" * 5000,
        r"a \hspace{-50em} b",
    ],
)
def test_a_misfit_stays_as_it_was_written(tex: str):
    assert to_mathml(f"${tex}$") is None
    markup = f'<span class="cnb-maths">${tex.replace("<", "&lt;")}$</span>'
    assert set_formulas(markup) == markup


def test_space_beyond_the_usual_is_no_formula():
    assert to_mathml(r"$a \hspace{2em} b$") is not None
    assert to_mathml(r"$a \hspace{400em} b$") is None


def test_colours_sizes_and_links_do_not_come_out():
    for tex in (r"\color{white}{x}", r"\Huge x", r"\style{color:red}{x}", r"\class{a}{x}", r"\mathrel{\href{x}{y}}"):
        made = to_mathml(f"${tex}$") or ""
        assert not re.search("color|size|href|style|class|x:", made.replace("<mstyle>", "").replace("</mstyle>", ""))


_COMMANDS = r"""
    \frac \sqrt \text \color{red} \phantom \href{javascript:alert(1)} \begin{matrix} \end{matrix} & \\ ^ _ { } < > \" '
    \mathbf \left( \right) \hspace{9em} \operatorname \not \sum \def\a{b} \a \newcommand \unicode{60} &lt; <script> x 1
"""
COMMANDS = st.sampled_from(_COMMANDS.split())


@given(st.one_of(st.lists(COMMANDS, max_size=12).map(" ".join), st.text(max_size=40)))
@example("<math><mtext><script>alert(1)</script></mtext></math>")
def test_nothing_but_harmless_elements_and_escaped_text_comes_out(tex: str):
    made = to_mathml(f"${tex}$")
    assert made is None or Page(made).problems == []


TEXT = "Mean $\\bar{x}$:\n\n$$\n\\frac{1}{n}\n$$\n\n- $a_1$\n- b\n"


def test_a_live_page_has_mathml_whole_or_streamed_and_a_saved_one_keeps_the_tex():
    live = to_html(TEXT, LIVE)
    assert live.count("<math") == 3
    stream = MarkdownStream(LIVE)
    pieces = [html for letter in TEXT for html in stream.feed(letter)] + stream.close()
    assert "".join(pieces) == live
    saved = to_html(TEXT, STATIC)
    assert "<math" not in saved
    assert r"$\bar{x}$" in saved
