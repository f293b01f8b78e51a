// The protocol of a live output: one store per model, any number of views in step with it.
// Above: index.ts. Below: kernel.ts, the store (pure data) and view/ (DOM).

import { watchKernel } from "./kernel.ts";
import type { App, Incoming, Model, Outgoing } from "./patch.ts";
import { Store } from "./store.ts";
import { LiveView } from "./view/live.ts";
import { Views } from "./view/views.ts";

/** How long to wait for the whole before asking for it again. */
const PATIENCE_MS = 2000;

/** `dress` brings the style sheet to where an element is. */
export function connect(model: Model, dress: (el: HTMLElement) => void = () => {}): App {
  const store = new Store();
  let stoppable = false;
  let asking: ReturnType<typeof setInterval> | undefined;

  /** Asks for the whole until it comes. What is on its way already shows as a gap as well: one question is enough. */
  const ask = (question: Outgoing) => {
    if (asking !== undefined) return;
    asking = setInterval(() => model.send(question), PATIENCE_MS);
    model.send(question);
  };
  const settle = () => {
    clearInterval(asking);
    asking = undefined;
  };

  const draw = (el: HTMLElement) => {
    dress(el);
    const view = new LiveView(el, {
      stop: () => model.send({ k: "stop" }),
      answer: (id, a) => model.send({ k: "answer", id, a }),
    });
    view.show(store.ops(), { fresh: true, stoppable });
    return view;
  };
  const views = new Views(draw, () => [...store.cards.values()].map((card) => card.id));

  const receive = (message: Incoming) => {
    stampCards(message);
    const outcome = store.receive(message);
    if (outcome.what === "nothing") return;
    if (outcome.what === "gap") return ask({ k: "gap" });
    if (message.k === "full") {
      settle();
      stoppable = message.stop;
    }
    views.show((view) => view.show(outcome.ops, { fresh: outcome.what === "new", stoppable }));
  };
  const unwatch = watchKernel(
    model,
    () => (settle(), views.die()),
    () => (settle(), views.leave()),
  );
  model.on("msg:custom", receive);
  ask({ k: "ready", page: Math.random().toString(36).slice(2) });

  return {
    render: (el) => views.render(el),
    close() {
      settle();
      unwatch();
      model.off("msg:custom", receive);
      views.close();
    },
  };
}

/** Seconds left become a time of this page's clock, so that views made later count down to the same moment. */
function stampCards(message: Incoming): void {
  if (message.k !== "patch" && message.k !== "full") return;
  for (const op of message.ops) {
    if (op[0] === "card" && op[2].left !== null) op[2].deadline = performance.now() + op[2].left * 1000;
  }
}
