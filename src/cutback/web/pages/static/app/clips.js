// Clips: newest first, live, with the remedy of those that failed.
import { html, useEffect, useRef, useState } from './dom.js';
import { ask, query } from './api.js';
import { clips as known, filmed, nameOf, take } from './clip_store.js';
import { ErrorFace, Face, sayError, styled } from './pieces.js';
import { go, here } from './router.js';
import { length, seconds, size } from './words.js';
import { moment, zoneFor } from './zones.js';

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

export function Clips() {
  const wanted = here.value.searchParams;
  const [text, state] = [wanted.get('text') || '', wanted.get('state') || ''];
  const [order, setOrder] = useState(/** @type {string[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const [zoneOf, setZones] = useState(new Map());
  const latest = useRef(0);
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  const path = `/clips${query({ text, state, limit: 48 })}`;

  const load = () => {
    setFault(null);
    setOrder(null);
    const mine = ++latest.current;
    ask(path).then((page) => {
      take(page.items);
      if (mine !== latest.current) return;
      setOrder(page.items.map((/** @type {any} */ each) => each.id));
      setNext(page.next);
    }, (error) => mine === latest.current && setFault(error));
  };
  useEffect(load, [path]);
  useEffect(() => void cameraZones().then(setZones, () => {}), []);

  const more = async () => {
    if (!next) return;
    setNext(null);
    const page = await ask(`${path}&cursor=${encodeURIComponent(next)}`).catch((error) => {
      setNext(next);
      throw error;
    });
    take(page.items);
    setOrder((all) => [...(all || []), ...page.items.map((/** @type {any} */ each) => each.id)]);
    setNext(page.next);
  };
  useEffect(() => {
    if (!end.current || !next) return;
    const watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && more().catch(sayError), { rootMargin: '800px' });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [next]);

  // Clips that came meanwhile stand first, if they belong to what is shown.
  const shown = order && [
    ...[...known.value.values()]
      .filter((clip) => !order.includes(clip.id) && !text && (!state || clip.state === state) && (!order.length || clip.created_at > (known.value.get(order[0])?.created_at || '')))
      .sort((one, other) => (one.created_at < other.created_at ? 1 : -1)).map((clip) => clip.id),
    ...order,
  ].map((id) => known.value.get(id)).filter((clip) => clip && !clip.delete_at && (!state || clip.state === state));

  return html`<main class="page">
    <h1>Clips</h1>
    <div class="act">${FILTERS.map(
      ([value, name]) => html`<button class="button" aria-pressed=${state === value} onClick=${() => go(`/clips${query({ text, state: value })}`)}>${name}</button>`,
    )}
    ${text && html`<span class="sub">with “${text}”</span><button class="button quiet" onClick=${() => go(`/clips${query({ state })}`)}>Show all</button>`}</div>
    ${fault
      ? html`<${ErrorFace} error=${fault} again=${load} />`
      : !shown
        ? html`<div class="wall" aria-busy="true">${[1, 2, 3, 4, 5, 6, 7, 8].map((each) => html`<div class="tile" key=${each}><span class="pic bone"></span><b class="bone">${'\u00a0'}</b></div>`)}</div>`
        : shown.length
          ? html`<ul class="wall">${shown.map((clip) => html`<li key=${clip.id}><${ClipTile} clip=${clip} zoneOf=${zoneOf} /></li>`)}</ul>`
          : html`<${Face} title=${text || state ? 'No clip matches' : 'No clips yet'}>
              <p>${text || state ? 'Try other words, or show all clips.' : 'Find a moment in the library and cut it.'}</p>
              <a class="button primary" href=${text || state ? '/clips' : '/'}>${text || state ? 'Show all clips' : 'To the library'}</a>
            <//>`}
    <div ref=${end}></div>
  </main>`;
}

/** The poster of about this width. @param {any} clip @param {number} width */
export function posterOf(clip, width) {
  const posters = clip.media?.posters || [];
  return posters.find((/** @type {any} */ each) => each.width >= width) || posters.at(-1);
}

/** @param {{clip: any, zoneOf: Map<string, string>}} props */
function ClipTile({ clip, zoneOf }) {
  const poster = posterOf(clip, 300);
  const where = filmed(clip);
  const zone = zoneFor(where ? zoneOf.get(where.camera) : undefined);
  const [playing, setPlaying] = useState(false);
  return html`<a class="tile" href=${`/clips/${encodeURIComponent(clip.id)}`} onPointerEnter=${(/** @type {PointerEvent} */ event) => setPlaying(event.pointerType === 'mouse')} onPointerLeave=${() => setPlaying(false)}>
    <span class="pic">
      ${poster && html`<img src=${new URL(poster.url).pathname} alt="" loading="lazy" />`}
      ${playing && clip.state === 'ready' && clip.result.size < 3e7 && clip.result.frames > 1 && /\.(mp4|webm|mov)$/.test(clip.result.key) && html`<video src=${mediaPath(clip)} muted autoplay loop playsinline></video>`}
      ${clip.result && html`<span class="badge num">${length(seconds(clip.result.duration))}</span>`}
      ${clip.state !== 'ready' && html`<span class=${`badge left ${clip.state}`}>${STATES[clip.state] || clip.state}</span>`}
      ${clip.state === 'processing' && html`<span class="meter" ref=${styled({ '--done': `${(clip.progress?.fraction || 0) * 100}%` })}><i></i></span>`}
    </span>
    <b dir="auto">${nameOf(clip)}</b>
    <small class="num">${[where && where.camera !== nameOf(clip) ? where.camera : '', where ? moment(where.at, zone) : '', clip.result ? size(clip.result.size) : ''].filter(Boolean).join(' · ')}</small>
    ${clip.failure && clip.state === 'failed' && html`<span class="why" dir="auto">${clip.failure.message}</span>`}
  </a>`;
}

/** Where the clip's file is, on this host. @param {any} clip */
export const mediaPath = (clip) => (clip.media ? new URL(clip.media.clip).pathname : '');
