// The page script: what boot.ts fetches. Above: boot.ts. Below: one protocol per face, and the style sheets as text.

import { connect as open } from "./connect.ts";
import { connectPanel } from "./panel.ts";
import type { App, Model } from "./patch.ts";
import rewindCss from "./rewind.css";
import css from "./style.css";
import { adoptStyle } from "./view/style.ts";

const dress = (el: HTMLElement) => adoptStyle(el, css + rewindCss);

/** Connects a model; called once for each. */
export function connect(model: Model): App {
  return model.get("face") === "rewind" ? connectPanel(model, dress) : open(model, dress);
}
