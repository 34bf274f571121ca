// The crop on the picture: drag it to where the clip should look.
import { html, useEffect, useRef, useState } from './dom.js';
import { styled } from './pieces.js';

/** @param {{draft: import('./draft.js').Draft, player: import('./player.js').Player}} props */
export function CropBox({ draft, player }) {
  const recording = player.size.value;
  const { cards } = draft.state.value;
  const index = cards.findIndex((each) => each.kind === 'crop' && each.on);
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const [box, setBox] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const parent = place.current?.parentElement;
    if (!parent) return;
    const watcher = new ResizeObserver(([entry]) => setBox({ width: entry.contentRect.width, height: entry.contentRect.height }));
    watcher.observe(parent);
    return () => watcher.disconnect();
  }, [index]);
  const drag = useRef(/** @type {{x: number, y: number, left: number, top: number} | null} */ (null));
  // A picture that is turned first is not the one that is seen here.
  if (index < 0 || !recording.width || cards.some((each) => each.kind === 'rotate' && each.on)) return null;
  const card = cards[index];
  const [wide, tall] = String(card.fields.aspect).split(':').map(Number);
  const shown = Math.min(box.width / recording.width, box.height / recording.height);
  const picture = { width: recording.width * shown, height: recording.height * shown };
  const width = Math.min(picture.width, (picture.height * wide) / tall);
  const height = (width * tall) / wide;
  const room = { x: picture.width - width, y: picture.height - height };
  // Where it stands, as parts of the room it has; gravity names nine of the places, x and y any other.
  const part = {
    x: card.fields.x === undefined ? 0.5 : room.x ? (parseFloat(card.fields.x) / 100) * (picture.width / room.x) : 0,
    y: card.fields.y === undefined ? 0.5 : room.y ? (parseFloat(card.fields.y) / 100) * (picture.height / room.y) : 0,
  };
  const left = (box.width - picture.width) / 2 + part.x * room.x;
  const top = (box.height - picture.height) / 2 + part.y * room.y;
  const put = (/** @type {number} */ x, /** @type {number} */ y) => {
    const within = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(most, Math.max(0, value));
    // Rounded down, since a part that leaves the picture by a hair is refused.
    const percent = (/** @type {number} */ value, /** @type {number} */ whole) => `${Math.floor((value / whole) * 10000) / 100}%`;
    const fields = {
      aspect: card.fields.aspect,
      x: percent(within(x, room.x), picture.width),
      y: percent(within(y, room.y), picture.height),
      width: percent(width, picture.width),
      height: percent(height, picture.height),
    };
    draft.change({ cards: cards.map((each, i) => (i === index ? { ...each, fields } : each)) }, 'crop');
  };
  const down = (/** @type {PointerEvent} */ event) => {
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    drag.current = { x: event.clientX, y: event.clientY, left: part.x * room.x, top: part.y * room.y };
  };
  const move = (/** @type {PointerEvent} */ event) => {
    if (drag.current) put(drag.current.left + event.clientX - drag.current.x, drag.current.top + event.clientY - drag.current.y);
  };
  const up = () => {
    drag.current = null;
    draft.settle();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = /** @type {Record<string, number[]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] })[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    put(part.x * room.x + by[0] * 4, part.y * room.y + by[1] * 4);
  };
  return html`<div class="cropbox" tabindex="0" role="group" aria-label=${`Crop ${card.fields.aspect}; arrow keys move it`} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${up} onKeyDown=${keys} onBlur=${() => draft.settle()}
    ref=${(/** @type {HTMLElement | null} */ element) => { place.current = element; styled({ left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` })(element); }}><b>${card.fields.aspect}</b></div>`;
}
