// The running line of a turn: what it does, for how long, and the Stop button.

import { element } from "./block.ts";

/** After this long without an end the button can be pressed again: the message may have been lost. */
const STOP_AGAIN_MS = 3000;

export class StatusView {
  readonly el = element("div", "cnb-run");
  private text = element("div", "cnb-activity");
  private clock = element("span", "cnb-elapsed");
  private button = element("button", "cnb-stop");
  private began = 0;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private stopping: ReturnType<typeof setTimeout> | undefined;

  constructor(stop: () => void) {
    this.text.setAttribute("aria-live", "polite");
    // Seconds are for the eye: read aloud they would drown everything else.
    this.clock.setAttribute("aria-hidden", "true");
    this.button.type = "button";
    this.button.title = "Stop this turn; what has come so far stays";
    this.button.addEventListener("click", (event) => {
      // Only a person stops a turn, no script in the page does.
      if (!event.isTrusted) return;
      this.label("Stopping…", true);
      this.stopping = setTimeout(() => this.label("Stop", false), STOP_AGAIN_MS);
      stop();
    });
    this.label("Stop", false);
    this.el.append(this.text, this.clock, this.button);
    this.show("", 0);
  }

  set stoppable(yes: boolean) {
    this.button.hidden = !yes;
  }

  /** `html` is the activity (empty: nothing runs), `seconds` how long it has run. */
  show(html: string, seconds: number): void {
    this.el.hidden = html === "";
    if (this.text.innerHTML !== html) this.text.innerHTML = html;
    clearInterval(this.ticking);
    if (html === "") return this.reset();
    this.began = performance.now() - seconds * 1000;
    this.ticking = setInterval(() => this.tick(), 1000);
    this.tick();
  }

  /** The clock stops; what ran says why instead of what it does. */
  die(reason: string): void {
    this.close();
    this.stoppable = false;
    this.el.classList.remove("cnb-beat");
    this.clock.textContent = "";
    this.text.textContent = reason;
  }

  close(): void {
    clearInterval(this.ticking);
    this.reset();
  }

  private reset(): void {
    clearTimeout(this.stopping);
    this.label("Stop", false);
  }

  private tick(): void {
    const seconds = Math.floor((performance.now() - this.began) / 1000);
    const minutes = Math.floor(seconds / 60);
    this.el.classList.toggle("cnb-beat", seconds % 2 === 1);
    this.clock.textContent = minutes ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
  }

  private label(text: string, disabled: boolean): void {
    this.button.textContent = text;
    this.button.disabled = disabled;
  }
}
