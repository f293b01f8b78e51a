// The protocol between the page and the kernel.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { click, FakeModel, host } from "./dom.ts";
import { connect } from "../src/connect.ts";
import type { App, Card, Incoming, Op } from "../src/patch.ts";

const full = (s: number, ops: Op[], stop = true): Incoming => ({ k: "full", s, ops, stop });
const patch = (s: number, ...ops: Op[]): Incoming => ({ k: "patch", s, ops });
const text = (s: number, content: string): Incoming => patch(s, ["txt", "a", content]);
const began: Op[] = [["add", "a", null, "text", null], ["status", "Writing", 2]];

let model: FakeModel;
let app: App;
let el: HTMLElement;

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  model = new FakeModel();
  app = connect(model);
  el = host();
  app.render(el);
});

afterEach(() => {
  app.close();
  mock.timers.reset();
});

const kinds = () => model.sent.map((message) => message.k);
const shown = () => el.querySelector(".cnb-blocks")?.textContent;

test("a page asks for the whole when it is ready, again if no answer comes, and no more once it came", () => {
  assert.deepEqual(kinds(), ["ready"]);
  mock.timers.tick(2000);
  assert.deepEqual(kinds(), ["ready", "ready"]);
  model.deliver(full(1, began));
  mock.timers.tick(10_000);
  assert.deepEqual(kinds(), ["ready", "ready"]);
});

test("a page that asks again says that it is the same, and another model has another name", () => {
  mock.timers.tick(2000);
  const [first, again] = model.sent;
  assert.deepEqual(again, first);
  const other = new FakeModel();
  connect(other).close();
  assert.notDeepEqual(other.sent[0], first);
});

test("patches in order are shown without a word to the kernel", () => {
  model.deliver(full(4, began));
  model.deliver(text(5, "one "));
  model.deliver(text(6, "two"));
  assert.equal(shown(), "one two");
  assert.deepEqual(kinds(), ["ready"]);
});

test("a lost patch is noticed at the next one, asked for once, and healed by the whole", () => {
  model.deliver(full(1, began));
  model.deliver(text(3, "late"));
  model.deliver(text(4, "later"));
  assert.deepEqual(kinds(), ["ready", "gap"]);
  assert.equal(shown(), "");
  model.deliver(full(4, [...began, ["set", "a", "<p>all of it</p>"]]));
  model.deliver(text(5, "!"));
  assert.equal(shown(), "all of it!");
});

test("a lost last patch is noticed when the kernel says how far it is", () => {
  model.deliver(full(1, began));
  model.deliver({ k: "at", s: 1 });
  assert.deepEqual(kinds(), ["ready"]);
  model.deliver({ k: "at", s: 2 });
  assert.deepEqual(kinds(), ["ready", "gap"]);
});

test("a patch that the whole already holds is not shown twice", () => {
  model.deliver(full(3, [...began, ["txt", "a", "abc"]]));
  model.deliver(text(3, "c"));
  assert.equal(shown(), "abc");
});

test("all views of a model are in step, and a closed one is left alone", () => {
  const other = document.createElement("div");
  const leave = app.render(other);
  model.deliver(full(1, began));
  model.deliver(text(2, "x"));
  assert.equal(other.querySelector(".cnb-blocks")?.textContent, "x");
  leave();
  model.deliver(text(3, "y"));
  assert.equal(other.childElementCount, 0);
  assert.equal(shown(), "xy");
});

test("a page whose kernel is gone stops its clock, its questions and its Stop, and says so in every view", () => {
  model.deliver(full(1, began));
  model.deliver(patch(3));
  const asked = kinds().length;
  model.lose();
  app.render(el);
  mock.timers.tick(60_000);
  for (const line of el.querySelectorAll(".cnb-run")) {
    assert.equal(line.textContent, "The kernel is gone: `%claude last` shows what was kept.Stop");
    assert.equal(line.querySelector<HTMLButtonElement>(".cnb-stop")!.hidden, true);
  }
  assert.equal(el.querySelectorAll(".cnb-run").length, 2);
  assert.equal(kinds().length, asked);
});

test("a kernel that died by itself is noticed by its status, which nobody listens to when the model is closed", () => {
  const slots = new Set<(kernel: unknown, status: string) => void>();
  const statusChanged = { connect: slots.add.bind(slots), disconnect: slots.delete.bind(slots) };
  model.widget_manager = { kernel: { statusChanged } };
  const other = connect(model);
  other.render(el);
  model.deliver(full(1, began));
  const line = el.lastElementChild!.querySelector(".cnb-activity")!;
  slots.forEach((slot) => slot(null, "busy"));
  assert.equal(line.textContent, "Writing");
  slots.forEach((slot) => slot(null, "autorestarting"));
  assert.match(line.textContent!, /kernel is gone/);
  other.close();
  assert.equal(slots.size, 0);
});

const question: Op = ["card", "a", {
  id: "q1", kind: "permission", title: "Run this?", html: "", facts: [], said: "", warning: "", note: "", fields: [], rows: [],
  left: null, countdown: 60,
}];
const floating = () => document.querySelector(".cnb-floating");
const settled = patch(2, ["set", "a", "<p>Allowed</p>"]);

test("a question that no output shows floats over the page until it is answered and the person closes it", () => {
  const lone = new FakeModel();
  const other = connect(lone);
  lone.deliver(full(1, [...began, question]));
  mock.timers.tick(1900);
  assert.equal(floating(), null);
  mock.timers.tick(200);
  assert.match(floating()!.textContent!, /Run this\?/);
  const close = [...floating()!.querySelectorAll("button")].at(-1)!;
  assert.equal(close.hidden, true);
  lone.deliver(settled);
  assert.equal(close.hidden, false);
  assert.match(floating()!.textContent!, /Allowed/);
  click(close, { trusted: true });
  assert.equal(floating(), null);
  other.close();
});

test("a question that an output shows does not float, in whichever of the page's models that output is", () => {
  model.deliver(full(1, [...began, question]));
  const console = new FakeModel();
  const other = connect(console);
  console.deliver(full(1, [...began, question]));
  mock.timers.tick(10_000);
  assert.equal(floating(), null);
  other.close();
});

test("a floating question goes when its output appears, comes when its output is cleared, and ends with its model", () => {
  const lone = new FakeModel();
  const other = connect(lone);
  lone.deliver(full(1, [...began, question]));
  mock.timers.tick(2100);
  const leave = other.render(document.createElement("div"));
  assert.equal(floating(), null);
  leave();
  mock.timers.tick(2100);
  assert.notEqual(floating(), null);
  other.close();
  assert.equal(floating(), null);
});

test("a floating question whose kernel is gone says so and can be closed", () => {
  const lone = new FakeModel();
  const other = connect(lone);
  lone.deliver(full(1, [...began, question]));
  mock.timers.tick(2100);
  lone.lose();
  assert.match(floating()!.textContent!, /kernel that asked this is gone/);
  assert.equal([...floating()!.querySelectorAll("button")].at(-1)!.hidden, false);
  other.close();
});

test("a question whose notebook's tab was closed floats no longer, and no other of it does", () => {
  const slots = new Set<() => void>();
  const disposed = { connect: slots.add.bind(slots), disconnect: slots.delete.bind(slots) };
  const lone = new FakeModel();
  lone.widget_manager = { kernel: { statusChanged: { connect() {}, disconnect() {} }, disposed } };
  const other = connect(lone);
  lone.deliver(full(1, [...began, question]));
  mock.timers.tick(2100);
  assert.notEqual(floating(), null);
  slots.forEach((slot) => slot());
  assert.equal(floating(), null);
  other.render(document.createElement("div"))();
  mock.timers.tick(10_000);
  assert.equal(floating(), null);
  other.close();
  assert.equal(slots.size, 0);
});

test("several floating questions stand below each other in one place, which goes with the last", () => {
  const apps = [1, 2].map((number) => {
    const lone = new FakeModel();
    const other = connect(lone);
    lone.deliver(full(1, [...began, ["card", "a", { ...(question[2] as Card), id: `several${number}` }]]));
    return other;
  });
  mock.timers.tick(2100);
  assert.deepEqual([...document.querySelector(".cnb-floats")!.children].map((it) => it.className), [
    "cnb-live cnb-floating",
    "cnb-live cnb-floating",
  ]);
  apps.forEach((it) => it.close());
  assert.equal(document.querySelector(".cnb-floats"), null);
});

test("a closed app neither listens nor asks", () => {
  app.close();
  mock.timers.tick(10_000);
  assert.deepEqual(kinds(), ["ready"]);
  assert.equal(model.listeners.size, 0);
  assert.equal(el.childElementCount, 0);
});

test("Stop is sent for a person's click only, once, and can be pressed again when nothing came of it", () => {
  model.deliver(full(1, began));
  const button = el.querySelector<HTMLButtonElement>(".cnb-stop")!;
  click(button, { trusted: false });
  assert.deepEqual(kinds(), ["ready"]);
  click(button, { trusted: true });
  assert.deepEqual(kinds(), ["ready", "stop"]);
  assert.equal(button.disabled, true);
  mock.timers.tick(3000);
  assert.equal(button.disabled, false);
});

test("the running line goes when the turn is over, and has no Stop button where the kernel offers none", () => {
  model.deliver(full(1, began, false));
  const status = el.querySelector<HTMLElement>(".cnb-run")!;
  assert.equal(status.hidden, false);
  assert.equal(status.querySelector<HTMLElement>(".cnb-stop")!.hidden, true);
  assert.equal(status.querySelector(".cnb-elapsed")!.textContent, "2s");
  model.deliver(patch(2, ["status", "", 9], ["end", "<p>9 s</p>"]));
  assert.equal(status.hidden, true);
  assert.equal(el.querySelector(".cnb-end")!.textContent, "9 s");
});
