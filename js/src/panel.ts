// The protocol of the rewind panel: the kernel says what to show, the page says what was clicked.
// Above: index.ts. Below: kernel.ts, view/rewind.ts. The twin of claude_nb/widgets/rewind.py.

import { watchKernel } from "./kernel.ts";
import type { App, Model } from "./patch.ts";
import { PanelView } from "./view/rewind.ts";

/** A click names it by an id that is good for one showing. */
export interface PanelButton {
  id: string;
  label: string;
  tone: "plain" | "primary" | "quiet";
  help: string;
}

/** What is shown, from top to bottom. All of it is plain text. */
export interface Panel {
  title: string;
  quote: string;
  rows: { text: string; facts: string; note: string; button: PanelButton | null }[];
  notes: string[];
  /** For the person to copy. */
  text: string;
  buttons: PanelButton[];
}

type FromKernel = { k: "panel"; panel: Panel | null };
type ToKernel = { k: "ready" } | { k: "click"; id: string };

interface PanelModel {
  send(message: ToKernel): void;
  on(name: string, callback: (message: FromKernel) => void): void;
  off(name: string, callback: (message: FromKernel) => void): void;
}

/** How long to wait for the panel before asking for it again. */
const PATIENCE_MS = 2000;

/** `dress` brings the style sheet to where an element is. */
export function connectPanel(given: Model, dress: (el: HTMLElement) => void = () => {}): App {
  const model = given as unknown as PanelModel;
  const views = new Set<PanelView>();
  let panel: Panel | null = null;
  let dead = false;
  const asking = setInterval(() => model.send({ k: "ready" }), PATIENCE_MS);

  const receive = (message: FromKernel) => {
    if (message.k !== "panel") return;
    clearInterval(asking);
    panel = message.panel;
    if (panel !== null) for (const view of views) view.show(panel);
  };
  const gone = () => {
    dead = true;
    clearInterval(asking);
    for (const view of views) view.die();
  };
  const click = (id: string) => model.send({ k: "click", id });
  const unwatch = watchKernel(given, gone);
  model.on("msg:custom", receive);
  model.send({ k: "ready" });

  return {
    render(el) {
      dress(el);
      const view = new PanelView(el, click);
      if (panel !== null) view.show(panel);
      if (dead) view.die();
      views.add(view);
      return () => {
        views.delete(view);
        view.close();
      };
    },
    close() {
      clearInterval(asking);
      model.off("msg:custom", receive);
      unwatch();
      views.forEach((view) => view.close());
      views.clear();
    },
  };
}
