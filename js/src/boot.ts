// The little script in every widget's own state: brings the page script, once per page, and hands the model to it.
// The page script is 30 times its size; sent with every cell it would be most of what a short answer costs.

import type { App, Incoming, Model } from "./patch.ts";

type Script = { connect(model: Model): App };

const scripts: Map<string, Promise<Script>> = ((globalThis as Record<symbol, unknown>)[Symbol.for("claude_nb.scripts")] ??=
  new Map()) as Map<string, Promise<Script>>;

/** How long to wait for an answer before asking again: a busy server may drop messages without a word. */
const PATIENCE_MS = 2000;

/** Asks the kernel for the page script. Never settles when the model is closed before the answer. */
function fetchScript(model: Model, closed: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const ask = () => model.send({ k: "script" });
    const again = setInterval(ask, PATIENCE_MS);
    closed.addEventListener("abort", () => clearInterval(again));
    const receive = (message: Incoming) => {
      if (message.k !== "script") return;
      clearInterval(again);
      model.off("msg:custom", receive);
      resolve(message.code);
    };
    model.on("msg:custom", receive);
    ask();
  });
}

async function load(code: string): Promise<Script> {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** The page script, from the page if any widget has brought it. Two that start at once both ask: neither waits for one
 * that may be closed before its answer comes. It is loaded once all the same: what it knows of the page is for all. */
async function script(model: Model, closed: AbortSignal): Promise<Script> {
  const hash = model.get("script") as string;
  if (!scripts.has(hash)) {
    const code = await fetchScript(model, closed);
    if (!scripts.has(hash)) scripts.set(hash, load(code));
  }
  return scripts.get(hash)!;
}

/** anywidget calls this once per model. */
export default () => {
  let app: Promise<App>;
  return {
    // Not awaited: anywidget gives a model two seconds to initialise, and the kernel may be busy for longer.
    initialize({ model }: { model: Model }) {
      const closed = new AbortController();
      app = script(model, closed.signal).then((module) => module.connect(model));
      return () => {
        closed.abort();
        void app.then((it) => it.close());
      };
    },
    async render({ el }: { el: HTMLElement }) {
      return (await app).render(el);
    },
  };
};
