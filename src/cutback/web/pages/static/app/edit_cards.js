// Edits as cards: in the order in which they are done, each can be moved within its stage, switched off or removed.
import { html, useRef, useState } from './dom.js';
import { isPicture } from './assets.js';
import { CropFace, SpeedFace } from './edit_faces.js';
import { Field } from './fields.js';

/** @typedef {import('./draft.js').Card} Card */
/** @typedef {import('./schema.js').Kind} Kind */

/**
 * What a new card has, and which of its fields are seen at once; all others are behind "More". `Face` draws fields that
 * need more than a field. Kinds that are not named here are offered as the API describes them.
 * @type {Record<string, {name?: string, start?: Record<string, any>, first?: string[], labels?: Record<string, string>, Face?: any, drawn?: string[]}>}
 */
const FACES = {
  rotate: { start: { degrees: 90 }, first: ['degrees', 'flip'] },
  crop: { start: { aspect: '9:16', gravity: 'center' }, Face: CropFace, drawn: ['aspect', 'gravity', 'x', 'y', 'width', 'height', 'path'] },
  scale: { name: 'Size', start: { height: 720 }, first: ['height'], labels: { height: 'Height at most, in pixels', width: 'Width at most, in pixels' } },
  sdr: { name: 'HDR to SDR' },
  colour: { start: { saturation: 20 }, first: ['brightness', 'contrast', 'saturation', 'temperature'] },
  denoise: { first: ['strength'] },
  blur: { start: { x: '40%', y: '40%', width: '20%', height: '20%' }, first: ['mode'] },
  speed: { start: { speed: 0.5 }, Face: SpeedFace, drawn: ['speed', 'spans'], first: ['between'] },
  timelapse: { start: { duration: 10 } },
  freeze: { start: { at: 0, duration: 1 }, labels: { at: 'Picture at' } },
  loop: { start: { times: 2 } },
  text: { start: { text: 'Left at the point', place: 'bottom' }, first: ['text', 'place'] },
  clock: { start: { place: 'top-right' }, first: ['place', 'show', 'zone'] },
  image: { name: 'Picture', start: { asset: '' }, first: ['asset', 'place', 'width'] },
  inset: { name: 'Other camera', start: {}, first: ['camera', 'layout', 'place'] },
  fade: { start: { in: 0.5, out: 0.5 }, first: ['in', 'out'] },
  audio_track: { name: 'Sound track', start: { number: 1 } },
  music: { start: { asset: '' }, first: ['asset', 'mode', 'db', 'duck'], labels: { db: 'Decibels', duck: 'Quieter while sound is heard, in dB' } },
  gain: { name: 'Volume', start: { db: 3 }, labels: { db: 'Decibels' } },
  loudness: { start: { lufs: -16 }, first: ['lufs'], labels: { lufs: 'LUFS' } },
  sound_fade: { start: { in: 0.5, out: 0.5 } },
};

/** @param {string} kind @param {Kind | undefined} about */
export const nameOfKind = (kind, about) => FACES[kind]?.name || about?.name || kind;

/** A card for a new edit. @param {Kind} about @param {{zone: string, others: string[]}} place */
function newCard(about, { zone, others }) {
  const fields = { ...FACES[about.kind]?.start };
  for (const each of about.fields) {
    if (each.required && fields[each.name] === undefined) fields[each.name] = each.options[0] ?? (each.kind === 'text' ? '' : (each.min ?? 1));
    if (each.name === 'zone' && zone) fields.zone = zone;
  }
  if (about.kind === 'inset' && others.length) [fields.camera] = others;
  return { kind: about.kind, on: true, fields };
}

/** Cards in the order of their stages; those of one stage stay as they are. @param {Card[]} cards @param {Map<string, Kind>} kinds */
export const inStages = (cards, kinds) => [...cards].sort((one, other) => (kinds.get(one.kind)?.stage ?? 0) - (kinds.get(other.kind)?.stage ?? 0));

/**
 * @param {{draft: import('./draft.js').Draft, kinds: Map<string, Kind> | undefined, zone: string, others: string[], assets: string[], here: () => number | null,
 *   frame: number, begin: (frame: number) => void, picture: {width: number, height: number}}} props
 */
export function EditCards({ draft, kinds, zone, others, assets, here, frame, begin, picture }) {
  const { cards } = draft.state.value;
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const [dragged, setDragged] = useState(-1);
  const stageOf = (/** @type {Card} */ card) => kinds?.get(card.kind)?.stage;
  const excluded = (/** @type {Kind} */ about) => cards.some((each) => each.on && (about.contradicts.includes(each.kind) || kinds?.get(each.kind)?.contradicts.includes(about.kind)));
  const left = [...(kinds?.values() || [])].filter((about) => (about.repeats || !cards.some((each) => each.kind === about.kind)) && !excluded(about));
  const add = (/** @type {any} */ event) => {
    const about = kinds?.get(event.target.value);
    event.target.value = '';
    if (about && kinds) draft.change({ cards: inStages([...cards, newCard(about, { zone, others })], kinds) });
  };
  const put = (/** @type {number} */ index, /** @type {Partial<Card>} */ changes, gesture = '') => draft.change({ cards: cards.map((each, i) => (i === index ? { ...each, ...changes } : each)) }, gesture);
  const move = (/** @type {number} */ from, /** @type {number} */ to, gesture = '') => {
    if (to < 0 || to >= cards.length || to === from || stageOf(cards[from]) !== stageOf(cards[to])) return false;
    const next = [...cards];
    next.splice(to, 0, ...next.splice(from, 1));
    draft.change({ cards: next }, gesture);
    return true;
  };
  const end = () => {
    setDragged(-1);
    draft.settle();
  };
  const grip = (/** @type {number} */ index) => ({
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
      setDragged(index);
    },
    onPointerMove: (/** @type {PointerEvent} */ event) => {
      if (dragged < 0) return;
      const all = [...(list.current?.querySelectorAll('.card') || [])];
      const over = all.findIndex((each) => event.clientY < each.getBoundingClientRect().bottom);
      if (move(dragged, over < 0 ? all.length - 1 : over, 'drag')) setDragged(over < 0 ? all.length - 1 : over);
    },
    onPointerUp: end,
    onPointerCancel: end, // a page that scrolls under the finger takes the gesture over
    onKeyDown: (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      move(index, index + by);
    },
  });
  return html`<section aria-label="Edits"><h2>Edits
      <select class="field add" aria-label="Add an edit" onChange=${add} disabled=${!kinds}><option value="">Add …</option>${left.map((about) => html`<option value=${about.kind}>${nameOfKind(about.kind, about)}</option>`)}</select></h2>
    ${cards.length === 0 && html`<p class="sub">Without edits, frames are copied as they are.</p>`}
    <div ref=${list}>
    ${cards.map((card, index) => {
      const about = kinds?.get(card.kind);
      const name = nameOfKind(card.kind, about);
      const { first, labels = {}, Face, drawn = [] } = FACES[card.kind] || {};
      const others = (about?.fields || []).filter((each) => !drawn.includes(each.name) && each.kind !== 'list');
      const seen = first ? others.filter((each) => first.includes(each.name)) : others.filter((each) => each.required);
      const more = others.filter((each) => !seen.includes(each));
      const movable = cards.some((each, i) => i !== index && stageOf(each) === stageOf(card));
      const set = (/** @type {string} */ field) => (/** @type {any} */ value) => {
        const fields = { ...card.fields, [field]: value };
        if (value === undefined) delete fields[field];
        put(index, { fields });
      };
      const row = (/** @type {import('./schema.js').Field} */ field) => html`<${Field} key=${field.name} field=${field} label=${labels[field.name]} value=${card.fields[field.name]} set=${set(field.name)} here=${here} list=${field.name === 'asset' ? `assets-${index}` : undefined} />`;
      return html`<article class=${`card${card.on ? '' : ' off'}${dragged === index ? ' dragged' : ''}`} data-kind=${card.kind} aria-label=${name}>
        <header>${movable && html`<button class="grip" aria-label=${`Move ${name}; arrow keys move it`} title="Drag to change the order" ...${grip(index)}>⠿</button>`}<span title=${about?.help}>${name}</span><span class="grow"></span>
          <button class="button quiet" aria-label=${`Remove ${name}`} title="Remove" onClick=${() => draft.change({ cards: cards.filter((_, i) => i !== index) })}>×</button>
          <input class="switch" type="checkbox" role="switch" aria-label=${`${name} is on`} checked=${card.on} onChange=${() => put(index, { on: !card.on })} /></header>
        ${card.on && (Face || seen.length > 0) && html`<div class="fields">
          ${Face && html`<${Face} card=${card} put=${(/** @type {any} */ fields, /** @type {string} */ gesture) => put(index, { fields }, gesture)} draft=${draft} frame=${frame} begin=${begin} picture=${picture} />`}
          ${seen.map(row)}
          ${'asset' in card.fields && html`<datalist id=${`assets-${index}`}>${assets.filter((each) => isPicture(each) === (card.kind === 'image')).map((each) => html`<option value=${each}></option>`)}</datalist>`}</div>`}
        ${card.on && more.length > 0 && html`<details class="more"><summary>More</summary><div class="fields">${more.map(row)}</div></details>`}
      </article>`;
    })}</div>
  </section>`;
}
