"""What goes on in a CLI beside its turns and would end with its process: background shells, agents, scheduled prompts.

Layer 2, pure. Above: `session` keeps one of these; `named` and `chat` park no CLI while one has work. Below: the shapes
of `protocol`. The machine tracks less on purpose: a background shell does not keep a one-shot run open.
Measured on CLI 2.1.329: jobs of CronCreate are kept by the process alone, and no note tells of them.
"""

from __future__ import annotations

import re
from typing import Any

from claude_nb.protocol.block import ToolResultBlock, ToolUseBlock
from claude_nb.protocol.message import AssistantMessage, Message, SystemMessage, UserMessage
from claude_nb.protocol.system import TERMINAL_TASK_STATUSES

_SCHEDULES = ("CronCreate", "ScheduleWakeup")
_JOB = re.compile(r"\bjob (\w+)")


class Work:
    """Fed with every message of a session; true while something would be lost with the process."""

    def __init__(self) -> None:
        self._tasks: set[str] = set()
        self._jobs: dict[str, str] = {}  # the call that scheduled it: the job's id, once it is known

    def __bool__(self) -> bool:
        return bool(self._tasks or self._jobs)

    def heard(self, message: Message) -> None:
        """A message of the CLI, in wire order."""
        if isinstance(message, SystemMessage):
            self._noted(message.subtype, message.data)
        elif isinstance(message, AssistantMessage):
            for block in message.content:
                if isinstance(block, ToolUseBlock):
                    self._called(block)
        elif isinstance(message, UserMessage) and self._jobs and isinstance(message.content, list):
            for block in message.content:
                if isinstance(block, ToolResultBlock) and block.tool_use_id in self._jobs:
                    self._answered(block)

    def _noted(self, subtype: str, data: dict[str, Any]) -> None:
        task, status = str(data.get("task_id")), (data.get("patch") or {}).get("status")
        if subtype == "task_started":
            self._tasks.add(task)
        elif subtype == "task_notification" or status in TERMINAL_TASK_STATUSES:
            self._tasks.discard(task)
        elif subtype == "background_tasks_changed":
            self._tasks = {str(each.get("task_id")) for each in data.get("tasks") or ()}

    def _called(self, call: ToolUseBlock) -> None:
        if call.name in _SCHEDULES:
            self._jobs[call.id] = ""
        elif call.name == "CronDelete":
            deleted = str(call.input.get("id"))
            self._jobs = {scheduled: job for scheduled, job in self._jobs.items() if job != deleted}

    def _answered(self, result: ToolResultBlock) -> None:
        if result.is_error:
            del self._jobs[result.tool_use_id]
        elif found := _JOB.search(str(result.content)):
            self._jobs[result.tool_use_id] = found[1]
