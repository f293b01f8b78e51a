// What travels between the kernel and the page: the twin of claude_nb/widgets/patch.py and base.py.
// Above: store.ts folds it, index.ts sends and receives it. Below: nothing.

/** One step that changes what is shown. `key` names a block; all HTML was rendered and sanitised in the kernel. */
export type Op =
  /** A block appears under `parent` (null: at the top level), right behind its sibling `after` (null: behind them all). */
  | ["add", key: string, parent: string | null, kind: string, after: string | null]
  /** The block's own HTML becomes this; nothing is left of what was appended or of the tail. */
  | ["set", key: string, html: string]
  /** A finished piece of Markdown is appended; the tail is emptied. */
  | ["app", key: string, html: string]
  /** The open tail becomes this. */
  | ["tail", key: string, html: string]
  /** Plain text goes on at the very end of the block. */
  | ["txt", key: string, text: string]
  /** The block is an open question; a `set` takes its card away. */
  | ["card", key: string, card: Card]
  /** The running line; empty when the turn is over. `seconds` is how long the turn has run already. */
  | ["status", html: string, seconds: number]
  /** The footer. */
  | ["end", html: string];

export type FieldType = "line" | "area" | "json" | "number" | "integer" | "switch" | "select" | "radio" | "checks";

/** One thing to fill in; the twin of Field in claude_nb/widgets/card.py. */
export interface Field {
  name: string;
  type: FieldType;
  label: string;
  value: unknown;
  about: string;
  /** `html` previews what is chosen. */
  options: { v: string; label: string; about: string; html: string }[];
  /** A choice may be a text of one's own. */
  other: boolean;
  required: boolean;
  least: number | null;
  most: number | null;
}

/** One answer; the twin of Button in claude_nb/widgets/card.py. */
export interface Button {
  v: string;
  label: string;
  key: string;
  tone: "primary" | "plain" | "danger";
  /** A first click brings these up; a second one, on `then`, answers. */
  opens: Field[];
  then: string;
  /** What a second click confirms; empty: one is enough. */
  confirm: string;
  /** The card's own fields belong to the answer. */
  filled: boolean;
  about: string;
}

/** An open question. All but `html` is plain text. */
export interface Card {
  id: string;
  kind: string;
  title: string;
  html: string;
  facts: string[];
  /** What the agent says about it. */
  said: string;
  warning: string;
  note: string;
  fields: Field[];
  rows: (Button | Field)[][];
  /** Seconds until it is denied, null if it waits forever; the last `countdown` of them are shown. */
  left: number | null;
  countdown: number;
  /** When that is by this page's clock (performance.now()): put in when the message arrives. */
  deadline?: number;
}

/** What was answered: the button, what was filled in, and whether a confirmation was confirmed. */
export interface Answer {
  v: string;
  f: Record<string, unknown>;
  sure: boolean;
}

/** From the kernel. Patches are numbered: `full` holds all up to its number, the patch after it has the next one. */
export type Incoming =
  | { k: "patch"; s: number; ops: Op[] }
  | { k: "full"; s: number; ops: Op[]; stop: boolean }
  /** Nothing was sent for a while; the last number was `s`. Shows a loss that no later patch would. */
  | { k: "at"; s: number }
  | { k: "script"; code: string };

/** To the kernel. `ready` and `gap` are answered by `full`, `script` by `script`. `page` is a word for this page's model,
 * the same however often it asks. */
export type Outgoing = { k: "ready"; page: string } | { k: "gap" } | { k: "script" } | { k: "stop" } | { k: "answer"; id: string; a: Answer };

/** A message came; or the kernel behind the model is gone (`comm_live_update`, told by ipywidgets without a message). */
export type ModelEvent = "msg:custom" | "comm_live_update";

/** The part of anywidget's model that the page uses. */
export interface Model {
  get(name: string): unknown;
  send(message: Outgoing): void;
  on(name: ModelEvent, callback: (message: Incoming) => void): void;
  off(name: ModelEvent, callback: (message: Incoming) => void): void;
  /** The front end's own; JupyterLab's and Notebook's know the kernel. */
  widget_manager?: { kernel?: Kernel | null } | undefined;
}

type Signal<Slot> = Record<"connect" | "disconnect", (slot: Slot) => void>;

/** The part of a front end's kernel that the page uses. */
export interface Kernel {
  statusChanged: Signal<(kernel: unknown, status: string) => void>;
  /** The page's connection to the kernel ends, whatever the kernel does. */
  disposed?: Signal<() => void>;
}

/** What the page script gives to boot.ts: one per model. Cleanup functions are returned. */
export interface App {
  render(el: HTMLElement): () => void;
  close(): void;
}
