// The style sheet, once per document (or per shadow root, where a front end uses one).

const MARK = "claude-nb-style";

export function adoptStyle(el: HTMLElement, css: string): void {
  const root = el.getRootNode();
  const home = root instanceof ShadowRoot ? root : document.head;
  const old = home.querySelector(`style[data-name="${MARK}"]`);
  if (old?.textContent === css) return;
  const style = document.createElement("style");
  style.dataset.name = MARK;
  style.textContent = css;
  // Two versions of the package in one page (two kernels): the one that drew last wins.
  if (old) old.replaceWith(style);
  else home.append(style);
}
