// The rewind panel as DOM: checkpoints with a button each, a question with its choices, what came of it.
// Above: panel.ts. Below: steady.ts. A click counts if a person made it, on a panel that stood still before it.

import type { Panel, PanelButton } from "../panel.ts";
import { element } from "./block.ts";
import { showing } from "./floating.ts";
import { Steady } from "./steady.ts";

/** After this long without an answer the person is told what may be the matter. */
const SLOW_MS = 4000;

export class PanelView {
  private root = element("section", "cnb-live cnb-rewind");
  private body = element("div", "cnb-rewind-body");
  private says = element("div", "cnb-says");
  private buttons: HTMLButtonElement[] = [];
  private steady: Steady;
  private slow: ReturnType<typeof setTimeout> | undefined;
  private dead = false;
  private shown = "";
  /** A click was sent, and nothing has come of it yet. */
  private waiting = false;
  /** A button of this panel was pressed: a disabled one loses the focus to the page. */
  private pressed = false;
  private click: (id: string) => void;
  private unshow = () => {};

  constructor(host: HTMLElement, click: (id: string) => void) {
    this.click = click;
    this.says.setAttribute("role", "status");
    this.root.setAttribute("role", "group");
    // JupyterLab's shortcuts are for cells: here a key presses a button.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.append(this.body, this.says);
    host.append(this.root);
    // Only the body: what is said below it must not count as a move.
    this.steady = new Steady(this.body, () => {});
  }

  /** Shows a panel. One that is shown already, which a page that asks twice gets, stays as it is under the pointer. */
  show(panel: Panel): void {
    const shown = JSON.stringify(panel);
    if (shown === this.shown && !this.waiting) return;
    this.shown = shown;
    this.waiting = false;
    const focused = this.hasFocus();
    clearTimeout(this.slow);
    this.says.textContent = "";
    this.buttons = [];
    this.unshow();
    this.unshow = panel.buttons[0] === undefined ? () => {} : showing(panel.buttons[0].id);
    this.root.setAttribute("aria-label", panel.title);
    this.body.replaceChildren(...this.parts(panel));
    const list = this.body.querySelector(".cnb-rewind-rows");
    if (list !== null) list.scrollTop = list.scrollHeight; // the newest are the last
    this.steady.moved();
    if (this.dead) this.die();
    else if (focused) this.buttons[0]?.focus({ preventScroll: true });
  }

  /** The kernel is gone: nothing can be clicked any more. */
  die(): void {
    this.dead = true;
    this.enable(false);
    this.says.textContent = "The kernel that showed this has ended. `%claude checkpoints` shows those of the new one.";
  }

  close(): void {
    this.unshow();
    this.steady.close();
    clearTimeout(this.slow);
    this.root.remove();
  }

  private *parts(panel: Panel): Iterable<HTMLElement> {
    yield text("div", "cnb-rewind-title", panel.title);
    if (panel.quote) yield text("blockquote", "cnb-quote", panel.quote);
    if (panel.rows.length) yield this.rows(panel);
    for (const note of panel.notes) yield text("div", "cnb-rewind-note", note);
    if (panel.text) yield copyable(panel.text);
    if (panel.buttons.length) {
      const line = element("div", "cnb-row");
      line.append(...panel.buttons.map((button) => this.button(button)));
      yield line;
    }
  }

  private rows(panel: Panel): HTMLElement {
    const list = element("ol", "cnb-rewind-rows");
    for (const row of panel.rows) {
      const item = element("li", "cnb-rewind-row");
      const words = element("div", "cnb-rewind-words");
      words.append(text("div", "cnb-rewind-text", row.text));
      if (row.facts) words.append(text("div", "cnb-rewind-facts", row.facts));
      if (row.note) words.append(text("div", "cnb-rewind-warning", row.note));
      item.append(words);
      if (row.button) item.append(this.button(row.button));
      list.append(item);
    }
    return list;
  }

  private button({ id, label, tone, help }: PanelButton): HTMLButtonElement {
    const it = element("button", "cnb-button");
    it.type = "button";
    it.dataset.tone = tone;
    it.textContent = label;
    if (help) {
      it.title = help;
      it.setAttribute("aria-label", `${label}: ${help}`);
    }
    it.addEventListener("click", (event) => {
      if (!event.isTrusted) return;
      if (!this.steady.ok()) {
        this.says.textContent = "That was very quick, or the panel had just moved. Please click once more.";
        return;
      }
      this.pressed = this.waiting = true;
      this.enable(false);
      this.says.textContent = "Working…";
      this.slow = setTimeout(() => {
        this.says.textContent = "Still waiting for the kernel: it may be busy with a cell.";
      }, SLOW_MS);
      this.click(id);
    });
    this.buttons.push(it);
    return it;
  }

  /** Whether the person's focus is here, so that it goes on to the next panel's first button. */
  private hasFocus(): boolean {
    const { activeElement, body } = this.root.ownerDocument;
    const pressed = this.pressed;
    this.pressed = false;
    return this.root.contains(activeElement) || (pressed && activeElement === body);
  }

  private enable(yes: boolean): void {
    for (const button of this.buttons) button.disabled = !yes;
  }
}

function text<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, words: string): HTMLElementTagNameMap[K] {
  const it = element(tag, className);
  it.textContent = words;
  return it;
}

/** Text to take elsewhere: one click selects it whole. */
function copyable(words: string): HTMLElement {
  const it = element("textarea", "cnb-control cnb-rewind-copy");
  it.readOnly = true;
  it.value = words;
  it.rows = Math.min(words.split("\n").length, 12);
  it.setAttribute("aria-label", "The prompt, to be edited and run again");
  it.addEventListener("focus", () => it.select());
  return it;
}
