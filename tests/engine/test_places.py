"""Who may run, without any process: a table of tenants that do what the test says."""

import anyio
import pytest

from claude_nb import CLIConnectionError
from claude_nb.engine.places import Places

pytestmark = pytest.mark.anyio


class Guest:
    """Runs once it was let in; leaves when told, or when the test says so (`slow`)."""

    def __init__(self, name: str, places: Places, *, slow: bool = False):
        self.name, self.places, self.slow = name, places, slow
        self.running, self.may_leave, self.stays, self.told = False, True, False, 0

    def leave(self):
        self.told += 1
        if not self.slow:
            self.go()

    def go(self):
        self.running = False
        self.places.left(self)

    async def come(self, log=None, **how):
        await self.places.enter(self, **how)
        self.running = True
        if log is not None:
            log.append(self.name)

    async def visit(self, log=None):
        await self.come(log)
        self.places.exit(self)


def party(limit, names, **how):
    places = Places(limit)
    return places, *(Guest(name, places, **how) for name in names)


async def settled():
    for _ in range(10):
        await anyio.lowlevel.checkpoint()


async def test_a_tenant_keeps_its_place_while_nobody_needs_it():
    places, a, b = party(2, "ab")
    await a.visit()
    await b.visit()
    await a.visit()
    assert (places.taken, a.told, b.told) == (2, 0, 0)


async def test_the_one_used_longest_ago_makes_room():
    places, a, b, c = party(2, "abc")
    for guest in (a, b, a, c):
        with anyio.fail_after(5):
            await guest.visit()
    assert [guest.running for guest in (a, b, c)] == [True, False, True]
    assert places.taken == 2


async def test_nobody_in_use_or_at_work_is_told_to_leave():
    places, a, b, c = party(2, "abc")
    await a.come()
    await b.visit()
    b.may_leave = False
    log = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(c.visit, log)
        await settled()
        assert (a.told, b.told, places.waiting) == (0, 0, 1)
        b.may_leave = True
        places.serve()
        with anyio.fail_after(5):
            while not log:
                await anyio.lowlevel.checkpoint()
    assert (a.told, b.told) == (0, 1)


async def test_those_who_wait_are_served_in_order_of_arrival_also_when_others_run_already():
    places, busy, b, c = party(1, "abc")
    log = []
    await busy.come()
    busy.may_leave = False
    async with anyio.create_task_group() as tasks:
        for guest in (b, busy, c):  # the busy one comes again, behind b
            tasks.start_soon(guest.visit, log)
            await settled()
        assert (log, places.waiting) == ([], 3)
        busy.may_leave = True
        with anyio.fail_after(5):
            places.exit(busy)
            while len(log) < 3:
                await anyio.lowlevel.checkpoint()
    assert log == ["b", "a", "c"]
    assert places.taken == 1


async def test_what_is_urgent_does_not_wait_behind_those_who_wait_for_it():
    places, a, b = party(1, "ab")
    await a.come()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(b.visit)
        await settled()
        with anyio.fail_after(5):
            await a.come(urgent=True)
        places.exit(a)
        places.exit(a)


async def test_one_that_would_not_make_room_anyway_need_not_wait_behind_the_others():
    places, a, b = party(1, "ab")
    log = []
    await a.visit()
    a.may_leave = False
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(b.visit, log)
        await settled()
        tasks.start_soon(a.visit, log)
        await settled()
        assert log == []
        a.stays = True
        places.serve()  # the one that waits already
        await settled()
        with anyio.fail_after(5):
            await a.visit(log)  # and one that comes later
        assert log == ["a", "a"]
        a.may_leave, a.stays = True, False
        places.serve()
    assert log == ["a", "a", "b"]


async def test_one_that_is_leaving_comes_back_only_after_it_has_left():
    places, a = party(1, "a", slow=True)
    await a.visit()
    assert places.dismiss(a)
    assert not places.dismiss(a)
    log = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(a.visit, log)
        await settled()
        assert (log, a.told) == ([], 1)
        a.go()
    assert log == ["a"]


async def test_as_many_are_told_to_leave_as_places_are_needed():
    _, a, b, c, d, e = party(3, "abcde", slow=True)
    for guest in (a, b, c):
        await guest.visit()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(d.visit)
        tasks.start_soon(e.visit)
        await settled()
        assert [guest.told for guest in (a, b, c)] == [1, 1, 0]
        a.go()
        b.go()


async def test_one_that_ended_by_itself_frees_its_place():
    places, a, b = party(1, "ab")
    await a.visit()
    a.running, a.may_leave = False, False
    with anyio.fail_after(5):
        await b.visit()
    assert (places.taken, a.told) == (1, 0)


@pytest.mark.parametrize("admitted", [False, True])
async def test_who_gives_up_waiting_leaves_no_gap(admitted):
    places, a, b, c = party(1, "abc")
    await a.come()
    a.may_leave = False
    log = []
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as inner:
                inner.start_soon(b.visit, log)
                await settled()
                tasks.start_soon(c.visit, log)
                await settled()
                if admitted:  # the place and the cancellation come at once
                    a.may_leave = True
                    places.exit(a)
                scope.cancel()
        if not admitted:
            a.may_leave = True
            places.exit(a)
        with anyio.fail_after(5):
            while "c" not in log:
                await anyio.lowlevel.checkpoint()
    assert (places.waiting, places.taken) == (0, 1)


async def test_closing_sends_those_who_wait_away():
    places, a, b = party(1, "ab")
    await a.come()
    refused = []

    async def try_it():
        try:
            await b.come()
        except CLIConnectionError:
            refused.append(b)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(try_it)
        await settled()
        places.close()
    with pytest.raises(CLIConnectionError):
        await a.come()
    assert refused == [b]


async def test_without_a_limit_nobody_leaves():
    places, *guests = party(None, "abcdefghij")
    for guest in guests:
        await guest.visit()
    assert places.taken == 10
    with pytest.raises(ValueError, match="at least one"):
        Places(0)
