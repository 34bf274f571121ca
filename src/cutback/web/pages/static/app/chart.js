// Small charts of a day: bars or points for each hour, with axes that can be read.
import { html, useEffect, useRef, useState } from './dom.js';
import { styled } from './pieces.js';

const TALL = 168;
const EDGES = { left: 44, right: 8, top: 12, bottom: 24 };

const COUNTS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 20000, 25000, 50000, 100000];
const SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** The top of an axis and the distance of its lines, about four. @param {number} most @param {number[]} steps */
export function scaleFor(most, steps) {
  const step = steps.find((each) => each * 4 >= most) || most / 4;
  return { top: step * Math.max(2, Math.ceil(most / step)), step };
}

/**
 * @param {{title: string, said: string, items: {at: number, name: string, values: (number | null)[]}[], names: string[], kinds: string[], stacked?: boolean,
 *   unit: 'count' | 'seconds', format: (value: number) => string, axis: (at: number) => string}} props
 *   `said` is the chart in words; `names` and `kinds` are of its series.
 */
export function Chart({ title, said, items, names, kinds, stacked = false, unit, format, axis }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  const [over, setOver] = useState(/** @type {number | null} */ (null));
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    if (box.current) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  const heights = items.map((each) => (stacked ? each.values.reduce((sum, value) => Number(sum) + Number(value), 0) : Math.max(0, ...each.values.map(Number))));
  const { top, step } = scaleFor(Math.max(0, ...heights.map(Number)), unit === 'count' ? COUNTS : SECONDS);
  const wide = Math.max(1, width - EDGES.left - EDGES.right) / Math.max(1, items.length);
  const y = (/** @type {number} */ value) => EDGES.top + (1 - value / top) * (TALL - EDGES.top - EDGES.bottom);
  const lines = [];
  for (let value = 0; value <= top + step / 2; value += step) lines.push(value);
  const every = Math.max(1, Math.ceil(52 / wide));
  const move = (/** @type {PointerEvent} */ event) => {
    const number = Math.floor((event.clientX - /** @type {HTMLElement} */ (box.current).getBoundingClientRect().left - EDGES.left) / wide);
    setOver(number >= 0 && number < items.length ? number : null);
  };
  const chosen = over === null ? null : items[over];
  return html`<section class="panelbox chart"><h2>${title}<span class="legend">${names.map((name, i) => html`<span key=${name}><i class=${kinds[i]}></i>${name}</span>`)}</span></h2>
    <div class="plot" ref=${box} role="img" aria-label=${said} onPointerMove=${move} onPointerLeave=${() => setOver(null)}>
      ${width > 0 && html`<svg width=${width} height=${TALL} aria-hidden="true">
        ${lines.map((value) => html`<g key=${value}><line class="grid" x1=${EDGES.left} x2=${width - EDGES.right} y1=${y(value)} y2=${y(value)} /><text class="tick" x=${EDGES.left - 8} y=${y(value) + 4} text-anchor="end">${value ? format(value) : 0}</text></g>`)}
        ${items.map((each, i) => i % every === 0 && html`<text class="tick" key=${each.at} x=${EDGES.left + (i + 0.5) * wide} y=${TALL - 6} text-anchor="middle">${axis(each.at)}</text>`)}
        ${over !== null && html`<rect class="over" x=${EDGES.left + over * wide} y=${EDGES.top} width=${wide} height=${TALL - EDGES.top - EDGES.bottom} />`}
        ${stacked ? items.map((each, i) => bars(each.values, i, wide, y, kinds)) : kinds.map((kind, series) => points(items, series, kind, wide, y))}
      </svg>`}
      ${chosen && html`<div class="tip num" ref=${styled({ left: `${Math.min(Math.max(0, width - 180), EDGES.left + (Number(over) + 1) * wide + 4)}px` })}><b>${chosen.name}</b>${names.map((name, i) => html`<span key=${name}>${name}: ${chosen.values[i] === null ? '–' : format(Number(chosen.values[i]))}</span>`)}</div>`}
    </div>
  </section>`;
}

/** @param {(number | null)[]} values @param {number} place @param {number} wide @param {(value: number) => number} y @param {string[]} kinds */
function bars(values, place, wide, y, kinds) {
  let under = 0;
  return values.map((value, i) => {
    const [from, to] = [under, under + Number(value)];
    under = to;
    return to > from && html`<rect key=${`${place} ${i}`} class=${kinds[i]} x=${EDGES.left + place * wide + Math.min(2, wide * 0.12)} width=${Math.max(1, wide - Math.min(4, wide * 0.24))} y=${y(to)} height=${Math.max(1, y(from) - y(to))} rx="1" />`;
  });
}

/** @param {{values: (number | null)[]}[]} items @param {number} series @param {string} kind @param {number} wide @param {(value: number) => number} y */
function points(items, series, kind, wide, y) {
  const at = items.map((each, i) => (each.values[series] === null ? null : { x: EDGES.left + (i + 0.5) * wide, y: y(Number(each.values[series])) }));
  const path = at.map((each, i) => (each ? `${at[i - 1] ? 'L' : 'M'}${each.x.toFixed(1)} ${each.y.toFixed(1)}` : '')).join('');
  return html`<g key=${kind} class=${kind}><path class="line" d=${path || 'M0 0'} />${at.map((each, i) => each && html`<circle key=${i} cx=${each.x} cy=${each.y} r="3" />`)}</g>`;
}
