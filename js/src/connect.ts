// The protocol of a live output: one store per model, any number of views in step with it.
// Above: index.ts. Below: kernel.ts, the store (pure data) and view/ (DOM). A question that no view shows floats.

import { watchKernel } from "./kernel.ts";
import type { App, Incoming, Model, Outgoing } from "./patch.ts";
import { Store } from "./store.ts";
import { Floating } from "./view/floating.ts";
import { LiveView } from "./view/live.ts";

/** How long to wait for the whole before asking for it again. */
const PATIENCE_MS = 2000;

/** `dress` brings the style sheet to where an element is. */
export function connect(model: Model, dress: (el: HTMLElement) => void = () => {}): App {
  const store = new Store();
  const views = new Set<LiveView>();
  let stoppable = false;
  let dead = false;
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
    if (dead) view.die();
    views.add(view);
    return () => {
      views.delete(view);
      view.close();
    };
  };
  const floating = new Floating(draw);
  const float = () => floating.ask(dead ? [] : [...store.cards.values()].map((card) => card.id));

  const receive = (message: Incoming) => {
    stampCards(message);
    const outcome = store.receive(message);
    if (outcome.what === "nothing") return;
    if (outcome.what === "gap") return ask({ k: "gap" });
    if (message.k === "full") {
      settle();
      stoppable = message.stop;
    }
    for (const view of views) view.show(outcome.ops, { fresh: outcome.what === "new", stoppable });
    float();
  };
  const die = () => {
    dead = true;
    settle();
    views.forEach((view) => view.die());
    float();
  };
  const unwatch = watchKernel(model, die, () => {
    die();
    floating.close(); // nobody can answer here any more; a notebook that is opened again asks by a model of its own
  });
  model.on("msg:custom", receive);
  ask({ k: "ready", page: Math.random().toString(36).slice(2) });

  return {
    render(el) {
      floating.close();
      const undraw = draw(el);
      return () => {
        undraw();
        float();
      };
    },
    close() {
      settle();
      unwatch();
      model.off("msg:custom", receive);
      floating.close();
      views.forEach((view) => view.close());
      views.clear();
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
