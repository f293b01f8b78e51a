// When the kernel is gone: it then knows none of our models, and nothing that is shown can be answered.
// Above: connect.ts, panel.ts. Below: the front end's own kernel, where it shows us one.

import type { Model } from "./patch.ts";

/** Of a kernel's states, those after which it knows none of our models. */
const GONE = ["restarting", "autorestarting", "terminating", "dead"];

/** Calls `gone` when the kernel of this model is, and `left` when the page lets go of it (the notebook's tab is closed,
 * or it gets another kernel); returns how to stop watching. */
export function watchKernel(model: Model, gone: () => void, left: () => void = gone): () => void {
  // ipywidgets tells of a restart that a person asked for, not of a kernel that died.
  const kernel = model.widget_manager?.kernel;
  const watch = (_: unknown, status: string) => GONE.includes(status) && gone();
  kernel?.statusChanged.connect(watch);
  kernel?.disposed?.connect(left);
  model.on("comm_live_update", gone);
  return () => {
    kernel?.statusChanged.disconnect(watch);
    kernel?.disposed?.disconnect(left);
    model.off("comm_live_update", gone);
  };
}
