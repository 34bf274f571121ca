// Texts, clocks, pictures and insets over the picture, about as the clip will show them: drag one to another of the nine places.
import { html, useRef, useState } from './dom.js';
import { assetFile, isPicture } from './assets.js';
import { BlurBox } from './blur_box.js';
import { cropAt } from './crop_box.js';
import { useLatest } from './newest.js';
import { dragging, usePictureArea } from './picture_area.js';
import { usePicture } from './pictures.js';
import { styled } from './pieces.js';
import { still } from './recordings.js';
import { frameInCut, inCut, secondsOf } from './request.js';
import { query } from './api.js';
import { clock, date, iso } from './zones.js';

const OVERLAYS = new Set(['text', 'clock', 'image', 'inset']);
const START = /** @type {Record<string, string>} */ ({ text: 'bottom', clock: 'bottom', image: 'bottom-right', inset: 'top-right' });
const ROWS = ['top', '', 'bottom'];
const COLUMNS = ['left', '', 'right'];

/** The nearest of the nine places. @param {number} x @param {number} y as parts of the picture */
function placeAt(x, y) {
  const third = (/** @type {number} */ part) => Math.min(2, Math.max(0, Math.floor(part * 3)));
  return [ROWS[third(y)], COLUMNS[third(x)]].filter(Boolean).join('-') || 'center';
}

/** @typedef {{left: number, top: number, width: number, height: number}} Area */

/**
 * @param {{draft: import('./draft.js').Draft, player: import('./player.js').Player, begins: number, camera: string, assets: string[]}} props `begins`: when the recording begins, NaN if nobody knows; `assets`: the names that are known
 */
export function Overlays({ draft, player, begins, camera, assets }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const picture = player.size.value;
  const frame = player.frame.value;
  const whole = usePictureArea(place, picture);
  const { cards, ranges, title } = draft.state.value;
  const crop = cards.find((each) => each.kind === 'crop' && each.on);
  const shown = whole.width > 0 && !cards.some((each) => each.kind === 'rotate' && each.on);
  const part = crop && shown ? cropAt(crop.fields, picture, frame) : { x: 0, y: 0, width: 1, height: 1 };
  const area = { left: whole.left + part.x * whole.width, top: whole.top + part.y * whole.height, width: part.width * whole.width, height: part.height * whole.height };
  const at = inCut(player.map, ranges, frame);
  const moment = begins + player.map.starts[frame] * 1000;
  const long = ranges.reduce((sum, each) => sum + player.map.starts[each.last] - player.map.starts[each.first], 0);
  const dark = at === null ? 0 : faded(cards, at, long);
  const fade = cards.find((each) => each.kind === 'fade' && each.on);
  const from = fade && at !== null ? fromPoster(cards, at) : 0;
  const pixels = { width: picture.width * part.width, height: picture.height * part.height };
  return html`<div class="over" ref=${place} data-overlays>${shown && html`
    ${cards.map((card, index) => card.on && card.kind === 'blur' && html`<${BlurBox} key=${`blur ${index}`} draft=${draft} index=${index} area=${area} pixels=${pixels} at=${at} />`)}
    ${from > 0 && html`<${Poster} player=${player} frame=${frameInCut(player.map, ranges, pointOf(fade?.fields.poster, long, speedOf(cards)))} crop=${crop} picture=${picture} area=${area} part=${from} />`}
    ${dark > 0 && html`<div class=${fade?.fields.color === 'white' ? 'fading white' : 'fading'} ref=${styled({ ...placed(area), opacity: String(dark) })}></div>`}
    ${cards.map((card, index) => card.on && OVERLAYS.has(card.kind) && (card.fields.layout || 'over') === 'over' && html`<${Overlay} key=${`${card.kind} ${index}`} draft=${draft} index=${index} area=${area} pixels=${pixels} at=${at} long=${long} moment=${moment} camera=${camera} title=${title} still=${!player.playing.value} assets=${assets} />`)}`}</div>`;
}

/** @param {Area} area */
const placed = (area) => ({ left: `${area.left}px`, top: `${area.top}px`, width: `${area.width}px`, height: `${area.height}px` });

/** @param {import('./draft.js').Card[]} cards */
const speedOf = (cards) => Number(cards.find((each) => each.kind === 'speed' && each.on)?.fields.speed) || 1;

/** A point of the clip, in seconds before any change of speed. @param {any} point @param {number} long seconds of the clip @param {number} speed */
function pointOf(point, long, speed) {
  if (typeof point === 'object') return (secondsOf(point?.finished) || 0) * speed;
  const text = String(point).trim();
  return text.startsWith('-') ? long - (secondsOf(text.slice(1)) || 0) : secondsOf(point) || 0;
}

/** How much of the picture is the clip's poster, at a point of the clip. @param {import('./draft.js').Card[]} cards @param {number} at */
function fromPoster(cards, at) {
  const fields = cards.find((each) => each.kind === 'fade' && each.on)?.fields;
  const begin = fields?.poster === undefined ? 0 : Number(fields.in) || 0;
  return begin ? Math.max(0, 1 - at / speedOf(cards) / begin) : 0;
}

/**
 * The picture from which the clip comes, over the one on show, cropped as it is there.
 * @param {{player: import('./player.js').Player, frame: number, crop?: import('./draft.js').Card, picture: {width: number, height: number}, area: Area, part: number}} props `part`: how much of it is seen
 */
function Poster({ player, frame, crop, picture, area, part }) {
  const url = usePicture(async () => still(player.map.key, frame, player.map.version, 1500), [player.map.key, player.map.version, frame]);
  const shows = crop ? cropAt(crop.fields, picture, frame) : { x: 0, y: 0, width: 1, height: 1 };
  const whole = { left: `${(-100 * shows.x) / shows.width}%`, top: `${(-100 * shows.y) / shows.height}%`, width: `${100 / shows.width}%`, height: `${100 / shows.height}%` };
  return html`<div class="fading poster" data-frame=${frame} ref=${styled({ ...placed(area), opacity: String(part) })}>${url && html`<img src=${url} alt="" ref=${styled(whole)} />`}</div>`;
}

/** How much of the picture is the colour of the fade, at a point of the clip. @param {import('./draft.js').Card[]} cards @param {number} at @param {number} long seconds */
export function faded(cards, at, long) {
  const fade = cards.find((each) => each.kind === 'fade' && each.on);
  if (!fade) return 0;
  const speed = speedOf(cards);
  // What comes from the poster is not darker at its beginning.
  const [begin, end] = [fade.fields.poster === undefined ? Number(fade.fields.in) || 0 : 0, Number(fade.fields.out) || 0];
  const [now, whole] = [at / speed, long / speed];
  return Math.max(0, begin ? 1 - now / begin : 0, end ? 1 - (whole - now) / end : 0);
}

/**
 * @param {{draft: import('./draft.js').Draft, index: number, area: Area, pixels: {width: number, height: number}, at: number | null, long: number, moment: number, camera: string, title: string, still: boolean, assets: string[]}} props
 */
function Overlay({ draft, index, area, pixels, at, long, moment, camera, title, still, assets }) {
  const card = draft.state.value.cards[index];
  const { fields, kind } = card;
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [held, setHeld] = useState(/** @type {{x: number, y: number} | null} */ (null));
  const [own, setOwn] = useState({ name: '', width: 0, height: 0 });
  const put = (/** @type {string} */ where) => draft.change({ cards: draft.state.value.cards.map((each, i) => (i === index ? { ...each, fields: { ...each.fields, place: where } } : each)) });
  const latest = useLatest({ area, put });
  const handlers = useRef(/** @type {any} */ (null));
  handlers.current ??= dragging({
    start: () => null,
    move: (_, x, y) => setHeld({ x, y }),
    end: () => {
      const box = element.current?.getBoundingClientRect();
      const over = element.current?.parentElement?.getBoundingClientRect();
      setHeld(null);
      if (!box || !over) return;
      const { area: within, put: set } = latest.current;
      set(placeAt((box.left + box.width / 2 - over.left - within.left) / within.width, (box.top + box.height / 2 - over.top - within.top) / within.height));
    },
  });
  const where = String(fields.place || START[kind]);
  const shorter = Math.min(area.width, area.height);
  const scale = area.width / (pixels.width || 1);
  const measure = (/** @type {any} */ value, /** @type {string} */ otherwise, /** @type {number} */ of) => {
    const found = value ?? otherwise;
    return typeof found === 'number' ? found * scale : (parseFloat(found) / 100) * of;
  };
  const margin = measure(fields.margin, '3%', shorter);
  const css = {
    left: where.includes('left') ? `${area.left + margin}px` : where.includes('right') ? 'auto' : `${area.left + area.width / 2}px`,
    right: where.includes('right') ? `calc(100% - ${area.left + area.width - margin}px)` : 'auto',
    top: where.includes('top') ? `${area.top + margin}px` : where.includes('bottom') ? 'auto' : `${area.top + area.height / 2}px`,
    bottom: where.includes('bottom') ? `calc(100% - ${area.top + area.height - margin}px)` : 'auto',
    transform: `translate(${/left|right/.test(where) ? '0' : '-50%'}, ${/top|bottom/.test(where) ? '0' : '-50%'}) translate(${held?.x || 0}px, ${held?.y || 0}px)`,
    'max-width': `${area.width - 2 * margin}px`,
  };
  const from = Number(fields.from) || 0;
  const seen = at !== null && at >= from && (fields.duration === undefined || at < from + Number(fields.duration));
  // How much of it is there while it appears and disappears.
  const last = fields.duration === undefined ? long : from + Number(fields.duration);
  const [appears, disappears] = [Number(fields.fade_in) || 0, Number(fields.fade_out) || 0];
  const there = at === null || !seen ? 1 : Math.max(0.05, Math.min(1, appears ? (at - from) / appears : 1, disappears ? (last - at) / disappears : 1));
  const names = /** @type {Record<string, string>} */ ({ text: 'Text', clock: 'Clock', image: 'Picture', inset: 'Other camera' });
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = /** @type {Record<string, number[]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] })[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const column = /left/.test(where) ? 0 : /right/.test(where) ? 2 : 1;
    const row = /top/.test(where) ? 0 : /bottom/.test(where) ? 2 : 1;
    put(placeAt((column + by[0] + 0.5) / 3, (row + by[1] + 0.5) / 3));
  };
  const words = kind === 'clock' ? clockText(fields, moment, camera) : filled(fields, { title, camera, moment });
  const drawn = kind === 'text' || kind === 'clock';
  /** @type {Record<string, string>} */
  const look = drawn
    ? { 'font-size': `${measure(fields.size, '5%', shorter) * 0.8}px`, color: fields.color || 'inherit' }
    : { width: `${measure(fields.width, kind === 'inset' ? '30%' : '12%', area.width)}px`, height: kind === 'image' && fields.height !== undefined ? `${measure(fields.height, '', area.height)}px` : 'auto' };
  // Only files that are known are asked for; one that cannot be shown has no size.
  const { asset = '' } = fields;
  const known = kind === 'image' && isPicture(asset) && assets.includes(asset) && (own.name !== asset || own.width > 0);
  if (known && own.name === asset) {
    const room = { width: area.width - 2 * margin, height: area.height - 2 * margin };
    const [wide, tall] = [fields.width, fields.height].map((each, i) => (each === undefined ? 0 : measure(each, '', i ? area.height : area.width)));
    const width = wide || (tall ? (tall * own.width) / own.height : own.width * scale);
    const height = tall || (width * own.height) / own.width;
    const shrinks = Math.min(1, room.width / width, room.height / height);
    Object.assign(look, { width: `${width * shrinks}px`, height: `${height * shrinks}px` });
  }
  if (seen) look.opacity = String(there * (kind === 'image' ? Number(fields.opacity ?? 1) : 1));
  else look.opacity = '';
  return html`<div class=${`overlay ${kind}${known ? ' known' : ''}${seen ? '' : ' away'}${drawn && fields.box === false ? ' bare' : ''}${fields.weight === 'bold' ? ' bold' : ''}${fields.shadow ? ' shadow' : ''}`} tabindex="0" role="group" aria-label=${`${names[kind]} at ${where.replace('-', ' ')}; arrow keys move it`} onKeyDown=${keys} ...${handlers.current}
    ref=${(/** @type {HTMLElement | null} */ found) => { element.current = found; styled({ ...css, ...look })(found); }}>
    ${drawn ? html`<span dir="auto">${words}</span>` : kind === 'inset' ? html`<${OtherCamera} camera=${fields.camera} moment=${moment} still=${still} />` : known ? html`<img key=${asset} src=${assetFile(asset)} alt=${asset} draggable=${false}
      onLoad=${(/** @type {any} */ event) => setOwn({ name: asset, width: event.target.naturalWidth, height: event.target.naturalHeight })} onError=${() => setOwn({ name: asset, width: 0, height: 0 })} />`
      : html`<span>${asset || 'picture'}</span>`}</div>`;
}

/** What another camera shows at the same moment. @param {{camera: string, moment: number, still: boolean}} props */
function OtherCamera({ camera, moment, still }) {
  const [at] = useState(moment);
  const when = still && !Number.isNaN(moment) ? moment : at;
  const url = usePicture(async () => (camera && !Number.isNaN(when) ? `/v1/moments/poster.jpg${query({ camera, at: iso(when) })}` : ''), [camera, Math.round(when / 500)]);
  return url ? html`<img src=${url} alt=${camera} draggable=${false} />` : html`<span>${camera || 'another camera'}</span>`;
}

/** @param {Record<string, any>} fields @param {number} moment @param {string} camera */
function clockText(fields, moment, camera) {
  const zone = fields.zone || 'UTC';
  if (Number.isNaN(moment)) return 'the camera’s clock';
  const told = { date: date(moment, zone), time: clock(moment, zone) };
  const show = fields.show || 'datetime';
  if (fields.format) return [fields.camera === false ? '' : camera, filled({ text: fields.format, zone }, { title: '', camera, moment })].filter(Boolean).join(' ');
  return [fields.camera === false ? '' : camera, show === 'time' ? '' : told.date, show === 'date' ? '' : told.time].filter(Boolean).join(' ');
}

/** A text with its fields filled in, as far as the page knows them. @param {Record<string, any>} fields @param {{title: string, camera: string, moment: number}} known */
function filled({ text = '', zone = 'UTC' }, { title, camera, moment }) {
  const known = Number.isNaN(moment) ? { title, camera } : { title, camera, ...ofMoment(moment, zone) };
  return String(text).replace(/\{\{|\}\}|\{(\w+)\}/g, (all, name) => (all === '{{' ? '{' : all === '}}' ? '}' : (/** @type {Record<string, string>} */ (known)[name] ?? all)));
}

/** The fields that say when a picture was recorded. @param {number} moment @param {string} zone */
function ofMoment(moment, zone) {
  const [told, time] = [date(moment, zone), clock(moment, zone)];
  const [[year, month, day], [hour, minute, second]] = [told.split('-'), time.split(':')];
  const hour12 = String(Number(hour) % 12 || 12).padStart(2, '0');
  return { date: told, time, year, month, day, hour, minute, second, hour12, ampm: Number(hour) < 12 ? 'AM' : 'PM', zone };
}
