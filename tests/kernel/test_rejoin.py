"""A page reloaded in mid-cell asks its questions on the shell channel; they are answered while the cell blocks.

The order of messages is what JupyterLab 4.6.6 was seen to send.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from claude_nb.kernel.rejoin import answer_for
from tests.kernel.frontend import Cell, Frontend

BLOCK = """
import concurrent.futures, ipywidgets
from claude_nb.kernel.pump import Pump
from comm import create_comm
pump = Pump.connect(get_ipython())
slider = ipywidgets.IntSlider(41)
comm = create_comm(target_name="test", data={})
turn = concurrent.futures.Future()
pump.tap.register(comm.comm_id, turn.set_result)
pump.submit(print, "GO", comm.comm_id, slider.model_id, flush=True)  # said once the cell waits
print("ended by", pump.run_until(turn, on_interrupt=lambda: turn.set_result("stop")))
"""


@pytest.fixture
def blocked(page: Frontend) -> Iterator[Cell]:
    """A cell that blocks until it is clicked."""
    cell = page.execute(BLOCK).wait_text("\n")
    yield cell
    if not cell.answered:
        click(page, cell)
    assert cell.reply()["status"] == "ok"


def ids(cell: Cell) -> list[str]:
    """The comm to click on, and the slider's."""
    return cell.text.splitlines()[0].split()[1:]


def click(page: Frontend, cell: Cell) -> None:
    page.comm_msg(ids(cell)[0], {"click": 1})


def test_the_page_is_told_who_the_kernel_is_and_which_comms_there_are(page: Frontend, blocked: Cell) -> None:
    assert page.request("kernel_info_request", {})["content"]["language_info"]["name"] == "python"
    comms = page.request("comm_info_request", {"target_name": "jupyter.widget"})["content"]["comms"]
    assert ids(blocked)[1] in comms
    assert not blocked.answered


def test_the_page_gets_the_state_of_every_widget(page: Frontend, blocked: Cell) -> None:
    control = uuid.uuid4().hex
    metadata = {"version": "1.0.0"}
    opening = {"comm_id": control, "target_name": "jupyter.widget.control", "data": {}}
    page.send("shell", "comm_open", opening, metadata=metadata)
    page.send("shell", "comm_msg", {"comm_id": control, "data": {"method": "request_states"}})
    told = page.wait(
        lambda: [m for m in page.published("comm_msg") if m["content"]["comm_id"] == control], what="the states"
    )
    data = told[0]["content"]["data"]
    assert data["method"] == "update_states"
    assert data["states"][ids(blocked)[1]]["state"]["value"] == 41
    assert not blocked.answered


def test_clicks_of_the_page_that_came_back_end_the_turn(page: Frontend, blocked: Cell) -> None:
    page.request("kernel_info_request", {})
    click(page, blocked)
    assert blocked.reply()["status"] == "ok"
    assert "ended by {'click': 1}" in blocked.text


def test_the_page_still_sees_a_busy_kernel_after_an_answer(page: Frontend, blocked: Cell) -> None:
    asked = page.send("shell", "kernel_info_request", {})
    page.wait(lambda: page.idle(asked), what="idle after the question")

    def last_word() -> bool:
        last = page.published("status")[-1]
        return last["content"]["execution_state"] == "busy" and last["parent_header"]["msg_id"] == blocked.id

    page.wait(last_word, what="busy again")
    click(page, blocked)
    blocked.reply()
    assert page.published("status")[-1]["content"]["execution_state"] == "idle"


def test_what_needs_the_cell_to_end_waits_for_it(page: Frontend, blocked: Cell) -> None:
    waiting = [
        page.send("shell", "history_request", {"hist_access_type": "tail", "n": 1, "output": False, "raw": True}),
        page.send("shell", "comm_open", {"comm_id": uuid.uuid4().hex, "target_name": "nobody", "data": {}}),
    ]
    page.request("kernel_info_request", {})  # sent later, answered now
    assert not any(page.idle(msg_id) for msg_id in waiting)
    click(page, blocked)
    for msg_id in waiting:
        page.wait(lambda msg_id=msg_id: page.idle(msg_id), what="its turn after the cell")


class KernelWithAComm:
    """Only what `answer_for` looks at."""

    def __init__(self, target: str):
        self.told: list[object] = []
        comm = type("Comm", (), {"target_name": target, "_msg_callback": self.told.append})()
        comm._msg_callback = self.told.append
        self.comm_manager = type("Manager", (), {"comms": {"id": comm}})()
        self.shell_handlers: dict[str, object] = {}


def test_messages_of_other_comms_are_not_answered() -> None:
    message = {"header": {"msg_type": "comm_msg"}, "content": {"comm_id": "id", "data": {}}}
    assert answer_for(KernelWithAComm("jupyter.widget"), message) is None
    kernel = KernelWithAComm("jupyter.widget.control")
    answer = answer_for(kernel, message)
    assert answer is not None
    answer(message, None, [], lambda job: job())
    assert kernel.told == [message]
