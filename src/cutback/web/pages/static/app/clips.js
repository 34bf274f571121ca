// Clips: newest first, live, with the remedy of those that failed.
import { html, useEffect, useState } from './dom.js';
import { ask, query } from './api.js';
import { clips as known, filmed, nameOf } from './clip_store.js';
import { PAGE, Wall, usePages } from './clip_wall.js';
import { ErrorFace, Face, sayError, styled } from './pieces.js';
import { remediesOf } from './remedies.js';
import { go, here } from './router.js';
import { length, seconds, size } from './words.js';
import { instant, iso, moment, shifted, zoneFor } from './zones.js';

/** What people call the states. */
export const STATES = /** @type {Record<string, string>} */ ({
  queued: 'waiting for a worker',
  waiting: 'waiting for footage',
  processing: 'being made',
  ready: 'ready',
  failed: 'failed',
  cancelled: 'cancelled',
});

const FILTERS = [['', 'All'], ['ready', 'Ready'], ['processing', 'Being made'], ['queued', 'In the queue'], ['waiting', 'Waiting for footage'], ['failed', 'Failed'], ['cancelled', 'Cancelled']];

/** The zones of cameras, by name. @type {Promise<Map<string, string>> | null} */
let zones = null;

export function cameraZones() {
  zones ??= ask('/cameras?limit=1000').then((page) => new Map(page.items.map((/** @type {any} */ each) => [each.name, each.time_zone])));
  zones.catch(() => (zones = null));
  return zones;
}

/** The first day and the one after a local date, as the API wants them. @param {string} day @param {string} zone */
const bounds = (day, zone) => (day ? { from: iso(instant(day, zone)), to: iso(instant(shifted(day, 1), zone)) } : {});

export function Clips() {
  const wanted = here.value.searchParams;
  const [text, state, camera, day] = ['text', 'state', 'camera', 'day'].map((name) => wanted.get(name) || '');
  const [zoneOf, setZones] = useState(new Map());
  useEffect(() => void cameraZones().then(setZones, () => {}), []);
  const { pages, next, fault, load, more, keepAround } = usePages(`/clips${query({ text, state, camera, ...bounds(day, zoneFor()) }) || '?'}`);
  const filtered = Boolean(text || state || camera || day);
  const show = (/** @type {Record<string, string>} */ other) => go(`/clips${query({ text, state, camera, day, ...other })}`);

  const order = (pages || []).flatMap((page) => page.ids);
  const listed = new Set(order);
  const newest = known.value.get(order[0])?.created_at || '';
  // Clips that came meanwhile stand first, if they belong to what is shown.
  const came = pages && !text && !day
    ? [...known.value.values()]
        .filter((clip) => !listed.has(clip.id) && belongs(clip, state, camera) && (!order.length || clip.created_at > newest))
        .sort((one, other) => (one.created_at < other.created_at ? 1 : -1)).map((clip) => clip.id)
    : [];
  const gone = (/** @type {string} */ id) => {
    const clip = known.value.get(id);
    return clip && (clip.delete_at || (state && clip.state !== state));
  };
  const shown = [...came, ...order].filter((id) => !gone(id));
  const seen = (/** @type {number} */ first, /** @type {number} */ last) => keepAround(Math.floor(first / PAGE), Math.floor(last / PAGE));

  return html`<main class="page">
    <h1>Clips</h1>
    <div class="act filters">
      ${FILTERS.map(([value, name]) => html`<button class="button" key=${value} aria-pressed=${state === value} onClick=${() => show({ state: value })}>${name}</button>`)}
      ${filtered && html`<button class="button quiet" onClick=${() => go('/clips')}>Show all</button>`}
      <span class="grow"></span>
      <label class="row">Camera <select class="field" onChange=${(/** @type {any} */ event) => show({ camera: event.target.value })}>
        <option value="" selected=${!camera}>all</option>${[...zoneOf.keys()].map((name) => html`<option key=${name} value=${name} selected=${name === camera}>${name}</option>`)}</select></label>
      <label class="row">Requested on <input class="field" type="date" value=${day} onChange=${(/** @type {any} */ event) => show({ day: event.target.value })} /></label>
    </div>
    ${text && html`<p class="sub" dir="auto">With “${text}”</p>`}
    ${fault
      ? html`<${ErrorFace} error=${fault} again=${load} />`
      : !pages
        ? html`<div class="wall" aria-busy="true">${[1, 2, 3, 4, 5, 6, 7, 8].map((each) => html`<div class="tile" key=${each}><span class="pic bone"></span><b class="bone">${'\u00a0'}</b><small>${'\u00a0'}</small></div>`)}</div>`
        : shown.length
          ? html`<${Wall} key=${`${text} ${state} ${camera} ${day}`} ids=${shown} before=${came.length} more=${next ? more : null} seen=${seen} tile=${(/** @type {string} */ id) => html`<${ClipTile} clip=${known.value.get(id)} zoneOf=${zoneOf} />`} />`
          : html`<${Face} title=${filtered ? 'No clip matches' : 'No clips yet'}>
              <p>${filtered ? 'Try other words, or show all clips.' : 'Find a moment in the library and cut it.'}</p>
              <a class="button primary" href=${filtered ? '/clips' : '/'}>${filtered ? 'Show all clips' : 'To the library'}</a>
            <//>`}
  </main>`;
}

/** Whether a clip belongs to what is shown. @param {any} clip @param {string} state @param {string} camera */
const belongs = (clip, state, camera) => !clip.delete_at && (!state || clip.state === state) && (!camera || [clip.request?.source].flat().some((/** @type {any} */ each) => each?.camera === camera));

/** The poster of about this width. @param {any} clip @param {number} width */
export function posterOf(clip, width) {
  const posters = clip.media?.posters || [];
  return posters.find((/** @type {any} */ each) => each.width >= width) || posters.at(-1);
}

/** @param {{clip: any, zoneOf: Map<string, string>}} props */
function ClipTile({ clip, zoneOf }) {
  const [playing, setPlaying] = useState(false);
  if (!clip) return html`<div class="tile"><span class="pic bone"></span><b class="bone">${'\u00a0'}</b></div>`;
  const poster = posterOf(clip, 300);
  const where = filmed(clip);
  const zone = zoneFor(where ? zoneOf.get(where.camera) : undefined);
  const plays = clip.state === 'ready' && clip.result.size < 3e7 && clip.result.frames > 1 && /\.(mp4|webm|mov)$/.test(clip.result.key);
  const [remedy] = remediesOf(clip);
  return html`<div class="tile" onPointerEnter=${(/** @type {PointerEvent} */ event) => setPlaying(event.pointerType === 'mouse')} onPointerLeave=${() => setPlaying(false)}>
    <a href=${`/clips/${encodeURIComponent(clip.id)}`}>
      <span class="pic">
        ${poster && html`<img src=${new URL(poster.url).pathname} alt="" loading="lazy" />`}
        ${playing && plays && html`<video src=${mediaPath(clip)} muted autoplay loop playsinline></video>`}
        ${clip.result && seconds(clip.result.duration) > 0 && html`<span class="badge num">${length(seconds(clip.result.duration))}</span>`}
        ${clip.state !== 'ready' && html`<span class=${`badge left ${clip.state}`}>${STATES[clip.state] || clip.state}</span>`}
        ${clip.state === 'processing' && html`<span class="meter" ref=${styled({ '--done': `${(clip.progress?.fraction || 0) * 100}%` })}><i></i></span>`}
      </span>
      <b dir="auto">${nameOf(clip)}</b>
      <small class="num">${[where && where.camera !== nameOf(clip) ? where.camera : '', where && where.at ? moment(where.at, zone) : '', clip.result ? size(clip.result.size) : ''].filter(Boolean).join(' · ')}</small>
    </a>
    ${(clip.state === 'failed' || remedy) && html`<div class="said">
      ${clip.failure && clip.state === 'failed' && html`<span class="why short" dir="auto" title=${clip.failure.message}>${clip.failure.message}</span>`}
      ${remedy && (remedy.href ? html`<a class="button" href=${remedy.href}>${remedy.label}</a>` : html`<button class="button" onClick=${() => remedy.act?.().catch(sayError)}>${remedy.label}</button>`)}
    </div>`}
  </div>`;
}

/** Where the clip's file is, on this host. @param {any} clip */
export const mediaPath = (clip) => (clip.media ? new URL(clip.media.clip).pathname : '');
