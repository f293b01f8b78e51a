"""What stands between double braces, and what becomes of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_nb.kernel.interpolate import interpolate
from claude_nb.kernel.values import Limits


class Touchy:
    @property
    def broken(self) -> str:
        raise RuntimeError("do not touch")

    def __str__(self) -> str:
        return "{{ name }} and {{ x }}"


NAMESPACE: dict[str, Any] = {
    "name": "Ada",
    "x": 3.14159,
    "n": 7,
    "d": {"k": [10, 20, 30], "a:b": "colon", "}}": "braces", 5: "five", -1: "minus"},
    "words": ["one", "two", "three"],
    "o": SimpleNamespace(inner=SimpleNamespace(value=42)),
    "touchy": Touchy(),
    "f": len,
    "text": "line one\nline two",
    "grid": {(1, "a"): "cell"},
}


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("Hello {{ name }}!", "Hello Ada!"),
        ("{{name}}{{name}}", "AdaAda"),
        ("pi is {{ x:.2f }}", "pi is 3.14"),
        ("{{ n:>4 }}", "   7"),
        ("{{ d['k'] }}", "[10, 20, 30]"),
        ('{{ d["k"][-1] }}', "30"),
        ("{{ d[5] }} {{ d[-1] }}", "five minus"),
        ('{{ d["a:b"] }}', "colon"),
        ('{{ d["}}"] }} }}', "braces }}"),
        ("{{ grid[1, 'a'] }}", "cell"),
        ("{{ words[1:] }}", "['two', 'three']"),
        ("{{ words[::-1][0] }}", "three"),
        ("{{ o.inner.value:04d }}", "0042"),
        ("```\n{{ text }}\n```", "```\nline one\nline two\n```"),
        ('{"a": {{ n }}}', '{"a": 7}'),
        ("{{ touchy }}", "{{ name }} and {{ x }}"),  # inserted values are not scanned again
    ],
)
def test_a_path_is_replaced_by_its_value(prompt: str, sent: str) -> None:
    result = interpolate(prompt, NAMESPACE)
    assert result.content == sent
    assert result.notices == []


@pytest.mark.parametrize(
    "prompt",
    [
        '{"name": {"x": 1}}',
        "{name} {x:.2f} {d['k']}",
        r"\frac{a}{b} and x^{{10}} and {{\bf x}}",
        "{{{name}}}",
        "{{{{ name }}}}",
        "f'{{\"x\": {x}}}'",
        "{{}}",
        "{{ }}",
        "{{ not python }}",
        "{{ name\n}}",
        "{% if a %}{{ 'literal' }}{% endif %}",
        "{{ missing + other }}",
        "}} {{",
        "{{ name",
    ],
)
def test_what_is_not_a_path_stays_and_nothing_is_said(prompt: str) -> None:
    result = interpolate(prompt, NAMESPACE)
    assert result.content == prompt
    assert result.notices == []
    assert result.inserted == []


@pytest.mark.parametrize(
    ("prompt", "notice"),
    [
        ("{{ missing }}", "{{ missing }} stays as it is: the notebook has no `missing`"),
        ("{{ user.name }}", "{{ user.name }} stays as it is: the notebook has no `user`"),
        ("{{ len }}", "{{ len }} stays as it is: the notebook has no `len`"),
        ("{{ d['no'] }}", "{{ d['no'] }} stays as it is: KeyError: 'no'"),
        ("{{ touchy.broken }}", "{{ touchy.broken }} stays as it is: RuntimeError: do not touch"),
        ("{{ name:.2f }}", "{{ name:.2f }} stays as it is: ValueError: Unknown format code 'f'"),
        ("{{ f(name) }}", "{{ f(name) }} stays as it is: only names, attributes and constant subscripts"),
        ("{{ n + n }}", "{{ n + n }} stays as it is: only names, attributes and constant subscripts"),
        ("{{ words[n] }}", "{{ words[n] }} stays as it is: only names, attributes and constant subscripts"),
    ],
)
def test_what_cannot_be_filled_in_stays_and_one_notice_says_why(prompt: str, notice: str) -> None:
    result = interpolate(f"a {prompt} b {prompt}", NAMESPACE)
    assert result.content == f"a {prompt} b {prompt}"
    assert len(result.notices) == 1
    assert result.notices[0].startswith(notice)


def test_a_call_is_never_made() -> None:
    called: list[int] = []
    interpolate("{{ called.append(1) }} {{ called.__class__([1]) }}", {"called": called})
    assert called == []


def test_long_values_are_cut_and_say_so() -> None:
    result = interpolate("{{ long }}", {"long": "x" * 5000}, limits=Limits(chars=100))
    assert result.content == "x" * 100 + "\n(cut: 100 of 5,000 characters)"
    assert result.notices == ["{{ long }} was cut: 100 of 5,000 characters were sent"]


def test_what_was_inserted_is_told() -> None:
    inserted = interpolate('{{ name }} {{ d["k"] }}', NAMESPACE).inserted
    assert [(i.path, i.type, i.kind, i.chars) for i in inserted] == [
        ("name", "str", "text", 3),
        ('d["k"]', "list", "text", 12),
    ]


def test_a_data_frame_becomes_a_table_with_shape_and_types() -> None:
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x|y", "z\nw"]})
    result = interpolate("Look at {{ df }} (shape {{ df.shape }})", {"df": frame})
    assert isinstance(result.content, str)
    lines = result.content.splitlines()
    assert lines[:3] == ["Look at ", "DataFrame, 2 rows × 2 columns", "|  | a (int64) | b (str) |"]
    assert lines[4:] == ["| 0 | 1 | x\\|y |", "| 1 | 2 | z\\nw |", " (shape (2, 2))"]
    assert result.inserted[0].kind == "table"


def test_a_picture_becomes_a_block_in_its_place() -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"data"
    result = interpolate("before {{ p }} after {{ name }}{{ p }}", {"p": picture, "name": "Ada"})
    assert isinstance(result.content, list)
    assert [block.get("text", block["type"]) for block in result.content] == [
        "before ", "image", " after Ada", "image",
    ]  # fmt: skip
    assert result.content[1]["source"]["media_type"] == "image/png"


def test_a_prompt_that_is_only_a_picture_has_no_blank_text() -> None:
    result = interpolate(" {{ p }}\n", {"p": b"\xff\xd8\xff rest"})
    assert [block["type"] for block in result.content] == ["image"]  # type: ignore[index]


@given(st.text(alphabet="{}ax.[]'\":() \n0+-", max_size=40))
def test_any_text_without_known_names_comes_out_as_it_went_in(text: str) -> None:
    assert interpolate(text, {}).content == text


# A TeX command right before the braces makes them its argument, which stays.
PLAIN = st.text(st.characters(exclude_characters="{}\\"), max_size=30)


@given(PLAIN, PLAIN)
def test_text_around_a_reference_is_kept(before: str, after: str) -> None:
    assert interpolate(f"{before}{{{{ v }}}}{after}", {"v": "VALUE"}).content == f"{before}VALUE{after}"


@pytest.mark.parametrize("text", [r"\frac{{a}}{{b}}", r"$\mathbf{{x}}$ and \operatorname*{{a}}", r"\sqrt{{a}}{{b}}"])
def test_doubled_braces_of_a_tex_command_stay(text: str) -> None:
    assert interpolate(text, {"a": 1, "b": 2, "x": 3}).content == text


def test_a_reference_beside_tex_is_filled_in() -> None:
    assert interpolate(r"\alpha = {{ a }}, {{ b }}", {"a": 1, "b": 2}).content == r"\alpha = 1, 2"
