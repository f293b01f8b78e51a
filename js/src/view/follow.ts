// Keeps the end of a growing output in sight, for a person who had it in sight.

/** How near to the edge, in pixels, counts as being there: positions are fractions, and margins come after us. */
const NEAR = 24;

/** Runs `change`; if the bottom of `el` was visible before, scrolls by what it grew beyond the edge. */
export function following(el: HTMLElement, change: () => void): void {
  const scroller = scrollParent(el);
  if (scroller === undefined) return change();
  const before = el.getBoundingClientRect().bottom;
  const edge = scroller.getBoundingClientRect();
  const wasVisible = before <= edge.bottom + NEAR && before >= edge.top;
  change();
  const overflow = el.getBoundingClientRect().bottom - edge.bottom;
  if (wasVisible && overflow > 0) scroller.scrollTop += overflow;
}

/** The nearest ancestor that scrolls. */
function scrollParent(el: HTMLElement): HTMLElement | undefined {
  for (let it = el.parentElement; it !== null; it = it.parentElement) {
    if (it.scrollHeight > it.clientHeight && /auto|scroll/.test(getComputedStyle(it).overflowY)) return it;
  }
  return undefined;
}
