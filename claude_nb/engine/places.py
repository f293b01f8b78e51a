"""Who may run: a bounded number of places for processes, given out first come, first served.

Layer 2. Above: `named` sessions enter before they speak to their CLI; `pool` makes one of these. Below: anyio's event.
Nothing here starts or ends a process: a tenant is told to leave, and says when it has left. All calls in one loop.

Rules:

- A tenant that runs keeps its place while nobody waits for one; leaving is for idle tenants only (`may_leave`).
- While somebody waits, everybody waits, in order of arrival, those who run already too: a session that is never idle
  cannot keep the others out. One that would not make room anyway (`stays`) need not wait.
- The tenant that was used longest ago leaves first; one that waits itself leaves last.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Protocol

import anyio

from claude_nb.errors import CLIConnectionError

logger = logging.getLogger(__name__)


class Tenant(Protocol):
    """What holds a place."""

    @property
    def running(self) -> bool:
        """It has a process."""

    @property
    def may_leave(self) -> bool:
        """Its process does nothing and can be brought back."""

    @property
    def stays(self) -> bool:
        """It keeps its process also when it is idle: something runs in its background."""

    def leave(self) -> None:
        """Begin to end the process, and call `Places.left` when it is gone. Must not wait."""


class Places:
    """`limit` places; None: as many as anyone wants."""

    def __init__(self, limit: int | None = None):
        if limit is not None and limit < 1:
            raise ValueError("There must be at least one place.")
        self.limit = limit
        self._held: dict[Tenant, int] = {}  # how often each is entered; the one used longest ago comes first
        self._leaving: set[Tenant] = set()
        self._queue: deque[tuple[Tenant, anyio.Event]] = deque()
        self._closed = False

    @property
    def taken(self) -> int:
        """How many places are held."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._queue)

    async def enter(self, tenant: Tenant, *, urgent: bool = False) -> None:
        """Wait for a place and hold on to it: until `exit` the tenant will not be told to leave.

        `urgent` is for what those who wait may be waiting for (an interrupt): a tenant that runs gets in at once.
        Raises `CLIConnectionError` when there will be no more places.
        """
        if self._closed:
            raise CLIConnectionError("The client is closed.")
        if (not self._queue or (urgent and tenant in self._held) or self._passes(tenant)) and self._admit(tenant):
            return
        entry = tenant, anyio.Event()
        self._queue.append(entry)
        self.serve()
        if not entry[1].is_set():
            logger.info("all %s places for CLI processes are taken; a prompt waits for one", self.limit)
        try:
            await entry[1].wait()
        except BaseException:
            if entry in self._queue:
                self._queue.remove(entry)
            elif not self._closed:
                self.exit(tenant)
            raise
        if self._closed:
            raise CLIConnectionError("The client was closed before there was a place.")

    def exit(self, tenant: Tenant) -> None:
        """Let go; a tenant that runs keeps its place as long as nobody needs it."""
        self._held[tenant] -= 1
        self.serve()

    def left(self, tenant: Tenant) -> None:
        """The tenant's process is gone."""
        self._leaving.discard(tenant)
        self.serve()

    def dismiss(self, tenant: Tenant) -> bool:
        """Tell an idle tenant to leave; False when it is in use."""
        if self._held.get(tenant) != 0 or tenant in self._leaving or not tenant.may_leave:
            return False
        self._leaving.add(tenant)
        tenant.leave()
        return True

    def serve(self) -> None:
        """Give places to those who wait. To be called when a tenant has become idle or has ended."""
        for tenant in [t for t, uses in self._held.items() if not uses and not t.running]:
            if tenant not in self._leaving:
                del self._held[tenant]
        while self._queue and self._admit(self._queue[0][0]):
            self._queue.popleft()[1].set()
        for entry in [entry for entry in self._queue if self._passes(entry[0]) and self._admit(entry[0])]:
            self._queue.remove(entry)
            entry[1].set()
        if self._queue:
            self._make_room()

    def close(self) -> None:
        """No more places: those who wait are sent away."""
        self._closed = True
        while self._queue:
            self._queue.popleft()[1].set()

    def _admit(self, tenant: Tenant) -> bool:
        if tenant in self._leaving:
            return False
        if tenant not in self._held and self.limit is not None and len(self._held) >= self.limit:
            return False
        self._held[tenant] = self._held.pop(tenant, 0) + 1
        return True

    def _passes(self, tenant: Tenant) -> bool:
        return tenant in self._held and tenant.stays

    def _make_room(self) -> None:
        waiting = {tenant for tenant, _ in self._queue}
        needed = sum(t not in self._held or t in self._leaving for t in waiting) - len(self._leaving)
        for tenant in sorted(self._held, key=lambda t: t in waiting):
            if needed > 0 and self.dismiss(tenant):
                needed -= 1
