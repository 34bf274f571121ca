// The keyboard: one table of what each key does, for the places and for the sheet that lists them, where each can be changed.
import { html, signal, useEffect, useState } from './dom.js';
import { useLatest } from './newest.js';
import { Dialog } from './pieces.js';

export const keySheet = signal(false);

/** What can be done by key, in the order of the sheet, with its usual keys. @type {[string, string[], string][]} */
const ACTIONS = [
  ['play', [' ', 'k'], 'play and pause'],
  ['shuttle back', ['j'], 'one second back'],
  ['shuttle on', ['l'], 'play, faster each time'],
  ['frame back', ['ArrowLeft', ','], 'one frame back'],
  ['frame on', ['ArrowRight', '.'], 'one frame on'],
  ['second back', ['Shift+ArrowLeft'], 'one second back'],
  ['second on', ['Shift+ArrowRight'], 'one second on'],
  ['in', ['i'], 'in here'],
  ['out', ['o'], 'out here'],
  ['around', ['a'], '15 seconds around here'],
  ['go to in', ['['], 'go to in'],
  ['go to out', [']'], 'go to out'],
  ['beginning', ['Home'], 'go to the beginning'],
  ['end', ['End'], 'go to the end'],
  ['play in', ['q'], 'play two seconds around in'],
  ['play out', ['w'], 'play two seconds around out'],
  ['play join', ['e'], 'play across the join before the range'],
  ['loop', ['r'], 'loop the selection'],
  ['zoom in', ['+', '='], 'zoom in'],
  ['zoom out', ['-'], 'zoom out'],
  ['cut', ['Enter'], 'cut'],
  ['undo', ['Ctrl+z'], 'undo'],
  ['redo', ['Ctrl+Shift+z', 'Ctrl+y'], 'redo'],
  ['other camera', ['m'], 'the same moment on another camera'],
  ['search', ['/'], 'search'],
  ['keys', ['?'], 'this list'],
];

const KEPT = 'cutback.keys';

/** @returns {Record<string, string>} */
function chosenKeys() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) || '{}') || {};
  } catch {
    return {};
  }
}

/** The keys that were chosen here instead of the usual ones, by action. */
const chosen = signal(chosenKeys());

/** @param {string} action */
const keysOf = (action) => (chosen.value[action] ? [chosen.value[action]] : (ACTIONS.find(([name]) => name === action)?.[1] || [action]));

/** A key as people call it. @param {string} key */
const called = (key) => key.split(/(?<=.)\+/).map((each) => ({ ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', '-': '−' })[each] || (each.length === 1 ? each.toUpperCase() : each)).join(' ');

/** The key of an action, for a tooltip. @param {string} action */
export const keyOf = (action) => called(keysOf(action)[0]);

/** The name of the key that was pressed. @param {KeyboardEvent} event */
function pressedKey(event) {
  const held = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return `${held ? 'Ctrl+' : ''}${event.shiftKey && (event.key.length > 1 || (held && /[a-z]/.test(key))) ? 'Shift+' : ''}${key}`;
}

/** @param {Record<string, string>} keys */
function keep(keys) {
  chosen.value = keys;
  localStorage.setItem(KEPT, JSON.stringify(keys));
}

export function KeySheet() {
  const [asking, setAsking] = useState('');
  const [taken, setTaken] = useState('');
  const listen = (/** @type {KeyboardEvent} */ event) => {
    if (!asking || /^(Shift|Control|Meta|Alt|Tab)$/.test(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'Escape') return setAsking('');
    const key = pressedKey(event);
    const other = ACTIONS.find(([name]) => name !== asking && keysOf(name).includes(key));
    if (other) return setTaken(`${called(key)} is the key for “${other[2]}”.`);
    setTaken('');
    keep({ ...chosen.value, [asking]: key });
    return setAsking('');
  };
  return html`<${Dialog} title="Keys" close=${() => (keySheet.value = false)}>
    <p class="sub">Press a key's button to choose another one.</p>
    ${taken && html`<p class="why" role="alert">${taken}</p>`}
    <dl class="keysheet" onKeyDown=${listen}>${ACTIONS.map(([name, , does]) => html`<dt><button class="button" aria-pressed=${asking === name} onClick=${() => setAsking(asking === name ? '' : name)}>${asking === name ? 'Press a key' : keysOf(name).map((key) => html`<kbd>${called(key)}</kbd> `)}<span class="visually-hidden">Change the key: ${does}</span></button></dt><dd>${does}</dd>`)}</dl>
    ${Object.keys(chosen.value).length > 0 && html`<button class="button" onClick=${() => keep({})}>The usual keys</button>`}
  <//>`;
}

/** Whether a key was meant for a field. @param {KeyboardEvent} event */
const inField = (event) =>
  event.target instanceof HTMLElement && (event.target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) && /** @type {any} */ (event.target).type !== 'checkbox';

/**
 * Use keys while a place is shown. Each key does what the place as it was drawn last says, however fast they are pressed.
 * @param {Record<string, (event: KeyboardEvent) => void>} does by action of the table
 */
export function useKeys(does) {
  const newest = useLatest(does);
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const pressed = (event) => {
      if (inField(event) || event.altKey || document.querySelector('dialog[open]')) return;
      const key = pressedKey(event);
      const action = Object.keys(newest.current).find((each) => keysOf(each).includes(key));
      if (!action) return;
      // Space and Enter press the button that has the focus.
      if (/^( |Enter)$/.test(event.key) && event.target instanceof Element && event.target.closest('button, a, summary, input, select, [role=slider]')) return;
      event.preventDefault();
      newest.current[action](event);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

addEventListener('keydown', (event) => {
  if (inField(event) || event.altKey || document.querySelector('dialog[open]')) return;
  const key = pressedKey(event);
  if (keysOf('keys').includes(key)) keySheet.value = true;
  else if (keysOf('search').includes(key)) document.getElementById('search')?.focus();
  else return;
  event.preventDefault();
});
