// The request that a draft stands for, and back. Drafts hold frames of the recording where requests hold points of the clip.
/** @typedef {import('./recordings.js').FrameMap} FrameMap */
/** @typedef {import('./draft.js').Range} Range */
/** @typedef {import('./draft.js').Card} Card */
/** @typedef {import('./draft.js').State} State */

/** Seconds, rounded up: the frame that begins then is the one on show. @param {number} seconds */
const rounded = (seconds) => Math.ceil(seconds * 1e6 - 1e-3) / 1e6;

/** The ranges, each with where in the clip it begins: crossfades overlap. @param {FrameMap} map @param {Range[]} ranges */
function joined(map, ranges) {
  let before = 0;
  return ranges.map((range, i) => {
    const at = before - (i > 0 ? range.crossfade || 0 : 0);
    before = at + map.starts[range.last] - map.starts[range.first];
    return { ...range, at };
  });
}

/** Where in the clip, in seconds before any change of speed, a frame is; null if it is in none of the ranges. @param {FrameMap} map @param {Range[]} ranges @param {number} frame */
export function inCut(map, ranges, frame) {
  const found = joined(map, ranges).find(({ first, last }) => frame >= first && frame < last);
  return found ? rounded(found.at + map.starts[frame] - map.starts[found.first]) : null;
}

/** The frame that is shown at a point of the clip. @param {FrameMap} map @param {Range[]} ranges @param {number} seconds */
export function frameInCut(map, ranges, seconds) {
  const all = joined(map, ranges);
  const found = all.findLast(({ at }) => at <= seconds + 1e-6) || all[0];
  if (!found) return 0;
  return Math.min(found.last - 1, map.at(map.starts[found.first] + seconds - found.at + 1e-6));
}

/** A number of seconds as requests write it: 12.5, "12.5", "1:02.5", "1m2s"; NaN if it is none. @param {any} value */
export function secondsOf(value) {
  if (typeof value === 'number') return value;
  const text = String(value ?? '').trim();
  const clock = /^(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)$/.exec(text) || /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d*\.?\d+)s)?$/.exec(text);
  if (text && clock) return Number(clock[1] || 0) * 3600 + Number(clock[2] || 0) * 60 + Number(clock[3] || 0);
  return text ? Number(text) : NaN;
}

/** @typedef {{begins?: string, speed?: number}} About when the recording begins, as a moment; and how fast the clip is, `undefined` if that changes within it */

/**
 * A point of the clip, in seconds before any change of speed; NaN if it is none, or if that is not known.
 * @param {any} point seconds, "-5" from the end, `{finished: 3}` or a moment of the camera @param {FrameMap} map @param {Range[]} ranges @param {About} [about]
 */
function pointInCut(point, map, ranges, { begins, speed } = {}) {
  if (typeof point === 'object') return speed === undefined ? NaN : secondsOf(point?.finished) * speed;
  const text = String(point).trim();
  if (/^\d{4}-.*T/i.test(text)) return begins ? momentInCut(secondsBetween(begins, text), map, ranges) : NaN;
  return text.startsWith('-') ? endOf(map, ranges) - secondsOf(text.slice(1)) : secondsOf(point);
}

/** How long the ranges are together, in seconds. @param {FrameMap} map @param {Range[]} ranges */
function endOf(map, ranges) {
  const last = joined(map, ranges).at(-1);
  return last ? last.at + map.starts[last.last] - map.starts[last.first] : 0;
}

/** Where in the clip a time of the recording is; NaN if it is outside. What is left out between ranges means the next one. @param {number} seconds @param {FrameMap} map @param {Range[]} ranges */
function momentInCut(seconds, map, ranges) {
  const all = joined(map, ranges);
  const found = all.find((each) => seconds < map.starts[each.last] + (each === all.at(-1) ? 0.001 : 0));
  if (!found || (found === all[0] && seconds < map.starts[found.first] - 0.001)) return NaN;
  return found.at + Math.max(0, seconds - map.starts[found.first]);
}

/** The parts of the ranges between two frames, as points of the clip. @param {FrameMap} map @param {Range[]} ranges @param {number} from @param {number} to @returns {{from: number, to: number}[]} */
function partsInCut(map, ranges, from, to) {
  return joined(map, ranges).flatMap(({ first, last, at }) => {
    const [begins, ends] = [Math.max(first, from), Math.min(last, to)];
    const point = (/** @type {number} */ frame) => rounded(at + map.starts[frame] - map.starts[first]);
    return begins < ends ? [{ from: point(begins), to: point(ends) }] : [];
  });
}

/** The edit that a card stands for; null if nothing of it is in the ranges. @param {Card} card @param {FrameMap} map @param {Range[]} ranges @returns {Record<string, any> | null} */
export function editOf({ kind, fields }, map, ranges) {
  if (kind === 'crop') return { edit: kind, ...cropOf(fields, map, ranges) };
  if (kind === 'speed' && fields.spans) {
    const spans = fields.spans.flatMap((/** @type {any} */ each) => partsInCut(map, ranges, each.from.frame, each.to.frame).map((part) => ({ ...part, speed: each.speed })));
    spans.sort((/** @type {any} */ one, /** @type {any} */ other) => one.from - other.from);
    return spans.length ? { edit: kind, ...fields, spans } : null;
  }
  return { edit: kind, ...fields };
}

/** A crop that was dragged is a part of the picture, and no longer a shape; one that follows has points. @param {Record<string, any>} fields @param {FrameMap} map @param {Range[]} ranges */
function cropOf(fields, map, ranges) {
  const { aspect, gravity, x, y, width, height, path } = fields;
  if (path?.length) {
    const shape = aspect ? { aspect } : { width, height };
    const points = path.map((/** @type {any} */ each) => ({ at: inCut(map, ranges, each.at.frame), x: each.x, y: each.y })).filter((/** @type {any} */ each) => each.at !== null);
    points.sort((/** @type {any} */ one, /** @type {any} */ other) => one.at - other.at);
    // Without a point in the ranges, it is where it is nearest to them.
    return { ...shape, ...(points.length ? { path: points } : { x: path[0].x, y: path[0].y }) };
  }
  if (x !== undefined) return { x, y, width, height };
  return { aspect, gravity };
}

/** The card of an edit. @param {Record<string, any>} edit @param {FrameMap} map @param {Range[]} ranges @returns {Card} */
export function cardOf({ edit, ...fields }, map, ranges) {
  const framed = (/** @type {any} */ at) => ({ frame: frameInCut(map, ranges, pointInCut(at, map, ranges) || 0) });
  const set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && !(Array.isArray(value) && !value.length)));
  if (set.path) set.path = set.path.map((/** @type {any} */ each) => ({ ...each, at: framed(each.at) }));
  if (set.spans) set.spans = set.spans.map((/** @type {any} */ each) => ({ from: framed(each.from), to: framed(each.to), speed: Number(each.speed) }));
  return { kind: edit, on: true, fields: set };
}

/** Edits that need to know the time on the wall, which a recording alone does not tell. @param {Card} card */
const ofCameras = ({ kind, fields }) => kind === 'clock' || (kind === 'inset' && Boolean(fields.camera)) || (kind === 'text' && /\{(camera|date|time|year|month|day|hour|hour12|ampm|minute|second|zone)\}/.test(fields.text || ''));

/** Whether the request names moments of the camera. @param {any} recording @param {State} state */
export const namesMoments = (recording, state) => Boolean(recording.camera) && state.cards.some((each) => each.on && ofCameras(each));

/**
 * The request that the draft stands for: frames of the recording, or moments of its camera where an edit needs them.
 * @param {FrameMap} map @param {any} recording @param {State} state
 * @param {number} pace seconds of the recording in a second of the wall, as the catalogue knows its camera
 */
export function requestOf(map, recording, state, pace = 1) {
  const byCamera = namesMoments(recording, state);
  const ranges = state.ranges.filter((each) => each.last > each.first);
  const source = ranges.map((each, i) => ({
    ...(byCamera
      ? { camera: recording.camera, from: momentAfter(recording.start, map.starts[each.first] / pace), to: momentAfter(recording.start, map.starts[each.last] / pace) }
      : { recording: map.key, start: { frame: each.first }, ...(each.last < map.count ? { end: { frame: each.last } } : {}) }),
    ...(i > 0 && each.crossfade ? { join: { crossfade: each.crossfade } } : {}),
  }));
  const edits = state.cards.filter((each) => each.on).map((each) => editOf(each, map, ranges)).filter((each) => each !== null);
  const output = outputOf(state.output, map, ranges);
  return {
    source: source.length === 1 ? source[0] : source,
    ...(edits.length ? { edits } : {}),
    ...(Object.keys(output).length ? { output } : {}),
    ...(state.chapters ? { chapters: chaptersOf(state.chapters, map, ranges) } : {}),
    ...(state.title ? { title: state.title } : {}),
  };
}

/** @param {Record<string, any>} output @param {FrameMap} map @param {Range[]} ranges */
function outputOf({ format, at, ...fields }, map, ranges) {
  const moment = at === undefined ? null : inCut(map, ranges, at.frame);
  return { ...(format && format !== 'mp4' ? { format } : {}), ...fields, ...(at === undefined ? {} : { at: moment ?? 0 }) };
}

/** Where a chapter begins in the clip; null if its frame is in none of the ranges. @param {import('./draft.js').Chapter} chapter @param {FrameMap} map @param {Range[]} ranges */
export const chapterInCut = ({ at }, map, ranges) => (at.frame === undefined ? at.written : inCut(map, ranges, at.frame));

/** The chapters within the ranges. @param {import('./draft.js').Chapter[]} chapters @param {FrameMap} map @param {Range[]} ranges */
function chaptersOf(chapters, map, ranges) {
  const points = chapters.map((each) => ({ at: chapterInCut(each, map, ranges), title: each.title.trim() || 'Chapter' })).filter((each) => each.at !== null);
  return points.filter((each, i) => points.findIndex((one) => one.at === each.at) === i);
}

/** Edits after which a point of the finished clip is not simply as much later or earlier before them. */
const RETIMING = new Set(['timelapse', 'reverse', 'freeze', 'loop']);

/** How fast a clip is, if all of it is equally fast. @param {any[]} edits */
function speedOf(edits) {
  const speed = edits.find((each) => each.edit === 'speed');
  return edits.some((each) => RETIMING.has(each.edit)) || speed?.spans?.length ? undefined : Number(speed?.speed ?? 1);
}

/**
 * What a draft holds of a request's chapters. What cannot be told as a frame stays as it was written.
 * @param {any} chapters @param {FrameMap} map @param {Range[]} ranges @param {string} begins the moment with which the recording begins, empty if nobody knows @param {any[]} edits of the request
 * @returns {import('./draft.js').Chapter[] | null}
 */
export function chaptersFrom(chapters, map, ranges, begins, edits) {
  if (!Array.isArray(chapters)) return null;
  return chapters.map(({ at, title }) => {
    const seconds = ranges.length ? pointInCut(at, map, ranges, { begins, speed: speedOf(edits) }) : NaN;
    const within = seconds >= 0 && seconds <= endOf(map, ranges) + 0.001;
    return { at: within ? { frame: frameInCut(map, ranges, seconds) } : { written: at }, title };
  });
}

/** What a draft holds of a request's output. @param {Record<string, any>} output @param {FrameMap} map @param {Range[]} ranges */
export function outputFrom({ container, name, preset, ...fields }, map, ranges) {
  const set = Object.fromEntries(Object.entries(fields).filter(([key, value]) => value !== null && !(key === 'precision' && value === 'exact') && !(Array.isArray(value) && !value.length)));
  if (set.at !== undefined) set.at = { frame: frameInCut(map, ranges, pointInCut(set.at, map, ranges) || 0) };
  return { format: container || 'mp4', ...set };
}

/** A moment some seconds after another, to the microsecond, which dates of browsers do not have. @param {string} start @param {number} seconds */
export function momentAfter(start, seconds) {
  const [whole, parts = ''] = start.replace('Z', '').split('.');
  const all = Number(parts.padEnd(6, '0').slice(0, 6)) + Math.round(seconds * 1e6);
  const date = new Date(Date.parse(`${whole}Z`) + Math.floor(all / 1e6) * 1000);
  return `${date.toISOString().slice(0, 19)}.${String(((all % 1e6) + 1e6) % 1e6).padStart(6, '0')}Z`;
}

/** The seconds from one moment to another, to the microsecond. @param {string} first @param {string} second */
function secondsBetween(first, second) {
  const parts = (/** @type {string} */ moment) => Number(`0.${/\.(\d+)/.exec(moment)?.[1] || 0}`);
  const whole = (/** @type {string} */ moment) => Date.parse(moment.replace(/\.\d+/, ''));
  return (whole(second) - whole(first)) / 1000 + parts(second) - parts(first);
}
