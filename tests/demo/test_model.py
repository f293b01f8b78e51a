"""The scripted model, asked by the real CLI and over plain HTTP."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from claude_nb.testing import Answer, ApiError, HangUp, Pause, Raw, ScriptedModel, Text, Thinking, ToolUse

from .conftest import Ask


@dataclass
class Reply:
    """A plain answer over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: dict[str, Any]

    @property
    def text(self) -> str:
        return self.body["content"][0]["text"]


@contextmanager
def posted(model: ScriptedModel, body: dict[str, Any], path: str) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection(urlsplit(model.url).netloc, timeout=10)) as connection:
        connection.request("POST", path, json.dumps(body))
        with connection.getresponse() as response:
            yield response


def post(model: ScriptedModel, body: dict[str, Any], path: str = "/v1/messages") -> Reply:
    with posted(model, body, path) as response:
        return Reply(response.status, response.headers, json.loads(response.read()))


def stream(model: ScriptedModel) -> Iterator[dict[str, Any]]:
    """The events of a streamed answer, as they come."""
    with posted(model, message("x", stream=True), "/v1/messages") as response:
        for line in response:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


class TestWithTheRealCli:
    def test_queued_answers_are_given_in_order_and_then_the_echo(self, model: ScriptedModel, ask: Ask) -> None:
        model.reply(Text("first"))
        assert ask("hello").result["result"] == "first"
        assert ask("hello").result["result"] == "Echo: hello"
        assert [request.prompt for request in model.requests] == ["hello", "hello"]

    def test_every_kind_of_block_arrives_whole(self, model: ScriptedModel, ask: Ask) -> None:
        model.reply(
            Thinking("Let me see. " * 9),
            Text("It runs: ü → 🐍 " * 20, chunk=3),
            Raw({"type": "redacted_thinking", "data": "YWJj"}),
            ToolUse("Bash", {"command": "echo schön", "description": "say it"}, chunk=3),
        )
        model.reply(Text("end"))
        run = ask("go", "--allowedTools", "Bash")
        assert [block["thinking"] for block in run.blocks("thinking")] == ["Let me see. " * 9]
        assert run.blocks("text")[0]["text"] == "It runs: ü → 🐍 " * 20
        assert run.blocks("redacted_thinking")[0]["data"] == "YWJj"
        assert run.blocks("tool_use")[0]["input"]["command"] == "echo schön"
        assert model.requests[1].results[0].text == "schön"
        assert model.requests[1].result("Bash") is model.requests[1].results[0]
        assert run.result["result"] == "end"

    def test_usetool_in_a_prompt_calls_the_tools(self, ask: Ask) -> None:
        call = 'USETOOL {"name": "Bash", "input": {"command": "echo %s"}}'
        run = ask(f"{call % 'one'} and {call % 'two'}", "--allowedTools", "Bash")
        assert run.result["result"] == "Done. The tool said: one; two"

    @pytest.mark.parametrize(("status", "kind"), [(400, "invalid_request_error"), (500, "api_error")])
    def test_an_error_lasts_through_the_clis_own_retries(
        self, model: ScriptedModel, ask: Ask, status: int, kind: str
    ) -> None:
        model.reply(ApiError(status, kind, "no luck"))
        run = ask("hello")
        assert run.result["is_error"]
        assert run.result["api_error_status"] == status
        assert "no luck" in run.result["result"]
        assert model.queued == 0

    def test_an_error_with_retry_after_happens_once(self, model: ScriptedModel, ask: Ask) -> None:
        model.reply(ApiError(429, "rate_limit_error", "slow down", retry_after=0.05))
        run = ask("hello")
        assert [frame["error_status"] for frame in run.frames if frame.get("subtype") == "api_retry"] == [429]
        assert run.result["result"] == "Echo: hello"

    def test_a_script_answers_from_the_request(self, model: ScriptedModel, ask: Ask, folder: Path) -> None:
        model.script = lambda request: [Text(f"{request.prompt} in {request.cwd} with {len(request.tools)} tools")]
        assert f"where in {folder}" in ask("where").result["result"]
        assert "Read" in model.requests[0].tools

    def test_usage_grows_with_the_conversation_and_can_be_set(self, model: ScriptedModel, ask: Ask) -> None:
        assert ask("hello").result["usage"]["cache_creation_input_tokens"] > 1000
        model.reply(Text("dear"), usage={"input_tokens": 7, "output_tokens": 1_000_000})
        result = ask("hello").result
        assert result["usage"]["input_tokens"] == 7
        assert result["total_cost_usd"] > 1

    def test_answers_are_signed_with_the_models_name_if_it_has_one(self, model: ScriptedModel, ask: Ask) -> None:
        model.name = "somebody"
        run = ask("hello")
        assert [frame["message"]["model"] for frame in run.frames if frame["type"] == "assistant"] == ["somebody"]
        assert run.result["total_cost_usd"] > 0

    def test_the_environment_keeps_the_users_configuration_out(
        self, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "leads elsewhere")
        monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        assert ask("hello").result["result"] == "Echo: hello"
        assert list((tmp_path / "home" / ".claude" / "projects").rglob("*.jsonl"))


class TestOverHttp:
    def test_a_gate_holds_the_stream_until_it_is_opened(self, model: ScriptedModel) -> None:
        gate = model.gate()
        model.reply(Text("one", chunk=3), gate, Text("two", chunk=3))
        events = stream(model)
        before = [next(events) for _ in range(5)]
        assert gate.reached.wait(5)
        assert before[3]["delta"]["text"] == "one"
        gate.open()
        after = list(events)
        assert after[1]["delta"]["text"] == "two"
        assert [after[-2]["delta"]["stop_reason"], after[-1]["type"]] == ["end_turn", "message_stop"]

    def test_closing_the_model_ends_a_stream_that_waits_at_a_gate(self) -> None:
        model = ScriptedModel()
        model.start()
        gate = model.gate()
        model.reply(Text("one"), gate, Text("two"))
        events = stream(model)
        assert next(events)["type"] == "message_start"
        assert gate.reached.wait(5)
        model.close()
        assert "message_stop" not in [event["type"] for event in events]
        assert not [thread for thread in threading.enumerate() if thread.name == "scripted-model"]

    def test_the_stream_is_the_same_message_as_the_plain_answer(self, model: ScriptedModel) -> None:
        parts = (Thinking("hm", signature="s"), Text("one two"), Pause(0.001), ToolUse("T", {"a": [1]}, id="t1"))
        model.reply(*parts)
        model.reply(*parts)
        plain = post(model, message("x")).body
        streamed: list[dict[str, Any]] = []
        for event in stream(model):
            match event["type"]:
                case "content_block_start":
                    streamed.append({**event["content_block"], "json": ""})
                case "content_block_delta":
                    kind, value = list(event["delta"].items())[-1]
                    key = "json" if kind == "partial_json" else kind
                    streamed[-1][key] += value
        call = streamed.pop()
        assert plain["content"][:2] == [{k: v for k, v in block.items() if k != "json"} for block in streamed]
        assert plain["content"][2] == {"type": "tool_use", "id": "t1", "name": "T", "input": json.loads(call["json"])}
        assert plain["stop_reason"] == "tool_use"

    def test_errors_carry_status_body_and_headers(self, model: ScriptedModel) -> None:
        model.reply(ApiError(529, "overloaded_error", "busy", retry_after=2))
        response = post(model, message("x"))
        assert response.status == 529
        assert response.headers["retry-after"] == "2"
        assert response.headers["x-should-retry"] == "true"
        assert response.body["error"] == {"type": "overloaded_error", "message": "busy"}

    def test_an_error_or_a_hang_up_in_mid_answer_breaks_the_stream(self, model: ScriptedModel) -> None:
        model.reply(Text("one"), ApiError(529, "overloaded_error", "busy"), Text("never"))
        model.reply(Text("one"), HangUp(), Text("never"))
        assert list(stream(model))[-1]["error"]["type"] == "overloaded_error"
        assert list(stream(model))[-1]["type"] == "content_block_stop"

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("title", message("x", system="You are naming a coding session so the user can pick it out.")),
            ("side_question", message("<system-reminder>This is a side question from the user. </system-reminder>")),
            ("compact", message("CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.")),
            ("summary", message("Web page content:\n---\nhello")),
            ("probe", message("quota", max_tokens=1) | {"max_tokens": 1}),
        ],
    )
    def test_side_calls_do_not_eat_the_queue(self, model: ScriptedModel, kind: str, body: dict[str, Any]) -> None:
        model.reply(Text("for the conversation"))
        said = post(model, body).text
        assert said != "for the conversation"
        assert [request.kind for request in model.side_requests] == [kind]
        assert model.requests == []
        assert model.queued == 1

    def test_sub_agents_have_a_queue_of_their_own(self, model: ScriptedModel) -> None:
        model.reply(Text("main"))
        model.reply(Text("sub"), agent=True)
        system = "x-anthropic-billing-header: cc_is_subagent=true;"
        assert post(model, message("x", system=system)).text == "sub"
        assert post(model, message("x")).text == "main"

    def test_a_failing_script_becomes_an_error_that_says_so(self, model: ScriptedModel) -> None:
        model.script = lambda request: 1 / 0  # type: ignore[return-value]
        response = post(model, message("x"))
        assert response.status == 500
        assert "ZeroDivisionError" in response.body["error"]["message"]

    def test_a_script_that_has_no_answer_leaves_it_to_the_echo(self, model: ScriptedModel) -> None:
        model.script = lambda request: Answer([Text("mine")]) if request.prompt == "a" else None
        said = [post(model, message(text)).text for text in "ab"]
        assert said == ["mine", "Echo: b"]

    def test_token_counts_and_unknown_paths_are_answered(self, model: ScriptedModel) -> None:
        assert post(model, message("x" * 400), "/v1/messages/count_tokens?beta=true").body["input_tokens"] > 100
        assert post(model, {}, "/api/anything").body == {}
        assert model.requests == []

    def test_waiting_for_a_request_that_does_not_come_says_so(self, model: ScriptedModel) -> None:
        with pytest.raises(TimeoutError, match="0 of 1"):
            model.wait_for_requests(1, timeout=0.01)
        post(model, message("x"))
        assert model.wait_for_requests(1)[0].prompt == "x"
