// A field of a request as something to fill in, by what the API says of it.
import { html } from './dom.js';
import { Typed } from './pieces.js';

const PLACES = ['top-left', 'top', 'top-right', 'left', 'center', 'right', 'bottom-left', 'bottom', 'bottom-right'];
const FEW = 4;

/** @typedef {import('./schema.js').Field} Described */

/**
 * @param {{field: Described, value: any, set: (value: any) => void, label?: string, here?: () => number | null, list?: string}} props
 *   `set` with `undefined` leaves the field out; `here` is the point of the clip on show; `list` is the id of a list of known values
 */
export function Field({ field, value, set, label = field.label, here, list }) {
  const shown = value ?? field.value;
  if (field.kind === 'switch') return html`<label class="row" title=${field.help}>${label} <input class="switch" type="checkbox" role="switch" aria-label=${label} checked=${Boolean(shown)} onChange=${(/** @type {any} */ event) => set(event.target.checked)} /></label>`;
  if (field.kind === 'choice' && field.options.length <= FEW && (field.required || field.value !== null)) {
    return html`<div class="row" title=${field.help}>${label} <${Choices} label=${label} options=${field.options.map((each) => [each, each.replaceAll('_', ' ')])} value=${String(shown)} pick=${(/** @type {string} */ choice) => set(field.whole ? Number(choice) : choice)} /></div>`;
  }
  if (field.kind === 'choice' || field.kind === 'place') {
    const options = field.kind === 'place' ? PLACES : field.options;
    return html`<label class="row" title=${field.help}>${label} <select class="field" aria-label=${label} onChange=${(/** @type {any} */ event) => set(event.target.value ? (field.whole ? Number(event.target.value) : event.target.value) : undefined)}>
      ${field.value === null && !field.required && html`<option value="" selected=${shown === null}>–</option>`}
      ${options.map((each) => html`<option value=${each} selected=${String(shown) === each}>${each.replaceAll('-', ' ')}</option>`)}</select></label>`;
  }
  if (field.kind === 'colour') return html`<label class="row" title=${field.help}>${label} <input class="field swatch" type="color" aria-label=${label} value=${shown} onChange=${(/** @type {any} */ event) => set(event.target.value)} /></label>`;
  const commit = (/** @type {string} */ text) => {
    const read = readField(field, text);
    if (read !== null) set(read);
  };
  const numeric = field.kind === 'number' || field.kind === 'seconds';
  return html`<label class="row" title=${field.help}>${label}<span class="entry">
    <${Typed} class=${field.kind === 'text' ? 'field wide' : 'field short num'} dir="auto" aria-label=${label} inputmode=${numeric ? 'decimal' : undefined} list=${list}
      placeholder=${{ measure: '5 % or 40', size: '5 MB', point: 'seconds' }[/** @type {string} */ (field.kind)] || ''} value=${written(shown)} commit=${commit} />
    ${field.kind === 'seconds' && html`<span class="unit">s</span>`}
    ${field.kind === 'point' && here && html`<button class="button quiet" onClick=${() => { const at = here(); if (at !== null) set(at); }}>Here</button>`}
  </span></label>`;
}

/** @param {{label: string, options: string[][], value: string, pick: (choice: string) => void}} props */
export const Choices = ({ label, options, value, pick }) => html`<span class="seg" role="group" aria-label=${label}>${options.map(
  ([choice, text]) => html`<button aria-pressed=${value === choice} onClick=${() => pick(choice)}>${text}</button>`,
)}</span>`;

/** @param {any} value */
const written = (value) => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));

/** What was typed, as a request writes it: `undefined` leaves the field out, null is not a value of it. @param {Described} field @param {string} typed */
export function readField(field, typed) {
  const text = typed.trim();
  if (!text) return field.required ? (field.kind === 'text' ? '' : null) : undefined;
  const number = Number(text.replace(',', '.').replace(/\s*s$/, ''));
  switch (field.kind) {
    case 'number':
    case 'seconds':
      if (Number.isNaN(number)) return field.whole ? null : text;
      return Math.min(field.max ?? Infinity, Math.max(field.min ?? -Infinity, field.whole ? Math.round(number) : number));
    case 'measure':
      return /^\d+$/.test(text) ? Number(text) : text.replace(/\s+%/, '%');
    case 'size':
      return /^\d+$/.test(text) ? Number(text) : text;
    case 'point':
      return Number.isNaN(number) || Object.is(number, -0) ? text : number; // JSON has no -0, which is the end
    default:
      return text;
  }
}
