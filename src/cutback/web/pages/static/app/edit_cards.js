// Edits as cards: in the order in which they are done, each can be switched off or removed.
import { html } from './dom.js';

/** What a card offers. Fields are of the request; docs/edits.md describes them. */
const KINDS = /** @type {Record<string, {name: string, start: Record<string, any>, fields: {name: string, kind: string, label?: string, options?: string[][], min?: number, max?: number, step?: number}[]}>} */ ({
  rotate: { name: 'Rotate', start: { degrees: 90 }, fields: [{ name: 'degrees', kind: 'choice', options: [['90', '90°'], ['180', '180°'], ['270', '270°']] }] },
  crop: { name: 'Crop', start: { aspect: '9:16', gravity: 'center' }, fields: [{ name: 'aspect', kind: 'choice', options: [['16:9', '16:9'], ['1:1', '1:1'], ['4:5', '4:5'], ['9:16', '9:16']] }] },
  scale: { name: 'Size', start: { height: 720 }, fields: [{ name: 'height', kind: 'number', label: 'at most this high, in pixels', min: 16, max: 4320, step: 2 }] },
  speed: { name: 'Speed', start: { speed: 0.5 }, fields: [{ name: 'speed', kind: 'choice', options: [['0.25', '¼×'], ['0.5', '½×'], ['2', '2×'], ['4', '4×']] }] },
  clock: { name: 'Clock', start: { place: 'top-right', margin: '3%' }, fields: [{ name: 'place', kind: 'place' }] },
  text: { name: 'Text', start: { text: 'Left at the point', place: 'bottom', margin: '5%' }, fields: [{ name: 'text', kind: 'text' }, { name: 'place', kind: 'place' }] },
  fade: { name: 'Fade', start: { in: 0.5, out: 0.5 }, fields: [{ name: 'in', kind: 'number', label: 's in', min: 0, max: 30, step: 0.1 }, { name: 'out', kind: 'number', label: 's out', min: 0, max: 30, step: 0.1 }] },
  mute: { name: 'Mute', start: {}, fields: [] },
  loudness: { name: 'Loudness', start: { lufs: -16 }, fields: [{ name: 'lufs', kind: 'number', label: 'LUFS', min: -50, max: -5, step: 1 }] },
});
const ORDER = Object.keys(KINDS);
const PLACES = ['top-left', 'top', 'top-right', 'left', 'center', 'right', 'bottom-left', 'bottom', 'bottom-right'];

/** @param {{draft: import('./draft.js').Draft}} props */
export function EditCards({ draft }) {
  const { cards } = draft.state.value;
  const left = ORDER.filter((kind) => kind === 'text' || !cards.some((each) => each.kind === kind));
  const add = (/** @type {any} */ event) => {
    const kind = event.target.value;
    event.target.value = '';
    if (!kind) return;
    const next = [...cards, { kind, on: true, fields: { ...KINDS[kind].start } }];
    // Cards stand in the order in which edits are done, which is the order that requests have.
    next.sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind));
    draft.change({ cards: next });
  };
  const put = (/** @type {number} */ index, /** @type {any} */ changes, gesture = '') => draft.change({ cards: cards.map((each, i) => (i === index ? { ...each, ...changes } : each)) }, gesture);
  return html`<section><h2>Edits
      <select class="field" aria-label="Add an edit" onChange=${add}><option value="">Add …</option>${left.map((kind) => html`<option value=${kind}>${KINDS[kind].name}</option>`)}</select></h2>
    ${cards.length === 0 && html`<p class="sub">Without edits, frames are copied as they are.</p>`}
    ${cards.map((card, index) => {
      const kind = KINDS[card.kind];
      if (!kind) return null;
      const set = (/** @type {string} */ name, /** @type {any} */ value) =>
        put(index, { fields: name === 'aspect' ? { ...kind.start, aspect: value } : { ...card.fields, [name]: value } }, `${index} ${name}`);
      return html`<div class=${card.on ? 'card' : 'card off'} key=${`${card.kind} ${index}`}>
        <header>${kind.name}<span class="grow"></span>
          <button class="button quiet" aria-label=${`Remove ${kind.name}`} onClick=${() => draft.change({ cards: cards.filter((_, i) => i !== index) })}>×</button>
          <input class="switch" type="checkbox" role="switch" aria-label=${`${kind.name} is on`} checked=${card.on} onChange=${() => put(index, { on: !card.on })} /></header>
        ${kind.fields.length > 0 && html`<div class="fields">${kind.fields.map((field) => html`<${Field} field=${field} value=${card.fields[field.name]} set=${(/** @type {any} */ value) => set(field.name, value)} settle=${() => draft.settle()} />`)}</div>`}
      </div>`;
    })}
  </section>`;
}

/** @param {{field: any, value: any, set: (value: any) => void, settle: () => void}} props */
function Field({ field, value, set, settle }) {
  if (field.kind === 'choice') {
    return html`<span class="seg" role="group" aria-label=${field.name}>${field.options.map(
      (/** @type {string[]} */ [choice, text]) => html`<button aria-pressed=${String(value) === choice} onClick=${() => { set(/^[\d.]+$/.test(choice) ? Number(choice) : choice); settle(); }}>${text}</button>`,
    )}</span>`;
  }
  if (field.kind === 'place') {
    return html`<select class="field" aria-label="Place" onChange=${(/** @type {any} */ event) => { set(event.target.value); settle(); }}>
      ${PLACES.map((place) => html`<option value=${place} selected=${place === value}>${place.replace('-', ' ')}</option>`)}</select>`;
  }
  if (field.kind === 'text') return html`<input class="field wide" dir="auto" maxlength="200" aria-label=${field.name} value=${value} onInput=${(/** @type {any} */ event) => set(event.target.value)} onBlur=${settle} />`;
  return html`<label><input class="field short num" type="number" min=${field.min} max=${field.max} step=${field.step} value=${value} onChange=${(/** @type {any} */ event) => { set(Number(event.target.value)); settle(); }} /> ${field.label}</label>`;
}
