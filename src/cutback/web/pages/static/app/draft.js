// What is being cut: ranges, edits and output. Every change can be undone; drafts are kept in this browser.
import { signal } from './dom.js';

/** A range of frames: from `first`, included, to `last`, not included; `crossfade` is seconds over which the one before turns into it. @typedef {{first: number, last: number, name: string, crossfade?: number}} Range */
/** @typedef {{kind: string, on: boolean, fields: Record<string, any>}} Card */
/** A chapter, which begins with a frame, or where a request said it in a way that no frame says. @typedef {{at: {frame: number, written?: undefined} | {frame?: undefined, written: any}, title: string}} Chapter */
/** Without `chapters`, there is one at each join. @typedef {{ranges: Range[], chosen: number, cards: Card[], title: string, chapters: Chapter[] | null, output: Record<string, any>}} State */

/** @returns {State} */
const EMPTY = () => ({ ranges: [], chosen: -1, cards: [], title: '', chapters: null, output: { format: 'mp4' } });

const PREFIX = 'cutback.draft.';
const KEPT = 20;
const MOST_STEPS = 200;

/** A draft of cuts of one version of a recording. */
export class Draft {
  /** @param {string} key @param {string} version @param {number} frames how many the recording has */
  constructor(key, version, frames) {
    this.key = key;
    this.name = `${PREFIX}${key} @ ${version}`;
    this.version = version;
    this.frames = frames;
    /** The version for which the ranges were marked. */
    this.marked = version;
    /** Whether the draft was made for another version of the recording. */
    this.changed = false;
    /** @type {string[]} */
    this.before = [];
    /** @type {string[]} */
    this.after = [];
    /** What is undone together; empty between gestures. @type {string} */
    this.gesture = '';
    /** @type {import('@preact/signals').Signal<State>} */
    this.state = signal(this.#read());
  }

  /** What was kept for this version of the recording or, with a warning, for the one that was marked last. */
  #read() {
    const kept = keptAt(this.name) || draftsOf(this.key).map(keptAt).at(-1);
    if (!kept) return EMPTY();
    this.changed = kept.version !== this.version;
    this.marked = kept.version;
    return this.#fitting(/** @type {State} */ ({ ...EMPTY(), ...kept.state }));
  }

  /** Follow what other tabs do to this draft. @returns {() => void} how to stop */
  follow() {
    const hear = (/** @type {StorageEvent} */ event) => {
      const kept = event.key === this.name && event.newValue ? keptAt(this.name) : null;
      if (!kept || JSON.stringify(kept.state) === JSON.stringify(this.state.value)) return;
      this.before.push(JSON.stringify(this.state.value));
      this.after = [];
      this.gesture = '';
      this.state.value = this.#fitting({ ...EMPTY(), ...kept.state });
    };
    addEventListener('storage', hear);
    return () => removeEventListener('storage', hear);
  }

  /** An address that opens this draft anywhere. */
  get link() {
    const bytes = new TextEncoder().encode(JSON.stringify({ version: this.marked, state: this.state.value }));
    const text = btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    return `${location.origin}/cut?recording=${encodeURIComponent(this.key)}#draft=${text}`;
  }

  /** Take over the draft of an address, which can be undone; false if there is none in it. @param {string} hash of the address */
  takeOver(hash) {
    const found = /^#draft=([\w-]+)$/.exec(hash);
    if (!found) return false;
    try {
      const bytes = Uint8Array.from(atob(found[1].replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0));
      const { version, state } = JSON.parse(new TextDecoder().decode(bytes));
      this.changed = version !== this.version;
      this.marked = version;
      this.change(this.#fitting(/** @type {State} */ ({ ...EMPTY(), ...state })));
      return true;
    } catch {
      return false;
    }
  }

  /** Ranges within the recording, whatever was kept. @param {State} state @returns {State} */
  #fitting(state) {
    const within = (/** @type {number} */ frame) => Math.min(Math.max(0, Math.trunc(frame) || 0), this.frames);
    const ranges = state.ranges.map((each) => ({ ...each, first: Math.min(within(each.first), this.frames - 1), last: within(each.last) })).filter((each) => each.last > each.first);
    return { ...state, ranges, chosen: Math.min(state.chosen, ranges.length - 1) };
  }

  /** The ranges were checked against this version of the recording. */
  confirm() {
    this.changed = false;
    this.marked = this.version;
    this.change({});
  }

  /**
   * Change it. Changes with the same `gesture` in a row, such as those of a drag, are undone together.
   * @param {Partial<State>} changes @param {string} [gesture]
   */
  change(changes, gesture = '') {
    if (!gesture || gesture !== this.gesture) {
      this.before.push(JSON.stringify(this.state.value));
      if (this.before.length > MOST_STEPS) this.before.shift();
    }
    this.gesture = gesture;
    this.after = [];
    this.#become({ ...this.state.value, ...changes });
  }

  /** Choose a range; not a change to undo. @param {number} chosen */
  choose(chosen) {
    this.state.value = { ...this.state.value, chosen };
  }

  /** Change the chosen range, or make one. @param {Partial<Range>} changes @param {string} [gesture] */
  changeRange(changes, gesture) {
    const { ranges, chosen } = this.state.value;
    if (chosen < 0) this.change({ ranges: [...ranges, { first: 0, last: 0, name: '', ...changes }], chosen: ranges.length }, gesture);
    else this.change({ ranges: ranges.map((each, i) => (i === chosen ? { ...each, ...changes } : each)) }, gesture);
  }

  /** End a gesture. */
  settle() {
    this.gesture = '';
  }

  undo() {
    this.#step(this.before, this.after);
  }

  redo() {
    this.#step(this.after, this.before);
  }

  /** @param {string[]} from @param {string[]} to */
  #step(from, to) {
    const state = from.pop();
    if (!state) return;
    to.push(JSON.stringify(this.state.value));
    this.gesture = '';
    this.#become(this.#fitting(JSON.parse(state)));
  }

  /** @param {State} state */
  #become(state) {
    this.state.value = state;
    try {
      localStorage.setItem(this.name, JSON.stringify({ key: this.key, version: this.marked, state, at: Date.now() }));
      tidy();
    } catch {
      // Without room in this browser, the draft lives as long as the page.
    }
  }
}

/** Forget the oldest drafts. */
function tidy() {
  const all = allDrafts();
  for (const name of all.slice(0, Math.max(0, all.length - KEPT))) localStorage.removeItem(name);
}

/** The recording whose draft was changed last; empty if there is none. */
export function newestDraft() {
  const newest = allDrafts().at(-1);
  return (newest && keptAt(newest)?.key) || '';
}

/** The names of all drafts, the newest last. */
function allDrafts() {
  const all = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  return all.sort((one, other) => age(one) - age(other));
}

/** The names of the drafts of a recording, of any version, the newest last. @param {string} key */
const draftsOf = (key) => allDrafts().filter((name) => keptAt(name)?.key === key);

/** @param {string} name @returns {{key: string, version: string, state: Partial<State>, at: number} | null} */
function keptAt(name) {
  try {
    return JSON.parse(localStorage.getItem(name) || 'null');
  } catch {
    return null;
  }
}

/** When a draft was changed. @param {string} name */
const age = (name) => keptAt(name)?.at || 0;
