// The keyboard: one table of what each key does, for the places and for the sheet that lists them.
import { html, signal, useEffect } from './dom.js';
import { Dialog } from './pieces.js';

export const keySheet = signal(false);

/** Every key, in the order of the sheet. */
const KEYS = [
  ['Space, K', 'play and pause'],
  ['J, L', 'one second back; play, faster each time'],
  ['←, →  or  comma, period', 'one frame'],
  ['Shift ←, →', 'one second'],
  ['I, O', 'in and out here'],
  ['[, ]', 'go to in and out'],
  ['Home, End', 'go to the beginning and the end'],
  ['+, −', 'zoom'],
  ['A', '15 seconds around here'],
  ['R', 'loop the selection'],
  ['Enter', 'cut'],
  ['Ctrl Z, Ctrl Shift Z', 'undo, redo'],
  ['M', 'in the library: the same moment on another camera'],
  ['/', 'search'],
  ['?', 'this list'],
];

export const KeySheet = () => html`<${Dialog} title="Keys" close=${() => (keySheet.value = false)}>
  <dl class="keysheet">${KEYS.map(([key, does]) => html`<dt><kbd>${key}</kbd></dt><dd>${does}</dd>`)}</dl>
<//>`;

/** Whether a key was meant for a field or a button. @param {KeyboardEvent} event */
const inField = (event) =>
  event.target instanceof HTMLElement && (event.target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) && /** @type {any} */ (event.target).type !== 'checkbox';

/**
 * Use keys while a place is shown.
 * @param {Record<string, (event: KeyboardEvent) => void>} does by name: `ArrowLeft`, `Shift+ArrowLeft`, `Ctrl+z`
 * @param {unknown[]} inputs
 */
export function useKeys(does, inputs) {
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const pressed = (event) => {
      if (inField(event) || event.altKey || document.querySelector('dialog[open]')) return;
      const held = `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.shiftKey && event.key.length > 1 ? 'Shift+' : ''}`;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const act = does[`${held}${(event.ctrlKey || event.metaKey) && event.shiftKey && key.length === 1 ? 'Shift+' : ''}${key}`];
      if (!act) return;
      // Space and Enter press the button that has the focus.
      if (/^( |Enter)$/.test(event.key) && event.target instanceof Element && event.target.closest('button, a, summary, input, select, [role=slider]')) return;
      event.preventDefault();
      act(event);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, inputs);
}

addEventListener('keydown', (event) => {
  if (inField(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '?') keySheet.value = true;
  else if (event.key === '/') document.getElementById('search')?.focus();
  else return;
  event.preventDefault();
});
