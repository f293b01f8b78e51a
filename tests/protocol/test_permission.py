"""Permission questions and answers in their wire form. Source: protocol page 2.7, CLI 2.1.329."""

import pytest

from claude_nb.protocol.permission import (
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionRuleValue,
    PermissionUpdate,
    context_from_request,
    result_to_wire,
)

RULES = {
    "type": "addRules",
    "destination": "localSettings",
    "rules": [{"toolName": "Bash", "ruleContent": "npm test"}, {"toolName": "Read"}],
    "behavior": "allow",
}


@pytest.mark.parametrize(
    "wire",
    [
        RULES,
        {"type": "setMode", "destination": "session", "mode": "plan"},
        {"type": "addDirectories", "destination": "session", "directories": ["/data"]},
    ],
    ids=lambda wire: wire["type"],
)
def test_an_update_survives_the_way_to_the_wire_and_back(wire):
    assert PermissionUpdate.from_dict(wire).to_dict() == wire


def test_an_update_without_destination_is_for_the_session():
    assert PermissionUpdate("setMode", mode="plan").to_dict()["destination"] == "session"


@pytest.mark.parametrize(
    ("update", "why"),
    [
        (PermissionUpdate("addRules", behavior="allow"), "needs rules"),
        (PermissionUpdate("addRules", rules=[]), "needs behavior"),
        (PermissionUpdate("setMode"), "needs mode"),
        (PermissionUpdate("burn"), "cannot have the type"),
    ],
)
def test_an_update_that_lacks_what_its_type_needs_is_refused(update, why):
    with pytest.raises(ValueError, match=why):
        update.to_dict()


def test_allow_sends_the_input_back_unless_it_was_changed():
    assert result_to_wire(PermissionResultAllow(), {"a": 1}) == {"behavior": "allow", "updatedInput": {"a": 1}}
    changed = PermissionResultAllow(updated_input={}, updated_permissions=[PermissionUpdate.from_dict(RULES)])
    assert result_to_wire(changed, {"a": 1}) == {"behavior": "allow", "updatedInput": {}, "updatedPermissions": [RULES]}


def test_updates_that_cannot_be_sent_are_left_out_and_the_call_is_still_allowed(caplog):
    result = PermissionResultAllow(updated_permissions=[PermissionUpdate("setMode")])
    assert result_to_wire(result, {}) == {"behavior": "allow", "updatedInput": {}}
    assert "not sent" in caplog.text


def test_deny_says_why_and_may_end_the_turn():
    assert result_to_wire(PermissionResultDeny(message="no"), {}) == {"behavior": "deny", "message": "no"}
    assert result_to_wire(PermissionResultDeny(message="no", interrupt=True), {})["interrupt"] is True


def test_anything_else_is_refused_with_what_is_expected():
    with pytest.raises(TypeError, match="PermissionResultAllow or PermissionResultDeny, not bool"):
        result_to_wire(True, {})


def test_the_context_holds_what_the_cli_tells_and_skips_suggestions_it_cannot_read():
    request = {
        "tool_name": "Bash",
        "tool_use_id": "t",
        "title": "Claude wants to run ls",
        "blocked_path": "/etc",
        "requires_user_interaction": True,
        "permission_suggestions": [RULES, {"rules": [{}]}, "x"],
    }
    context = context_from_request(request, signal="s")
    assert (context.tool_use_id, context.title, context.blocked_path) == ("t", "Claude wants to run ls", "/etc")
    assert context.requires_user_interaction
    assert context.suggestions == [PermissionUpdate.from_dict(RULES)]
    assert context.signal == "s"
    assert context.raw is request


@pytest.mark.parametrize("text", ["Bash(npm run *)", "Read", "mcp__notebook__plot", "Bash(echo (a))"])
def test_rules_are_read_as_people_write_them(text):
    assert str(PermissionRuleValue.parse(text)) == text
