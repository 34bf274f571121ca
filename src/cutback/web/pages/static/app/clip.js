// A clip: the player, sharing, what it was made of, and what to do when it failed.
import { html, useEffect, useRef, useState } from './dom.js';
import { ask } from './api.js';
import { clips as known, filmed, forget, nameOf, refresh, take } from './clip_store.js';
import { STATES, cameraZones, mediaPath, posterOf } from './clips.js';
import { ErrorFace, Face, Typed, say, sayError, styled } from './pieces.js';
import { editAgain, remediesOf } from './remedies.js';
import { go } from './router.js';
import { counted, length, number, seconds, size, timecode } from './words.js';
import { day, exactClock, moment, zoneFor, zoneName } from './zones.js';

/** @param {{id: string}} props */
export function Clip({ id }) {
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const [zoneOf, setZones] = useState(new Map());
  const path = `/clips/${encodeURIComponent(id)}`;
  const load = () => {
    setFault(null);
    ask(path).then((clip) => take([clip]), setFault);
  };
  useEffect(load, [id]);
  useEffect(() => void cameraZones().then(setZones, () => {}), []);
  const clip = known.value.get(id);
  const seen = useRef(false);
  seen.current ||= Boolean(clip);
  const gone = html`<main><${Face} title="There is no such clip"><p>It may have been deleted.</p><a class="button" href="/clips">All clips</a><//></main>`;
  if (!clip && seen.current) return gone;
  if (fault && !clip) {
    if (/** @type {any} */ (fault).status === 404) return gone;
    return html`<main><${ErrorFace} error=${fault} again=${load} /></main>`;
  }
  if (!clip) return html`<main class="page clip" aria-busy="true"><div class="blank bone"></div><div class="side"></div></main>`;

  const act = async (/** @type {string} */ what) => {
    try {
      take([await ask(`${path}/${what}`, { method: 'POST' })]);
      await refresh(id);
    } catch (error) {
      sayError(error);
    }
  };
  const remove = async () => {
    try {
      const { delete_at: until } = await ask(path, { method: 'DELETE' });
      forget(id);
      go('/clips');
      const restore = async () => {
        take([await ask(`${path}/restore`, { method: 'POST' })]);
        await refresh(id);
        go(path);
      };
      say('The clip is deleted.', { action: 'Undo', act: () => void restore().catch(sayError), seconds: Math.min(20, Math.max(5, (Date.parse(until) - Date.now()) / 1000 - 1)) });
    } catch (error) {
      sayError(error);
    }
  };
  const rename = async (/** @type {string} */ text) => {
    const title = text.trim();
    if (title === clip.title) return true;
    try {
      take([await ask(path, { method: 'PATCH', body: { title }, headers: { 'If-Match': '*' } })]);
      return true;
    } catch (error) {
      sayError(error);
      return false;
    }
  };

  const result = clip.result;
  const where = filmed(clip);
  const zone = zoneFor(where ? zoneOf.get(where.camera) : undefined);
  const poster = posterOf(clip, 1200);
  return html`<main class="page clip">
    <div>
      ${clip.state === 'ready'
        ? html`<${Media} clip=${clip} poster=${poster && new URL(poster.url).pathname} />`
        : html`<div class="blank" role="status"><div>
            <p>${clip.state === 'failed' ? 'This clip could not be made.' : `This clip is ${STATES[clip.state] || clip.state}${clip.state === 'processing' ? ` · ${Math.round((clip.progress?.fraction || 0) * 100)} %` : ''}`}</p>
            ${clip.waits_for && html`<p class="muted">For footage of ${clip.waits_for}.${clip.waits_until ? ` It is made at ${moment(Date.parse(clip.waits_until), zone)} at the latest, with what is there.` : ''}</p>`}
          </div></div>`}
      ${clip.state === 'processing' && html`<div class="bigmeter" ref=${styled({ '--done': `${(clip.progress?.fraction || 0) * 100}%` })}><i></i></div>`}
    </div>
    <div class="side">
      <div>
        <h1 class="visually-hidden">${nameOf(clip)}</h1>
        <${Typed} tag="textarea" class="title" dir="auto" rows="1" value=${clip.title || ''} placeholder=${nameOf(clip)} aria-label="Title" maxlength="200" commit=${rename} />
        <p class="sub num">${[where?.camera, where && Boolean(where.at) && `${day(where.at, zone)}, ${exactClock(where.at, zone)} · ${zoneName(where.at, zone)}`].filter(Boolean).join(' · ')}</p>
        ${result && html`<p class="sub num">${[seconds(result.duration) > 0 && length(seconds(result.duration)), result.width > 0 && `${result.width} × ${result.height}`, size(result.size)].filter(Boolean).join(' · ')}</p>`}
      </div>
      ${clip.failure && clip.state === 'failed' && html`<div class="panelbox" role="alert"><h2>Why</h2><p class="why" dir="auto">${clip.failure.message}</p>${clip.failure.remedy && html`<p class="sub">${clip.failure.remedy}</p>`}
        ${clip.failure.type && html`<p class="sub"><code>${clip.failure.reason}</code></p>`}</div>`}
      <div class="act">
        ${clip.state === 'ready' && html`<${Share} clip=${clip} /><a class="button" href=${`${mediaPath(clip)}?download=true`} download>Download</a>`}
        ${remediesOf(clip).map((each, i) => (each.href
          ? html`<a class=${`button${i ? '' : ' primary'}`} key=${each.label} href=${each.href}>${each.label}</a>`
          : html`<button class=${`button${i ? '' : ' primary'}`} key=${each.label} onClick=${() => each.act?.().catch(sayError)}>${each.label}</button>`))}
        ${['queued', 'waiting', 'processing'].includes(clip.state) && html`<button class="button" onClick=${() => act('cancel')}>Cancel</button>`}
        ${clip.state !== 'failed' && editAgain(clip) && html`<a class="button" href=${editAgain(clip)}>Edit again</a>`}
        <button class="button quiet danger" onClick=${remove}>Delete</button>
      </div>
      ${result && html`<${Details} clip=${clip} zone=${zone} />`}
      <details><summary>Request</summary><div><pre>${JSON.stringify(clip.request, null, 2)}</pre></div></details>
    </div>
  </main>`;
}

/** What was cut and how it was made, folded. @param {{clip: any, zone: string}} props */
function Details({ clip, zone }) {
  const { result } = clip;
  const stages = Object.entries(result.stages || {});
  const longest = Math.max(1e-9, ...stages.map(([, took]) => Number(took)));
  return html`<details><summary>Source ranges</summary><div><dl class="kv">
      ${result.spans.map((/** @type {any} */ span) => html`<dt>${span.asset ? 'Asset' : 'Recording'}</dt><dd dir="auto">${span.recording}<br /><span class="num">${timecode(seconds(span.start))} – ${timecode(seconds(span.end))}${span.begins ? ` · ${exactClock(Date.parse(span.begins), zone)}` : ''}${span.clamped ? ', as far as it goes' : ''}</span></dd>`)}
      ${result.gaps.map((/** @type {any} */ gap) => html`<dt>Gap</dt><dd class="num">${exactClock(Date.parse(gap.begins), zone)} – ${exactClock(Date.parse(gap.ends), zone)}, ${GAPS[gap.filled] || gap.filled}</dd>`)}
    </dl></div></details>
    <details><summary>How it was made</summary><div><dl class="kv">
      <dt>Frames</dt><dd>${number(result.frames_copied)} copied, ${number(result.frames_encoded)} re-encoded</dd>
      <dt>Read</dt><dd>${size(result.bytes_read)} of ${size(result.source_size)}, in ${counted(result.requests, 'request')}</dd>
      <dt>Time</dt><dd>${length(result.seconds)}</dd>
      ${stages.map(([name, took]) => html`<dt class="stage">${name}</dt><dd class="stage num"><i ref=${styled({ '--part': `${(Number(took) / longest) * 100}%` })}></i>${Number(took).toFixed(3)} s</dd>`)}
      <dt>Attempts</dt><dd>${clip.attempt}</dd>
      <dt>Requested</dt><dd class="num">${moment(Date.parse(clip.created_at), zone)}</dd>
      <dt>Id</dt><dd>${clip.id}</dd>
      ${result.edits?.length > 0 && html`<dt>Edits</dt><dd>${result.edits.map((/** @type {string} */ each) => html`${each}<br />`)}</dd>`}
      ${result.notes.length > 0 && html`<dt>Notes</dt><dd>${result.notes.join(' ')}</dd>`}
    </dl></div></details>`;
}

/** What a clip shows instead of footage that is missing. */
const GAPS = /** @type {Record<string, string>} */ ({ skip: 'left out', black: 'black instead', freeze: 'the picture before instead' });

/** The clip as its kind is looked at or listened to. @param {{clip: any, poster: string}} props */
function Media({ clip, poster }) {
  const [broken, setBroken] = useState(false);
  const { key, width, height } = clip.result;
  const path = mediaPath(clip);
  const fail = () => setBroken(true);
  if (broken) {
    return html`<div class="blank" role="alert"><div><p>This browser cannot show this clip.</p>
      <p>Download it to open it elsewhere, or edit it again and choose MP4 with H.264.</p>
      <p class="act"><button class="button" onClick=${() => setBroken(false)}>Try again</button></p></div></div>`;
  }
  if (/\.(gif|webp|jpe?g|png)$/.test(key)) return html`<img class="shown" src=${path} alt=${nameOf(clip)} width=${width} height=${height} onError=${fail} />`;
  if (!width) return html`<div class="blank"><audio src=${path} controls preload="metadata" onError=${fail}></audio></div>`;
  return html`<video src=${path} poster=${poster} controls playsinline preload="metadata" width=${width} height=${height} onError=${fail}></video>`;
}

/** @param {{clip: any}} props */
function Share({ clip }) {
  const [link, setLink] = useState('');
  const share = async () => {
    try {
      const { url } = await ask('/shares', { method: 'POST', body: { clip: clip.id } });
      setLink(url);
      if (navigator.share && matchMedia('(pointer: coarse)').matches) await navigator.share({ title: nameOf(clip), url }).catch(() => {});
      else await navigator.clipboard.writeText(url).then(() => say('The link is copied. It works for 30 days.'), () => {});
    } catch (error) {
      sayError(error);
    }
  };
  return html`<button class="button primary" onClick=${share}>Share</button>${link && html`<input class="field link" readonly value=${link} aria-label="Link" onFocus=${(/** @type {any} */ event) => event.target.select()} />`}`;
}
