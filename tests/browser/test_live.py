"""The live output in JupyterLab, in a real Chromium."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab import DARK, LIGHT, Notebook, gate
from tests.browser.scripts import ARTICLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Open = Callable[..., Notebook]


def cell(script: str) -> str:
    """Source of a cell that plays a script of tests/browser/scripts.py."""
    return f"from tests.browser import scripts, stage\nface = stage.play(scripts.{script})"


def test_text_is_in_the_page_while_the_cell_still_runs_and_static_html_takes_its_place(open_notebook: Open) -> None:
    with gate() as middle:
        notebook = open_notebook(cell(f"two_parts({middle.port})"))
        notebook.start(0)
        live = notebook.output(0).locator(".cnb-live")
        expect(live.locator("h2")).to_have_text("Part one")
        expect(live.locator(".cnb-activity")).to_contain_text("Writing")
        assert notebook.cell(0).locator(".jp-InputPrompt").inner_text() == "[*]:"
        middle.open()
        notebook.wait_prompt(0, "1")
    expect(live).to_have_count(0)
    expect(notebook.output(0)).to_contain_text("Part two")
    assert notebook.errors == []


FORMULAS = r"""The mean $\bar{x} = \frac{1}{n}\sum_{i=1}^n x_i$ and the estimate

$$
\begin{aligned}
\hat{\beta} &= (X^\top X)^{-1} X^\top y \\
\operatorname{Var}(\hat{\beta}) &= \sigma^2 (X^\top X)^{-1}
\end{aligned}
$$

with a matrix $\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$ and what is no formula: $\nonsense{x}$.
"""


def test_formulas_are_set_while_they_stream_and_in_the_saved_output(open_notebook: Open, tmp_path: Path) -> None:
    with gate() as end:
        notebook = open_notebook(cell(f"steady({end.port}, {FORMULAS!r})"))
        notebook.start(0)
        live = notebook.output(0).locator(".cnb-live")
        expect(live.locator(".cnb-activity")).to_contain_text("Waiting")
        expect(live.locator("math")).to_have_count(3)
        expect(live).to_contain_text(r"$\nonsense{x}$")
        heights = live.locator("math").evaluate_all("(all) => all.map((it) => it.getBoundingClientRect().height)")
        assert heights[0] > 20, "a fraction is higher than a line of text"
        assert heights[1] > 40, "two lines, one above the other"
        for theme in (DARK, LIGHT):
            notebook.theme(theme)
            notebook.output(0).screenshot(path=tmp_path / f"formulas-{theme}.png")
        end.open()
        notebook.wait_prompt(0, "1")
    expect(notebook.output(0).locator("mjx-container")).to_have_count(4)
    notebook.output(0).screenshot(path=tmp_path / "formulas-saved.png")


def test_the_saved_output_needs_neither_widget_nor_kernel(open_notebook: Open) -> None:
    with gate() as middle:
        notebook = open_notebook(cell(f"two_parts({middle.port})"))
        notebook.start(0)
        middle.open()
        notebook.wait_prompt(0, "1")
    saved = notebook.save()
    (output,) = saved.cells[0].outputs
    assert set(output.data) == {"text/html", "text/markdown", "text/plain"}
    assert "widgets" not in saved.metadata
    notebook.server.end_kernels()
    notebook.open()
    expect(notebook.output(0).locator("h2")).to_have_text(["Part one", "Part two"])
    expect(notebook.output(0)).not_to_contain_text("widget")


def test_a_click_on_stop_reaches_the_turn_while_the_cell_blocks(open_notebook: Open) -> None:
    notebook = open_notebook(cell("until_stopped()"))
    notebook.start(0)
    notebook.output(0).get_by_role("button", name="Stop").click()
    notebook.wait_prompt(0, "1")
    expect(notebook.output(0)).to_contain_text("So far.")
    expect(notebook.output(0)).to_contain_text("nterrupted")


def test_a_scripts_click_stops_nothing_and_the_keyboard_does(open_notebook: Open) -> None:
    notebook = open_notebook(cell("until_stopped()"))
    notebook.start(0)
    button = notebook.output(0).get_by_role("button", name="Stop")
    button.evaluate("(button) => { button.click(); button.dispatchEvent(new MouseEvent('click')) }")
    expect(button).to_be_enabled()
    assert notebook.cell(0).locator(".jp-InputPrompt").inner_text() == "[*]:"
    button.focus()
    notebook.page.keyboard.press("Enter")
    notebook.wait_prompt(0, "1")


@pytest.mark.parametrize("end", ["restarted", "died"])
def test_a_kernel_that_is_gone_in_mid_turn_stops_the_clock_and_the_page_says_so(open_notebook: Open, end: str) -> None:
    notebook = open_notebook("import os; print(os.getpid())", cell("until_stopped()"))
    notebook.run(0, 1)
    notebook.start(1)
    line = notebook.output(1).locator(".cnb-run")
    expect(line.get_by_role("button", name="Stop")).to_be_visible()
    if end == "died":
        os.kill(int(notebook.output(0).inner_text()), signal.SIGKILL)
    else:
        kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        notebook.page.evaluate(f"() => {{ window.restarted = {kernel}.restart() }}")
    expect(line.locator(".cnb-activity")).to_have_text("The kernel is gone: `%claude last` shows what was kept.")
    expect(line.locator(".cnb-elapsed")).to_be_empty()
    expect(line.get_by_role("button", name="Stop")).to_be_hidden()
    notebook.page.evaluate("window.restarted")  # the server cannot end a kernel that it is starting


def test_a_burst_of_deltas_arrives_whole_in_one_message(open_notebook: Open) -> None:
    with gate() as end:
        notebook = open_notebook(cell(f"burst({end.port}, 4000)"))
        notebook.start(0)
        live = notebook.output(0).locator(".cnb-live")
        expect(live.locator(".cnb-activity")).to_contain_text("Waiting")
        words = live.locator(".cnb-own").inner_text().split()
        assert words == [f"w{number}" for number in range(4000)]
        end.open()
        notebook.wait_prompt(0, "1")


def test_messages_lost_on_their_way_are_noticed_and_the_text_is_whole_again(open_notebook: Open) -> None:
    lost: list[bytes] = []
    seen = 0

    def lose(message: str | bytes) -> bool:
        nonlocal seen
        data = message.encode() if isinstance(message, str) else message
        if b'"patch"' not in data:
            return False
        seen += 1
        if seen % 4 == 3:
            lost.append(data)
            return True
        return False

    text = " ".join(f"w{number}" for number in range(500))
    with gate() as end:
        notebook = open_notebook(cell(f"steady({end.port}, {text!r})"), lose=lose)
        notebook.start(0)
        live = notebook.output(0).locator(".cnb-live")
        expect(live.locator(".cnb-activity")).to_contain_text("Waiting")
        expect(live.locator(".cnb-own")).to_have_text(text)
        assert lost
        end.open()
        notebook.wait_prompt(0, "1")


def test_a_page_reloaded_in_mid_stream_gets_the_live_view_back_and_what_came_meanwhile(open_notebook: Open) -> None:
    with gate() as middle:
        notebook = open_notebook(cell(f"two_parts({middle.port})"))
        notebook.start(0)
        live = notebook.output(0).locator(".cnb-live")
        expect(live.locator("h2")).to_have_text("Part one")
        notebook.save()  # or the page would not know of the widget
        notebook.open()
        expect(live.locator("h2")).to_have_text("Part one")
        middle.open()
        expect(live.locator("h2")).to_have_text(["Part one", "Part two"])
        expect(live.locator(".cnb-foot")).to_contain_text("scripted")
        expect(live.locator(".cnb-run")).to_be_hidden()
    assert notebook.errors == []


def test_a_fold_opened_by_hand_stays_open_when_its_card_changes_and_a_second_view_is_in_step(
    open_notebook: Open,
) -> None:
    with gate() as answer:
        notebook = open_notebook(cell(f"tool_waits({answer.port})"))
        notebook.start(0)
        card = notebook.output(0).locator(".cnb-tool")
        expect(card).to_have_attribute("data-status", "running")
        was_open = card.evaluate("(card) => card.open")
        card.locator("summary").first.click()
        notebook.command("notebook:create-output-view")
        views = notebook.page.locator(".cnb-live")
        expect(views).to_have_count(2)
        answer.open()
        expect(notebook.page.locator('.cnb-tool[data-status="done"]')).to_have_count(2)
        assert card.evaluate("(card) => card.open") is not was_open
        expect(views.nth(1).locator(".cnb-activity")).to_contain_text("Waiting")
        views.nth(1).get_by_role("button", name="Stop").click()
        notebook.wait_prompt(0, "1")


def test_the_page_script_comes_once_and_a_further_cell_costs_a_few_kilobytes(open_notebook: Open) -> None:
    with gate() as first, gate() as second:
        notebook = open_notebook(cell(f"two_parts({first.port})"), cell(f"two_parts({second.port})"))
        first_cost = _cost_of_run(notebook, 0, first.open)
        further_cost = _cost_of_run(notebook, 1, second.open)
    scripts = [frame for frame in notebook.frames if b"cnb-live" in _bytes(frame) and b'"script"' in _bytes(frame)]
    assert len(scripts) == 1
    assert first_cost - further_cost > 10_000
    assert further_cost < 25_000, "widget, stream, busy and idle messages, final bundle"


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def _cost_of_run(notebook: Notebook, index: int, go_on: Callable[[], None]) -> int:
    """Bytes that the page received for one cell, from its start to its end."""
    before = notebook.received
    notebook.start(index)
    expect(notebook.output(index).locator(".cnb-live h2")).to_have_text("Part one")
    go_on()
    notebook.wait_prompt(index, str(index + 1))
    return notebook.received - before


def test_a_person_at_the_end_of_a_growing_answer_stays_there_and_one_who_scrolled_up_is_left_alone(
    open_notebook: Open,
) -> None:
    text = "\n\n".join(f"Paragraph {number}." for number in range(80))
    with gate() as end:
        notebook = open_notebook(cell(f"steady({end.port}, {text!r}, 10, 60)"))
        notebook.start(0)
        live = notebook.output(0).locator(".cnb-live")
        live.get_by_text("Paragraph 40.", exact=True).wait_for()
        assert _distance_to_end(live) < 60
        live.evaluate("(live) => { live.closest('.jp-WindowedPanel-outer').scrollTop = 0 }")
        expect(live.locator(".cnb-activity")).to_contain_text("Waiting")
        assert _distance_to_end(live) > 300
        end.open()
        notebook.wait_prompt(0, "1")


def _distance_to_end(live: object) -> float:
    """Pixels from the lower edge of the visible notebook to the end of the output."""
    return live.evaluate(  # type: ignore[attr-defined]
        "(live) => live.getBoundingClientRect().bottom"
        " - live.closest('.jp-WindowedPanel-outer').getBoundingClientRect().bottom"
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_everything_reads_well_on_both_themes(open_notebook: Open, theme: str) -> None:
    with gate() as end:
        notebook = open_notebook(cell(f"gallery({end.port})"))
        notebook.theme(theme)
        notebook.start(0)
        live = notebook.output(0).locator(".cnb-live")
        expect(live.locator(".cnb-activity")).to_contain_text("describe")
        poor = live.evaluate(CONTRASTS)
        end.open()
        notebook.wait_prompt(0, "1")
        notebook.theme(LIGHT)
    assert [it for it in poor if it["ratio"] < it["needed"]] == []
    assert len(poor) > 50, "there was text to measure"
    assert ARTICLE.split()[0] in notebook.output(0).inner_text()


# Contrast of every piece of text with what is painted behind it. Colours of code come from the front end's own theme,
# whose comment colour is weaker than ours would be: they are held to the threshold of large text.
CONTRASTS = """(live) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    canvas.canvas.width = canvas.canvas.height = 1;
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], ground) => [r, g, b].map((c, i) => c * a + ground[i] * (1 - a));
    const ground = (el) => {
        if (!el) return [255, 255, 255];
        return over(rgba(getComputedStyle(el).backgroundColor), ground(el.parentElement));
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = [];
    const walker = document.createTreeWalker(live, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const el = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !el.checkVisibility() || el.closest("[aria-hidden]")) continue;
        const behind = ground(el);
        const [a, b] = [light(over(rgba(getComputedStyle(el).color), behind)), light(behind)];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const needed = /cnb-(k|s|n|c|f|b|o)\\b/.test(el.className) ? 3 : 4.5;
        found.push({ text: walker.currentNode.data.trim().slice(0, 30), class: el.className, ratio, needed });
    }
    return found;
}"""
