"""What the next process must be told, as a fold over what was asked, answered and heard."""

import pytest

from claude_nb import ClaudeAgentOptions, PermissionResultAllow, PermissionRuleValue, PermissionUpdate
from claude_nb.engine.cost import Meter, carried_usd
from claude_nb.engine.memory import Memory
from claude_nb.protocol.message import parse_message
from claude_nb.protocol.permission import result_to_wire


def granted(*updates):
    memory = Memory()
    for update in updates:
        memory.answered(result_to_wire(PermissionResultAllow(updated_permissions=[update]), {}))
    return memory


def rules(kind, behavior, *contents, destination=None):
    values = [PermissionRuleValue("Bash", content) for content in contents]
    return PermissionUpdate(kind, values, behavior, destination=destination)


def permissions(**lists):
    return ("apply_flag_settings", {"settings": {"permissions": lists}})


def test_rules_for_the_session_become_settings_which_nobody_splits():
    memory = granted(
        rules("addRules", "allow", "touch:*", None, "mkdir 'a),Bash,c'"),
        rules("addRules", "deny", "rm:*"),
        rules("addRules", "ask", "git:*"),
    )
    options = memory.options(ClaudeAgentOptions(allowed_tools=["Read"], disallowed_tools=["Write"]))
    assert (options.allowed_tools, options.disallowed_tools) == (["Read"], ["Write"])
    allowed = ["Bash(touch:*)", "Bash", r"Bash(mkdir 'a\),Bash,c')"]
    assert memory.requests() == [permissions(allow=allowed, deny=["Bash(rm:*)"], ask=["Bash(git:*)"])]


def test_a_rule_that_a_new_process_would_take_for_a_broader_one_is_not_repeated():
    values = [PermissionRuleValue("Bash", ""), PermissionRuleValue("Read,Bash"), PermissionRuleValue("Bash(*)", "ls")]
    assert granted(PermissionUpdate("addRules", values, "allow")).requests() == []


def test_settings_of_ones_own_take_back_no_rule_that_was_granted():
    memory = granted(rules("addRules", "deny", "rm:*"))
    sent = memory.wording("apply_flag_settings", {"settings": {"permissions": {"allow": ["Read"]}, "model": "opus"}})
    assert sent == {"settings": {"permissions": {"allow": ["Read"], "deny": ["Bash(rm:*)"]}, "model": "opus"}}
    other = {"settings": {"outputStyle": "Explanatory"}}
    assert memory.wording("apply_flag_settings", other) == other


@pytest.mark.parametrize("destination", ["userSettings", "projectSettings", "localSettings"])
def test_what_is_kept_in_a_settings_file_is_not_kept_here(destination):
    assert granted(rules("addRules", "allow", "ls", destination=destination)).rules == {}


def test_rules_are_replaced_and_removed():
    memory = granted(rules("addRules", "allow", "a", "b"), rules("removeRules", "allow", "a"))
    assert memory.rules == {"allow": ["Bash(b)"]}
    memory = granted(rules("addRules", "allow", "a"), rules("replaceRules", "allow", "c"))
    assert memory.rules == {"allow": ["Bash(c)"]}


def test_folders_and_modes_are_remembered():
    memory = granted(
        PermissionUpdate("addDirectories", directories=["/one", "/two"]),
        PermissionUpdate("removeDirectories", directories=["/one"]),
        PermissionUpdate("setMode", mode="acceptEdits"),
    )
    options = memory.options(ClaudeAgentOptions(add_dirs=["/zero"], permission_mode="plan"))
    assert (options.add_dirs, options.permission_mode) == (["/zero", "/two"], "acceptEdits")


def test_a_hook_may_grant_too():
    memory = Memory()
    update = rules("addRules", "allow", "ls").to_dict()
    decision = {"behavior": "allow", "updatedPermissions": [update]}
    memory.answered({"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": decision}})
    memory.answered({"hookSpecificOutput": {"hookEventName": "PreToolUse"}})
    memory.answered({})
    assert memory.rules == {"allow": ["Bash(ls)"]}


def test_the_mode_is_the_one_the_cli_told_last():
    memory = Memory()
    memory.requested("set_permission_mode", {"mode": "plan"})
    memory.heard(parse_message({"type": "system", "subtype": "init", "permissionMode": "default"}))
    memory.heard(parse_message({"type": "system", "subtype": "task_started", "task_id": "t"}))
    assert memory.options(ClaudeAgentOptions(permission_mode="plan")).permission_mode == "default"


def test_requests_are_repeated_in_order_and_only_the_last_of_each():
    memory = Memory()
    for tokens in (100, 200):
        memory.requested("set_max_thinking_tokens", {"max_thinking_tokens": tokens})
    memory.requested("mcp_toggle", {"serverName": "a", "enabled": False})
    memory.requested("mcp_toggle", {"serverName": "b", "enabled": False})
    memory.requested("mcp_toggle", {"serverName": "a", "enabled": True})
    memory.requested("apply_flag_settings", {"settings": {"permissions": {"ask": ["Read"], "deny": ["Bash"]}}})
    memory.requested("get_context_usage", {})
    memory.answered({"updatedPermissions": [rules("addRules", "ask", "git:*").to_dict()]})
    assert memory.requests() == [
        permissions(ask=["Read"], deny=["Bash"]),
        permissions(ask=["Read", "Bash(git:*)"], deny=["Bash"]),
        ("set_max_thinking_tokens", {"max_thinking_tokens": 200}),
        ("mcp_toggle", {"serverName": "a", "enabled": True}),
        ("mcp_toggle", {"serverName": "b", "enabled": False}),
    ]


@pytest.mark.parametrize(("asked", "model"), [((), "sonnet"), (("opus",), "opus"), (("opus", None), None)])
def test_the_model_is_the_one_asked_for_last(asked, model):
    memory = Memory()
    for each in asked:
        memory.requested("set_model", {"model": each})
    assert memory.options(ClaudeAgentOptions(model="sonnet")).model == model


def total(usd):
    return parse_message({"type": "result", "subtype": "success", "total_cost_usd": usd})


def test_turns_cost_the_differences_of_totals():
    meter = Meter(carried_usd=1.0)
    costs = []
    for message in (total(1.25), total(1.25), total(None), total(2.0)):
        meter.heard(message)
        costs.append(meter.turn_usd)
    assert costs == [0.25, 0.0, 0.0, 0.75]
    assert meter.spent_usd == 1.0


def test_a_cleared_conversation_counts_from_zero():
    meter = Meter(carried_usd=1.0)
    meter.heard(parse_message({"type": "conversation_reset", "new_conversation_id": "n", "uuid": "u"}))
    meter.heard(total(0.5))
    assert meter.spent_usd == 0.5


def test_a_process_begins_with_the_total_that_the_last_one_wrote_down(tmp_path):
    file = tmp_path / "transcript.jsonl"
    lines = [
        '{"type":"cost-state","totalCostUSD":0.5}',
        '{"type":"cost-state","totalCostUSD":0.75}',
        '{"type":"user","message":"a \\"type\\":\\"cost-state\\" in a text"}',
    ]
    file.write_text("\n".join(lines) + "\n")
    assert carried_usd(file) == 0.75
    file.write_text(lines[0])
    assert carried_usd(file) == 0.5
    file.write_text(lines[2])
    assert (carried_usd(file), carried_usd(None)) == (0.0, 0.0)
