"""Lines become frames, however the bytes were cut."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_nb.protocol.framing import Framer, Garbage, decode, encode

FRAMES = [
    {"type": "a", "text": "two\u2028lines\u2029 and \x85 none"},
    {"type": "b", "text": "Grüße, 世界, 🦊"},
    {"type": "c", "n": [1, 2.5, None, True], "deep": {"x": {}}},
]
WIRE = b"".join(json.dumps(frame, ensure_ascii=False).encode() + b"\n" for frame in FRAMES)


def frames(chunks, **options):
    framer = Framer(**options)
    out = [item for chunk in chunks for item in framer.feed(chunk)]
    return out + framer.close()


def test_whole_and_byte_by_byte_give_the_same_frames():
    assert frames([WIRE]) == FRAMES
    assert frames([WIRE[i : i + 1] for i in range(len(WIRE))]) == FRAMES


@given(st.lists(st.integers(0, len(WIRE)), max_size=12))
def test_random_cuttings_give_the_same_frames(cuts):
    edges = [0, *sorted(cuts), len(WIRE)]
    assert frames([WIRE[a:b] for a, b in itertools.pairwise(edges)]) == FRAMES


@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=5))
def test_any_bytes_come_out_the_same_however_they_are_cut(data, cuts):
    edges = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    assert frames([data[a:b] for a, b in itertools.pairwise(edges)], max_line=20) == frames([data], max_line=20)


def test_blank_lines_and_carriage_returns_are_skipped():
    assert frames([b'\n\r\n  \n{"a":1}\r\n']) == [{"a": 1}]


@pytest.mark.parametrize("line", [b"debugger listening", b"[1]", b'"text"', b'{"a": tru', b"{'a': 1}"])
def test_a_line_that_is_no_frame_is_garbage_and_reading_goes_on(line):
    garbage, frame = frames([line + b'\n{"a":1}\n'])
    assert isinstance(garbage, Garbage)
    assert garbage.head == line.decode()
    assert frame == {"a": 1}


def test_bytes_that_are_not_utf8_do_not_stop_the_reading():
    assert frames([b'{"a":"\xff"}\n{"b":2}\n']) == [{"a": "�"}, {"b": 2}]


def test_half_a_surrogate_pair_is_replaced():
    assert frames([b'{"a":"x\\ud83d"}\n']) == [{"a": "x?"}]


def test_a_line_that_is_too_long_degrades_to_garbage_and_reading_goes_on():
    long = b'{"a":"' + b"x" * 1000 + b'"}\n'
    for chunks in ([long + b'{"b":2}\n'], [long[:70], long[70:500], long[500:], b'{"b":2}\n']):
        garbage, frame = frames(chunks, max_line=100)
        assert garbage.size == len(long) - 1
        assert garbage.head == long[:200].decode()
        assert "limit of 100" in garbage.reason
        assert frame == {"b": 2}


def test_a_line_of_the_very_limit_is_kept():
    line = b'{"a":"%s"}' % (b"x" * 92)
    assert len(line) == 100
    assert frames([line + b"\n"], max_line=100) == [{"a": "x" * 92}]


def test_a_last_line_without_newline_is_used_if_it_is_whole():
    assert frames([b'{"a":1}\n{"b":2}']) == [{"a": 1}, {"b": 2}]
    frame, garbage = frames([b'{"a":1}\n{"b":'])
    assert frame == {"a": 1}
    assert isinstance(garbage, Garbage)


def test_many_megabytes_in_small_pieces_stay_cheap():
    line = b'{"a":"' + b"x" * 3_000_000 + b'"}\n'
    (frame,) = frames([line[i : i + 4096] for i in range(0, len(line), 4096)])
    assert len(frame["a"]) == 3_000_000


@given(
    st.dictionaries(st.text(), st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False), max_size=4)
)
def test_what_is_encoded_is_one_line_and_decodes_to_the_same(frame):
    line = encode(frame)
    assert line.count(b"\n") == 1
    assert json.loads(line) == frame


def test_values_json_does_not_know_are_sent_as_text():
    assert decode(encode({"path": object.__new__(type("P", (), {"__str__": lambda self: "p"}))})) == {"path": "p"}
    assert json.loads(encode({"big": 2**80, "half": "\ud83d"})) == {"big": 2**80, "half": "\ud83d"}
