// What the page shows, as plain data: the fold of all operations so far. No DOM.
// The twin of claude_nb/widgets/page.py; both replay tests/golden/*.json.

import type { Card, Incoming, Op } from "./patch.ts";

export interface Block {
  parent: string | null;
  kind: string;
  /** Own HTML: what was set, then every piece that was appended. */
  html: string;
  /** HTML of the open tail. */
  tail: string;
  /** Plain text after the tail (or after the HTML, if there is no tail). */
  text: string;
}

/** What became of a message: `ops` to show, all `new` from the start, or a `gap` before it. */
export type Outcome = { what: "ops" | "new"; ops: Op[] } | { what: "gap" } | { what: "nothing" };

export class Store {
  seq = 0;
  blocks = new Map<string, Block>();
  status = "";
  seconds = 0;
  end = "";
  /** Open questions, by the key of their block. */
  cards = new Map<string, Card>();

  /** Takes a message of the kernel in. A patch that is already covered is dropped, one that comes too early is a gap. */
  receive(message: Incoming): Outcome {
    switch (message.k) {
      case "full":
        this.reset();
        this.seq = message.s;
        message.ops.forEach((op) => this.apply(op));
        return { what: "new", ops: message.ops };
      case "patch":
        if (message.s <= this.seq) return { what: "nothing" };
        if (message.s > this.seq + 1) return { what: "gap" };
        this.seq = message.s;
        message.ops.forEach((op) => this.apply(op));
        return { what: "ops", ops: message.ops };
      case "at":
        return { what: message.s > this.seq ? "gap" : "nothing" };
      default:
        return { what: "nothing" };
    }
  }

  /** The operations that build this state from nothing: what a new view of the same model starts from. */
  ops(): Op[] {
    const ops: Op[] = [];
    for (const [key, block] of this.blocks) {
      ops.push(["add", key, block.parent, block.kind, null]);
      if (block.html) ops.push(["set", key, block.html]);
      if (block.tail) ops.push(["tail", key, block.tail]);
      if (block.text) ops.push(["txt", key, block.text]);
      const card = this.cards.get(key);
      if (card) ops.push(["card", key, card]);
    }
    ops.push(["status", this.status, this.seconds], ["end", this.end]);
    return ops;
  }

  private reset(): void {
    this.blocks.clear();
    this.cards.clear();
    this.status = this.end = "";
    this.seconds = 0;
  }

  /** The block that came last goes right behind another: all between them move to the end, in order. */
  private moveBehind(after: string): void {
    const keys = [...this.blocks.keys()];
    for (const key of keys.slice(keys.indexOf(after) + 1, -1)) {
      const block = this.blocks.get(key)!;
      this.blocks.delete(key);
      this.blocks.set(key, block);
    }
  }

  private apply(op: Op): void {
    switch (op[0]) {
      case "add":
        this.blocks.set(op[1], { parent: op[2], kind: op[3], html: "", tail: "", text: "" });
        if (op[4] !== null) this.moveBehind(op[4]);
        return;
      case "status":
        [, this.status, this.seconds] = op;
        return;
      case "end":
        this.end = op[1];
        return;
      case "card":
        this.cards.set(op[1], op[2]);
        return;
    }
    const block = this.blocks.get(op[1]);
    if (block === undefined) return;
    this.cards.delete(op[1]);
    switch (op[0]) {
      case "set":
        Object.assign(block, { html: op[2], tail: "", text: "" });
        break;
      case "app":
        Object.assign(block, { html: block.html + op[2], tail: "", text: "" });
        break;
      case "tail":
        Object.assign(block, { tail: op[2], text: "" });
        break;
      case "txt":
        block.text += op[2];
    }
  }
}
