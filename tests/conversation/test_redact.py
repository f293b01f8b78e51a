"""Secrets never reach the display or a recording, whatever the cuts of the stream."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_nb.conversation.redact import Redactor
from claude_nb.errors import ProcessError, ResultError

ENVIRON = {
    "MY_API_KEY": "correct-horse-battery",
    "DB_PASSWORD": "hunter2hunter2",
    "SHORT_TOKEN": "abc",
    "SSH_KEY_TOKEN": "/home/me/.ssh/key",
    "EDITOR": "some-editor-name",
    "NESTED_SECRET": "correct-horse-battery-staple",
}
ANTHROPIC = "sk-ant-" + "a1B2" * 8
SECRETS = ["correct-horse-battery", "hunter2hunter2", "correct-horse-battery-staple", ANTHROPIC, "AKIA" + "X7" * 8]


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(ENVIRON)


def test_a_value_of_a_secret_variable_is_replaced_by_its_name(redactor: Redactor) -> None:
    assert redactor.text("psql -W hunter2hunter2 now") == "psql -W [redacted: DB_PASSWORD] now"


def test_the_longer_of_two_nested_secrets_is_replaced_whole(redactor: Redactor) -> None:
    assert redactor.text("x correct-horse-battery-staple y") == "x [redacted: NESTED_SECRET] y"


def test_half_a_secret_at_the_end_of_a_shortened_text_is_left_out(redactor: Redactor) -> None:
    assert redactor.excerpt("psql -W hunter2hun…") == "psql -W …"
    assert redactor.excerpt("psql -W hunter2hunter2…") == "psql -W [redacted: DB_PASSWORD]…"
    assert redactor.excerpt("say hunter2hun") == "say hunter2hun"


def test_an_error_loses_its_secrets_in_all_its_parts_and_what_it_came_from() -> None:
    error = ProcessError("no hunter2hunter2", 3, "stderr: hunter2hunter2")
    error.__cause__ = cause = ResultError("hunter2hunter2", {"errors": ["hunter2hunter2"]})
    cause.__context__ = error  # a ring ends, too
    Redactor(ENVIRON).error(error)
    assert "hunter2" not in repr((error, vars(error), cause, vars(cause)))
    assert str(error).count("[redacted: DB_PASSWORD]") == 2


@pytest.mark.parametrize("harmless", ["abc", "/home/me/.ssh/key", "some-editor-name", "task-force", "sk-learn", "AKIA"])
def test_short_values_paths_and_ordinary_words_stay(redactor: Redactor, harmless: str) -> None:
    assert redactor.text(f"say {harmless}.") == f"say {harmless}."


def test_known_key_formats_are_found_without_knowing_the_key(redactor: Redactor) -> None:
    assert redactor.text(f"key={ANTHROPIC}") == "key=[redacted: key]"


def test_a_private_key_block_is_replaced_whole(redactor: Redactor) -> None:
    block = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"
    assert redactor.text(f"a {block} b") == "a [redacted: private key] b"


def test_nested_values_are_searched(redactor: Redactor) -> None:
    value = {"env": ["hunter2hunter2", 3, None], "n": {"x": ANTHROPIC}}
    assert redactor.value(value) == {"env": ["[redacted: DB_PASSWORD]", 3, None], "n": {"x": "[redacted: key]"}}


words = st.lists(st.one_of(st.sampled_from([*SECRETS, "sk-ant-", "AKIA", "corr", "-----BEGIN X"]), st.text(max_size=8)))


@given(words, st.lists(st.integers(0, 200), max_size=40))
def test_any_cutting_of_a_stream_hides_every_secret(parts: list[str], cuts: list[int]) -> None:
    redactor = Redactor(ENVIRON)
    text = " ".join(parts)
    stream = redactor.stream()
    edges = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    shown = "".join(stream.feed(text[a:b]) for a, b in pairwise(edges)) + stream.close()
    assert shown == redactor.text(text)


def test_text_without_secrets_is_not_held_back(redactor: Redactor) -> None:
    stream = redactor.stream()
    assert stream.feed("Hello, this is plain prose.") == "Hello, this is plain prose."
