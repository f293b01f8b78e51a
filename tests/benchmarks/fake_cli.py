"""A CLI that answers every prompt with a recorded stream, its text delta repeated. It uses no time of its own.

Run by its path with the options of a real one, of which it reads `--session-id=` alone. The environment says what it
does: `FAKE_DELTAS` is how many deltas an answer has; `FAKE_PAUSE` seconds go before each delta, whose text is then the
time at which it is written (`time.monotonic_ns()`, one clock for all processes) instead of what was recorded.

recorded.jsonl was written by CLI 2.1.329, answering from a scripted model; names and paths were taken out.
"""

import json
import os
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
DELTA = b'"text_delta"'
TEXT = b'"Hello"'


def main() -> None:
    with open(os.path.join(FOLDER, "recorded.jsonl"), "rb") as file:
        recorded = file.read().replace(b"SESSION", session_id().encode()).splitlines(keepends=True)
    count, pause = int(os.environ["FAKE_DELTAS"]), float(os.environ.get("FAKE_PAUSE", "0"))
    for line in sys.stdin.buffer:
        frame = json.loads(line)
        if frame["type"] == "control_request":
            reply = {"subtype": "success", "request_id": frame["request_id"], "response": {"commands": []}}
            say(json.dumps({"type": "control_response", "response": reply}).encode() + b"\n")
        elif frame["type"] == "user":
            answer(recorded, frame.get("uuid", ""), count, pause)


def session_id() -> str:
    """The one we were given, or any."""
    given = [argument.partition("=")[2] for argument in sys.argv if argument.startswith("--session-id=")]
    return [*given, "6f1d0a52-64a5-4c54-9f0e-0d2f8f0a7c11"][0]


def answer(recorded: list[bytes], prompt: str, count: int, pause: float) -> None:
    for line in recorded:
        if DELTA not in line:
            say(line.replace(b"PROMPT", prompt.encode()))
        elif not pause:
            say(line * count)
        else:
            for _ in range(count):
                time.sleep(pause)
                say(line.replace(TEXT, b'"%d"' % time.monotonic_ns()))


def say(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
