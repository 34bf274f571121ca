// The newest clips, kept current by events: the tray, the list and the day's strip show these.
import { computed, signal } from './dom.js';
import { ask } from './api.js';
import { hear, whenMissed } from './live.js';

export const clips = signal(/** @type {Map<string, any>} */ (new Map()));

const BUSY = new Set(['queued', 'processing']);

/** Those that are being made. */
export const busy = computed(() => [...clips.value.values()].filter((clip) => BUSY.has(clip.state)));

/** Take in clips as the API shows them; an older revision never replaces a newer one. @param {any[]} found */
export function take(found) {
  const all = new Map(clips.value);
  let changed = false;
  for (const clip of found) {
    const known = all.get(clip.id);
    if (known && (known.revision > clip.revision || (known.revision === clip.revision && known.progress?.fraction > clip.progress?.fraction))) continue;
    if (known && known.revision === clip.revision && known.progress?.fraction === clip.progress?.fraction && !(clip.media && !known.media)) continue;
    all.set(clip.id, { ...known, ...clip });
    changed = true;
  }
  if (changed) clips.value = all;
  if (busy.value.length) watch();
}

/** Forget a clip. @param {string} id */
export function forget(id) {
  const all = new Map(clips.value);
  all.delete(id);
  clips.value = all;
}

/** Forget clips that are far from what is seen; those that are being made stay. @param {Set<string>} ids */
export function dropFar(ids) {
  const kept = [...clips.value].filter(([id, clip]) => !ids.has(id) || BUSY.has(clip.state));
  if (kept.length < clips.value.size) clips.value = new Map(kept);
}

/** @type {Set<string>} */
const looking = new Set();
/** Clips that changed while they were being read. @type {Set<string>} */
const again = new Set();

/** Read a clip again, with its links. @param {string} id */
export async function refresh(id) {
  if (looking.has(id)) {
    again.add(id);
    return;
  }
  looking.add(id);
  try {
    take([await ask(`/clips/${encodeURIComponent(id)}`)]);
  } catch (error) {
    if (/** @type {any} */ (error).status === 404) forget(id);
  } finally {
    looking.delete(id);
    if (again.delete(id)) refresh(id);
  }
}

let newsComing = false;

/** Take in clips of others: the newest, at most once a second, however many events there are. */
function news() {
  if (newsComing) return;
  newsComing = true;
  setTimeout(async () => {
    newsComing = false;
    const found = await ask('/clips?limit=48').catch(() => null);
    if (found) take(found.items);
  }, 1000);
}

let following = false;

/** Begin to follow events. */
export function follow() {
  if (following) return;
  following = true;
  whenMissed(() => {
    news();
    if (busy.value.length) watch();
  });
  hear((event) => {
    if (event.type === 'clip.expired') forget(event.subject);
    else if (clips.value.has(event.subject)) refresh(event.subject);
    else news();
  });
}

let watching = false;

/** Progress is not an event: while clips are being made, look at them. */
async function watch() {
  if (watching) return;
  watching = true;
  try {
    while (busy.value.length) {
      await new Promise((done) => setTimeout(done, document.hidden ? 4000 : 700));
      const found = await ask('/clips?state=processing&state=queued&limit=50').catch((error) => error);
      if (!found.items) {
        await new Promise((done) => setTimeout(done, 3000));
        continue;
      }
      const seen = new Set(found.items.map((/** @type {any} */ each) => each.id));
      take(found.items);
      for (const clip of busy.value.slice(0, 10)) if (!seen.has(clip.id)) await refresh(clip.id);
    }
  } finally {
    watching = false;
  }
}

/** Where and when a clip was filmed, as far as that is known: `at` is NaN if it is not. @param {any} clip */
export function filmed(clip) {
  if (clip.recorded) return { camera: clip.recorded.camera, at: Date.parse(clip.recorded.begins ?? '') };
  const source = [clip.request?.source].flat()[0];
  return source?.camera ? { camera: source.camera, at: Date.parse(source.from) } : null;
}

/** What a clip is called. @param {any} clip */
export function nameOf(clip) {
  const source = [clip.request?.source].flat()[0] || {};
  return clip.title || source.camera || clip.recorded?.camera || source.recording || source.asset || clip.id;
}
