// The live output of one turn: blocks, the running line, the footer. One object per place where it is shown.
// Above: connect.ts feeds it operations. Below: block.ts, card.ts and status.ts.

import type { Answer, Card, Op } from "../patch.ts";
import { BlockView, element } from "./block.ts";
import { CardView } from "./card.ts";
import { following } from "./follow.ts";
import { StatusView } from "./status.ts";

export interface Actions {
  stop(): void;
  answer(id: string, answer: Answer): void;
}

/** Node.DOCUMENT_POSITION_FOLLOWING */
const FOLLOWING = 4;

export class LiveView {
  private root = element("section", "cnb-live");
  private list = element("div", "cnb-blocks");
  private status: StatusView;
  private end = element("div", "cnb-end");
  /** Says to those who hear the page that there is a new question. */
  private news = element("div", "cnb-news");
  private blocks = new Map<string, BlockView>();
  /** By block key; outlives the blocks, which a `full` builds anew. */
  private folds = new Map<string, Map<number, boolean>>();
  /** Open questions by block key; they outlive the blocks too, with what was typed into them. */
  private cards = new Map<string, CardView>();
  private actions: Actions;

  constructor(host: HTMLElement, actions: Actions) {
    this.actions = actions;
    this.status = new StatusView(actions.stop);
    this.root.setAttribute("aria-label", "Answer");
    this.news.setAttribute("role", "status");
    this.root.append(this.list, this.status.el, this.end, this.news);
    host.append(this.root);
  }

  /** Shows operations; `fresh` says that they start from nothing. */
  show(ops: Op[], { fresh, stoppable }: { fresh: boolean; stoppable: boolean }): void {
    const focused = this.root.ownerDocument.activeElement as HTMLElement | null;
    following(this.root, () => {
      if (fresh) {
        this.blocks.clear();
        this.list.replaceChildren();
      }
      this.status.stoppable = stoppable;
      ops.forEach((op) => this.apply(op));
      if (fresh) this.dropCards((card) => !card.el.isConnected && this.root.isConnected);
    });
    // A card that was moved to its new block has lost it.
    if (fresh && focused !== null && this.root.contains(focused)) focused.focus({ preventScroll: true });
  }

  /** The kernel is gone: nothing comes, and nothing can be answered. */
  die(): void {
    this.list.setAttribute("aria-busy", "false");
    this.status.die("The kernel is gone: `%claude last` shows what was kept.");
    for (const card of this.cards.values()) card.die("The kernel that asked this is gone, so nothing can be answered.");
  }

  close(): void {
    this.dropCards(() => true);
    this.status.close();
    this.root.remove();
  }

  private apply(op: Op): void {
    switch (op[0]) {
      case "add":
        return this.add(op[1], op[2], op[3], op[4]);
      case "set":
        return this.set(op[1], op[2]);
      case "card":
        return this.ask(op[1], op[2]);
      case "app":
        return this.blocks.get(op[1])?.append(op[2]);
      case "tail":
        return this.blocks.get(op[1])?.setTail(op[2]);
      case "txt":
        return this.blocks.get(op[1])?.appendText(op[2]);
      case "status":
        this.list.setAttribute("aria-busy", String(op[1] !== ""));
        return this.status.show(op[1], op[2]);
      case "end":
        this.end.innerHTML = op[1];
    }
  }

  private set(key: string, html: string): void {
    const focused = this.cards.get(key)?.hasFocus === true;
    this.dropCards((_, it) => it === key);
    const block = this.blocks.get(key);
    block?.set(html);
    if (!focused) return;
    // Whoever answered by the keyboard goes on with the next question, or stays at the record.
    const open = [...this.cards.values()].filter((card) => card.el.isConnected);
    const next = open.find((card) => block && block.el.compareDocumentPosition(card.el) & FOLLOWING) ?? open[0];
    (next ?? block)?.focus();
  }

  private ask(key: string, data: Card): void {
    let card = this.cards.get(key);
    if (card?.id !== data.id) {
      card?.close();
      card = new CardView(data, (answer) => this.actions.answer(data.id, answer));
      this.cards.set(key, card);
      this.news.textContent = card.spoken;
    }
    card.deadline = data.deadline;
    this.blocks.get(key)?.hold(card.el);
  }

  private dropCards(which: (card: CardView, key: string) => boolean): void {
    for (const [key, card] of this.cards) {
      if (!which(card, key)) continue;
      card.close();
      this.cards.delete(key);
    }
  }

  private add(key: string, parent: string | null, kind: string, after: string | null): void {
    const folds = this.folds.get(key) ?? new Map<number, boolean>();
    this.folds.set(key, folds);
    const view = new BlockView(kind, folds);
    this.blocks.set(key, view);
    const above = parent === null ? undefined : this.blocks.get(parent);
    const before = after === null ? undefined : this.blocks.get(after);
    if (before !== undefined) before.el.after(view.el);
    else (above?.kids ?? this.list).append(view.el);
  }
}
