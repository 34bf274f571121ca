// Recordings and their frames: which frame is shown when, and what it looks like.
import { ask, inPath, query } from './api.js';
import { iso } from './zones.js';

/** When each frame of a recording is shown. Frames count from 0; times are seconds from the recording's zero. */
export class FrameMap {
  /** @param {any} said the API's frame map */
  constructor(said) {
    this.key = said.key;
    this.version = said.version;
    this.count = said.frames;
    this.keyframes = Uint32Array.from(said.keyframes);
    const scale = said.time_scale;
    const [top, bottom] = String(said.start).split('/');
    let at = (Number(top) / Number(bottom || 1)) * scale;
    this.starts = new Float64Array(this.count + 1);
    let frame = 0;
    for (const [ticks, times] of said.durations) {
      for (let i = 0; i < times; i++) {
        this.starts[frame++] = at / scale;
        at += ticks;
      }
    }
    this.starts[frame] = at / scale;
    this.count = frame;
  }

  /** When the last frame ends. */
  get end() {
    return this.starts[this.count];
  }

  /** The frame on show at a time. @param {number} seconds */
  at(seconds) {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= seconds + 1e-6) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The boundary of frames nearest to a time: a frame's number, or the count for the end. @param {number} seconds */
  boundary(seconds) {
    const frame = this.at(seconds);
    return seconds - this.starts[frame] > this.starts[frame + 1] - seconds ? frame + 1 : frame;
  }

  /** The middle of a frame, where players show it whatever they round. @param {number} frame */
  middle(frame) {
    return (this.starts[frame] + this.starts[frame + 1]) / 2;
  }

  /** The last keyframe at or before a frame. @param {number} frame */
  keyframeBefore(frame) {
    let [low, high] = [0, this.keyframes.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.keyframes[middle] <= frame) low = middle;
      else high = middle - 1;
    }
    return this.keyframes[low] ?? 0;
  }
}

/** @type {Map<string, Promise<FrameMap>>} */
const maps = new Map();

/** The frame map of a recording. @param {string} key @returns {Promise<FrameMap>} */
export function frameMap(key) {
  let found = maps.get(key);
  if (!found) {
    found = ask(`/recordings/${inPath(key)}/frames`).then((said) => new FrameMap(said));
    found.catch(() => maps.delete(key));
    maps.set(key, found);
    if (maps.size > 40) maps.delete(/** @type {string} */ (maps.keys().next().value));
  }
  return found;
}

/** Forget what is known of a recording, because it changed. @param {string} key */
export const forgetMap = (key) => maps.delete(key);

/** Where the picture of a frame is. @param {string} key @param {number} frame @param {string} version @param {number} width */
export const still = (key, frame, version, width = 300) =>
  `/v1/recordings/${inPath(key)}/frames/${frame}.jpg?width=${width}&version=${encodeURIComponent(version)}`;

/** A cheap picture of what a camera showed just before a moment. @param {string} camera @param {number} at */
export const keyframe = (camera, at) => `/v1/moments/keyframe.jpg${query({ camera, at: iso(at) })}`;

/** The recording of a camera that has a moment, or none. @param {string} camera @param {number} at */
export async function recordingAt(camera, at) {
  const { items } = await ask(`/recordings${query({ camera, from: iso(at), to: iso(at + 1), limit: 5 })}`);
  return items.find((/** @type {any} */ each) => Date.parse(each.start) <= at && at < Date.parse(each.end)) || null;
}

/** Every page of a list. @param {string} path with a query @param {number} most */
export async function all(path, most) {
  const found = [];
  let cursor = '';
  do {
    const page = await ask(`${path}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    found.push(...page.items);
    cursor = page.next;
  } while (cursor && found.length < most);
  return found;
}
