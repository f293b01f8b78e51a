// A card in the page: what it takes for an answer, and what it sends.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { click, host, key } from "./dom.ts";
import type { Answer, Button, Card, Field } from "../src/patch.ts";
import { CardView } from "../src/view/card.ts";
import { STEADY_MS } from "../src/view/steady.ts";

let now = 1000;
const real = performance.now;
let view: CardView | undefined;
beforeEach(() => {
  now = 1000;
  performance.now = () => now;
});
afterEach(() => {
  view?.close();
  performance.now = real;
});

const field = (name: string, type: Field["type"], more: Partial<Field> = {}): Field => ({
  name, type, label: name, value: "", about: "", options: [], other: false, required: false, least: null, most: null, ...more,
});
const button = (v: string, more: Partial<Button> = {}): Button => ({
  v, label: v, key: v[0]!, tone: "plain", opens: [], then: "", confirm: "", filled: false, about: "", ...more,
});

function show(rows: Card["rows"], fields: Field[] = [], more: Partial<Card> = {}): { el: HTMLElement; sent: Answer[] } {
  const el = host();
  const sent: Answer[] = [];
  const card: Card = {
    id: "q", kind: "permission", title: "Run <b>this</b>?", html: "<pre>make</pre>", facts: ["<i>why</i>"], said: "", warning: "",
    note: "", fields, rows, left: null, countdown: 60, ...more,
  };
  view = new CardView(card, (answer) => sent.push(answer));
  el.append(view.el);
  return { el, sent };
}

const find = (el: HTMLElement, label: string) =>
  [...el.querySelectorAll("button")].find((it) => it.textContent === label) as HTMLButtonElement;
const press = (el: HTMLElement, label: string, trusted = true) => click(find(el, label), { trusted });

test("texts are texts, and only the kernel's HTML is HTML", () => {
  const { el } = show([[button("allow")]]);
  assert.equal(el.querySelector(".cnb-card-title")!.textContent, "Run <b>this</b>?");
  assert.equal(el.querySelector("b, i"), null);
  assert.equal(el.querySelector("pre")!.textContent, "make");
});

test("a click counts when the card has stood still, and once", () => {
  const { el, sent } = show([[button("allow")]]);
  press(el, "allow");
  assert.deepEqual(sent, []);
  assert.match(el.querySelector(".cnb-says")!.textContent!, /once more/);
  now += STEADY_MS;
  press(el, "allow");
  press(el, "allow");
  assert.deepEqual(sent, [{ v: "allow", f: {}, sure: false }]);
});

test("a script's click never counts", () => {
  const { el, sent } = show([[button("allow")]]);
  now += STEADY_MS;
  press(el, "allow", false);
  assert.deepEqual(sent, []);
});

test("a danger is confirmed by a second click, which needs its own pause", () => {
  const { el, sent } = show([[button("always", { confirm: "Full control.", tone: "danger" })]]);
  now += STEADY_MS;
  press(el, "always");
  assert.match(el.querySelector(".cnb-panel")!.textContent!, /Full control/);
  press(el, "Yes: always");
  assert.deepEqual(sent, []);
  now += STEADY_MS;
  press(el, "Yes: always");
  assert.deepEqual(sent, [{ v: "always", f: {}, sure: true }]);
});

test("while an editor is open, the button that would send the input as it was waits", () => {
  const { el, sent } = show([[button("allow", { tone: "primary" }), button("deny"), button("edit", { opens: [field("input", "area")], then: "Go" })]]);
  now += STEADY_MS;
  press(el, "edit");
  now += STEADY_MS;
  press(el, "allow");
  assert.deepEqual(sent, []);
  press(el, "Back");
  now += STEADY_MS;
  press(el, "allow");
  assert.deepEqual(sent, [{ v: "allow", f: {}, sure: false }]);
});

test("fields of the row, of the button and of the card go with an answer, those of others do not", () => {
  const { el, sent } = show(
    [[button("deny"), field("reason", "line", { value: "no" })], [button("edit", { opens: [field("input", "area", { value: "x" })], then: "Go", filled: true })]],
    [field("name", "line", { value: "Ada", required: true })],
  );
  now += STEADY_MS;
  press(el, "edit");
  now += STEADY_MS;
  press(el, "Go");
  assert.deepEqual(sent, [{ v: "edit", f: { name: "Ada", input: "x" }, sure: false }]);
});

test("what is missing or no JSON is told and not sent", () => {
  const { el, sent } = show([[button("send", { filled: true })]], [
    field("name", "line", { required: true }),
    field("more", "json", { value: "{" }),
  ]);
  now += STEADY_MS;
  press(el, "send");
  assert.deepEqual(sent, []);
  assert.equal(el.querySelectorAll('[aria-invalid="true"]').length, 2);
  assert.match(el.querySelector(".cnb-says")!.textContent!, /name: an answer is needed\. more: this is not valid JSON/);
});

test("the end is counted down near it, and a card whose kernel is gone is inert and says why", () => {
  const { el, sent } = show([[button("allow")]]);
  view!.deadline = now + 61_000;
  (view as unknown as { tick(): void }).tick();
  assert.equal(el.querySelector(".cnb-countdown")!.textContent, "");
  now += 20_000;
  (view as unknown as { tick(): void }).tick();
  assert.match(el.querySelector(".cnb-countdown")!.textContent!, /41 s/);
  view!.die("The kernel is gone.");
  press(el, "allow");
  assert.deepEqual(sent, []);
  assert.match(el.textContent!, /The kernel is gone/);
  assert.equal(find(el, "allow").disabled, true);
});

test("it speaks as a dialog and takes no focus", () => {
  const before = document.activeElement;
  const { el } = show([[button("allow")]]);
  const card = el.querySelector(".cnb-card")!;
  assert.equal(card.getAttribute("role"), "alertdialog");
  assert.equal(card.getAttribute("aria-label"), "Run <b>this</b>?");
  assert.equal(document.activeElement, before);
});

test("what the agent says about it stands apart, and with the facts and a short body it describes the card", () => {
  const { el } = show([[button("allow")]], [], { said: "The agent says: “<b>safe</b>”", warning: "Careful." });
  assert.equal(el.querySelector(".cnb-said")!.textContent, "The agent says: “<b>safe</b>”");
  const ids = el.querySelector(".cnb-card")!.getAttribute("aria-describedby")!.split(" ");
  const told = ids.map((id) => document.getElementById(id)!.textContent);
  assert.deepEqual(told, ["<i>why</i>The agent says: “<b>safe</b>”", "make", "Careful."]);
});

test("lines below the edge are counted until they have been scrolled to, and the body can be reached by the keyboard", () => {
  const { el } = show([[button("allow")]]);
  const body = el.querySelector<HTMLElement>(".cnb-card-body")!;
  const more = el.querySelector<HTMLElement>(".cnb-below")!;
  const look = () => (view as unknown as { tick(): void }).tick();
  look();
  assert.deepEqual([more.hidden, body.hasAttribute("tabindex")], [true, false]);
  Object.defineProperties(body, { scrollHeight: { value: 1000 }, clientHeight: { value: 400 } });
  body.firstElementChild!.setAttribute("style", "line-height: 20px");
  look();
  assert.deepEqual([more.hidden, more.textContent, body.tabIndex], [false, "▾ 30 more lines below", 0]);
  body.scrollTop = 600;
  look();
  assert.deepEqual([more.hidden, more.textContent], [false, ""]);
});

test("enter in the line beside buttons presses the first of them, and only a person's", () => {
  const { el, sent } = show([[button("deny"), button("stop"), field("reason", "line", { label: "" })]]);
  now += STEADY_MS;
  const input = el.querySelector("input")!;
  input.value = "no";
  key(input, "Enter", { trusted: false });
  assert.deepEqual(sent, []);
  key(input, "d", { trusted: true });
  assert.deepEqual(sent, []);
  key(input, "Enter", { trusted: true });
  assert.deepEqual(sent, [{ v: "deny", f: { reason: "no" }, sure: false }]);
});
