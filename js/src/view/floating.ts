// A question that waits in an output which this page does not show, over the page itself: a page that was loaded again
// before its notebook was saved gets the running cell's model back from the kernel, but knows no output of it.
// Above: views.ts; card.ts and rewind.ts say what they show. Below: block.ts.

import { element } from "./block.ts";

/** How long a page may take to draw a cell's own output. */
const PATIENCE_MS = 2000;
const WHY =
  "This page does not show the output of the running cell: it was cleared, or the page was loaded again before the" +
  " notebook was saved. An answer is shown whole afterwards by ";

/** The questions that float, one below the other. */
const stack = element("div", "cnb-live cnb-floats");

/** How many views of this page show a question, by its id: one kernel may have a notebook and a console here. */
const shown = new Map<string, number>();

/** Says that a view shows a question; returns how to take that back. */
export function showing(id: string): () => void {
  shown.set(id, (shown.get(id) ?? 0) + 1);
  return () => {
    const left = shown.get(id)! - 1;
    if (left > 0) shown.set(id, left);
    else shown.delete(id);
  };
}

/** The place over the page where a model draws its open questions while no output does. */
export class Floating {
  private render: (el: HTMLElement) => () => void;
  private open: Set<string> = new Set();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private el: HTMLElement | undefined;
  private dismiss = element("button", "cnb-button");
  private undraw = () => {};

  /** `render` draws the model's output into an element and returns how to end that. */
  constructor(render: (el: HTMLElement) => () => void) {
    this.render = render;
    this.dismiss.type = "button";
    this.dismiss.textContent = "Close";
    this.dismiss.addEventListener("click", () => this.close());
  }

  /** These questions are open now; those that nothing shows in a while are shown here. */
  ask(ids: Iterable<string>): void {
    this.open = new Set(ids);
    // What is asked here stays until it is answered: there is no other place to answer it.
    this.dismiss.hidden = this.open.size > 0;
    if (this.el !== undefined || this.timer !== undefined || !this.hidden()) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.hidden()) this.draw();
    }, PATIENCE_MS);
  }

  /** Takes it away. A question that comes later brings it back. */
  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.undraw();
    this.undraw = () => {};
    this.el?.remove();
    this.el = undefined;
    if (stack.childElementCount === 0) stack.remove();
  }

  private hidden(): boolean {
    return [...this.open].some((id) => !shown.has(id));
  }

  private draw(): void {
    this.el = element("section", "cnb-live cnb-floating");
    this.el.setAttribute("aria-label", "A question of a running cell");
    const fold = document.createElement("details");
    fold.open = true;
    const summary = document.createElement("summary");
    summary.textContent = "A running cell asks";
    const why = element("p", "cnb-floating-why");
    const last = document.createElement("code");
    last.textContent = "%claude last";
    why.append(WHY, last, ".");
    const host = element("div", "cnb-floating-host");
    fold.append(summary, why, host, this.dismiss);
    this.el.append(fold);
    stack.append(this.el);
    document.body.append(stack);
    this.undraw = this.render(host);
  }
}
