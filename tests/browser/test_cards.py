"""Cards in JupyterLab, clicked in a real Chromium: the real magic, the real CLI, a scripted model."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.browser.lab import DARK, LIGHT, LabServer, Notebook, press, steady
from tests.browser.test_live import CONTRASTS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOP = Path(__file__).parents[1] / "magics" / "shop_server.py"


class Desk:
    """A JupyterLab whose kernels talk to a scripted model; `ask` runs a cell that leads to a card."""

    def __init__(self, server: LabServer, context: BrowserContext, model: ScriptedModel):
        self.server, self.context, self.model = server, context, model
        self._count = 0

    def open(self, *cells: str) -> Notebook:
        self._count += 1
        path = self.server.notebook(f"cards-{self._count}", "%load_ext claude_nb", *cells)
        notebook = Notebook(self.server, self.context, path)
        notebook.run(0, 1)
        return notebook

    def ask(self, *calls: ToolUse, prompt: str = "Do it.", options: str = "") -> tuple[Notebook, Locator]:
        """A notebook whose second cell waits at the card of these tool calls."""
        self.model.script = lambda request: [Text("So it is.")] if request.results else calls
        notebook = self.open(f"%%claude {options}\n{prompt}")
        notebook.start(1)
        card = notebook.output(1).locator(".cnb-card").first
        expect(card).to_be_visible()
        return notebook, card

    def told(self) -> str:
        """What the model was sent last."""
        return json.dumps(self.model.requests[-1]["messages"])


def click(notebook: Notebook, card: Locator, name: str | re.Pattern[str]) -> None:
    """Click a button of the card as a person does who has read it."""
    press(card, card.get_by_role("button", name=name, exact=isinstance(name, str)))


@pytest.fixture(scope="module")
def desk(browser_context: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with ScriptedModel() as model:
        server = LabServer(tmp_path_factory.mktemp("cards"), env=model.env(tmp_path_factory.mktemp("home")))
        yield Desk(server, browser_context, model)
        server.close()


@pytest.fixture
def opened(desk: Desk) -> Iterator[Callable[..., tuple[Notebook, Locator]]]:
    notebooks: list[Notebook] = []

    def ask(*calls: ToolUse, **how: Any) -> tuple[Notebook, Locator]:
        notebook, card = desk.ask(*calls, **how)
        notebooks.append(notebook)
        return notebook, card

    yield ask
    for notebook in notebooks:
        notebook.close()
    desk.server.end_kernels()


Opened = Callable[..., tuple[Notebook, Locator]]


def bash(command: str, **more: Any) -> ToolUse:
    return ToolUse("Bash", {"command": command, "description": "Do something", **more})


def test_allow_once_runs_the_command_and_the_record_stays_in_the_saved_output(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("echo clicked > clicked.txt"))
    expect(card.locator("pre")).to_have_text("$ echo clicked > clicked.txt")
    click(notebook, card, "Allow once")
    notebook.wait_prompt(1, "2")
    assert (desk.server.root / "clicked.txt").read_text() == "clicked\n"
    expect(notebook.output(1)).to_contain_text("Allowed once")
    assert "Allowed once" in str(notebook.save().cells[1].outputs)
    assert notebook.errors == []


def test_deny_with_a_reason(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("touch denied.txt"))
    card.get_by_label("Tell the agent why").fill("not today")
    click(notebook, card, "Deny")
    notebook.wait_prompt(1, "2")
    assert "not today" in desk.told()
    assert not (desk.server.root / "denied.txt").exists()


def test_an_edited_command_runs_and_shortcuts_of_the_notebook_sleep_while_typing(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("touch before.txt"))
    cells = notebook.page.locator(".jp-Notebook .jp-Cell").count()
    click(notebook, card, "Edit…")
    box = card.get_by_label("Command")
    expect(box).to_be_focused()
    box.fill("")
    box.press_sequentially("touch dd.txt")
    click(notebook, card, "Allow as edited")
    notebook.wait_prompt(1, "2")
    assert (desk.server.root / "dd.txt").exists()
    assert notebook.page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert "edited the input of this call" in desk.told()


def test_always_names_its_rule_and_where_it_is_kept(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("npm test --silent || true"), options="")
    always = card.get_by_role("button", name=re.compile(r"^Always: Bash\("))
    expect(always.first).to_be_visible()
    card.get_by_label("for").first.select_option("session")
    click(notebook, card, re.compile(r"^Always: Bash\("))
    notebook.wait_prompt(1, "2")
    expect(notebook.output(1)).to_contain_text("for this session")


def test_a_scripts_clicks_and_keys_do_nothing(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("touch scripted.txt"))
    steady(card)
    card.evaluate(
        """(card) => {
            for (const button of card.querySelectorAll("button")) {
                button.click();
                button.dispatchEvent(new MouseEvent("click", { bubbles: true }));
                button.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
            }
            card.dispatchEvent(new KeyboardEvent("keydown", { key: "y", bubbles: true }));
        }"""
    )
    expect(card.get_by_role("button", name="Allow once")).to_be_enabled()
    click(notebook, card, "Deny")
    notebook.wait_prompt(1, "2")
    assert not (desk.server.root / "scripted.txt").exists()


def test_a_click_right_after_the_card_has_moved_does_not_count(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("touch moved.txt"))
    steady(card)
    allow = card.get_by_role("button", name="Allow once")
    # Something above grows, as text that streams does, and the button slides under a pointer that aimed elsewhere.
    card.evaluate("(card) => { card.style.marginTop = '60px' }")
    box = allow.bounding_box()
    assert box is not None
    notebook.page.mouse.click(box["x"] + 5, box["y"] + 5)
    expect(card).to_contain_text("just moved")
    expect(allow).to_be_enabled()
    click(notebook, card, "Deny")
    notebook.wait_prompt(1, "2")
    assert not (desk.server.root / "moved.txt").exists()


def test_the_card_takes_no_focus_and_its_keys_work_once_it_has_it(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("touch keyed.txt"))
    assert card.evaluate("(card) => !card.contains(document.activeElement)")
    notebook.page.keyboard.press("y")
    steady(card)
    expect(card.get_by_role("button", name="Allow once")).to_be_enabled()
    card.focus()
    notebook.page.keyboard.press("y")
    notebook.wait_prompt(1, "2")
    assert (desk.server.root / "keyed.txt").exists()


def test_cards_of_several_calls_stand_behind_their_calls_and_the_keyboard_goes_from_one_to_the_next(
    opened: Opened, desk: Desk
) -> None:
    fetches = [ToolUse("WebFetch", {"url": f"https://{name}.example/", "prompt": "p"}) for name in ("one", "two")]
    notebook, first = opened(*fetches)
    cards = notebook.output(1).locator(".cnb-card")
    expect(cards).to_have_count(2)
    kinds = (
        notebook.output(1)
        .locator(".cnb-blocks")
        .first.evaluate("(list) => [...list.children].map((block) => block.dataset.kind)")
    )
    assert kinds == ["tool", "question", "tool", "question"]
    steady(first)
    first.focus()
    notebook.page.keyboard.press("n")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("two.example")
    expect(cards).to_be_focused()
    steady(cards)
    notebook.page.keyboard.press("n")
    notebook.wait_prompt(1, "2")
    assert desk.told().count("The user denied this tool call.") == 2


def test_what_a_long_card_hides_below_is_counted_until_it_was_scrolled_to(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("\n".join(f"touch {number}" for number in range(90))))
    hint = card.locator(".cnb-below")
    expect(hint).to_have_text(re.compile(r"^▾ \d\d more lines below$"))
    card.locator(".cnb-card-body").evaluate("(body) => body.scrollTo(0, body.scrollHeight)")
    expect(hint).to_have_text("")
    click(notebook, card, "Deny")
    notebook.wait_prompt(1, "2")


HOSTILE = (
    "echo '<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>' \u202etxt.exe\u200b\u2066 # "
    + "x" * 30_000
)


def test_hostile_input_is_shown_and_never_run_in_the_page(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(
        ToolUse("Bash", {"command": HOSTILE, "description": "<b>\u202eevil</b><img src=x onerror=window.pwned=1>"})
    )
    shown = card.locator("pre").inner_text()
    assert "<img src=x onerror=" in shown
    assert "\\u202e" in shown
    assert "\\u200b" in shown
    assert "\u202e" not in notebook.output(1).inner_text()
    assert shown.endswith("xxx")
    assert card.locator("img, script, b").count() == 0
    expect(card.get_by_role("button", name="Edit…")).to_have_count(0)
    click(notebook, card, "Deny")
    notebook.wait_prompt(1, "2")
    assert notebook.page.evaluate("() => window.pwned") is None


def test_a_restarted_kernel_leaves_a_card_that_is_inert_and_says_why(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("touch gone.txt"))
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(card).to_contain_text("is gone")
    expect(card.get_by_role("button", name="Allow once")).to_be_disabled()


QUESTIONS = {
    "questions": [
        {
            "question": "Which format should the report have?",
            "header": "Format",
            "multiSelect": False,
            "options": [
                {
                    "label": "Notebook",
                    "description": "Cells that can be run again",
                    "preview": "```python\nreport()\n```",
                },
                {"label": "Markdown", "description": "A file to read"},
            ],
        },
        {
            "question": "Which parts?",
            "header": "Parts",
            "multiSelect": True,
            "options": [
                {"label": "Summary", "description": "One paragraph"},
                {"label": "Charts", "description": "Revenue by region"},
            ],
        },
    ]
}


def test_a_question_of_a_page_loaded_again_after_it_was_saved_is_in_its_cell(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(bash("echo saved > saved.txt"))
    notebook.save()
    notebook.open()
    expect(card).to_contain_text("echo saved > saved.txt")
    expect(notebook.page.locator(".cnb-floating")).to_have_count(0)
    click(notebook, card, "Allow once")
    expect(notebook.output(1)).to_contain_text("So it is.")
    assert (desk.server.root / "saved.txt").exists()


def test_a_question_of_a_page_loaded_again_before_it_was_saved_comes_back_over_the_page(
    opened: Opened, desk: Desk, tmp_path: Path
) -> None:
    notebook, card = opened(bash("echo back > back.txt"))
    notebook.open()
    expect(notebook.output(1).locator(".cnb-live")).to_have_count(0)
    floating = notebook.page.locator(".cnb-floating")
    card = floating.locator(".cnb-card")
    expect(card).to_contain_text("echo back > back.txt")
    expect(floating).to_contain_text("does not show the output of the running cell")
    expect(floating.get_by_role("button", name="Close")).to_be_hidden()
    for theme in (DARK, LIGHT):
        notebook.theme(theme)
        notebook.page.screenshot(path=tmp_path / f"floating-{theme.split()[-1]}.png")
    click(notebook, card, "Allow once")
    expect(floating).to_contain_text("So it is.")
    assert (desk.server.root / "back.txt").read_text() == "back\n"
    expect(floating.locator(".cnb-foot")).to_be_visible()
    floating.get_by_role("button", name="Close").click()
    expect(floating).to_have_count(0)
    assert notebook.errors == []


def test_a_question_whose_output_was_cleared_floats_until_it_is_answered(opened: Opened, desk: Desk) -> None:
    notebook, _ = opened(bash("touch cleared.txt"))
    notebook.command("notebook:clear-all-cell-outputs")
    floating = notebook.page.locator(".cnb-floating")
    expect(floating).to_be_visible()
    click(notebook, floating.locator(".cnb-card"), "Deny")
    notebook.wait_prompt(1, "2")
    expect(floating).to_have_count(0)
    assert not (desk.server.root / "cleared.txt").exists()


def test_a_question_of_a_notebook_whose_tab_is_closed_waits_until_it_is_opened_again(
    opened: Opened, desk: Desk
) -> None:
    notebook, _ = opened(bash("touch closed.txt"))
    floating = notebook.page.locator(".cnb-floating")
    notebook.command("notebook:clear-all-cell-outputs")
    expect(floating).to_be_visible()
    notebook.save()
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
    expect(floating).to_have_count(0)  # the page has no way to that kernel any more
    notebook.command("docmanager:open", {"path": notebook.path.name})
    click(notebook, floating.locator(".cnb-card"), "Deny")
    expect(floating).to_contain_text("So it is.")
    assert notebook.errors == []


def test_questions_of_several_cells_float_below_each_other(desk: Desk, close: list[Notebook]) -> None:
    desk.model.script = lambda request: [Text("Done.")] if request.results else [bash(f"touch {request.prompt}.txt")]
    notebook = desk.open("%%claude --bg -s a\nfirst", "%%claude --bg -s b\nsecond", "%%claude\nthird")
    close.append(notebook)
    for index in (1, 2, 3):
        waiting(notebook, index)
    notebook.open()
    floating = notebook.page.locator(".cnb-floating")
    expect(floating).to_have_count(3)
    for prompt in ("second", "third", "first"):
        asking = floating.filter(has_text=f"touch {prompt}.txt")
        click(notebook, asking.locator(".cnb-card"), "Allow once")
        expect(asking).to_contain_text("Done.")
    for number in (3, 2, 1):
        expect(floating).to_have_count(number)
        floating.first.get_by_role("button", name="Close").click()
    expect(notebook.page.locator(".cnb-floats")).to_have_count(0)
    assert notebook.errors == []


def test_questions_of_the_agent_are_answered_in_a_form(opened: Opened, desk: Desk) -> None:
    notebook, card = opened(ToolUse("AskUserQuestion", QUESTIONS))
    click(notebook, card, "Answer")
    expect(card).to_contain_text("an answer is needed")
    card.get_by_role("radio", name=re.compile("Notebook")).check()
    expect(card.locator(".cnb-preview-box")).to_be_visible()
    card.get_by_role("checkbox", name=re.compile("Summary")).check()
    card.get_by_label("Other answer").last.fill("An appendix")
    click(notebook, card, "Answer")
    notebook.wait_prompt(1, "2")
    assert '\\"Which parts?\\"=\\"Summary,An appendix\\"' in desk.told()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_cards_read_well_on_both_themes(opened: Opened, desk: Desk, theme: str, tmp_path: Path) -> None:
    for calls, name in GALLERY:
        notebook, card = opened(*calls)
        notebook.theme(theme)
        if name == "bash":
            click(notebook, card, "Edit…")
        poor = [it for it in card.evaluate(CONTRASTS) if it["ratio"] < it["needed"]]
        assert poor == []
        notebook.page.screenshot(path=tmp_path / f"{name}-{theme.split()[-1]}.png")
        notebook.theme(LIGHT)
        click(notebook, card, re.compile("^(Deny|Do not answer|Keep planning)$"))
        notebook.wait_prompt(1, "2")


EDITED = {"file_path": "loader.py", "content": "def load(paths):\n    return [p.read_text() for p in paths]\n"}
GALLERY = [
    ((bash("pytest -q tests && git push origin main"),), "bash"),
    ((ToolUse("Write", EDITED),), "write"),
    ((ToolUse("AskUserQuestion", QUESTIONS),), "questions"),
]


def waiting(notebook: Notebook, index: int) -> Locator:
    """Run a cell up to its card."""
    notebook.start(index)
    card = notebook.output(index).locator(".cnb-card").first
    expect(card).to_be_visible()
    return card


@pytest.fixture
def close(desk: Desk) -> Iterator[list[Notebook]]:
    """Notebooks put in here are closed after the test."""
    notebooks: list[Notebook] = []
    yield notebooks
    for notebook in notebooks:
        notebook.close()
    desk.server.end_kernels()


def test_a_plan_is_sent_back_with_comments_and_then_approved(desk: Desk, close: list[Notebook]) -> None:
    plan = ToolUse("ExitPlanMode", {"plan": "# The plan\n\n1. write **one** file"})
    write = ToolUse("Write", {"file_path": str(desk.server.root / "planned.txt"), "content": "x"})
    steps = iter([[plan], [plan], [write], [Text("Done.")]])
    desk.model.script = lambda request: next(steps)
    notebook = desk.open("%claude mode plan", "%%claude\nPlan it.")
    close.append(notebook)
    notebook.run(1, 2)
    card = waiting(notebook, 2)
    expect(card.locator("strong")).to_have_text("one")
    card.get_by_role("textbox").last.fill("and a test")
    click(notebook, card, "Keep planning")
    expect(notebook.output(2).locator(".cnb-card")).to_have_count(1)
    card = notebook.output(2).locator(".cnb-card").filter(has=notebook.page.get_by_role("button", name="Approve"))
    expect(card.get_by_role("button", name="Approve", exact=True)).to_be_enabled()
    assert "and a test" in desk.told()
    click(notebook, card.last, "Approve and accept edits")
    notebook.wait_prompt(2, "3")
    assert (desk.server.root / "planned.txt").read_text() == "x"


def test_what_gives_everything_away_takes_two_clicks_on_a_red_card(
    desk: Desk, close: list[Notebook], tmp_path: Path
) -> None:
    notebook = desk.open("%claude mode bypassPermissions", "%claude rules")
    close.append(notebook)
    card = waiting(notebook, 1)
    expect(card).to_contain_text("every command runs with your rights")
    click(notebook, card, "Bypass")
    expect(card).to_contain_text("Really?")
    steady(card)
    notebook.page.screenshot(path=tmp_path / "confirm.png")
    card.locator("button[data-tone=danger]:visible").last.click()
    notebook.wait_prompt(1, "2")
    notebook.run(2, 3)
    expect(notebook.output(2)).to_contain_text("mode bypassPermissions")


def test_a_folders_settings_are_listed_on_a_card_and_can_be_left_off(desk: Desk, close: list[Notebook]) -> None:
    settings = desk.server.root / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "touch ran"}]}]}}))
    notebook = desk.open("%claude trust")
    close.append(notebook)
    card = waiting(notebook, 1)
    expect(card).to_contain_text('hook  Stop: {"hooks": [{"type": "command", "command": "touch ran"}]}')
    click(notebook, card, "No, leave it")
    notebook.wait_prompt(1, "2")
    expect(notebook.output(1)).to_contain_text("stay off")
    settings.unlink()


@pytest.fixture
def shop(browser_context: BrowserContext, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose agent has an MCP server that asks back."""
    with ScriptedModel() as model:
        env = model.env(tmp_path / "home")
        account = Path(env["CLAUDE_CONFIG_DIR"]) / ".claude.json"
        account.parent.mkdir(parents=True, exist_ok=True)
        kept = json.loads(account.read_text()) if account.exists() else {}
        server = {"type": "stdio", "command": sys.executable, "args": [str(SHOP)], "alwaysLoad": True}
        account.write_text(json.dumps({**kept, "mcpServers": {"shop": server}}))
        (tmp_path / "shop").mkdir()
        lab = LabServer(tmp_path / "shop", env=env)
        yield Desk(lab, browser_context, model)
        lab.end_kernels()
        lab.close()


def test_a_servers_question_is_filled_in_as_a_form(shop: Desk, tmp_path: Path) -> None:
    notebook, card = shop.ask(ToolUse("mcp__shop__order", {}))
    click(notebook, card, "Allow once")
    form = notebook.output(1).locator(".cnb-card").filter(has_text="What do you want?")
    expect(form).to_be_visible()
    click(notebook, form, "Submit")
    expect(form).to_contain_text("needed")
    form.get_by_label("Item").fill("fig")
    form.get_by_label("count").fill("2")
    notebook.page.screenshot(path=tmp_path / "form.png")
    click(notebook, form, "Submit")
    notebook.wait_prompt(1, "2")
    assert '\\"item\\": \\"fig\\"' in shop.told().replace("\\\\", "\\")
    notebook.close()
