// A document for tests, and the fake of anywidget's model.
import { Window } from "happy-dom";
import type { Incoming, Model, ModelEvent, Outgoing } from "../src/patch.ts";

const window = new Window();
Object.assign(globalThis, { document: window.document, Text: window.Text, ShadowRoot: window.ShadowRoot });
globalThis.getComputedStyle = window.getComputedStyle.bind(window) as unknown as typeof getComputedStyle;

export function host(): HTMLElement {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  return el;
}

/** A click as a person makes it: happy-dom's own are not trusted, like those of scripts in a browser. */
export function click(el: Element, { trusted }: { trusted: boolean }): void {
  const event = new window.Event("click", { bubbles: true });
  Object.defineProperty(event, "isTrusted", { value: trusted });
  el.dispatchEvent(event as unknown as Event);
}

/** A key as a person presses it. */
export function key(el: Element, name: string, { trusted }: { trusted: boolean }): void {
  const event = new window.KeyboardEvent("keydown", { key: name, bubbles: true });
  Object.defineProperty(event, "isTrusted", { value: trusted });
  el.dispatchEvent(event as unknown as Event);
}

/** Opens or closes a fold as a click on its summary does. */
export function toggle(fold: HTMLDetailsElement): void {
  fold.open = !fold.open;
  fold.dispatchEvent(new window.Event("toggle") as unknown as Event);
}

export class FakeModel implements Model {
  sent: Outgoing[] = [];
  listeners = new Set<(message: Incoming) => void>();
  deathWatchers = new Set<() => void>();
  state: Record<string, unknown>;
  widget_manager?: Model["widget_manager"];

  constructor(state: Record<string, unknown> = {}) {
    this.state = state;
  }
  get(name: string): unknown {
    return this.state[name];
  }
  send(message: Outgoing): void {
    this.sent.push(message);
  }
  on(name: ModelEvent, callback: (message: Incoming) => void): void {
    if (name === "msg:custom") this.listeners.add(callback);
    else this.deathWatchers.add(callback as () => void);
  }
  off(_: ModelEvent, callback: (message: Incoming) => void): void {
    this.listeners.delete(callback);
    this.deathWatchers.delete(callback as () => void);
  }
  /** The kernel is gone. */
  lose(): void {
    for (const watcher of this.deathWatchers) watcher();
  }
  /** A message from the kernel. */
  deliver(message: Incoming): void {
    for (const listener of [...this.listeners]) listener(message);
  }
}
