// The protocol of the rewind panel: the kernel says what to show, the page says what was clicked.
// Above: index.ts. Below: kernel.ts, view/. The twin of claude_nb/widgets/rewind.py.

import { watchKernel } from "./kernel.ts";
import type { App, Model } from "./patch.ts";
import { PanelView } from "./view/rewind.ts";
import { Views } from "./view/views.ts";

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

/** `waits`: a cell waits for a click. */
type FromKernel = { k: "panel"; panel: Panel | null; waits: boolean };
type ToKernel = { k: "ready"; page: string } | { k: "click"; id: string };

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
  let panel: Panel | null = null;
  let waits = false;
  const ready = { k: "ready", page: Math.random().toString(36).slice(2) } as const;
  const asking = setInterval(() => model.send(ready), PATIENCE_MS);

  const draw = (el: HTMLElement) => {
    dress(el);
    const view = new PanelView(el, (id) => model.send({ k: "click", id }));
    if (panel !== null) view.show(panel);
    return view;
  };
  const views = new Views(draw, () => (waits ? panel!.buttons.slice(0, 1).map(({ id }) => id) : []));

  const receive = (message: FromKernel) => {
    if (message.k !== "panel") return;
    clearInterval(asking);
    if (message.panel === null) return;
    const shown = (panel = message.panel);
    waits = message.waits;
    views.show((view) => view.show(shown));
  };
  const unwatch = watchKernel(
    given,
    () => (clearInterval(asking), views.die()),
    () => (clearInterval(asking), views.leave()),
  );
  model.on("msg:custom", receive);
  model.send(ready);

  return {
    render: (el) => views.render(el),
    close() {
      clearInterval(asking);
      model.off("msg:custom", receive);
      unwatch();
      views.close();
    },
  };
}
