// The views of one model: where its outputs are in this page, and over the page while none of them shows what is asked.
// Above: connect.ts, panel.ts. Below: floating.ts.

import { Floating } from "./floating.ts";

interface View {
  /** The kernel is gone. */
  die(): void;
  close(): void;
}

export class Views<V extends View> {
  private views = new Set<V>();
  private dead = false;
  private draw: (el: HTMLElement) => V;
  private asked: () => string[];
  private floating: Floating;

  /** `draw` makes a view that shows all there is; `asked` gives the ids of the questions that are open now. */
  constructor(draw: (el: HTMLElement) => V, asked: () => string[]) {
    this.draw = draw;
    this.asked = asked;
    this.floating = new Floating((el) => this.add(el));
  }

  /** Shows something new in all views. */
  show(each: (view: V) => void): void {
    this.views.forEach(each);
    this.float();
  }

  /** A view in an output; returns how to end it. */
  render(el: HTMLElement): () => void {
    this.floating.close();
    const remove = this.add(el);
    return () => {
      remove();
      this.float();
    };
  }

  /** The kernel is gone, so nothing can be answered. */
  die(): void {
    this.dead = true;
    this.show((view) => view.die());
  }

  /** The page has let go of the kernel: a notebook that is opened again asks by a model of its own. */
  leave(): void {
    this.die();
    this.floating.close();
  }

  close(): void {
    this.floating.close();
    this.views.forEach((view) => view.close());
    this.views.clear();
  }

  private add(el: HTMLElement): () => void {
    const view = this.draw(el);
    if (this.dead) view.die();
    this.views.add(view);
    return () => {
      this.views.delete(view);
      view.close();
    };
  }

  private float(): void {
    this.floating.ask(this.dead ? [] : this.asked());
  }
}
