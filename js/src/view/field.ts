// One thing to fill in: a label, a control, and the value it holds. Every text is set as text, never as HTML; the one
// exception is a preview, which the kernel rendered and sanitised.

import type { Field } from "../patch.ts";
import { element } from "./block.ts";

/** Radio buttons of one question share a name that no other has in the page. */
let sets = 0;

export class FieldView {
  readonly el: HTMLElement;
  readonly field: Field;
  private read: () => unknown = () => undefined;
  private control: HTMLElement | undefined;

  constructor(field: Field) {
    this.field = field;
    const choices = field.type === "radio" || field.type === "checks";
    this.el = element(choices ? "div" : "label", "cnb-form-row");
    this.el.dataset.type = field.type;
    if (choices) this.choices();
    else this.single();
  }

  /** What is filled in; undefined for nothing. */
  get value(): unknown {
    const value = this.read();
    return value === "" || value === null ? undefined : value;
  }

  /** What is wrong with the value, empty if nothing is; the control is marked and says so to screen readers. */
  check(): string {
    const wrong = complaint(this.field, this.value);
    this.control?.setAttribute("aria-invalid", String(wrong !== ""));
    return wrong;
  }

  focus(): void {
    (this.control?.querySelector("input") ?? this.control)?.focus({ preventScroll: true });
  }

  private single(): void {
    const { type, label, about, value } = this.field;
    const control = make(this.field);
    control.className = "cnb-control";
    this.control = control;
    if (label) {
      const text = element("span", "cnb-form-label");
      text.textContent = label;
      this.el.append(text);
    }
    if (type === "switch") {
      const box = control as HTMLInputElement;
      box.checked = value === true;
      this.read = () => box.checked;
    } else {
      control.value = String(value ?? "");
      this.read = () => (type === "number" || type === "integer" ? number(control.value) : control.value);
    }
    if (!label) {
      control.setAttribute("placeholder", about);
      control.setAttribute("aria-label", about);
    } else if (about) {
      this.el.append(hint(about));
    }
    this.el.append(control);
  }

  private choices(): void {
    const { type, label, about, options, other } = this.field;
    const group = element("fieldset", "cnb-choices");
    const legend = element("legend", "cnb-form-label");
    legend.textContent = label;
    group.append(legend);
    if (about) legend.prepend(tag(about), " ");
    const set = `cnb-choices-${++sets}`;
    const inputs: HTMLInputElement[] = [];
    const add = (text: string, detail: string) => {
      const row = element("label", "cnb-choice");
      const input = document.createElement("input");
      input.type = type === "radio" ? "radio" : "checkbox";
      if (type === "radio") input.name = set;
      const words = element("span", "cnb-choice-words");
      const title = element("span", "cnb-choice-label");
      title.textContent = text;
      words.append(title);
      if (detail) words.append(hint(detail));
      row.append(input, words);
      group.append(row);
      inputs.push(input);
      return { input, words };
    };
    for (const option of options) {
      const { words } = add(option.label, option.about);
      if (!option.html) continue;
      const preview = element("div", "cnb-preview-box");
      preview.innerHTML = option.html;
      words.append(preview);
    }
    let own: HTMLInputElement | undefined;
    if (other) {
      const { input, words } = add("Other", "");
      own = document.createElement("input");
      own.type = "text";
      own.className = "cnb-control";
      own.setAttribute("aria-label", "Other answer");
      own.addEventListener("input", () => (input.checked = own!.value !== ""));
      words.append(own);
    }
    this.read = () => {
      const values = [...options.map((option) => option.v), own?.value ?? ""];
      const chosen = values.filter((value, i) => inputs[i]?.checked && value !== "");
      return type === "radio" ? chosen[0] : chosen;
    };
    this.control = group;
    this.el.append(group);
  }
}

function make(field: Field): HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement {
  if (field.type === "select") {
    const select = document.createElement("select");
    if (!field.required || !field.value) select.append(option("", ""));
    select.append(...field.options.map(({ v, label }) => option(v, label)));
    return select;
  }
  if (field.type === "area" || field.type === "json") {
    const area = document.createElement("textarea");
    const lines = String(field.value ?? "").split("\n").length;
    area.rows = Math.min(12, Math.max(2, lines));
    area.spellcheck = false;
    return area;
  }
  const input = document.createElement("input");
  const types: Record<string, string> = { number: "number", integer: "number", switch: "checkbox" };
  input.type = types[field.type] ?? "text";
  if (field.type === "number") input.step = "any";
  return input;
}

function option(value: string, label: string): HTMLOptionElement {
  const it = document.createElement("option");
  it.value = value;
  it.textContent = label;
  return it;
}

function complaint({ type, required, least, most, label }: Field, value: unknown): string {
  const name = label || "This";
  const empty = value === undefined || (Array.isArray(value) && value.length === 0);
  if (empty) return required ? `${name}: an answer is needed.` : "";
  if (type === "json") {
    try {
      JSON.parse(String(value));
    } catch {
      return `${name}: this is not valid JSON.`;
    }
  }
  if (type === "integer" && !Number.isInteger(value)) return `${name}: a whole number, please.`;
  const size = typeof value === "number" ? value : typeof value === "string" || Array.isArray(value) ? value.length : 0;
  const bounded = type !== "switch" && type !== "select" && type !== "radio";
  if (bounded && least !== null && size < least) return `${name}: at least ${least}.`;
  if (bounded && most !== null && size > most) return `${name}: at most ${most}.`;
  return "";
}

function number(text: string): number | undefined {
  return text.trim() === "" ? undefined : Number(text);
}

function hint(text: string): HTMLElement {
  const it = element("span", "cnb-hint");
  it.textContent = text;
  return it;
}

function tag(text: string): HTMLElement {
  const it = element("span", "cnb-tag");
  it.textContent = text;
  return it;
}
