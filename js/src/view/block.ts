// One block of a turn as DOM: its own HTML, the open tail, and room for the blocks under it.
// Above: live.ts owns the blocks. Below: the browser. Every piece of HTML comes from the kernel's sanitiser.

/** Elements in which text that goes on belongs: the last of them, innermost. Inline elements are left behind. */
const FLOW = "p, li, ul, ol, blockquote, h1, h2, h3, h4, h5, h6, pre, pre > code, div, details";

export class BlockView {
  readonly el = element("div", "cnb-block");
  /** Where the views of child blocks go. */
  readonly kids = element("div", "cnb-kids");
  private own = element("div", "cnb-own");
  private tail: HTMLElement | undefined;
  /** Folds that the person opened or closed by hand: by number, since the elements are replaced. */
  private folds: Map<number, boolean>;

  constructor(kind: string, folds: Map<number, boolean>) {
    this.el.dataset.kind = kind;
    this.el.append(this.own, this.kids);
    this.folds = folds;
    // `toggle` does not bubble; it is also fired for a fold that is born open, where it changes nothing here.
    this.own.addEventListener("toggle", (event) => this.remember(event.target as HTMLDetailsElement), true);
  }

  /** Replaces all of the block's own content; folds keep the state a person gave them, and the focus stays. */
  set(html: string): void {
    const focus = this.summaries().indexOf(this.own.ownerDocument.activeElement as HTMLElement);
    this.tail = undefined;
    this.own.innerHTML = html;
    this.details().forEach((fold, i) => {
      fold.dataset.born = String(fold.open);
      const wanted = this.folds.get(i);
      if (wanted !== undefined) fold.open = wanted;
    });
    if (focus >= 0) this.summaries()[focus]?.focus({ preventScroll: true });
  }

  /** Shows an element in place of HTML: a card. One that is shown already stays untouched, with its focus. */
  hold(el: HTMLElement): void {
    if (el.parentElement !== this.own) this.own.replaceChildren(el);
  }

  /** Takes the focus to what the block shows. */
  focus(): void {
    this.own.tabIndex = -1;
    // Keys meant for a card that has just gone must not act on the cell.
    this.own.dataset.lmSuppressShortcuts = "true";
    this.own.focus({ preventScroll: true });
  }

  /** Appends a finished piece; the tail it finishes goes. */
  append(html: string): void {
    this.tail?.remove();
    this.tail = undefined;
    this.own.insertAdjacentHTML("beforeend", html);
  }

  /** Replaces the open tail. */
  setTail(html: string): void {
    if (this.tail === undefined) {
      this.tail = element("div", "cnb-tail");
      this.own.append(this.tail);
    }
    this.tail.innerHTML = html;
  }

  /** Plain text at the end of the last paragraph, list item or code block. */
  appendText(text: string): void {
    let place: HTMLElement = this.tail ?? this.own;
    for (let last = place.lastElementChild; last?.matches(FLOW); last = place.lastElementChild) {
      place = last as HTMLElement;
    }
    const node = place.lastChild;
    // One text node that grows: a node per delta would make a long answer slow to lay out.
    if (node instanceof Text) node.appendData(text);
    else place.append(text);
  }

  private remember(fold: HTMLDetailsElement): void {
    const number = this.details().indexOf(fold);
    if (number < 0) return;
    if (this.folds.has(number) || String(fold.open) !== fold.dataset.born) this.folds.set(number, fold.open);
  }

  private details(): HTMLDetailsElement[] {
    return [...this.own.querySelectorAll("details")];
  }

  private summaries(): HTMLElement[] {
    return [...this.own.querySelectorAll("summary")];
  }
}

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string): HTMLElementTagNameMap[K] {
  const it = document.createElement(tag);
  it.className = className;
  return it;
}
