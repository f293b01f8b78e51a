// The page script: what boot.ts fetches. Above: boot.ts. Below: connect.ts, and the style sheet as text.

import { connect as open } from "./connect.ts";
import type { App, Model } from "./patch.ts";
import css from "./style.css";
import { adoptStyle } from "./view/style.ts";

/** Connects a model; called once for each. */
export function connect(model: Model): App {
  const app = open(model);
  return {
    render(el) {
      adoptStyle(el, css);
      return app.render(el);
    },
    close: () => app.close(),
  };
}
