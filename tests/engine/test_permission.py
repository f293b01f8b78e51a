"""Questions answered once from any thread, and policies that answer before them. On asyncio and trio."""

import threading

import anyio
import pytest

from claude_nb import PermissionResultAllow, PermissionResultDeny, ToolPermissionContext
from claude_nb.engine.permission import Ask, Broker, Policy

pytestmark = pytest.mark.anyio


def ask(**fields):
    return Ask("Bash", {"command": "ls"}, ToolPermissionContext(**fields))


async def test_an_answer_from_another_thread_wakes_who_waits():
    question = ask()
    thread = threading.Thread(target=question.allow)
    async with anyio.create_task_group() as tasks:
        results = []

        async def wait():
            results.append(await question.wait())

        tasks.start_soon(wait)
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        thread.start()
    thread.join(5)
    assert results == [PermissionResultAllow(), PermissionResultAllow()]


async def test_the_first_answer_counts_and_later_ones_do_not():
    question = ask()
    assert question.deny("no")
    assert not question.allow()
    assert not question.cancel()
    with anyio.fail_after(5):
        assert await question.wait() == PermissionResultDeny(message="no")


async def test_of_many_threads_exactly_one_answers():
    question = ask()
    counted = []
    start = threading.Barrier(8)

    def click():
        start.wait(5)
        counted.append(question.allow())

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(counted) == [False] * 7 + [True]


async def test_a_cancelled_question_has_no_answer():
    question = ask()
    assert question.cancel()
    assert not question.open
    assert not question.allow()
    with anyio.fail_after(5):
        assert await question.wait() is None


async def test_questions_have_ids_nobody_can_guess():
    assert ask().id != ask().id
    assert len(ask().id) >= 20


@pytest.mark.parametrize(
    ("tool", "input", "behavior"),
    [
        ("Read", {"file_path": "/x"}, "allow"),
        ("Bash", {"command": "git status"}, "allow"),
        ("Bash", {"command": "git status; rm -rf /"}, None),
        ("Bash", {"command": "git status $(rm x)"}, None),
        ("Bash", {"command": "git push origin"}, "deny"),
        ("Bash", {"command": "ls"}, None),
        ("mcp__notebook__plot", {}, "allow"),
        ("Write", {"file_path": "/scratch/a"}, "allow"),
        ("Write", {"file_path": "/home/a"}, None),
    ],
)
async def test_rules_decide_before_anybody_is_asked(tool, input, behavior):
    policy = Policy(
        allow=["Read", "Bash(git *)", "mcp__notebook__*", "Write(/scratch/*)"],
        deny=["Bash(git push*)"],
    )
    decided = policy.decide(tool, input)
    assert (decided and decided.behavior) == behavior


async def test_what_no_rule_fits_is_as_the_policy_says():
    assert Policy().decide("Bash", {}) is None
    assert Policy(otherwise="allow").decide("Bash", {}) == PermissionResultAllow()
    assert Policy(otherwise="deny", reason="headless").decide("Bash", {}) == PermissionResultDeny(message="headless")


async def test_a_broker_shows_a_question_and_gives_its_answer():
    shown = []

    def show(question):
        shown.append(question)
        threading.Thread(target=question.allow, args=({"command": "ls -l"},)).start()

    broker = Broker(show, Policy(deny=["Write"]))
    with anyio.fail_after(5):
        assert (await broker("Write", {}, ToolPermissionContext())).behavior == "deny"
        result = await broker("Bash", {"command": "ls"}, ToolPermissionContext(tool_use_id="t"))
    assert result == PermissionResultAllow(updated_input={"command": "ls -l"})
    assert [(q.tool_name, q.context.tool_use_id, q.open) for q in shown] == [("Bash", "t", False)]


async def test_a_question_nobody_answers_in_time_is_denied_and_closed():
    shown = []
    broker = Broker(shown.append, timeout=0.01)
    with anyio.fail_after(5):
        result = await broker("Bash", {}, ToolPermissionContext())
    assert result == PermissionResultDeny(message="Nobody answered the permission question.")
    assert not shown[0].open


async def test_a_question_that_is_no_longer_waited_for_is_closed():
    shown = []
    with anyio.move_on_after(0.01):
        await Broker(shown.append)("Bash", {}, ToolPermissionContext())
    assert not shown[0].open
    assert not shown[0].allow()
