// Faces of edits that are more than a list of fields: the crop, which is also dragged on the picture, and the speed.
import { html } from './dom.js';
import { edgesAt } from './crop_box.js';
import { Choices } from './fields.js';
import { number } from './words.js';

const SHAPES = [['16:9', '16:9'], ['1:1', '1:1'], ['4:5', '4:5'], ['9:16', '9:16'], ['', 'free']];
const SPEEDS = [['0.25', '¼×'], ['0.5', '½×'], ['2', '2×'], ['4', '4×']];

/** @typedef {{card: import('./draft.js').Card, put: (fields: Record<string, any>, gesture?: string) => void, draft: import('./draft.js').Draft, frame: number, begin: (frame: number) => void, picture: {width: number, height: number}}} FaceOf */

/** The shape, and whether it follows something. @param {FaceOf} props */
export function CropFace({ card, put, frame, begin, picture }) {
  const { aspect = '', path } = card.fields;
  const shape = (/** @type {string} */ wanted) => put(wanted ? { aspect: wanted, gravity: 'center' } : { x: '25%', y: '25%', width: '50%', height: '50%' });
  const follow = () => {
    const { x, y, gravity, ...rest } = card.fields;
    put({ ...rest, path: [{ at: { frame }, ...edgesAt(card.fields, picture, frame) }] });
  };
  const stay = () => {
    const { path: points, ...rest } = card.fields;
    put(rest.aspect ? { aspect: rest.aspect, gravity: 'center' } : { ...rest, x: points[0].x, y: points[0].y });
  };
  return html`<${Choices} label="Shape" options=${SHAPES} value=${aspect} pick=${shape} />
    ${path?.length
      ? html`<p class="sub">Follows ${path.length === 1 ? 'one point' : `${path.length} points`}. Go to another frame and drag the box.</p>
        <div class="points">${path.map((/** @type {any} */ each, /** @type {number} */ i) => html`<span class="point"><button class="button" aria-pressed=${each.at.frame === frame} onClick=${() => begin(each.at.frame)}>${number(each.at.frame)}</button>${path.length > 1 && html`<button class="button quiet" aria-label=${`Remove the point at frame ${each.at.frame}`} onClick=${() => put({ ...card.fields, path: path.filter((/** @type {any} */ _, /** @type {number} */ j) => j !== i) })}>×</button>`}</span>`)}
          <button class="button quiet" onClick=${stay}>Stop following</button></div>`
      : html`<p class="sub">Drag the box on the picture. <button class="button" disabled=${!picture.width} onClick=${follow}>Follow something</button></p>`}`;
}

/** The speed of all, or of parts. @param {FaceOf} props */
export function SpeedFace({ card, put, draft, frame, begin }) {
  const { speed, spans, ...rest } = card.fields;
  const { ranges } = draft.state.value;
  const range = ranges.find((each) => frame >= each.first && frame < each.last) || ranges[0];
  const split = () => {
    if (!range) return;
    const first = frame >= range.first && frame < range.last ? frame : range.first;
    const last = Math.min(range.last, first + Math.max(2, Math.round((range.last - range.first) / 4)));
    const added = [...(spans || []), { from: { frame: first }, to: { frame: last }, speed: speed || 0.5 }].sort((one, other) => one.from.frame - other.from.frame);
    put({ ...rest, spans: added });
  };
  const change = (/** @type {number} */ index, /** @type {any} */ changes) => put({ ...rest, spans: spans.map((/** @type {any} */ each, /** @type {number} */ i) => (i === index ? { ...each, ...changes } : each)) });
  if (!spans) {
    return html`<${Choices} label="Speed" options=${SPEEDS} value=${String(speed)} pick=${(/** @type {string} */ choice) => put({ ...card.fields, speed: Number(choice) })} />
      <button class="button" disabled=${!range} onClick=${split}>Only a part</button>`;
  }
  const drop = (/** @type {number} */ index) => {
    const left = spans.filter((/** @type {any} */ _, /** @type {number} */ i) => i !== index);
    put(left.length ? { ...rest, spans: left } : { ...rest, speed: spans[index].speed });
  };
  return html`${range && html`<${Curve} range=${range} spans=${spans} />`}
    ${spans.map((/** @type {any} */ each, /** @type {number} */ i) => html`<div class="span">
      <${Choices} label=${`Speed of part ${i + 1}`} options=${SPEEDS} value=${String(each.speed)} pick=${(/** @type {string} */ choice) => change(i, { speed: Number(choice) })} />
      <button class="button" title="From here" onClick=${() => frame < each.to.frame && change(i, { from: { frame } })}>from ${number(each.from.frame)}</button>
      <button class="button" title="Up to here" onClick=${() => frame + 1 > each.from.frame && change(i, { to: { frame: frame + 1 } })}>to ${number(each.to.frame)}</button>
      <button class="button quiet" aria-label=${`Go to part ${i + 1}`} onClick=${() => begin(each.from.frame)}>▸</button>
      <button class="button quiet" aria-label=${`Remove part ${i + 1}`} onClick=${() => drop(i)}>×</button></div>`)}
    <p class="sub">“from” and “to” take the frame on show. <button class="button" onClick=${split}>Another part</button></p>`;
}

const WIDE = 320;
const TALL = 40;

/** The speed over the range, on a scale of doublings. @param {{range: import('./draft.js').Range, spans: any[]}} props */
function Curve({ range, spans }) {
  const x = (/** @type {number} */ frame) => ((Math.min(range.last, Math.max(range.first, frame)) - range.first) / (range.last - range.first)) * WIDE;
  const y = (/** @type {number} */ speed) => TALL / 2 - Math.max(-2, Math.min(2, Math.log2(speed))) * (TALL / 5);
  let path = `M0 ${y(1)}`;
  for (const { from, to, speed } of spans) path += ` L${x(from.frame)} ${y(1)} L${x(from.frame)} ${y(speed)} L${x(to.frame)} ${y(speed)} L${x(to.frame)} ${y(1)}`;
  return html`<svg class="curve" viewBox=${`0 0 ${WIDE} ${TALL}`} preserveAspectRatio="none" role="img" aria-label=${spans.map((each) => `${each.speed} times from frame ${each.from.frame} to ${each.to.frame}`).join(', ')}>
    <path class="even" d=${`M0 ${y(1)} L${WIDE} ${y(1)}`} /><path d=${`${path} L${WIDE} ${y(1)}`} /></svg>`;
}
