// What travels between the kernel and the page: the twin of claude_nb/widgets/patch.py and base.py.
// Above: store.ts folds it, index.ts sends and receives it. Below: nothing.

/** One step that changes what is shown. `key` names a block; all HTML was rendered and sanitised in the kernel. */
export type Op =
  /** A block appears under `parent` (null: at the top level), after its siblings. */
  | ["add", key: string, parent: string | null, kind: string]
  /** The block's own HTML becomes this; nothing is left of what was appended or of the tail. */
  | ["set", key: string, html: string]
  /** A finished piece of Markdown is appended; the tail is emptied. */
  | ["app", key: string, html: string]
  /** The open tail becomes this. */
  | ["tail", key: string, html: string]
  /** Plain text goes on at the very end of the block. */
  | ["txt", key: string, text: string]
  /** The running line; empty when the turn is over. `seconds` is how long the turn has run already. */
  | ["status", html: string, seconds: number]
  /** The footer. */
  | ["end", html: string];

/** From the kernel. Patches are numbered: `full` holds all up to its number, the patch after it has the next one. */
export type Incoming =
  | { k: "patch"; s: number; ops: Op[] }
  | { k: "full"; s: number; ops: Op[]; stop: boolean }
  /** Nothing was sent for a while; the last number was `s`. Shows a loss that no later patch would. */
  | { k: "at"; s: number }
  | { k: "script"; code: string };

/** To the kernel. `ready` and `gap` are answered by `full`, `script` by `script`. `page` is a word for this page's model,
 * the same however often it asks. */
export type Outgoing = { k: "ready"; page: string } | { k: "gap" } | { k: "script" } | { k: "stop" };

/** The part of anywidget's model that the page uses. */
export interface Model {
  get(name: string): unknown;
  send(message: Outgoing): void;
  on(name: "msg:custom", callback: (message: Incoming) => void): void;
  off(name: "msg:custom", callback: (message: Incoming) => void): void;
}

/** What the page script gives to boot.ts: one per model. Cleanup functions are returned. */
export interface App {
  render(el: HTMLElement): () => void;
  close(): void;
}
