// A question to the person: what is asked, what to fill in, buttons. Answers go to the kernel, which checks them again.
// Above: live.ts. Below: field.ts, floating.ts, steady.ts. A click counts if a person made it and the card stood still
// before it.

import type { Answer, Button, Card, Field } from "../patch.ts";
import { element } from "./block.ts";
import { FieldView } from "./field.ts";
import { showing } from "./floating.ts";
import { Steady } from "./steady.ts";

/** After this long without an end a card can be answered again: the message may have been lost. */
const AGAIN_MS = 4000;
const TYPING = "input, textarea, select";
/** A longer body is not read out with the title. */
const READ_OUT = 1000;

/** For the ids that tie a card to its description. */
let cards = 0;

export class CardView {
  readonly id: string;
  readonly el = element("section", "cnb-card");
  /** When the question ends, by performance.now(). */
  deadline: number | undefined;
  private card: Card;
  private answer: (answer: Answer) => void;
  private fields = new Map<string, FieldView>();
  private presses = new Map<HTMLButtonElement, () => void>();
  private body = element("div", "cnb-card-body");
  private more = element("div", "cnb-below");
  private panel = element("div", "cnb-panel");
  private clock = element("span", "cnb-countdown");
  private says = element("div", "cnb-says");
  private actions = element("div", "cnb-rows");
  private steady: Steady;
  private again: ReturnType<typeof setTimeout> | undefined;
  private dead = false;
  private unshow: () => void;

  constructor(card: Card, answer: (answer: Answer) => void) {
    this.id = card.id;
    this.card = card;
    this.answer = answer;
    this.draw();
    this.unshow = showing(card.id);
    this.steady = new Steady(this.actions, () => this.tick());
    this.el.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("scroll", () => this.measure());
  }

  get hasFocus(): boolean {
    return this.el.contains(this.el.ownerDocument.activeElement);
  }

  /** What is asked, in a sentence or two, for those who hear it. */
  get spoken(): string {
    const body = this.body.textContent;
    return [this.card.title, ...this.card.facts, body.length > READ_OUT ? "" : body].filter(Boolean).join(". ");
  }

  focus(): void {
    this.el.focus({ preventScroll: true });
  }

  /** Answers are no longer taken. */
  die(reason: string): void {
    this.dead = true;
    this.enable(false);
    this.say(reason);
  }

  close(): void {
    this.unshow();
    this.steady.close();
    clearTimeout(this.again);
    this.el.remove();
  }

  private draw(): void {
    const { kind, title, facts, said, warning, html, fields, rows, note } = this.card;
    this.el.dataset.kind = kind;
    // Says what a dialog says, but takes no focus: the person may be typing elsewhere.
    this.el.setAttribute("role", "alertdialog");
    this.el.setAttribute("aria-modal", "false");
    this.el.setAttribute("aria-label", title);
    // JupyterLab's shortcuts would act on the cell.
    this.el.dataset.lmSuppressShortcuts = "true";
    this.el.tabIndex = -1;

    const head = element("div", "cnb-card-head");
    head.append(line("cnb-card-title", title), this.clock);
    const about = element("div", "cnb-card-about");
    about.append(...facts.map((fact) => line("cnb-fact", fact)));
    if (said) about.append(line("cnb-said", said));
    this.el.append(head, about);
    if (html) {
      this.body.innerHTML = html;
      this.more.hidden = true;
      // The body is whole for those who hear it.
      this.more.setAttribute("aria-hidden", "true");
      this.el.append(this.body, this.more);
    }
    const described: HTMLElement[] = [about];
    if (html && this.body.textContent.length <= READ_OUT) described.push(this.body);
    if (warning) described.push(line("cnb-card-warning", warning));
    if (warning) this.el.append(described.at(-1)!);
    described.forEach((it) => (it.id = `cnb-card-${++cards}`));
    this.el.setAttribute("aria-describedby", described.map((it) => it.id).join(" "));
    if (fields.length) this.el.append(this.form(fields));
    for (const row of rows) {
      const it = element("div", "cnb-row");
      it.append(...row.map((item) => ("v" in item ? this.button(item, row) : this.view(item).el)));
      this.actions.append(it);
    }
    this.panel.hidden = true;
    this.says.setAttribute("role", "status");
    this.say(note);
    this.el.append(this.actions, this.panel, this.says);
  }

  private form(fields: Field[]): HTMLElement {
    const form = element("div", "cnb-form");
    form.append(...fields.map((field) => this.view(field).el));
    return form;
  }

  private view(field: Field): FieldView {
    const view = new FieldView(field);
    this.fields.set(field.name, view);
    return view;
  }

  private button(button: Button, row: (Button | Field)[]): HTMLButtonElement {
    const press = () => {
      if (button.opens.length || button.confirm) this.open(button, row);
      else this.send(button, row, false);
    };
    const el = this.pushbutton(button.label, button.tone, press);
    if (button.about) el.title = button.about;
    if (button.key.length === 1) {
      el.dataset.key = button.key;
      el.setAttribute("aria-keyshortcuts", button.key);
    }
    return el;
  }

  /** A button that only a person can press, and only one that has stood still. */
  private pushbutton(label: string, tone: Button["tone"], press: () => void): HTMLButtonElement {
    const el = element("button", "cnb-button");
    el.type = "button";
    el.dataset.tone = tone;
    el.textContent = label;
    this.presses.set(el, press);
    el.addEventListener("click", (event) => {
      if (event.isTrusted && !el.disabled && this.mayPress()) press();
    });
    return el;
  }

  private mayPress(): boolean {
    if (this.dead) return false;
    if (this.steady.ok()) return true;
    this.say("That was very quick, or the card had just moved. Please click once more.");
    return false;
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const typing = target.matches(TYPING);
    if (event.key === "Escape" && !this.panel.hidden && !this.panel.querySelector("button:disabled")) return this.fold();
    if (!event.isTrusted || event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = typing ? this.buttonBeside(target, event.key) : this.buttonOf(event.key);
    if (button === undefined || button.disabled || !this.mayPress()) return;
    event.preventDefault();
    // A click made here would not be trusted; the key was.
    this.presses.get(button)?.();
  }

  private buttonOf(key: string): HTMLButtonElement | undefined {
    return [...this.actions.querySelectorAll<HTMLButtonElement>("button[data-key]")].find((it) => it.dataset.key === key);
  }

  /** Enter in a line beside buttons presses the first of them: the one that the line is for. */
  private buttonBeside(target: HTMLElement, key: string): HTMLButtonElement | undefined {
    const row = key === "Enter" && target.matches("input") ? target.closest<HTMLElement>(".cnb-row") : null;
    return row !== null && this.actions.contains(row) ? (row.querySelector("button") ?? undefined) : undefined;
  }

  private open(button: Button, row: (Button | Field)[]): void {
    const confirmed = button.confirm !== "";
    const go = this.pushbutton(
      confirmed ? `Yes: ${button.label}` : button.then,
      confirmed ? "danger" : "primary",
      () => this.send(button, row, confirmed),
    );
    const back = this.pushbutton("Back", "plain", () => this.fold());
    const buttons = element("div", "cnb-row");
    buttons.append(go, back);
    this.panel.replaceChildren();
    if (confirmed) this.panel.append(line("cnb-card-warning", button.confirm));
    if (button.opens.length) this.panel.append(this.form(button.opens));
    this.panel.append(buttons);
    this.panel.hidden = false;
    this.mainButtons(button.opens.length > 0);
    this.say("");
    this.steady.moved();
    const first = button.opens[0];
    if (first) this.fields.get(first.name)?.focus();
    else back.focus({ preventScroll: true });
  }

  /** "Allow once" beside an open editor would send what was there before the edit. */
  private mainButtons(off: boolean): void {
    if (this.dead) return;
    for (const it of this.actions.querySelectorAll<HTMLButtonElement>('button[data-tone="primary"]')) it.disabled = off;
  }

  private fold(): void {
    this.panel.hidden = true;
    this.mainButtons(false);
    this.steady.moved();
  }

  private send(button: Button, row: (Button | Field)[], sure: boolean): void {
    const own = row.filter((item): item is Field => !("v" in item));
    const wanted = [...(button.filled ? this.card.fields : []), ...own, ...button.opens];
    const views = wanted.map((field) => this.fields.get(field.name)!);
    const complaints = views.map((view) => [view, view.check()] as const).filter(([, wrong]) => wrong);
    if (complaints.length) {
      this.say(complaints.map(([, wrong]) => wrong).join(" "));
      return complaints[0]![0].focus();
    }
    const f = Object.fromEntries(views.filter((v) => v.value !== undefined).map((v) => [v.field.name, v.value]));
    this.enable(false);
    this.say("Sent.");
    this.again = setTimeout(() => {
      this.enable(!this.dead);
      this.say("No word from the kernel yet. It may be busy; if it was restarted, this question is gone.");
    }, AGAIN_MS);
    this.answer({ v: button.v, f, sure });
  }

  private enable(yes: boolean): void {
    // A control that is turned off loses the focus to the page.
    if (!yes && this.hasFocus) this.focus();
    for (const it of this.el.querySelectorAll<HTMLButtonElement>("button, input, textarea, select")) it.disabled = !yes;
  }

  private say(text: string): void {
    this.says.textContent = text;
    this.says.hidden = text === "";
  }

  /** Says how much of the body is below its edge, until it has been scrolled to its end. */
  private measure(): void {
    const { scrollHeight, clientHeight, scrollTop } = this.body;
    const over = scrollHeight > clientHeight + 1;
    this.more.hidden = !over;
    if (over) this.body.tabIndex = 0;
    else this.body.removeAttribute("tabindex");
    if (!over) return;
    const below = scrollHeight - clientHeight - scrollTop;
    const height = Number.parseFloat(getComputedStyle(this.body.firstElementChild ?? this.body).lineHeight) || 20;
    const lines = Math.ceil(below / height);
    // An empty line keeps its place: nothing below must move under the pointer.
    const text = below > 2 ? `▾ ${lines} more ${lines === 1 ? "line" : "lines"} below` : "";
    if (this.more.textContent !== text) this.more.textContent = text;
  }

  private tick(): void {
    this.measure();
    if (this.deadline === undefined) return;
    const left = Math.max(0, Math.ceil((this.deadline - performance.now()) / 1000));
    const text = left <= this.card.countdown ? `Denied in ${left} s without an answer` : "";
    if (this.clock.textContent !== text) this.clock.textContent = text;
  }
}

function line(className: string, text: string): HTMLElement {
  const it = element("div", className);
  it.textContent = text;
  return it;
}
