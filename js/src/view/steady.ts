// Whether an element has stood still, for clicks that must be meant for it: text that streams in above moves a button
// under the pointer of a person who aims at something else. An element that has is marked `data-steady`.

/** A click counts once its target has stood still for this long. */
export const STEADY_MS = 400;
const SAMPLE_MS = 100;

export class Steady {
  private el: HTMLElement;
  private place = "";
  private since = performance.now();
  private timer: ReturnType<typeof setInterval>;

  /** Watches from now on; `each` is called with every look. */
  constructor(el: HTMLElement, each: () => void) {
    this.el = el;
    this.timer = setInterval(() => {
      this.ok();
      each();
    }, SAMPLE_MS);
  }

  /** Whether the element has been where it is for long enough. */
  ok(): boolean {
    this.look();
    const yes = performance.now() - this.since >= STEADY_MS;
    if (yes) this.el.dataset.steady = "";
    return yes;
  }

  /** What is inside has changed its place. */
  moved(): void {
    this.since = performance.now();
    delete this.el.dataset.steady;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { x, y, width, height } = this.el.getBoundingClientRect();
    const place = [x, y, width, height].map(Math.round).join();
    // The first look only tells where it appeared.
    if (this.place !== "" && place !== this.place) this.moved();
    this.place = place;
  }
}
