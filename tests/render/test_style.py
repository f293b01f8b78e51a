"""The static look survives sanitisers and reads on any ground."""

from __future__ import annotations

import re

import nh3
import pytest

from claude_nb.render.html import turn_html
from claude_nb.render.style import STYLES, Look

from .inspect_html import MATHML, Page
from .samples import ROOT, failed_turn, rich_turn

STATIC = Look(live=False, root=ROOT)
WHITE, BLACK = (255.0, 255.0, 255.0), (17.0, 17.0, 17.0)
INK = {WHITE: (33.0, 33.0, 33.0), BLACK: (224.0, 224.0, 224.0)}
PAGES = pytest.mark.parametrize("page", [WHITE, BLACK], ids=["white", "black"])
GROUNDS_OF_CODE = ["fence", "lit", "diff"]

Colour = tuple[float, float, float]


def literal(style: str, name: str) -> tuple[Colour, float] | None:
    """The last value of a property, with its opacity."""
    found = re.findall(rf"(?:^|;){name}:(#[0-9a-f]{{3,6}}|rgba\([^)]*\))", style)
    if not found:
        return None
    if found[-1].startswith("#"):
        digits = found[-1][1:]
        digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
        return tuple(int(digits[i : i + 2], 16) for i in (0, 2, 4)), 1.0  # type: ignore[return-value]
    *rgb, alpha = (float(x) for x in found[-1][5:-1].split(","))
    return tuple(rgb), alpha  # type: ignore[return-value]


def over(colour: Colour, alpha: float, ground: Colour) -> Colour:
    return tuple(alpha * c + (1 - alpha) * g for c, g in zip(colour, ground, strict=True))  # type: ignore[return-value]


def contrast(a: Colour, b: Colour) -> float:
    def luminance(colour: Colour) -> float:
        r, g, b = ((c / 255 / 12.92) if c <= 10.31 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    bright, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def opacity(style: str) -> float:
    found = re.search(r"(?:^|;)opacity:([\d.]+)", style)
    return float(found[1]) if found else 1.0


@PAGES
@pytest.mark.parametrize("name", STYLES)
def test_text_of_every_class_can_be_read_on_white_and_on_black(name: str, page: Colour):
    style = STYLES[name]
    colour, ground = literal(style, "color"), literal(style, "background")
    if colour and not ground:
        return  # a colour of code: measured on its own grounds below
    card = literal(STYLES["tool"], "background")
    assert card is not None
    below = over(*ground, page) if ground else over(*card, page)
    ink = colour[0] if colour else INK[page]
    # Thinking and quotes may dim what is dimmed in them already (a fold, a label): the worst case is both.
    worst = over(ink, opacity(style) * 0.85, below) if opacity(style) < 1 else ink
    assert contrast(worst, below) >= 4.5


@pytest.mark.parametrize("ground", GROUNDS_OF_CODE)
@pytest.mark.parametrize("name", ["k", "s", "n", "c", "f", "b", "o", "gi", "gd", "hunk"])
def test_colours_of_code_can_be_read_on_its_grounds(name: str, ground: str):
    colour, below = literal(STYLES[name], "color"), literal(STYLES[ground], "background")
    assert colour is not None
    assert below is not None
    assert contrast(colour[0], below[0]) >= 4.5


@pytest.mark.parametrize("name", STYLES)
def test_a_literal_ground_comes_with_a_literal_text_colour(name: str):
    ground = literal(STYLES[name], "background")
    if ground and ground[1] == 1.0:
        assert literal(STYLES[name], "color"), "text would take the page's colour onto a ground of ours"


def test_colours_of_code_stand_only_on_grounds_chosen_for_them():
    marked = Look(live=True, root=ROOT)
    html = turn_html(rich_turn(), marked)
    for box in re.findall(r'<pre class="([^"]*)">(.*?)</pre>', html, re.DOTALL):
        if re.search(r'class="cnb-(?:k|s|n|c|f|b|o)"', box[1]):
            assert {c.removeprefix("cnb-") for c in box[0].split()} & set(GROUNDS_OF_CODE)


def test_the_static_look_needs_nothing_that_front_ends_strip():
    for turn in (rich_turn(), failed_turn()):
        page = Page(turn_html(turn, STATIC))
        assert page.problems == []
        assert {"class", "id"}.isdisjoint(name for _, name, _ in page.attributes)
        assert not [name for _, name, _ in page.attributes if name.startswith("data-")]


def test_both_looks_of_a_turn_have_the_same_structure():
    live = turn_html(rich_turn(), Look(live=True, root=ROOT))
    assert [tag for tag in Page(live).tags if tag not in MATHML] == Page(turn_html(rich_turn(), STATIC)).tags
    assert "style=" not in live


def test_every_class_of_the_live_look_that_matters_has_a_static_style():
    unstyled = {"link", "maths", "maths-block", "running", "question", "open", "doing"}
    used = {c.removeprefix("cnb-") for turn in (rich_turn(), failed_turn()) for c in _classes(turn)}
    assert used - set(STYLES) <= unstyled


def _classes(turn) -> set[str]:
    values = re.findall(r'class="([^"]*)"', turn_html(turn, Look(live=True)))
    return {name for value in values for name in value.split()}


# What GitHub documents to keep of HTML in Markdown: no styles, no classes.
_KEPT_BY_GITHUB = """
    h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p ol ul table thead tbody tfoot
    blockquote dl dt dd kbd q samp var hr li tr td th s strike summary details span
"""


def test_without_any_style_the_output_still_reads():
    html = nh3.clean(
        turn_html(rich_turn(), STATIC),
        tags=set(_KEPT_BY_GITHUB.split()),
        attributes={"a": {"href"}, "img": {"src", "alt"}, "details": {"open"}},
        url_schemes={"http", "https", "mailto", "data"},
    )
    page = Page(html)
    assert "style" not in {name for _, name, _ in page.attributes}
    for words in ("Thought for 3.2s", "Read src/load.py 5 lines ✓", "$ git ls-files", "Bash ls nowhere exit 2 failed"):
        assert words in page.text
    # Rows of a diff keep their lines and their signs.
    assert "\n-def load(path):\n" in page.text
    assert "\n+    with open(path) as file:\n" in page.text
    assert "☑ Find the slow part" in page.text
    assert page.tags.count("details") > 8
