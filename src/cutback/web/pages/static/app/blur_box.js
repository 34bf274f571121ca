// A part of the picture that is made unrecognizable: shown as it will be, dragged to where it should be.
import { html } from './dom.js';
import { percent, useDrag } from './crop_box.js';
import { styled } from './pieces.js';

/**
 * @param {{draft: import('./draft.js').Draft, index: number, area: {left: number, top: number, width: number, height: number},
 *   pixels: {width: number, height: number}, at: number | null}} props `area` is the picture in the player, `pixels` its size
 */
export function BlurBox({ draft, index, area, pixels, at }) {
  const { fields } = draft.state.value.cards[index];
  const part = (/** @type {any} */ measure, /** @type {number} */ whole) => (typeof measure === 'number' ? measure / (whole || 1) : parseFloat(measure) / 100) || 0;
  const box = { x: part(fields.x, pixels.width), y: part(fields.y, pixels.height), width: part(fields.width, pixels.width), height: part(fields.height, pixels.height) };
  const [wide, tall] = [box.width * area.width, box.height * area.height];
  const shorter = Math.min(wide, tall);
  const { strength = '20%' } = fields;
  const reach = typeof strength === 'number' ? (strength * area.width) / (pixels.width || 1) : (parseFloat(strength) / 100) * shorter;
  const from = Number(fields.from) || 0;
  const seen = at !== null && at >= from && (fields.duration === undefined || at < from + Number(fields.duration));
  const moveTo = (/** @type {number} */ x, /** @type {number} */ y) => {
    const within = (/** @type {number} */ value, /** @type {number} */ most) => percent(Math.max(0, Math.min(1 - most, value)));
    const to = { x: within(x, box.width), y: within(y, box.height) };
    draft.change({ cards: draft.state.value.cards.map((each, i) => (i === index ? { ...each, fields: { ...each.fields, ...to } } : each)) }, 'blur');
  };
  const drag = useDrag({ start: () => ({ ...box }), move: (begun, x, y) => moveTo(begun.x + x / area.width, begun.y + y / area.height), end: () => draft.settle() });
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = /** @type {Record<string, number[]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] })[event.key];
    if (!by || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    moveTo(box.x + by[0] / 100, box.y + by[1] / 100);
  };
  return html`<div class=${`blurbox${seen ? '' : ' away'}`} tabindex="0" role="group" aria-label="Blurred part; arrow keys move it" onKeyDown=${keys} onBlur=${() => draft.settle()} ...${drag}
    ref=${styled({ left: `${area.left + box.x * area.width}px`, top: `${area.top + box.y * area.height}px`, width: `${wide}px`, height: `${tall}px`, 'backdrop-filter': seen ? `blur(${Math.max(1, reach)}px)` : 'none' })}></div>`;
}
