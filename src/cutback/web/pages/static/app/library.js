// Cameras, the day of one as a strip, its recordings, and new ones by upload.
import { html, useEffect, useMemo, useRef, useState } from './dom.js';
import { ask, query } from './api.js';
import { clips as knownClips, filmed, take } from './clip_store.js';
import { useKeys } from './keys.js';
import { useNewest } from './newest.js';
import { ErrorFace, Face, say, sayError, styled } from './pieces.js';
import { usePicture } from './pictures.js';
import { all, keyframe, recordingAt, still } from './recordings.js';
import { go, here } from './router.js';
import { Sprite } from './sprites.js';
import { Strip } from './strip.js';
import { Upload } from './upload.js';
import { counted, length, seconds } from './words.js';
import { clock, clockOf, date, day, dayOf, daysFrom, hour, instant, iso, moment, shifted, shortDay, useClock, zoneFor, zoneName } from './zones.js';

const DAY = 86400000;
const LIVE_SECONDS = 15 * 60;
const MOST_LOOKED = 12; // of the recordings on show

/** @param {{camera: string | null}} props */
export function Library({ camera }) {
  const [cameras, setCameras] = useState(/** @type {any[] | null} */ (null));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const load = () => {
    setFault(null);
    all('/cameras?limit=1000', 5000).then(setCameras, setFault);
  };
  useEffect(load, []);
  if (fault) return html`<main><${ErrorFace} error=${fault} again=${load} /></main>`;
  if (!cameras) return html`<${Bones} />`;
  if (!cameras.length) return html`<${Recordings} />`;
  const chosen = camera === null ? cameras[0] : cameras.find((each) => each.name === camera);
  return html`<div class="lib">
    <nav class="cams" aria-label="Cameras">
      ${cameras.map((each) => html`<${CameraEntry} key=${each.name} camera=${each} current=${each === chosen} />`)}
      <a class="button quiet everything" href="/recordings">All recordings, upload</a>
    </nav>
    ${chosen
      ? html`<${Day} key=${chosen.name} camera=${chosen} others=${cameras.filter((each) => each !== chosen)} />`
      : html`<main><${Face} title="There is no such camera"><p dir="auto">No camera is called ${camera}.</p><//></main>`}
  </div>`;
}

const Bones = () => html`<div class="lib" aria-busy="true">
  <div class="cams">${[1, 2, 3].map((each) => html`<div class="cam" key=${each}><span class="bone"></span><span><b>${'\u00a0'}</b><small>${'\u00a0'}</small></span></div>`)}</div>
  <main class="day"><h1>${'\u00a0'}</h1><p class="sub">${'\u00a0'}</p><div class="act"><span class="button">${'\u00a0'}</span></div><div class="stripbox"><div class="strip bone"></div><div class="hours"></div></div></main>
</div>`;

/** @param {{camera: any, current: boolean}} props */
function CameraEntry({ camera, current }) {
  const zone = zoneFor(camera.time_zone);
  const last = Date.parse(camera.last);
  const live = Date.now() - last < LIVE_SECONDS * 1000;
  const today = date(last, zone) === date(Date.now(), zone);
  const name = shortDay(last, zone) + (date(last, zone).slice(0, 4) === date(Date.now(), zone).slice(0, 4) ? '' : ` ${date(last, zone).slice(0, 4)}`);
  return html`<a class="cam" href=${`/cameras/${encodeURIComponent(camera.name)}`} aria-current=${current ? 'true' : undefined}>
    <${LastPicture} camera=${camera.name} before=${camera.last} />
    <span><b><i class=${live ? 'dot' : 'dot off'}></i><span dir="auto">${camera.name}</span></b>
    <small class="num">${live ? 'live' : 'last seen'} · ${today ? hour(last, zone) : name}</small></span>
  </a>`;
}

/** @param {{camera: string, before: string}} props */
function LastPicture({ camera, before }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const seen = useSeen(place);
  const shot = usePicture(async () => (seen ? keyframe(camera, Date.parse(before)) : ''), [camera, before, seen]);
  return shot ? html`<img src=${shot} alt="" />` : html`<span class="bone" ref=${place}></span>`;
}

/** @typedef {import('./strip.js').Span} Span */

/** @param {{camera: any, others: any[]}} props */
function Day({ camera, others }) {
  const zone = zoneFor(camera.time_zone);
  const wanted = here.value.searchParams;
  /** @type {Span} */
  const span = useMemo(() => {
    const [from, to] = [Date.parse(wanted.get('from') || ''), Date.parse(wanted.get('to') || '')];
    if (from < to) return { begins: from, ends: to };
    return dayOf(Date.parse(camera.last) - 1, zone);
  }, [here.value.search, zone]);
  const show = (/** @type {Span} */ wider) => go(`${here.value.pathname}${query({ from: iso(wider.begins), to: iso(wider.ends) })}`, { replace: true });
  const [picked, pick] = useState(/** @type {Span | null} */ (null));
  const [found, setFound] = useState(/** @type {{of: string, covered: Span[], gaps: Span[], recordings: any[], next: string | null} | null} */ (null));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const [again, setAgain] = useState(0);

  // A day may have thousands: the strip needs only what is covered, and the wall reads them page by page.
  const listed = `/recordings${query({ camera: camera.name, from: iso(span.begins), to: iso(span.ends), limit: 100 })}`;
  const more = async () => {
    if (!found?.next) return;
    const { of, next } = found;
    // What comes belongs to what was asked for: meanwhile, another span may be shown.
    const change = (/** @type {(was: NonNullable<typeof found>) => Partial<NonNullable<typeof found>>} */ changes) => setFound((was) => (was?.of === of ? { ...was, ...changes(was) } : was));
    change(() => ({ next: null }));
    try {
      const page = await ask(`${of}&cursor=${encodeURIComponent(next)}`);
      change((was) => ({ recordings: [...was.recordings, ...page.items], next: page.next }));
    } catch (error) {
      change(() => ({ next }));
      sayError(error);
    }
  };
  useEffect(() => {
    let stale = false;
    const timer = setTimeout(async () => {
      try {
        const parts = [];
        for (let at = span.begins; at < span.ends; at += 8 * DAY) parts.push({ begins: at, ends: Math.min(span.ends, at + 8 * DAY) });
        const [page, ...coverages] = await Promise.all([
          ask(listed),
          ...parts.map((part) => ask(`/coverage${query({ camera: camera.name, from: iso(part.begins), to: iso(part.ends) })}`)),
        ]);
        const instants = (/** @type {any[]} */ list) => list.map((each) => ({ begins: Date.parse(each.begins), ends: Date.parse(each.ends) }));
        if (stale) return;
        setFault(null);
        setFound({ of: listed, recordings: page.items, next: page.next, covered: coverages.flatMap((each) => instants(each.covered)), gaps: coverages.flatMap((each) => instants(each.gaps)) });
      } catch (error) {
        if (!stale) setFault(error);
      }
    }, found ? 150 : 0);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [camera.name, span.begins, span.ends, again]);

  useEffect(() => {
    ask(`/clips${query({ camera: camera.name, limit: 100 })}`).then((page) => take(page.items), () => {});
  }, [camera.name]);

  // Clips that were cut from a recording, without naming the camera.
  const looked = useRef(/** @type {Set<string>} */ (new Set()));
  useEffect(() => {
    for (const { key } of (found?.recordings || []).slice(0, MOST_LOOKED)) {
      if (looked.current.has(key)) continue;
      looked.current.add(key);
      ask(`/clips${query({ recording: key, limit: 100 })}`).then((page) => take(page.items), () => looked.current.delete(key));
    }
  }, [found?.recordings]);

  const [lively, setLively] = useState(/** @type {{activity: {at: number, value: number, wide: number}[], moments: any[], known: boolean, fault?: boolean}} */ ({ activity: [], moments: [], known: false }));
  useEffect(() => {
    setLively({ activity: [], moments: [], known: false });
    if (span.ends - span.begins > 2 * DAY) return;
    let stale = false;
    const asked = query({ camera: camera.name, from: iso(span.begins), to: iso(span.ends) });
    const timer = setTimeout(async () => {
      // One after the other: both read the same indexes the first time.
      const activity = await ask(`/activity${asked}`).catch(() => null);
      if (stale) return;
      const moments = await ask(`/moments${asked}`).catch(() => null); // what failed is not said to be nothing
      if (stale) return;
      setLively({ activity: (activity?.items || []).flatMap(columns), moments: moments?.items || [], known: true, fault: !moments });
    }, 400);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [camera.name, span.begins, span.ends, again]);

  const marks = [...knownClips.value.values()].flatMap((clip) => {
    const where = filmed(clip);
    if (!where || !where.at || where.camera !== camera.name || clip.state !== 'ready') return [];
    const until = where.at + seconds(clip.result?.duration || 0) * 1000;
    return where.at < span.ends && until > span.begins ? [{ at: where.at, until, id: clip.id }] : [];
  });

  const other = others.find((each) => each.name > camera.name) || others[0];
  const centre = picked ? (picked.begins + picked.ends) / 2 : (span.begins + span.ends) / 2;
  const onCamera = (/** @type {string} */ name) => go(`/cameras/${encodeURIComponent(name)}${query({ from: iso(span.begins), to: iso(span.ends) })}`);
  const onOther = () => other && onCamera(other.name);
  useKeys({ 'other camera': onOther, Escape: () => pick(null) });

  const newest = useNewest();
  const open = async (/** @type {number} */ at) => {
    const recording = await newest(recordingAt(camera.name, at)).catch(sayError);
    if (recording) go(`/cut${query({ recording: recording.key, at: ((at - Date.parse(recording.start)) / 1000).toFixed(3) })}`);
  };
  const days = Math.round((span.ends - span.begins) / DAY);
  const first = date(span.begins, zone);
  const whole = days >= 1 && instant(first, zone) === span.begins && instant(shifted(first, days), zone) === span.ends;
  const beside = (/** @type {number} */ way) =>
    whole ? daysFrom(shifted(first, way * days), days, zone) : { begins: span.begins + way * (span.ends - span.begins), ends: span.ends + way * (span.ends - span.begins) };
  const recorded = (found?.covered || []).reduce((sum, each) => sum + Math.min(each.ends, span.ends) - Math.max(each.begins, span.begins), 0) / 1000;
  const between = (found?.gaps || []).filter((each) => found && found.covered.some((other) => other.ends <= each.begins + 1) && found.covered.some((other) => other.begins >= each.ends - 1)).length;

  return html`<main class="day">
    <h1 dir="auto">${camera.name}</h1>
    <p class="sub num">${whole && days > 1 ? `${days} days from ${day(span.begins, zone)}` : day(span.begins, zone)}${whole ? '' : ` · ${clock(span.begins, zone)} – ${clock(span.ends, zone)}`} · ${zoneName(span.begins, zone, span.ends)}${whole && span.ends - span.begins !== days * DAY ? `, ${(span.ends - span.begins) / 3600000} hours` : ''}${found ? ` · ${length(recorded)} recorded${between ? `, ${counted(between, 'gap')}` : ''}` : ''}${marks.length ? ` · ${counted(marks.length, 'clip')}` : ''}</p>
    <div class="act">
      <button class="button" aria-label="Earlier" onClick=${() => show(beside(-1))}>‹</button>
      ${[[1, 'Day'], [7, 'Week'], [30, 'Month']].map(
        ([count, name]) => html`<button class="button" aria-pressed=${whole && days === count} onClick=${() => show(daysFrom(date(centre, zone), +count, zone))}>${name}</button>`,
      )}
      <button class="button" aria-label="Later" onClick=${() => show(beside(1))}>›</button>
      <label class="row"><span class="visually-hidden">Jump to a date and time</span>
        <input class="field" type="datetime-local" value=${`${first}T${hour(span.begins, zone)}`} onBlur=${(/** @type {any} */ event) => {
          const typed = event.target.value;
          if (!typed || typed < '1970' || typed === `${first}T${hour(span.begins, zone)}`) return;
          const at = instant(event.target.value, zone);
          show(event.target.value.endsWith('T00:00') ? daysFrom(date(at, zone), 1, zone) : { begins: at, ends: at + 3600000 });
        }} /></label>
      <button class="button" onClick=${() => show(dayOf(Date.parse(camera.last) - 1, zone))}>Newest</button>
      ${other && (others.length === 1
        ? html`<button class="button" onClick=${onOther}>Same moment on ${other.name}</button>`
        : html`<label><span class="visually-hidden">Same moment on another camera</span><select class="field" onChange=${(/** @type {any} */ event) => onCamera(event.target.value)}>
            <option value="" selected>Same moment on …</option>${others.map((each) => html`<option key=${each.name} value=${each.name}>${each.name}</option>`)}</select></label>`)}
      <label><span class="visually-hidden">Times are shown</span><select class="field" onChange=${(/** @type {any} */ event) => useClock(event.target.value)}>
        ${Object.entries({ camera: "camera's time", viewer: 'your time', utc: 'UTC' }).map(([name, text]) => html`<option key=${name} value=${name} selected=${name === clockOf.value}>${text}</option>`)}</select></label>
    </div>
    ${fault
      ? html`<${ErrorFace} error=${fault} again=${() => setAgain(again + 1)} />`
      : html`<${Strip} span=${span} zone=${zone} camera=${camera.name} covered=${found?.covered || NONE} gaps=${found?.gaps || NONE} clips=${marks}
          activity=${lively.activity} moments=${lively.moments} picked=${picked} pick=${pick} zoom=${show} open=${open} />
        ${picked && html`<${Picking} camera=${camera} picked=${picked} zone=${zone} done=${() => pick(null)} />`}
        ${span.ends - span.begins <= 2 * DAY && html`<section aria-label="Moments"><h2 class="head">Moments</h2><div class="reel">${
            lively.moments.length
              ? strongest(lively.moments).map((each) => html`<${MomentTile} key=${each.peak} camera=${camera.name} moment=${each} zone=${zone} />`)
              : lively.known
                ? lively.fault
                  ? html`<p class="sub">The moments cannot be read now. <button class="button" onClick=${() => setAgain(again + 1)}>Try again</button></p>`
                  : html`<p class="sub">Nothing stands out here.</p>`
                : [1, 2, 3, 4].map((each) => html`<div class="tile" key=${each}><span class="pic bone"></span></div>`)
          }</div></section>`}
        <h2 class="head">Recordings</h2>
        ${!found
          ? html`<div class="wall" aria-busy="true">${[1, 2, 3, 4].map((each) => html`<div class="tile" key=${each}><span class="pic bone"></span></div>`)}</div>`
          : found.recordings.length
            ? html`<div class="wall">${found.recordings.map((each) => html`<${RecordingTile} key=${each.key} recording=${each} zone=${zone} />`)}</div>
                ${found.next && html`<p class="act"><button class="button" onClick=${more}>Show more recordings</button></p>`}`
            : html`<${Face} title="Nothing was recorded here">
                <p>The camera's newest footage is from ${day(Date.parse(camera.last), zone)}, ${hour(Date.parse(camera.last), zone)}.</p>
                <button class="button" onClick=${() => show(dayOf(Date.parse(camera.last) - 1, zone))}>Show it</button>
              <//>`}`}
  </main>`;
}

const MOST_MOMENTS = 24;
/** @type {Span[]} */
const NONE = [];

/** The strongest moments, in the order in which they were. @param {any[]} moments */
const strongest = (moments) =>
  [...moments].sort((one, other) => other.strength - one.strength).slice(0, MOST_MOMENTS).sort((one, other) => (one.peak < other.peak ? -1 : 1));

/** The activity of a recording as columns. @param {any} line */
function columns(line) {
  const begins = Date.parse(line.begins);
  const step = seconds(Array.isArray(line.step) ? line.step.join('/') : line.step) * 1000;
  return line.values.map((/** @type {number} */ value, /** @type {number} */ i) => ({ at: begins + i * step, value, wide: step }));
}

/** Where something happens: opens in the cutting room with some seconds around it marked. @param {{camera: string, moment: any, zone: string}} props */
function MomentTile({ camera, moment, zone }) {
  const peak = Date.parse(moment.peak);
  const shot = usePicture(async () => new URL(moment.poster, location.href).pathname + new URL(moment.poster, location.href).search, [moment.poster]);
  const open = async (/** @type {MouseEvent} */ event) => {
    event.preventDefault();
    const recording = await recordingAt(camera, peak).catch(sayError);
    const at = (/** @type {number} */ time) => Math.max(0, (time - Date.parse(recording.start)) / 1000).toFixed(3);
    if (recording) go(`/cut${query({ recording: recording.key, at: at(peak), in: at(peak - 8000), out: at(peak + 12000) })}`);
  };
  return html`<a class="tile" href=${`/cameras/${encodeURIComponent(camera)}${query({ from: iso(peak - 60000), to: iso(peak + 60000) })}`} onClick=${open}>
    <span class="pic">${shot && html`<img src=${shot} alt="" />`}<span class="badge num">${Math.round(moment.strength * 100)} %</span></span>
    <b class="num">${clock(peak, zone)}</b>
    <small class="num">${length((Date.parse(moment.ends) - Date.parse(moment.begins)) / 1000)}</small>
  </a>`;
}

/** What was selected by dragging, and what to do with it. @param {{camera: any, picked: Span, zone: string, done: () => void}} props */
function Picking({ camera, picked, zone, done }) {
  const cut = async () => {
    try {
      const clip = await ask('/clips', { method: 'POST', body: { source: { camera: camera.name, from: iso(picked.begins), to: iso(picked.ends) } } });
      take([clip]);
      say(clip.state === 'ready' ? 'This clip exists already.' : 'The clip is being cut.', { action: 'Show', act: () => go(`/clips/${encodeURIComponent(clip.id)}`) });
      done();
    } catch (error) {
      sayError(error);
    }
  };
  const open = async () => {
    const recording = await recordingAt(camera.name, picked.begins).catch(sayError);
    if (!recording) return say('Nothing was recorded at the beginning of the selection.');
    const at = (/** @type {number} */ time) => (Math.min(time - Date.parse(recording.start), seconds(recording.duration) * 1000) / 1000).toFixed(3);
    if (picked.ends > Date.parse(recording.end)) say('The selection goes on in another recording; the cutting room shows the first one.');
    return go(`/cut${query({ recording: recording.key, in: at(picked.begins), out: at(picked.ends) })}`);
  };
  return html`<div class="picking num">
    <b>${clock(picked.begins, zone)} – ${clock(picked.ends, zone)}</b><span class="muted">${length((picked.ends - picked.begins) / 1000)}</span>
    <span class="grow"></span>
    <button class="button quiet" onClick=${done}>Cancel</button>
    <button class="button" onClick=${open}>Open in the cutting room</button>
    <button class="button primary" onClick=${cut}>Cut</button>
  </div>`;
}

/** Whether an element is or was near what is seen. @param {{current: HTMLElement | null}} element */
function useSeen(element) {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current || seen) return;
    const watcher = new IntersectionObserver((entries) => entries.some((each) => each.isIntersecting) && setSeen(true), { rootMargin: '200px' });
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, [seen]);
  return seen;
}

/** A poster that is scrubbed by the pointer. @param {{recording: any, zone: string, named?: boolean}} props */
function RecordingTile({ recording, zone, named = false }) {
  const [part, setPart] = useState(/** @type {number | null} */ (null));
  const tile = useRef(/** @type {HTMLElement | null} */ (null));
  const seen = useSeen(tile);
  const shot = usePicture(async () => (seen ? still(recording.key, 0, recording.etag) : ''), [recording.key, recording.etag, seen]);
  const long = seconds(recording.duration);
  const move = (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === 'touch') return;
    const { left, width } = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    setPart(Math.min(1, Math.max(0, (event.clientX - left) / width)));
  };
  return html`<a class="tile" ref=${tile} href=${`/cut${query({ recording: recording.key, at: part ? (part * long).toFixed(3) : '' })}`}>
    <span class="pic" onPointerMove=${move} onPointerLeave=${() => setPart(null)}>
      ${shot && html`<img src=${shot} alt="" />`}
      ${part !== null && html`<${Sprite} recording=${recording.key} at=${part * long} />`}
      <span class="badge num">${length(long)}</span>
      ${recording.growing && html`<span class="badge left">growing</span>`}
      ${part !== null && html`<i class="scrub" ref=${styled({ '--at': `${part * 100}%` })}></i>`}
    </span>
    <b class="num" dir="auto">${named ? recording.camera : clock(Date.parse(recording.start), zone)}</b>
    <small class="num" title=${recording.key}>${named ? `${moment(Date.parse(recording.start), zone)} · ` : ''}${recording.width ? `${recording.width} × ${recording.height} · ` : ''}${recording.codecs?.join(' + ') || ''}</small>
  </a>`;
}

/** Every recording, whatever its camera is, and a place to drop more. */
export function Recordings() {
  const [found, setFound] = useState(/** @type {any[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [cameras, setCameras] = useState(/** @type {any[]} */ ([]));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  const newest = useNewest();
  const load = () => {
    setFault(null);
    setNext(null);
    newest(ask('/recordings?limit=200')).then((page) => {
      setFound(page.items);
      setNext(page.next);
    }, setFault);
    all('/cameras?limit=1000', 5000).then(setCameras, () => {});
  };
  useEffect(load, []);
  const more = async () => {
    setNext(null);
    const page = await newest(ask(`/recordings?limit=200&cursor=${encodeURIComponent(next || '')}`)).catch((error) => {
      setNext(next);
      throw error;
    });
    setFound((before) => [...(before || []), ...page.items]);
    setNext(page.next);
  };
  useEffect(() => {
    if (!end.current || !next) return;
    const watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && more().catch(sayError), { rootMargin: '800px' });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [next]);
  const zones = new Map(cameras.map((each) => [each.name, each.time_zone]));
  return html`<main class="page">
    <h1>Recordings</h1>
    <${Upload} done=${load} cameras=${cameras.map((each) => each.name)} />
    ${fault
      ? html`<${ErrorFace} error=${fault} again=${load} />`
      : !found
        ? html`<div class="wall" aria-busy="true">${[1, 2, 3, 4].map((each) => html`<div class="tile" key=${each}><span class="pic bone"></span><b class="bone">${'\u00a0'}</b></div>`)}</div>`
        : found.length
          ? html`<div class="wall">${found.map((each) => html`<${RecordingTile} key=${each.key} recording=${each} zone=${zoneFor(zones.get(each.camera))} named=${true} />`)}</div>`
          : html`<${Face} title="No recordings yet"><p>Drop a file above, or put recordings into the source store: Cutback finds them by their names.</p><//>`}
    <div ref=${end}></div>
  </main>`;
}
