// The rewind panel: what a click needs to count, and what is told when it cannot.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { click, FakeModel, host } from "./dom.ts";
import { connectPanel, type Panel, type PanelButton } from "../src/panel.ts";
import type { App, Incoming } from "../src/patch.ts";

const button = (id: string, label: string): PanelButton => ({ id, label, tone: "plain", help: "" });
const panel = (fields: Partial<Panel>): Panel => ({
  title: "Checkpoints",
  quote: "",
  rows: [],
  notes: [],
  text: "",
  buttons: [],
  ...fields,
});

let model: FakeModel;
let app: App;
let el: HTMLElement;
let now: number;

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  now = 0;
  mock.method(performance, "now", () => now);
  model = new FakeModel();
  app = connectPanel(model);
  el = host();
  app.render(el);
});

afterEach(() => {
  app.close();
  mock.timers.reset();
  mock.restoreAll();
});

const show = (fields: Partial<Panel>) => model.deliver({ k: "panel", panel: panel(fields) } as unknown as Incoming);
const buttons = () => [...el.querySelectorAll("button")];
const clicks = () => model.sent.filter((message) => (message as { k: string }).k === "click");
/** Time goes by, and with it the looks at whether the panel moves. */
const pass = (ms: number) => {
  for (const end = now + ms; now < end; ) {
    const step = Math.min(100, end - now);
    now += step;
    mock.timers.tick(step);
  }
};
const says = () => el.querySelector('[role="status"]')!.textContent;

test("everything is shown as text, never as HTML", () => {
  const evil = "<img src=x onerror=alert(1)>";
  show({ title: evil, quote: evil, notes: [evil], rows: [{ text: evil, facts: evil, note: evil, button: button("a", evil) }] });
  assert.equal(el.querySelector("img"), null);
  assert.equal(el.textContent!.split(evil).length - 1, 7);
});

test("a person's click on a panel that stood still names its button once", () => {
  show({ buttons: [button("id-1", "Restore"), button("id-2", "Never mind")] });
  pass(500);
  click(buttons()[0]!, { trusted: true });
  assert.deepEqual(clicks(), [{ k: "click", id: "id-1" }]);
  assert.ok(buttons().every((it) => it.disabled), "nothing else can be clicked until the kernel has answered");
});

test("a script's click, or one too early, does nothing; the person is told", () => {
  show({ buttons: [button("id-1", "Restore")] });
  pass(399);
  click(buttons()[0]!, { trusted: true });
  assert.match(says()!, /quick/);
  pass(600);
  click(buttons()[0]!, { trusted: false });
  assert.deepEqual(clicks(), []);
});

test("each new showing has to stand still again", () => {
  show({ buttons: [button("id-1", "One")] });
  pass(600);
  show({ buttons: [button("id-2", "Two")] });
  pass(100);
  click(buttons()[0]!, { trusted: true });
  assert.deepEqual(clicks(), []);
});

test("a panel that comes twice stays as it is, but for one whose click came to nothing", () => {
  show({ buttons: [button("id-1", "One")] });
  pass(600);
  const before = buttons()[0]!;
  show({ buttons: [button("id-1", "One")] });
  assert.equal(buttons()[0], before);
  click(before, { trusted: true });
  assert.equal(clicks().length, 1);
  assert.ok(before.disabled);
  show({ buttons: [button("id-1", "One")] });
  assert.ok(!buttons()[0]!.disabled);
  assert.equal(says(), "");
});

test("a kernel that takes long is explained, and one that ended ends the panel", () => {
  show({ buttons: [button("id-1", "Restore")] });
  pass(500);
  click(buttons()[0]!, { trusted: true });
  mock.timers.tick(4000);
  assert.match(says()!, /busy/);
  show({ buttons: [button("id-2", "Close")] });
  assert.equal(says(), "");
  model.lose();
  assert.ok(buttons()[0]!.disabled);
  assert.match(says()!, /kernel/);
});

test("the panel is asked for until it comes, and two views show the same", () => {
  mock.timers.tick(4000);
  assert.equal(model.sent.length, 3);
  show({ title: "Here" });
  mock.timers.tick(10_000);
  assert.equal(model.sent.length, 3);
  const second = host();
  app.render(second);
  assert.equal(second.querySelector("section")!.getAttribute("aria-label"), "Here");
});

test("a panel that a cell waits for floats where no view shows it, and can be closed when nothing is to be chosen", () => {
  const lone = new FakeModel();
  const other = connectPanel(lone);
  const deliver = (fields: Partial<Panel>, waits: boolean) =>
    lone.deliver({ k: "panel", panel: panel(fields), waits } as unknown as Incoming);
  const floating = () => document.querySelector(".cnb-floating");
  deliver({ title: "A list", buttons: [button("f-0", "Close")] }, false);
  pass(2100);
  assert.equal(floating(), null);
  deliver({ title: "Go back?", buttons: [button("f-1", "Restore files")] }, true);
  pass(2100);
  assert.match(floating()!.textContent!, /Go back\?/);
  const close = [...floating()!.querySelectorAll("button")].at(-1)!;
  assert.equal(close.hidden, true);
  deliver({ title: "Went back" }, false);
  assert.match(floating()!.textContent!, /Went back/);
  click(close, { trusted: true });
  assert.equal(floating(), null);
  other.close();
});

test("the focus goes along from panel to panel for those who use the keyboard", () => {
  show({ buttons: [button("id-1", "One")] });
  buttons()[0]!.focus();
  pass(500);
  click(buttons()[0]!, { trusted: true });
  show({ buttons: [button("id-2", "Two"), button("id-3", "Three")] });
  assert.equal(document.activeElement, buttons()[0]);
});
