"""The comm tap on real kernels of every supported line (kernel.md's matrix: 6.29.5, 6.31.0, 7.1.0, newest)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from jupyter_client.session import Session

from claude_nb.kernel.tap import Tap
from tests.kernel.frontend import Cell, Frontend

SETUP = """
import queue, time, threading
from comm import create_comm
from claude_nb.kernel.tap import Tap
kernel = get_ipython().kernel
tap = Tap.install(kernel)
heard = queue.SimpleQueue()
ordinary = []
comm = create_comm(target_name="test", data={})
comm.on_msg(lambda message: ordinary.append(message["content"]["data"]))
tap.register(comm.comm_id, heard.put)
def hear(seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tap.poll()
        try: return heard.get(timeout=0.02)
        except queue.Empty: pass
    return "nothing heard"
print(comm.comm_id)
"""


@pytest.fixture
def comm_id(page: Frontend) -> str:
    return page.run(SETUP).text.strip()


def blocked(page: Frontend, code: str = "print('heard', hear(), flush=True)") -> Cell:
    """A cell that blocks the main thread in `hear()`."""
    return page.execute(f"print('GO', flush=True)\n{code}").wait_text("GO")


def test_a_click_reaches_its_handler_while_the_cell_blocks(page: Frontend, comm_id: str) -> None:
    cell = blocked(page)
    click = page.comm_msg(comm_id, {"answer": "allow"})
    cell.wait_text("heard {'answer': 'allow'}")
    page.wait(lambda: page.idle(click), what="idle after the click")
    states = [m["content"]["execution_state"] for m in page.published("status", parent=click)]
    assert states == ["busy", "idle"]
    assert cell.reply()["status"] == "ok"


def test_a_click_by_way_of_a_subshell_reaches_its_handler_too(page: Frontend, comm_id: str) -> None:
    if "kernel subshells" not in page.info.get("supported_features", []):
        # ipykernel 6 ignores the field, as front ends that always send it rely on.
        subshell = "no-such-thing"
    else:
        subshell = page.create_subshell()
    cell = blocked(page)
    page.comm_msg(comm_id, {"answer": "deny"}, subshell_id=subshell)
    assert cell.wait_text("heard {'answer': 'deny'}").reply()["status"] == "ok"


def test_clicks_arrive_in_order_and_what_is_not_ours_waits_for_the_cell(page: Frontend, comm_id: str) -> None:
    cell = blocked(page, "print([hear()['n'] for _ in range(3)], ordinary, flush=True)")
    page.comm_msg(comm_id, {"n": 1})
    state = page.send("shell", "comm_msg", {"comm_id": comm_id, "data": {"method": "update", "state": {}}})
    after = page.execute("print('next cell', len(ordinary))")
    page.comm_msg(comm_id, {"n": 2})
    page.comm_msg(comm_id, {"n": 3})
    cell.wait_text("[1, 2, 3] []")
    assert after.reply()["status"] == "ok"
    page.wait(lambda: page.idle(state), what="idle after the state message")
    assert after.text == "next cell 1\n"


def test_a_message_with_a_forged_signature_is_never_handled(page: Frontend, comm_id: str) -> None:
    cell = blocked(page)
    page.comm_msg(comm_id, {"answer": "forged"}, signer=Session(key=b"not the key"))
    page.comm_msg(comm_id, {"answer": "honest"})
    cell.wait_text("heard {'answer': 'honest'}")
    assert "forged" not in cell.text


def test_a_handler_that_fails_harms_neither_the_kernel_nor_later_clicks(page: Frontend, comm_id: str) -> None:
    page.run("def fails(content): 1 / 0\ntap.register(comm.comm_id, fails)")
    click = page.comm_msg(comm_id, {})
    page.wait(lambda: page.idle(click), what="idle after the click")
    page.run("tap.register(comm.comm_id, heard.put)")
    cell = blocked(page)
    page.comm_msg(comm_id, {"answer": "again"})
    cell.wait_text("heard {'answer': 'again'}")


def test_between_cells_a_registered_comm_is_served_by_the_tap(page: Frontend, comm_id: str) -> None:
    click = page.comm_msg(comm_id, {"answer": "idle"})
    page.wait(lambda: page.idle(click), what="idle after the click")
    assert page.run("print(heard.get_nowait(), ordinary)").text == "{'answer': 'idle'} []\n"


def test_installing_twice_gives_one_tap_and_uninstalling_restores_the_kernels_receiver(page: Frontend) -> None:
    comm_id = page.run(SETUP + "\ntap.uninstall()").text.strip()
    cell = page.run(
        "stream = kernel.shell_stream\n"
        "before = stream._recv_callback\n"
        "one = Tap.install(kernel); two = Tap.install(kernel)\n"
        "print(one is two, stream._recv_callback == one._receive)\n"
        "one.uninstall(); one.uninstall()\n"
        "print(stream._recv_callback == before)"
    )
    assert cell.text == "True True\nTrue\n"
    click = page.comm_msg(comm_id, {"answer": "untapped"})
    page.wait(lambda: page.idle(click), what="idle after the click")
    assert page.run("print(ordinary)").text == "[{'method': 'custom', 'content': {'answer': 'untapped'}}]\n"


def test_a_tap_put_on_again_after_an_unload_works(page: Frontend) -> None:
    page.run(SETUP + "\ntap.uninstall()")
    comm_id = page.run(SETUP).text.strip()
    cell = blocked(page)
    page.comm_msg(comm_id, {"answer": "reloaded"})
    cell.wait_text("heard {'answer': 'reloaded'}")


class FakeKernel:
    """All that the tap looks for, and nothing behind it."""

    def __init__(self) -> None:
        def anything(*args: object, **kwargs: object) -> None:
            return None

        self.shell_stream = SimpleNamespace(
            on_recv=anything, flush=anything, io_loop=None, _recv_callback=anything, _recv_copy=False
        )
        self.session = SimpleNamespace(feed_identities=anything, unpack=anything, deserialize=anything, send=anything)
        self.iopub_socket, self.shell_handlers = object(), {}
        self._topic = self.get_parent = anything


def test_a_kernel_with_all_the_internals_gets_a_tap() -> None:
    assert Tap.install(FakeKernel()) is not None


@pytest.mark.parametrize(
    "missing",
    ["shell_stream", "session", "iopub_socket", "_topic", "get_parent", "shell_handlers",
     "shell_stream._recv_callback", "shell_stream.io_loop", "session.deserialize"],
)  # fmt: skip
def test_a_kernel_without_one_of_the_internals_gets_no_tap(missing: str) -> None:
    kernel = FakeKernel()
    owner, _, name = missing.rpartition(".")
    delattr(getattr(kernel, owner) if owner else kernel, name)
    assert Tap.install(kernel) is None


def test_no_kernel_gets_no_tap() -> None:
    assert Tap.install(None) is None
