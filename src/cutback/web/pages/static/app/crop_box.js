// The crop on the picture: drag it to where the clip should look, its corner to change its size; at two times, it moves.
import { html, useRef } from './dom.js';
import { useLatest } from './newest.js';
import { dragging, usePictureArea } from './picture_area.js';
import { styled } from './pieces.js';

const LEAST = 0.05;

/** A part of a whole as a request writes it, rounded down: a part that leaves the picture by a hair is refused. @param {number} part */
export const percent = (part) => `${Math.floor(part * 10000 + 1e-6) / 100}%`;
/** @param {any} measure @param {number} whole the picture's pixels @param {number} otherwise */
const part = (measure, whole, otherwise) => (measure === undefined || measure === null ? otherwise : typeof measure === 'number' ? measure / whole : parseFloat(measure) / 100);
/** @param {number} value @param {number} most */
const within = (value, most) => Math.min(most, Math.max(0, value));

/**
 * Where a crop is at a frame, as parts of the picture.
 * @param {Record<string, any>} fields @param {{width: number, height: number}} picture @param {number} frame
 */
export function cropAt(fields, picture, frame) {
  const { aspect, path } = fields;
  let [width, height] = [part(fields.width, picture.width, 1), part(fields.height, picture.height, 1)];
  if (aspect) {
    const [wide, tall] = aspect.split(':').map(Number);
    const shape = (wide / tall) * (picture.height / picture.width);
    [width, height] = [Math.min(1, shape), Math.min(1, 1 / shape)];
  }
  const [across, down] = [1 - width, 1 - height];
  const gravity = String(fields.gravity || 'center');
  const anchored = { x: gravity.includes('left') ? 0 : gravity.includes('right') ? across : across / 2, y: gravity.includes('top') ? 0 : gravity.includes('bottom') ? down : down / 2 };
  const at = (/** @type {any} */ point) => ({ x: within(part(point.x, picture.width, across / 2), across), y: within(part(point.y, picture.height, down / 2), down) });
  if (!path?.length) return { width, height, x: within(part(fields.x, picture.width, anchored.x), across), y: within(part(fields.y, picture.height, anchored.y), down) };
  const after = path.findIndex((/** @type {any} */ each) => each.at.frame >= frame);
  if (after === 0 || after < 0) return { width, height, ...at(path.at(after < 0 ? -1 : 0)) };
  // Between two points, about: the clip goes through them more smoothly.
  const [from, to] = [path[after - 1], path[after]];
  const share = (frame - from.at.frame) / (to.at.frame - from.at.frame);
  const [begin, end] = [at(from), at(to)];
  return { width, height, x: begin.x + (end.x - begin.x) * share, y: begin.y + (end.y - begin.y) * share };
}

/** The left and the top edge of a crop at a frame, as requests write them. @param {Record<string, any>} fields @param {{width: number, height: number}} picture @param {number} frame */
export function edgesAt(fields, picture, frame) {
  const { x, y } = cropAt(fields, picture, frame);
  return { x: percent(x), y: percent(y) };
}

/** @param {{draft: import('./draft.js').Draft, player: import('./player.js').Player}} props */
export function CropBox({ draft, player }) {
  const picture = player.size.value;
  const frame = player.frame.value;
  const { cards } = draft.state.value;
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const area = usePictureArea(place, picture);
  const index = cards.findIndex((each) => each.kind === 'crop' && each.on);
  const card = cards[index];
  // A picture that is turned first is not the one that is seen here.
  const seen = card && picture.width && area.width && !cards.some((each) => each.kind === 'rotate' && each.on);
  const box = seen ? cropAt(card.fields, picture, frame) : null;
  const put = (/** @type {Record<string, any>} */ fields) => draft.change({ cards: draft.state.value.cards.map((each, i) => (i === index ? { ...each, fields } : each)) }, 'crop');
  const moveTo = (/** @type {number} */ x, /** @type {number} */ y) => {
    if (!box) return;
    const { fields } = draft.state.value.cards[index];
    const to = { x: percent(within(x, 1 - box.width)), y: percent(within(y, 1 - box.height)) };
    if (fields.path?.length) {
      const path = [...fields.path.filter((/** @type {any} */ each) => each.at.frame !== frame), { at: { frame }, ...to }].sort((one, other) => one.at.frame - other.at.frame);
      return put({ ...fields, path });
    }
    const { gravity, ...rest } = fields;
    return put({ ...rest, ...to, width: percent(box.width), height: percent(box.height) });
  };
  const size = (/** @type {number} */ width, /** @type {number} */ height) => {
    if (!box) return;
    const { aspect, gravity, ...rest } = draft.state.value.cards[index].fields;
    const [wide, tall] = [Math.max(LEAST, Math.min(1 - box.x, width)), Math.max(LEAST, Math.min(1 - box.y, height))];
    put({ ...rest, x: percent(box.x), y: percent(box.y), width: percent(wide), height: percent(tall) });
  };
  const drag = useDrag({ start: () => ({ ...box }), move: (from, x, y) => moveTo(from.x + x / area.width, from.y + y / area.height), end: () => draft.settle() });
  const corner = useDrag({ start: () => ({ ...box }), move: (from, x, y) => size(from.width + x / area.width, from.height + y / area.height), end: () => draft.settle() });
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = /** @type {Record<string, number[]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] })[event.key];
    if (!by || !box || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    moveTo(box.x + by[0] / 100, box.y + by[1] / 100);
  };
  const free = card && !card.fields.aspect && !card.fields.path?.length;
  const label = card?.fields.aspect || 'free';
  return html`<div class="over" ref=${place}>${box && html`<div class="cropbox" tabindex="0" role="group" aria-label=${`Crop ${label}; arrow keys move it`} onKeyDown=${keys} onBlur=${() => draft.settle()} ...${drag}
    ref=${styled({ left: `${area.left + box.x * area.width}px`, top: `${area.top + box.y * area.height}px`, width: `${box.width * area.width}px`, height: `${box.height * area.height}px` })}>
      <b>${label}${card.fields.path?.length ? ' · following' : ''}</b>${free && html`<i class="corner" ...${corner}></i>`}</div>`}</div>`;
}

/** A drag that lives through redrawing. @param {Parameters<typeof dragging>[0]} does */
export function useDrag(does) {
  const latest = useLatest(does);
  const handlers = useRef(/** @type {ReturnType<typeof dragging> | null} */ (null));
  handlers.current ??= dragging({ start: () => latest.current.start(), move: (from, x, y) => latest.current.move(from, x, y), end: () => latest.current.end() });
  return handlers.current;
}
