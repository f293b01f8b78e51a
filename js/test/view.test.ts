// What a block does with the HTML it is given.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { host, toggle } from "./dom.ts";
import type { Card, Op } from "../src/patch.ts";
import { LiveView } from "../src/view/live.ts";

const shown: LiveView[] = [];
afterEach(() => shown.splice(0).forEach((live) => live.close()));

function view(): { el: HTMLElement; show: (...ops: Op[]) => void; anew: (...ops: Op[]) => void } {
  const el = host();
  const live = new LiveView(el, { stop() {}, answer() {} });
  shown.push(live);
  return {
    el,
    show: (...ops) => live.show(ops, { fresh: false, stoppable: false }),
    anew: (...ops) => live.show(ops, { fresh: true, stoppable: false }),
  };
}

test("text goes on inside the last paragraph, list item or code block, never inside an inline element", () => {
  const { el, show } = view();
  const cases: [html: string, expected: string][] = [
    ["<p>a <em>b</em></p>", "<p>a <em>b</em>+</p>"],
    ["<ul><li>a</li><li>b</li></ul>\n", "<ul><li>a</li><li>b+</li></ul>\n"],
    ["<pre><code><span>x</span></code></pre>", "<pre><code><span>x</span>+</code></pre>"],
    ["<p>a <code>b</code></p>", "<p>a <code>b</code>+</p>"],
    ["", "+"],
  ];
  show(["add", "a", null, "text", null]);
  for (const [html, expected] of cases) {
    show(["tail", "a", html], ["txt", "a", "+"]);
    assert.equal(el.querySelector(".cnb-tail")!.innerHTML, expected);
  }
});

test("text is never read as HTML", () => {
  const { el, show } = view();
  show(["add", "a", null, "text", null], ["txt", "a", "<img src=x onerror=alert(1)>"]);
  assert.equal(el.querySelector("img"), null);
  assert.equal(el.querySelector(".cnb-own")!.textContent, "<img src=x onerror=alert(1)>");
});

test("text that grows stays one text node", () => {
  const { el, show } = view();
  show(["add", "a", null, "text", null], ["tail", "a", "<p>a</p>"], ["txt", "a", "b"], ["txt", "a", "c"]);
  assert.equal(el.querySelector("p")!.childNodes.length, 1);
});

test("a finished piece takes the place of the tail", () => {
  const { el, show } = view();
  show(["add", "a", null, "text", null], ["tail", "a", "<p>on</p>"], ["txt", "a", "e"], ["app", "a", "<p>one</p>"]);
  assert.equal(el.querySelector(".cnb-own")!.innerHTML, "<p>one</p>");
});

test("blocks of a sub-agent are under the tool call they belong to", () => {
  const { el, show } = view();
  show(["add", "a", null, "tool", null], ["add", "b", null, "text", null], ["add", "c", "a", "text", null], ["txt", "c", "inner"]);
  const [first, second] = el.querySelectorAll(".cnb-blocks > .cnb-block");
  assert.equal(first!.textContent, "inner");
  assert.equal(second!.textContent, "");
});

test("a fold that a person opened or closed stays so when the block is replaced or built anew", () => {
  const { el, show, anew } = view();
  const card = (status: string, open: string) => `<details ${open}><summary>${status}</summary>x</details>`;
  const fold = () => el.querySelector("details")!;
  show(["add", "a", null, "tool", null], ["set", "a", card("running", "")]);
  show(["set", "a", card("failed", "open")]);
  assert.equal(fold().open, true, "the kernel's wish counts while nobody touched it");
  toggle(fold());
  show(["set", "a", card("done", "open")]);
  assert.equal(fold().open, false);
  anew(["add", "a", null, "tool", null], ["set", "a", card("done", "open")]);
  assert.equal(fold().open, false);
  toggle(fold());
  show(["set", "a", card("done", "")]);
  assert.equal(fold().open, true);
});

test("the focus stays on a summary whose block is replaced", () => {
  const { el, show } = view();
  const card = "<details><summary>a</summary></details><details><summary>b</summary></details>";
  show(["add", "a", null, "tool", null], ["set", "a", card]);
  el.querySelectorAll("summary")[1]!.focus();
  show(["set", "a", card]);
  assert.equal(document.activeElement, el.querySelectorAll("summary")[1]);
});

test("an operation for a block that is not there, or of an unknown kind, does nothing", () => {
  const { el, show } = view();
  show(["set", "nobody", "<p>x</p>"], ["later", "a"] as unknown as Op);
  assert.equal(el.querySelector(".cnb-blocks")!.innerHTML, "");
});

test("assistive technology is told of the activity, of business, and not of the seconds", () => {
  const { el, show } = view();
  show(["status", "Writing", 0]);
  assert.equal(el.querySelector(".cnb-activity")!.textContent, "Writing");
  assert.equal(el.querySelector(".cnb-activity")!.getAttribute("aria-live"), "polite");
  assert.equal(el.querySelector(".cnb-elapsed")!.getAttribute("aria-hidden"), "true");
  assert.equal(el.querySelector(".cnb-blocks")!.getAttribute("aria-busy"), "true");
  show(["status", "", 0]);
  assert.equal(el.querySelector(".cnb-blocks")!.getAttribute("aria-busy"), "false");
});

const question = (id: string): Card => ({
  id, kind: "permission", title: `Run ${id}?`, html: `<pre>make ${id}</pre>`, facts: ["A fact"], said: "", warning: "", note: "",
  fields: [], rows: [], left: null, countdown: 60,
});

test("a new card is announced with what is asked", () => {
  const { el, show } = view();
  show(["add", "a", null, "question", null], ["card", "a", question("one")]);
  const news = el.querySelector(".cnb-news")!;
  assert.equal(news.getAttribute("role"), "status");
  assert.equal(news.textContent, "Run one?. A fact. make one");
});

test("the focus goes from an answered card to the next open one, then to the record, and is never taken from elsewhere", () => {
  const { el, show } = view();
  show(["add", "a", null, "question", null], ["card", "a", question("one")], ["add", "b", null, "question", null], ["card", "b", question("two")]);
  const [one, two] = el.querySelectorAll<HTMLElement>(".cnb-card");
  show(["set", "a", "<p>done</p>"], ["card", "a", question("three")]);
  assert.equal(document.activeElement, document.body);
  one!.focus();
  assert.notEqual(document.activeElement, one); // gone from the page: it has no focus to give
  el.querySelector<HTMLElement>(".cnb-card")!.focus();
  show(["set", "a", "<p>done</p>"]);
  assert.equal(document.activeElement, two);
  show(["set", "b", "<p>done too</p>"]);
  assert.equal(document.activeElement!.textContent, "done too");
});

test("a card keeps the focus when the page is built anew", () => {
  const { el, show, anew } = view();
  const ops: Op[] = [["add", "a", null, "question", null], ["card", "a", question("one")]];
  show(...ops);
  const card = el.querySelector<HTMLElement>(".cnb-card")!;
  card.focus();
  anew(...ops);
  assert.equal(document.activeElement, card);
});
