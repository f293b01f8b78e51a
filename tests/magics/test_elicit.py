"""An MCP server asks the person in mid-call: a form in the cell, its values back at the server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.kernel.frontend import Frontend
from tests.magics.cards import asked
from tests.magics.conftest import Page, markdown

SERVER = Path(__file__).with_name("shop_server.py")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with ScriptedModel() as model:
        env = model.env(tmp_path / "home")
        (tmp_path / "work").mkdir()
        account = Path(env["CLAUDE_CONFIG_DIR"]) / ".claude.json"
        account.parent.mkdir(parents=True, exist_ok=True)
        kept = json.loads(account.read_text()) if account.exists() else {}
        shop = {"type": "stdio", "command": sys.executable, "args": [str(SERVER)], "alwaysLoad": True}
        account.write_text(json.dumps({**kept, "mcpServers": {"shop": shop}}))
        with Frontend(env=env, cwd=tmp_path / "work") as front:
            front.run("%load_ext claude_nb")
            yield Page(front, model, tmp_path / "work")


def test_a_servers_question_is_a_form_and_its_values_go_back(page: Page) -> None:
    page.model.script = lambda r: [Text("Ordered.")] if r.results else [ToolUse("mcp__shop__order", {})]
    cell = page.ask("Order something.")
    watched = page.watch(cell)
    asked(watched).answer("allow")
    form = asked(watched, 1)
    assert form.title == "shop asks"
    assert form.data["facts"] == ["What do you want?"]
    assert [(f["name"], f["type"]) for f in form.data["fields"]] == [("item", "line"), ("count", "integer")]
    form.answer("accept", item="fig", count=2)
    page.done(cell)
    assert json.dumps({"action": "accept", "content": {"item": "fig", "count": 2}}) in json.dumps(
        page.model.requests[-1]["messages"]
    ).replace("\\", "")
    assert "Answered: item fig; count 2" in markdown(cell)
