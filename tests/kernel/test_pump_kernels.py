"""The pump on real kernels: blocking cells, background turns and awaiting cells, interrupts, and where output lands."""

from __future__ import annotations

import time

import pytest

from tests.kernel.frontend import Cell, Frontend

SETUP = """
import asyncio, sqlite3, threading, time
from anyio.from_thread import start_blocking_portal
from comm import create_comm
from claude_nb.kernel.cell import detect
from claude_nb.kernel.pump import CallInterrupted, Pump
if "portal" not in globals():
    _keep = start_blocking_portal("asyncio"); portal = _keep.__enter__()
    pump = Pump.connect(get_ipython())
place = detect(get_ipython())
def start(turn, *args):
    return portal.start_task_soon(turn, *args)
"""


@pytest.fixture(autouse=True)
def setup(request: pytest.FixtureRequest) -> None:
    if "page" in request.fixturenames:
        request.getfixturevalue("page").run(SETUP)


def go(page: Frontend, code: str) -> Cell:
    """Start a cell and wait until it said GO, and all of that line."""
    return page.execute(code).wait_text("GO").wait_text("\n")


def test_tools_use_the_main_threads_objects_and_print_into_the_cell(page: Frontend) -> None:
    cell = page.run(
        "db = sqlite3.connect(':memory:')\n"
        "def tool():\n"
        "    print('in the tool', flush=True)\n"
        "    display({'text/plain': 'shown'}, raw=True)\n"
        "    return db.execute('select 41 + 1').fetchone()[0]\n"
        "async def turn():\n"
        "    try: return await pump.call(lambda: 1 / 0)\n"
        "    except ZeroDivisionError: return await pump.call(tool)\n"
        "print(pump.run_until(start(turn)))"
    )
    assert cell.text == "in the tool\n42\n"
    assert cell.bundles() == [{"text/plain": "shown"}]


def test_a_click_answers_the_turn_of_a_blocked_cell(page: Frontend) -> None:
    cell = go(
        page,
        "comm = create_comm(target_name='test', data={})\n"
        "async def turn():\n"
        "    loop = asyncio.get_running_loop(); answer = loop.create_future()\n"
        "    pump.tap.register(comm.comm_id, lambda content: loop.call_soon_threadsafe(answer.set_result, content))\n"
        "    print('GO', comm.comm_id, flush=True)\n"
        "    return await answer\n"
        "print('answered', pump.run_until(start(turn)))",
    )
    page.comm_msg(cell.text.split()[1], {"allow": True})
    assert cell.reply()["status"] == "ok"
    assert "answered {'allow': True}" in cell.text


STOPPABLE = """
stop = threading.Event()
async def turn():
    await pump.call(int)  # from here on the cell waits
    print('GO', flush=True)
    await asyncio.to_thread(stop.wait, 20)
    return 'stopped softly'
"""


def test_the_stop_button_ends_the_turn_softly_and_the_next_cell_runs(page: Frontend) -> None:
    cell = go(page, STOPPABLE + "print(pump.run_until(start(turn), on_interrupt=stop.set))")
    page.interrupt()
    assert cell.reply()["status"] == "ok"
    assert "stopped softly" in cell.text
    assert page.run("print('still here')").text == "still here\n"


def test_a_second_stop_ends_the_cell_at_once(page: Frontend) -> None:
    told = "lambda: print('ASKED', flush=True)"
    cell = go(page, STOPPABLE + f"pump.run_until(start(turn), on_interrupt={told})")
    page.interrupt()
    cell.wait_text("ASKED")
    page.interrupt()
    assert cell.reply()["ename"] == "KeyboardInterrupt"
    page.run("stop.set()")


def test_the_stop_button_breaks_off_a_tool_and_stops_its_turn(page: Frontend) -> None:
    cell = go(
        page,
        "stop = threading.Event()\n"
        "def tool():\n"
        "    print('GO', flush=True)\n"
        "    time.sleep(20)\n"
        "async def turn():\n"
        "    try: await pump.call(tool)\n"
        "    except CallInterrupted: print('tool interrupted')\n"
        "    return await asyncio.to_thread(stop.wait, 10)\n"
        "print('turn told:', pump.run_until(start(turn), on_interrupt=stop.set))",
    )
    page.interrupt()
    assert cell.reply()["status"] == "ok"
    assert cell.text.splitlines()[1:] == ["tool interrupted", "turn told: True"]


def test_tools_of_a_background_turn_run_between_cells_on_the_main_thread(page: Frontend) -> None:
    page.run(
        "async def turn():\n"
        "    return [await pump.call(lambda: threading.current_thread().name) for _ in range(3)]\n"
        "future = start(turn)"
    )
    page.run("pass")
    # No cell runs while the turn goes on: its result is all that shows that its calls were done.
    cell = page.run(
        "ended = threading.Event(); future.add_done_callback(lambda _: ended.set())\n"
        "async def wait():\n"
        "    while not ended.is_set(): await asyncio.sleep(0.01)\n"
        "await asyncio.wait_for(wait(), 10); print(future.result())"
    )
    assert cell.text == "['MainThread', 'MainThread', 'MainThread']\n"


def test_a_background_turn_runs_its_tools_without_any_further_cell(page: Frontend) -> None:
    cell = page.run(
        "async def turn():\n"
        "    for n in range(3):\n"
        "        await pump.call(lambda: print('background', n, flush=True), context=place.context)\n"
        "place = detect(get_ipython())\n"
        "started = start(turn)"
    )
    cell.wait_text("background 2")


def test_a_tool_of_a_background_turn_can_be_interrupted(page: Frontend) -> None:
    page.run(
        "told = []\n"
        "def tool():\n"
        "    print('TOOL RUNS', flush=True)\n"
        "    time.sleep(20)\n"
        "async def turn():\n"
        "    try: await pump.call(tool, on_interrupt=lambda: told.append('stop'))\n"
        "    except CallInterrupted: return 'tool interrupted'\n"
        "future = start(turn)"
    )
    page.wait(lambda: any("TOOL RUNS" in m["content"].get("text", "") for m in page.published("stream")))
    page.interrupt()
    assert page.run("print(future.result(10), told)").text == "tool interrupted ['stop']\n"


def test_a_background_turns_tool_runs_inside_a_later_cell_that_waits(page: Frontend) -> None:
    first = page.run(
        "go_on = threading.Event()\n"
        "place = detect(get_ipython())\n"
        "async def background():\n"
        "    await asyncio.to_thread(go_on.wait, 20)\n"
        "    return await pump.call(lambda: threading.current_thread().name, context=place.context)\n"
        "future = start(background)"
    )
    assert first.reply()["status"] == "ok"
    cell = page.run(
        "async def turn():\n"
        "    go_on.set()\n"
        "    return await asyncio.wrap_future(future)\n"
        "print(pump.run_until(start(turn)))"
    )
    assert cell.text == "MainThread\n"


def test_tools_of_a_client_awaited_in_a_cell_run_while_it_awaits(page: Frontend) -> None:
    cell = page.run(
        "async def turn():\n"
        "    await pump.call(lambda: display({'text/plain': 'from the tool'}, raw=True), context=place.context)\n"
        "    return await pump.call(lambda: threading.current_thread().name)\n"
        "place = detect(get_ipython())\n"
        "print(await asyncio.wrap_future(start(turn)))"
    )
    assert cell.text == "MainThread\n"
    assert cell.bundles() == [{"text/plain": "from the tool"}]


def test_calls_queued_while_another_cell_computes_are_done_at_its_end(page: Frontend) -> None:
    cell = page.run(
        "async def turn(): return await pump.call(lambda: 'done')\n"
        "future = start(turn)\n"
        "computing = sum(range(10)); print(future.done())"
    )
    assert cell.text == "False\n"
    after = page.run("async def wait():\n"
                     "    while not future.done(): await asyncio.sleep(0.01)\n"
                     "await asyncio.wait_for(wait(), 10); print(future.result())")  # fmt: skip
    assert after.text == "done\n"


def test_late_update_reaches_the_output_of_a_cell_that_has_ended(page: Frontend) -> None:
    first = page.run(
        "place = detect(get_ipython())\n"
        "place.show({'text/plain': 'running'}, 'answer-1')\n"
        "print(place.kind.name, place.cell_id)",
        cell_id="the-cell",
    )
    assert first.text == "LAB the-cell\n"
    page.run("t = threading.Thread(target=place.late_update, args=({'text/plain': 'final'}, 'answer-1'))\n"
             "t.start(); t.join()")  # fmt: skip
    updates = page.wait(lambda: first.messages("update_display_data"), what="the update, as the first cell's own")
    assert updates[0]["content"]["data"] == {"text/plain": "final"}
    assert updates[0]["content"]["transient"] == {"display_id": "answer-1"}
    shown = first.messages("display_data")[0]["content"]
    assert shown["transient"] == {"display_id": "answer-1"}


def test_a_front_end_that_cannot_answer_is_headless(page: Frontend) -> None:
    cell = page.run("print(detect(get_ipython()).kind.name)", allow_stdin=False)
    assert cell.text == "HEADLESS\n"


def test_a_tool_call_takes_less_than_two_milliseconds(page: Frontend) -> None:
    cell = page.run(
        "async def turn():\n"
        "    times = []\n"
        "    for _ in range(200):\n"
        "        began = time.perf_counter(); await pump.call(int); times.append(time.perf_counter() - began)\n"
        "    return sorted(times)[100]\n"
        "print(pump.run_until(start(turn)) * 1e6)"
    )
    assert float(cell.text) < 2000


TYPED = """
from claude_nb.kernel.pump import CallInterrupted
from claude_nb.kernel.tools import ask_typed
stop = threading.Event()
async def turn():
    try:
        return await pump.call(ask_typed, "Run `ls`?", {"y": "allow once", "n": "deny"}, "n")
    except CallInterrupted:
        return "n"
print("answer:", pump.run_until(start(turn), on_interrupt=stop.set), stop.is_set())
"""


def test_a_question_is_answered_by_typing(page: Frontend) -> None:
    cell = page.execute(TYPED)
    assert page.answer_input("maybe") == "[y] allow once / [n] deny: "
    page.answer_input("y")
    assert cell.reply()["status"] == "ok"
    assert cell.text.splitlines() == ["Run `ls`?", "Please type one of: y, n", "answer: y False"]


def test_the_stop_button_during_a_typed_question_denies_and_stops_the_turn(page: Frontend) -> None:
    asked = page.questions()
    cell = page.execute(TYPED)
    page.wait(lambda: page.questions() > asked, what="the question")
    page.interrupt()
    assert cell.reply()["status"] == "ok"
    assert cell.text.splitlines()[-1] == "answer: n True"
    page.forget_questions()


def test_a_front_end_without_stdin_gets_the_careful_answer_at_once(page: Frontend) -> None:
    assert page.run(TYPED, allow_stdin=False).text.splitlines()[-1] == "answer: n False"


def test_clicks_are_heard_within_fifty_milliseconds(page: Frontend) -> None:
    cell = go(
        page,
        "comm = create_comm(target_name='test', data={})\n"
        "async def turn():\n"
        "    loop = asyncio.get_running_loop()\n"
        "    clicks = asyncio.Queue()\n"
        "    pump.tap.register(comm.comm_id, lambda content: loop.call_soon_threadsafe(\n"
        "        clicks.put_nowait, time.time() - content['sent']))\n"
        "    print('GO', comm.comm_id, flush=True)\n"
        "    heard = []\n"
        "    for n in range(21):\n"
        "        heard.append(await clicks.get())\n"
        "        comm.send({'heard': n})\n"
        "    return sorted(heard)[10]\n"
        "print('median', pump.run_until(start(turn)) * 1e3)",
    )
    comm_id = cell.text.split()[1]
    for n in range(21):
        page.comm_msg(comm_id, {"sent": time.time()})
        page.wait(
            lambda n=n: any(
                m["content"]["comm_id"] == comm_id and m["content"]["data"] == {"heard": n}
                for m in page.published("comm_msg")
            ),
            what="the echo of a click",
        )
    cell.reply()
    assert float(cell.text.split()[-1]) < 50


def test_nothing_changes_when_the_user_has_applied_nest_asyncio() -> None:
    with Frontend() as page:
        page.run("import nest_asyncio; nest_asyncio.apply()")
        page.run(SETUP)
        cell = page.execute("async def turn(): return await pump.call(lambda: 'tool')\n"
                            "print(pump.run_until(start(turn)))")  # fmt: skip
        after = page.execute("print('next cell')")
        assert (cell.reply()["status"], after.reply()["status"]) == ("ok", "ok")
        assert (cell.text, after.text) == ("tool\n", "next cell\n")
        late = page.run("place = detect(get_ipython())\n"
                        "async def turn(): await pump.call(lambda: print('bg', flush=True), context=place.context)\n"
                        "future = start(turn)")  # fmt: skip
        late.wait_text("bg")


def test_closing_the_pump_gives_the_kernel_its_receiver_back() -> None:
    with Frontend() as page:
        cell = page.run(
            "stream = get_ipython().kernel.shell_stream\nbefore = stream._recv_callback\n"
            + SETUP
            + "\nduring = stream._recv_callback\npump.close()\nprint(during == before, stream._recv_callback == before)"
        )
        assert cell.text == "False True\n"
