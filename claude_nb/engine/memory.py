"""What a CLI was told while it ran, would forget with its process, and must be told again by the next.

Layer 2, pure. Above: `named` keeps one of these per session. Below: the shapes of `protocol`. What the CLI remembers by
itself (the conversation, its title) is not here. Measured on CLI 2.1.329: a resume brings back neither rules that were
granted for the session nor a model, thinking or settings set by request. Protocol page 4.3 and 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from claude_nb.protocol.config import McpServerConfig
from claude_nb.protocol.message import Message, SystemMessage
from claude_nb.protocol.options import ClaudeAgentOptions
from claude_nb.protocol.permission import PERMISSION_MODES, PermissionMode
from claude_nb.protocol.rule import written

Json = dict[str, Any]

# Requests whose last word holds, and the field by which they are told apart; what they set is not in the options.
_REPLAYED: dict[str, str | None] = {"set_max_thinking_tokens": None, "mcp_toggle": "serverName"}
# Updates for other destinations are kept by the CLI in settings files.
_OF_THE_PROCESS = ("session", "cliArg", None)


@dataclass
class Memory:
    """Fed with what was asked, answered and heard; gives the options and requests that a new process needs."""

    rules: dict[str, list[str]] = field(default_factory=dict)
    """Granted for the session: `allow`, `deny` and `ask` to rules as settings hold them, `Bash(touch:*)`."""
    directories: list[str] = field(default_factory=list)
    mode: PermissionMode | None = None
    servers: dict[str, McpServerConfig] | None = None
    """MCP servers set at run time."""
    _model: tuple[str | None] | None = None
    _settings: list[Json] = field(default_factory=list)
    _requests: dict[tuple[str, Any], Json] = field(default_factory=dict)

    # -- what happens -------------------------------------------------------------------------------------------

    def requested(self, subtype: str, fields: Mapping[str, Any]) -> None:
        """The CLI granted a control request of ours."""
        if subtype == "set_model":
            self._model = (fields.get("model"),)
        elif subtype == "set_permission_mode":
            self.mode = fields.get("mode")
        elif subtype == "apply_flag_settings":
            self._settings.append(dict(fields.get("settings") or {}))
        elif subtype in _REPLAYED:
            key = _REPLAYED[subtype]
            self._requests[subtype, key and fields.get(key)] = dict(fields)

    def answered(self, body: Mapping[str, Any]) -> None:
        """We answered a question of the CLI; a permission may have come with rules."""
        decision = (body.get("hookSpecificOutput") or {}).get("decision") or {}
        for update in body.get("updatedPermissions") or decision.get("updatedPermissions") or ():
            if update.get("destination") in _OF_THE_PROCESS:
                self._update(update)

    def heard(self, message: Message) -> None:
        """The CLI tells its permission mode, which it may change by itself (a plan was accepted)."""
        if isinstance(message, SystemMessage) and (mode := message.data.get("permissionMode")) in PERMISSION_MODES:
            self.mode = cast(PermissionMode, mode)

    def _update(self, update: Mapping[str, Any]) -> None:
        behavior, rules = str(update.get("behavior")), list(_rules(update))
        directories = list(update.get("directories") or ())
        match update.get("type"):
            case "addRules":
                self.rules[behavior] = _union(self.rules.get(behavior, ()), rules)
            case "replaceRules":
                self.rules[behavior] = rules
            case "removeRules":
                self.rules[behavior] = [rule for rule in self.rules.get(behavior, ()) if rule not in rules]
            case "addDirectories":
                self.directories = _union(self.directories, directories)
            case "removeDirectories":
                self.directories = [folder for folder in self.directories if folder not in directories]
            case "setMode":
                self.mode = update.get("mode")

    def wording(self, subtype: str, fields: Json) -> Json:
        """The fields to send for a request: settings must not take back the rules that this process got as settings."""
        permissions = (fields.get("settings") or {}).get("permissions") if subtype == "apply_flag_settings" else None
        if not isinstance(permissions, dict):
            return fields
        return {**fields, "settings": {**fields["settings"], "permissions": self._with_rules(permissions)}}

    def _with_rules(self, permissions: Json) -> Json:
        # The permissions of a later setting replace those of an earlier one whole.
        lists = {behavior: _union(permissions.get(behavior) or (), rules) for behavior, rules in self.rules.items()}
        return {**permissions, **lists}

    # -- what a new process needs -------------------------------------------------------------------------------

    def options(self, options: ClaudeAgentOptions) -> ClaudeAgentOptions:
        """The options of the first process, with what changed since."""
        return replace(
            options,
            model=self._model[0] if self._model else options.model,
            permission_mode=self.mode or options.permission_mode,
            add_dirs=_union(options.add_dirs, self.directories),
        )

    def requests(self) -> list[tuple[str, Json]]:
        """Subtype and fields of the requests that a new process must be sent before its first prompt."""
        settings = [("apply_flag_settings", {"settings": each}) for each in self._settings]
        if any(self.rules.values()):
            # A flag would not do: the CLI splits its list at commas and blanks, and a rule may hold whatever command
            # the model thought of.
            given = [each["permissions"] for each in self._settings if isinstance(each.get("permissions"), dict)]
            last = self._with_rules(given[-1] if given else {})
            settings.append(("apply_flag_settings", {"settings": {"permissions": last}}))
        return settings + [(subtype, fields) for (subtype, _), fields in self._requests.items()]


def _rules(update: Mapping[str, Any]) -> Iterable[str]:
    """The rules of an update, without those that a new process would take for broader ones: it asks again."""
    texts = (written(str(rule.get("toolName")), rule.get("ruleContent")) for rule in update.get("rules") or ())
    return (text for text in texts if text is not None)


def _union(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys([*first, *second]))
