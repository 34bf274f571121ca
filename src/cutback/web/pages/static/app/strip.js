// The strip of time of a camera: what is covered, where clips are, the picture under the pointer, a span by dragging.
import { html, useEffect, useMemo, useRef, useState } from './dom.js';
import { pause } from './api.js';
import { useWheel } from './newest.js';
import { usePicture } from './pictures.js';
import { styled } from './pieces.js';
import { keyframe } from './recordings.js';
import { Thumbnail, thumbnails } from './sprites.js';
import { clock, date, day, hour, instant, instants, shifted, shortDay, utc } from './zones.js';

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
/** Half the width of a character of a label, so that none leaves the strip, in pixels. */
const HALF = 3.5;
const SHORTEST = 2000;
const LONGEST = 35 * 86400000;

/** @typedef {{begins: number, ends: number}} Span */

/** The moments to label, about one each 90 pixels. @param {Span} span @param {number} width @param {string} zone */
function labels(span, width, zone) {
  const wanted = ((span.ends - span.begins) / 1000 / Math.max(1, width)) * 90;
  const step = (STEPS.find((each) => each >= wanted) || 604800) * 1000;
  const found = [];
  if (step >= 86400000) {
    // Days have 23 to 25 hours: each label is a local midnight.
    for (let name = date(span.begins, zone); instant(name, zone) <= span.ends; name = shifted(name, step / 86400000)) {
      const at = instant(name, zone);
      if (at >= span.begins) found.push({ at, text: shortDay(at, zone) });
    }
    return found;
  }
  if (step >= 3600000) {
    // Round hours of the clock, also after it was changed; an hour that comes twice is named once.
    for (let name = date(span.begins, zone); instant(name, zone) <= span.ends; name = shifted(name, 1)) {
      for (let at = 0; at < 86400000; at += step) {
        const shown = `${String(at / 3600000).padStart(2, '0')}:00`;
        const [first] = instants(`${name}T${shown}`, zone);
        if (first >= span.begins && first <= span.ends) found.push({ at: first, text: shown });
      }
    }
    return found;
  }
  const midnight = instant(date(span.begins, zone), zone);
  for (let at = midnight + Math.ceil((span.begins - midnight) / step) * step; at <= span.ends; at += step) {
    found.push({ at, text: step >= 60000 ? hour(at, zone) : clock(at, zone) });
  }
  return found;
}

/** @param {HTMLElement} element @param {string} name */
const colour = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();

/**
 * @param {{span: Span, zone: string, camera: string, covered: Span[], gaps: Span[], clips: {at: number, until: number, id: string}[],
 *   activity: {at: number, value: number, wide: number}[], moments: any[], picked: Span | null, pick: (span: Span | null) => void, zoom: (span: Span) => void,
 *   open: (at: number) => void}} props
 */
export function Strip({ span, zone, camera, covered, gaps, clips, activity, moments, picked, pick, zoom, open }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const marked = clips.map((each) => `${each.id} ${each.until}`).join();
  const drag = useRef(/** @type {{from: number, x: number, moved: boolean} | null} */ (null));
  const fingers = useRef(/** @type {Map<number, number>} */ (new Map()));

  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    if (box.current) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);

  useEffect(() => {
    const element = canvas.current;
    if (!element || !width) return;
    const ratio = devicePixelRatio || 1;
    const height = 76;
    element.width = width * ratio;
    element.height = height * ratio;
    const pen = /** @type {CanvasRenderingContext2D} */ (element.getContext('2d'));
    pen.scale(ratio, ratio);
    const x = (/** @type {number} */ time) => ((time - span.begins) / (span.ends - span.begins)) * width;
    // Gaps are hatched between recordings only: before the first and after the last there is nothing to miss.
    const first = Math.min(...covered.map((each) => each.begins));
    const last = Math.max(...covered.map((each) => each.ends));
    pen.strokeStyle = colour(element, '--line');
    pen.lineWidth = 2;
    for (const gap of gaps) {
      const [left, right] = [x(Math.max(gap.begins, first)), x(Math.min(gap.ends, last))];
      if (right - left < 1) continue;
      pen.save();
      pen.beginPath();
      pen.rect(left, height - 26, right - left, 26);
      pen.clip();
      for (let i = left - 26; i < right; i += 8) {
        pen.beginPath();
        pen.moveTo(i, height);
        pen.lineTo(i + 26, height - 26);
        pen.stroke();
      }
      pen.restore();
    }
    pen.fillStyle = colour(element, '--cover');
    for (const each of covered) pen.fillRect(x(each.begins), height - 26, Math.max(1.5, x(each.ends) - x(each.begins)), 26);
    if (activity.length) {
      pen.fillStyle = colour(element, '--accent');
      pen.globalAlpha = 0.28;
      let most = 1e-9;
      for (const each of activity) most = Math.max(most, each.value);
      for (const each of activity) {
        if (each.at + each.wide < span.begins || each.at > span.ends) continue;
        const tall = (each.value / most) * 38;
        pen.fillRect(x(each.at), height - 27 - tall, Math.max(1, x(each.at + each.wide) - x(each.at)), tall);
      }
      pen.globalAlpha = 1;
    }
    pen.fillStyle = colour(element, '--encode');
    for (const each of moments) {
      pen.beginPath();
      pen.arc(x(Date.parse(each.peak)), 7, 3.5, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.fillStyle = colour(element, '--accent');
    for (const each of clips) {
      pen.beginPath();
      pen.roundRect(x(each.at), height - 22, Math.max(4, x(each.until) - x(each.at)), 18, 2);
      pen.fill();
    }
  }, [width, span.begins, span.ends, covered, gaps, activity, moments, marked, document.documentElement.dataset.theme]);

  const timeAt = (/** @type {number} */ clientX) => {
    const { left, width: wide } = /** @type {HTMLElement} */ (box.current).getBoundingClientRect();
    return span.begins + Math.min(1, Math.max(0, (clientX - left) / wide)) * (span.ends - span.begins);
  };

  const zoomed = (/** @type {number} */ around, /** @type {number} */ factor) => {
    const wide = Math.min(LONGEST, Math.max(SHORTEST, (span.ends - span.begins) * factor));
    const part = (around - span.begins) / (span.ends - span.begins);
    zoom({ begins: Math.round(around - part * wide), ends: Math.round(around + (1 - part) * wide) });
  };

  useWheel(box, (event) => {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const moved = ((event.deltaX || event.deltaY) / 600) * (span.ends - span.begins);
      zoom({ begins: span.begins + moved, ends: span.ends + moved });
    } else zoomed(timeAt(event.clientX), event.deltaY > 0 ? 1.25 : 0.8);
  });

  const down = (/** @type {PointerEvent} */ event) => {
    if (event.button) return;
    fingers.current.set(event.pointerId, event.clientX);
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    drag.current = fingers.current.size > 1 ? null : { from: timeAt(event.clientX), x: event.clientX, moved: false };
  };
  const move = (/** @type {PointerEvent} */ event) => {
    if (fingers.current.size === 2 && fingers.current.has(event.pointerId)) {
      const [one, other] = [...fingers.current.values()];
      const before = Math.abs(one - other);
      fingers.current.set(event.pointerId, event.clientX);
      const [a, b] = [...fingers.current.values()];
      if (before > 8 && Math.abs(a - b) > 8) zoomed(timeAt((a + b) / 2), before / Math.abs(a - b));
      return;
    }
    setAt(timeAt(event.clientX));
    if (!drag.current) return;
    drag.current.moved ||= Math.abs(event.clientX - drag.current.x) > 4;
    if (!drag.current.moved) return;
    const now = timeAt(event.clientX);
    pick({ begins: Math.min(drag.current.from, now), ends: Math.max(drag.current.from, now) });
  };
  const up = (/** @type {PointerEvent} */ event) => {
    fingers.current.delete(event.pointerId);
    if (drag.current && !drag.current.moved) open(drag.current.from);
    drag.current = null;
  };
  // A page that scrolls under the finger takes the gesture over.
  const cancel = (/** @type {PointerEvent} */ event) => {
    fingers.current.delete(event.pointerId);
    drag.current = null;
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const wide = span.ends - span.begins;
    const now = at ?? (span.begins + span.ends) / 2;
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: -wide / 100, ArrowRight: wide / 100, PageUp: -wide / 10, PageDown: wide / 10, Home: -wide, End: wide });
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key in steps) {
      const next = Math.min(span.ends, Math.max(span.begins, now + steps[key]));
      // With Shift, the end that is at the cursor moves along.
      if (event.shiftKey) {
        const fixed = picked ? (Math.abs(picked.begins - now) < Math.abs(picked.ends - now) ? picked.ends : picked.begins) : now;
        pick({ begins: Math.min(fixed, next), ends: Math.max(fixed, next) });
      }
      setAt(next);
    } else if (key === 'i') pick({ begins: now, ends: picked && picked.ends > now ? picked.ends : Math.min(span.ends, now + wide / 20) });
    else if (key === 'o') pick({ begins: picked && picked.begins < now ? picked.begins : Math.max(span.begins, now - wide / 20), ends: now });
    else if (event.key === '+' || event.key === '=') zoomed(now, 0.7);
    else if (event.key === '-') zoomed(now, 1.4);
    else if (event.key === 'Enter') open(now);
    else return;
    event.preventDefault();
  };

  // Small pictures of the whole span are asked for once somebody looks; they are there at once while scrubbing.
  const [made, setMade] = useState(/** @type {{of: string, found: import('./sprites.js').Thumbnails | null}} */ ({ of: '', found: null }));
  const looked = at !== null;
  const seen = `${camera} ${span.begins} ${span.ends}`;
  const small = made.of === seen ? made.found : null;
  useEffect(() => {
    if (!looked || small || !covered.length || span.ends - span.begins > 2 * 86400000) return;
    let stale = false;
    const timer = setTimeout(() => thumbnails(camera, span).then((found) => stale || setMade({ of: seen, found }), () => {}), 300);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [seen, looked, covered.length > 0]);

  const named = useMemo(() => labels(span, width, zone), [span.begins, span.ends, width, zone]);
  const changes = utc(span.begins, zone) !== utc(span.ends, zone);
  const percent = (/** @type {number} */ time) => `${((time - span.begins) / (span.ends - span.begins)) * 100}%`;
  return html`<div class="stripbox">
    <div class="strip" ref=${box} tabindex="0" role="slider" aria-label="Time" aria-description="Arrow keys move; Shift and an arrow key, or I and O, select; plus and minus zoom; Enter opens the moment" aria-valuemin=${Math.round(span.begins)} aria-valuemax=${Math.round(span.ends)}
      aria-valuenow=${Math.round(at ?? span.begins)} aria-valuetext=${`${day(at ?? span.begins, zone)} ${clock(at ?? span.begins, zone)}`}
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${cancel} onPointerLeave=${() => setAt(null)} onBlur=${() => setAt(null)} onKeyDown=${keys}>
      <canvas ref=${canvas}></canvas>
      ${picked && html`<i class="picked" ref=${styled({ left: percent(picked.begins), width: `${((picked.ends - picked.begins) / (span.ends - span.begins)) * 100}%` })}></i>`}
      ${at !== null && html`<i class="now" ref=${styled({ left: percent(at) })}></i>`}
    </div>
    <div class="hours num" aria-hidden="true">
      ${named.map((each) => html`<span key=${each.at} ref=${styled({ left: `clamp(${HALF * each.text.length}px, ${percent(each.at)}, calc(100% - ${HALF * each.text.length}px))` })}>${each.text}</span>`)}
    </div>
    ${at !== null && html`<${Peek} at=${at} zone=${zone} camera=${camera} covered=${covered} x=${((at - span.begins) / (span.ends - span.begins)) * width} width=${width} small=${small} changes=${changes} />`}
  </div>`;
}

/** @param {{at: number, zone: string, camera: string, covered: Span[], x: number, width: number, small: import('./sprites.js').Thumbnails | null, changes: boolean}} props `changes`: the clock is changed within the span */
function Peek({ at, zone, camera, covered, x, width, small, changes }) {
  const recording = covered.find((each) => each.begins <= at && at < each.ends);
  // One picture for each half second, so that a resting hand asks for no other.
  const wanted = recording ? keyframe(camera, Math.max(recording.begins, Math.floor(at / 500) * 500)) : '';
  const shot = usePicture(async () => {
    if (!wanted) return '';
    await pause(60); // until the pointer rests for a moment
    return wanted;
  }, [wanted]);
  const left = Math.min(Math.max(0, x - 118), Math.max(0, width - 236));
  return html`<div class="peek" ref=${styled({ left: `${left}px` })} aria-hidden="true">
    ${!recording
      ? html`<span class="shot"></span>`
      : small && shot !== wanted
        ? html`<${Thumbnail} from=${small} at=${at} />`
        : shot ? html`<img class="shot" src=${shot} alt="" />` : html`<span class="shot bone"></span>`}
    <div class="num"><b>${clock(at, zone)}${changes ? ` ${utc(at, zone)}` : ''}</b><span class="muted">${recording ? 'drag to select' : 'not recorded'}</span></div>
  </div>`;
}
