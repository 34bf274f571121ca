// What every place is made of: faces for loading, empty and error, icons, short messages.
import { Component, html, signal, useEffect, useRef, useState } from './dom.js';
import { Problem } from './api.js';

const PATHS = {
  play: 'M5 3.5v11l9-5.5z',
  pause: 'M4 3.5h3.5v11H4zm6.5 0H14v11h-3.5z',
  back: 'M12 3.5v11L4.5 9z',
  forward: 'M6 3.5v11L13.5 9z',
  start: 'M3.5 3.5h2v11h-2zm10 0v11L6.5 9z',
  end: 'M12.5 3.5h2v11h-2zm-8 0v11L11.5 9z',
};

/** @param {{name: keyof typeof PATHS}} props */
export const Icon = ({ name }) => html`<svg viewBox="0 0 18 18" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

/** @param {{title: string, children?: any}} props */
export const Face = ({ title, children }) => html`<div class="face"><h2>${title}</h2>${children}</div>`;

/** What, why, and trying again. @param {{error: unknown, again?: () => void}} props */
export function ErrorFace({ error, again }) {
  const said = error instanceof Problem ? error : new Problem({ title: 'Something went wrong.', detail: String(error) });
  const why = said.message.startsWith(said.title) ? said.message.slice(said.title.length).trim() : said.message;
  return html`<div class="face" role="alert">
    <h2>${said.title}</h2>
    ${why && html`<p>${why}</p>`}
    ${said.remedy && !said.message.includes(said.remedy) && html`<p>${said.remedy}</p>`}
    ${again && html`<button class="button" onClick=${again}>Try again</button>`}
  </div>`;
}

/** @typedef {{text: string, action?: string, act?: () => void, id: number}} Toast */

const toasts = signal(/** @type {Toast[]} */ ([]));
let count = 0;

/** Say something for a few seconds. @param {string} text @param {{action?: string, act?: () => void, seconds?: number}} [more] */
export function say(text, { action, act, seconds = 6 } = {}) {
  const id = ++count;
  toasts.value = [...toasts.value.slice(-2), { text, action, act, id }];
  setTimeout(() => (toasts.value = toasts.value.filter((each) => each.id !== id)), seconds * 1000);
}

/** Say why something failed. @param {unknown} error */
export function sayError(error) {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  say(error instanceof Problem ? error.message : String(error), { seconds: 10 });
}

export const Toasts = () => html`<div class="toasts" role="status">
  ${toasts.value.map(
    (each) => html`<div class="toast" key=${each.id}>
      <span class="grow" dir="auto">${each.text}</span>
      ${each.action && html`<button class="button" onClick=${each.act}>${each.action}</button>`}
    </div>`,
  )}
</div>`;

/** A dialog over everything, closed by Escape. @param {{title: string, close: () => void, children?: any}} props */
export function Dialog({ title, close, children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => box.current?.showModal(), []);
  return html`<dialog ref=${box} onClose=${close} aria-label=${title}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === box.current && box.current?.close()}>
    <h2>${title}</h2>${children}
  </dialog>`;
}

/**
 * A field that keeps what is being typed while everything around it is drawn anew, and tells at the end.
 * @param {{tag?: string, value: string, commit: (text: string) => unknown, [more: string]: any}} props
 */
export function Typed({ tag = 'input', value, commit, ...rest }) {
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const dropped = useRef(false);
  const done = () => {
    if (dropped.current || text === null || text === value) {
      dropped.current = false;
      return setText(null);
    }
    // What could not be committed stays in the field.
    return Promise.resolve(commit(text)).then((kept) => kept === false || setText(null));
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.preventDefault();
    dropped.current = event.key === 'Escape'; // leaving the field, which comes next, still has what was typed
    /** @type {HTMLElement} */ (event.target).blur();
  };
  return html`<${tag} ...${rest} value=${text ?? value} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onBlur=${done} onKeyDown=${keys} />`;
}

/** Shows a face if what is within cannot be drawn, so that the rest of the page lives on. */
export class Boundary extends Component {
  /** @param {unknown} error */
  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  render() {
    const { error } = /** @type {any} */ (this.state);
    if (!error) return /** @type {any} */ (this.props).children;
    return html`<main><${ErrorFace} error=${error} again=${() => this.setState({ error: null })} /></main>`;
  }
}

/** Set custom properties of an element: styles in attributes are refused by the policy. @param {Record<string, string>} values */
export const styled = (values) => (/** @type {HTMLElement | null} */ element) => {
  if (element) for (const [name, value] of Object.entries(values)) element.style.setProperty(name, value);
};
