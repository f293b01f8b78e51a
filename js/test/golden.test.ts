// The messages that the Python patcher makes (tests/widgets/test_golden.py) lead to the state that it expects.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { host } from "./dom.ts";
import type { Incoming } from "../src/patch.ts";
import { Store } from "../src/store.ts";
import { LiveView } from "../src/view/live.ts";

const folder = new URL("../../tests/golden/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.startsWith("live_"));

// Ids are of one card alone.
const shown = (el: HTMLElement) =>
  [".cnb-blocks", ".cnb-activity", ".cnb-end"].map((part) => el.querySelector(part)?.innerHTML.replace(/cnb-card-\d+/g, "id"));

test("there are golden files", () => assert.ok(names.length >= 3));

for (const name of names) {
  const golden = JSON.parse(readFileSync(new URL(name, folder), "utf8"));

  test(`${name}: the store folds the messages to the page that Python has`, () => {
    const store = new Store();
    for (const message of golden.messages as Incoming[]) assert.notEqual(store.receive(message).what, "gap");
    assert.deepEqual(
      { seq: store.seq, status: store.status, seconds: store.seconds, end: store.end, blocks: Object.fromEntries(store.blocks), cards: Object.fromEntries(store.cards) },
      golden.state,
    );
    assert.deepEqual([...store.blocks.keys()], Object.keys(golden.state.blocks));
  });

  test(`${name}: a view that came late shows what one shows that was there from the start`, () => {
    const store = new Store();
    const first = host();
    const early = new LiveView(first, { stop() {}, answer() {} });
    for (const message of golden.messages as Incoming[]) {
      const outcome = store.receive(message);
      if (outcome.what === "ops" || outcome.what === "new") {
        early.show(outcome.ops, { fresh: outcome.what === "new", stoppable: true });
      }
      const second = document.createElement("div");
      const late = new LiveView(second, { stop() {}, answer() {} });
      late.show(store.ops(), { fresh: true, stoppable: true });
      assert.deepEqual(shown(second), shown(first));
      late.close();
    }
    early.close();
  });
}
