// The timeline: ruler, pictures, keyframes, ranges with handles, and which parts would be copied or re-encoded.
import { html, useEffect, useRef, useState } from './dom.js';
import { useWheel } from './newest.js';
import { styled } from './pieces.js';
import { number } from './words.js';

const STEPS = [0.001, 0.01, 0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600];
const FRAME_STEPS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 50000, 100000];
const TALL = { ruler: 18, pictures: 58, wave: 40, keys: 10 };
const PICTURE = 96;
const MOST_KEPT = 200;

/** How many pictures stand side by side. @param {number} width */
const picturesIn = (width) => Math.ceil(width / PICTURE);

/**
 * @param {{map: import('./recordings.js').FrameMap, view: {from: number, to: number}, setView: (view: {from: number, to: number}) => void,
 *   draft: import('./draft.js').Draft, player: import('./player.js').Player, plan: any, peaks: any, name: (seconds: number, exact?: boolean) => string, ahead: number, frames: boolean}} props
 */
export function Timeline({ map, view, setView, draft, player, plan, peaks, name, ahead, frames }) {
  const lane = useRef(/** @type {HTMLElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [width, setWidth] = useState(0);
  const pictures = usePictures(map, view, width, player);
  const { ranges, chosen, cards } = draft.state.value;
  const x = (/** @type {number} */ seconds) => ((seconds - view.from) / (view.to - view.from)) * width;
  const time = (/** @type {number} */ clientX) => {
    const { left, width: wide } = /** @type {HTMLElement} */ (lane.current).getBoundingClientRect();
    return view.from + ((clientX - left) / wide) * (view.to - view.from);
  };

  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    if (lane.current) watcher.observe(lane.current);
    return () => watcher.disconnect();
  }, []);

  useEffect(() => {
    const element = canvas.current;
    if (!element || !width) return;
    const style = getComputedStyle(element);
    const colour = (/** @type {string} */ which) => style.getPropertyValue(which).trim();
    const ratio = devicePixelRatio || 1;
    const height = element.clientHeight;
    element.width = width * ratio;
    element.height = height * ratio;
    const pen = /** @type {CanvasRenderingContext2D} */ (element.getContext('2d'));
    pen.scale(ratio, ratio);

    pen.font = `11px ${style.fontFamily}`;
    pen.fillStyle = colour('--faint');
    for (const { at, text } of ticks({ map, view, width, name, ahead, frames })) {
      const left = x(at);
      pen.fillRect(left, 0, 1, 14);
      if (left + 4 + pen.measureText(text).width <= width) pen.fillText(text, left + 4, 11);
    }

    const top = TALL.ruler;
    pen.fillStyle = colour('--sunk');
    pen.fillRect(x(map.starts[0]), top, x(map.end) - x(map.starts[0]), TALL.pictures);
    const room = width / picturesIn(width);
    for (const { at, bitmap } of pictures) {
      // Side by side without gaps: wide ones lose what is at their sides.
      const shown = Math.min(room, (TALL.pictures * bitmap.width) / bitmap.height);
      const part = (shown * bitmap.height) / TALL.pictures;
      pen.drawImage(bitmap, (bitmap.width - part) / 2, 0, part, bitmap.height, x(at), top, shown, TALL.pictures);
    }

    const middle = top + TALL.pictures + 6 + TALL.wave / 2;
    pen.fillStyle = colour('--cover');
    if (peaks) {
      const columns = Math.floor(width / 3);
      for (let i = 0; i < columns; i++) {
        const [from, to] = [view.from + (i / columns) * (view.to - view.from), view.from + ((i + 1) / columns) * (view.to - view.from)];
        const tall = Math.max(1, peaks(from, to) * TALL.wave);
        pen.fillRect(i * 3, middle - tall / 2, 2, tall);
      }
    }

    pen.fillStyle = colour('--faint');
    const bottom = height - TALL.keys;
    const [first, last] = [map.at(view.from), map.at(view.to)];
    const many = map.keyframes.filter((each) => each >= first && each <= last);
    if (many.length < width / 3) for (const each of many) pen.fillRect(x(map.starts[each]), bottom, 1.5, TALL.keys - 2);

    ranges.forEach((range, i) => {
      const [left, right] = [x(map.starts[range.first]), x(map.starts[Math.min(range.last, map.count)])];
      pen.fillStyle = colour('--accent');
      pen.globalAlpha = i === chosen ? 0.16 : 0.1;
      pen.fillRect(left, top, right - left, height - top);
      pen.globalAlpha = i === chosen ? 1 : 0.55;
      pen.fillRect(left, top, right - left, 2);
      pen.fillRect(left, top, 2, height - top);
      pen.fillRect(right - 2, top, 2, height - top);
      pen.globalAlpha = 1;
    });
    drawEdits(pen, { cards, ranges, map, x, top, colour });
    ranges.forEach((range, i) => {
      const left = x(map.starts[range.first]);
      pen.fillStyle = colour(i === chosen ? '--accent' : '--cover');
      pen.fillRect(left, top, 16, 15);
      pen.fillStyle = colour('--on-accent');
      pen.fillText(String(i + 1), left + 5, top + 11);
    });
    for (const span of plan?.spans || []) {
      for (const each of span.segments) {
        if (each.action !== 'copy' && each.action !== 'encode') continue;
        const from = map.starts[each.first_frame] ?? 0;
        const to = map.starts[Math.min(map.count, each.first_frame + each.frames)] ?? map.end;
        pen.fillStyle = colour(each.action === 'copy' ? '--copy' : '--encode');
        pen.fillRect(x(from), height - 5, Math.max(2, x(to) - x(from)), 5);
      }
    }
  });

  const zoomed = (/** @type {number} */ around, /** @type {number} */ factor) => {
    const whole = map.end - map.starts[0];
    const wide = Math.min(whole, Math.max(0.2, (view.to - view.from) * factor));
    const part = (around - view.from) / (view.to - view.from);
    const from = Math.min(Math.max(map.starts[0], around - part * wide), map.end - wide);
    setView({ from, to: from + wide });
  };
  useWheel(lane, (event) => {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const wide = view.to - view.from;
      const from = Math.min(Math.max(map.starts[0], view.from + ((event.deltaX || event.deltaY) / 800) * wide), map.end - wide);
      setView({ from, to: from + wide });
    } else zoomed(time(event.clientX), event.deltaY > 0 ? 1.25 : 0.8);
  });

  const dragging = useRef('');
  const start = (/** @type {string} */ what) => (/** @type {PointerEvent} */ event) => {
    event.stopPropagation();
    dragging.current = what;
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    if (what === 'head') move(event);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    const at = Math.min(map.end, Math.max(map.starts[0], time(event.clientX)));
    if (dragging.current === 'head') player.show(map.at(at));
    const range = ranges[chosen];
    if (!range) return;
    if (dragging.current === 'in') {
      const first = Math.min(map.boundary(at), range.last - 1);
      draft.changeRange({ first }, 'in');
      player.show(first);
    }
    if (dragging.current === 'out') {
      const last = Math.max(map.boundary(at), range.first + 1);
      draft.changeRange({ last }, 'out');
      player.show(last - 1);
    }
  };
  const end = () => {
    dragging.current = '';
    draft.settle();
  };
  const nudge = (/** @type {'first' | 'last'} */ which) => (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const range = ranges[chosen];
    if (!step || !range) return;
    event.preventDefault();
    event.stopPropagation();
    const by = event.shiftKey ? 10 * step : step;
    if (which === 'first') draft.changeRange({ first: Math.min(range.last - 1, Math.max(0, range.first + by)) }, 'in keys');
    else draft.changeRange({ last: Math.max(range.first + 1, Math.min(map.count, range.last + by)) }, 'out keys');
    player.show(which === 'first' ? draft.state.value.ranges[chosen].first : draft.state.value.ranges[chosen].last - 1);
  };

  const range = ranges[chosen];
  // The labels of the handles stand apart, except where the edge of the timeline turns one of them around.
  const turned = { in: range && x(map.starts[range.first]) < 100, out: range && x(map.starts[range.last]) > width - 100 };
  const tight = range && (turned.in || turned.out) && x(map.starts[range.last]) - x(map.starts[range.first]) < 200;
  const percent = (/** @type {number} */ seconds) => `${((seconds - view.from) / (view.to - view.from)) * 100}%`;
  const head = map.starts[player.frame.value];
  const visible = (/** @type {number} */ seconds) => seconds >= view.from - 1e-9 && seconds <= view.to + 1e-9;
  return html`<section class="time" aria-label="Timeline">
    <div class="lane" ref=${lane} onPointerDown=${start('head')} onPointerMove=${move} onPointerUp=${end} onPointerCancel=${end}>
      <canvas ref=${canvas}></canvas>
      ${range && visible(map.starts[range.first]) && html`<button class=${turned.in ? 'handle near' : 'handle'} role="slider" aria-label="In" aria-valuemin="0" aria-valuemax=${map.count} aria-valuenow=${range.first} aria-valuetext=${name(map.starts[range.first], true)}
        ref=${styled({ left: percent(map.starts[range.first]) })} onPointerDown=${start('in')} onPointerMove=${move} onPointerUp=${end} onKeyDown=${nudge('first')}><em>${name(map.starts[range.first], true)}</em></button>`}
      ${range && visible(map.starts[range.last]) && html`<button class=${`handle out${turned.out ? ' near' : ''}${tight ? ' tight' : ''}`} role="slider" aria-label="Out" aria-valuemin="0" aria-valuemax=${map.count} aria-valuenow=${range.last} aria-valuetext=${name(map.starts[range.last], true)}
        ref=${styled({ left: percent(map.starts[range.last]) })} onPointerDown=${start('out')} onPointerMove=${move} onPointerUp=${end} onKeyDown=${nudge('last')}><em>${name(map.starts[range.last], true)}</em></button>`}
      ${visible(head) && html`<i class="playhead" ref=${styled({ left: percent(head) })}></i>`}
    </div>
  </section>`;
}

/**
 * Where the ruler has its ticks: at round times, or at round numbers of frames, which are named if one asks for them, or if
 * times would be finer than a frame.
 * @param {{map: import('./recordings.js').FrameMap, view: {from: number, to: number}, width: number, name: (seconds: number, exact?: boolean) => string, ahead: number, frames: boolean}} about
 * @returns {{at: number, text: string}[]}
 */
function ticks({ map, view, width, name, ahead, frames }) {
  const wanted = ((view.to - view.from) / width) * 110;
  const [first, last] = [map.at(view.from), map.at(view.to)];
  const long = (map.starts[last + 1] - map.starts[first]) / (last + 1 - first);
  const found = [];
  if (frames || wanted < long * 4) {
    const step = FRAME_STEPS.find((each) => each * long >= wanted) || 1e6;
    for (let frame = Math.ceil(first / step) * step; frame <= last; frame += step) if (map.starts[frame] >= view.from) found.push({ at: map.starts[frame], text: number(frame) });
    return found;
  }
  const step = STEPS.find((each) => each >= wanted) || 21600;
  for (let at = Math.ceil((view.from + ahead) / step) * step - ahead; at <= view.to; at += step) found.push({ at, text: name(at, step < 1) });
  return found;
}

/**
 * What edits do over time: fades at the ends, parts with another speed, the points of a crop that follows.
 * @param {CanvasRenderingContext2D} pen
 * @param {{cards: import('./draft.js').Card[], ranges: import('./draft.js').Range[], map: import('./recordings.js').FrameMap, x: (seconds: number) => number, top: number, colour: (which: string) => string}} about
 */
function drawEdits(pen, { cards, ranges, map, x, top, colour }) {
  const on = (/** @type {string} */ kind) => cards.find((each) => each.on && each.kind === kind)?.fields;
  const [fade, speed, crop] = [on('fade'), on('speed'), on('crop')];
  const bottom = top + TALL.pictures;
  if (fade && ranges.length) {
    const pace = Number(speed?.speed) || 1;
    const [begin, end] = [map.starts[ranges[0].first], map.starts[ranges[ranges.length - 1].last]];
    pen.fillStyle = colour(fade.color === 'white' ? '--on-picture' : '--picture');
    pen.globalAlpha = 0.75;
    for (const [at, long] of [[begin, (Number(fade.in) || 0) * pace], [end, -(Number(fade.out) || 0) * pace]]) {
      pen.beginPath();
      pen.moveTo(x(at), top);
      pen.lineTo(x(at), bottom);
      pen.lineTo(x(at + long), top);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }
  const parts = speed?.spans || (speed ? ranges.map((each) => ({ from: { frame: each.first }, to: { frame: each.last }, speed: speed.speed })) : []);
  for (const { from, to, speed: pace } of parts) {
    const [left, right] = [x(map.starts[from.frame]), x(map.starts[Math.min(map.count, to.frame)])];
    pen.fillStyle = colour('--over-picture');
    pen.fillRect(left, bottom - 16, right - left, 16);
    pen.fillStyle = colour('--on-picture');
    const text = `${pace}×`;
    if (pen.measureText(text).width < right - left - 6) pen.fillText(text, left + 4, bottom - 4);
  }
  pen.fillStyle = colour('--accent');
  for (const { at } of crop?.path || []) {
    const middle = x(map.starts[at.frame]);
    pen.beginPath();
    pen.moveTo(middle, bottom - 6);
    pen.lineTo(middle + 5, bottom);
    pen.lineTo(middle, bottom + 6);
    pen.lineTo(middle - 5, bottom);
    pen.fill();
  }
}

/**
 * Small pictures along the timeline, decoded here; without a decoder, a few from the server.
 * @param {import('./recordings.js').FrameMap} map @param {{from: number, to: number}} view @param {number} width @param {import('./player.js').Player} player
 */
function usePictures(map, view, width, player) {
  const [pictures, setPictures] = useState(/** @type {{at: number, bitmap: ImageBitmap}[]} */ ([]));
  const kept = useRef(/** @type {Map<number, ImageBitmap>} */ (new Map()));
  const truth = player.truth.value;
  const ready = truth === 'exact' || truth === 'approximate';
  useEffect(() => {
    if (!width || !ready || player.playing.value) return;
    let stale = false;
    const timer = setTimeout(async () => {
      const many = picturesIn(width);
      const found = [];
      for (let i = 0; i < many; i++) {
        const at = view.from + (i / many) * (view.to - view.from);
        const frame = map.keyframeBefore(map.at(at));
        let bitmap = kept.current.get(frame);
        if (!bitmap && player.decoder) {
          bitmap = (await player.decoder.picture(frame, { width: PICTURE * 2, latest: false }).catch(() => null)) || undefined;
          if (bitmap) kept.current.set(frame, bitmap);
          for (const [oldest, other] of kept.current) {
            if (kept.current.size <= MOST_KEPT) break;
            kept.current.delete(oldest);
            other.close();
          }
        }
        if (stale) return;
        if (bitmap) found.push({ at, bitmap });
        if (i % 4 === 3 || i === many - 1) setPictures([...found]);
      }
    }, 250);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [view.from, view.to, width, player.decoder, ready]);
  return pictures;
}
