// What waits, what is being made, a day in charts, what failed and why, and what everything depends on.
import { html, useEffect, useRef, useState } from './dom.js';
import { ask } from './api.js';
import { Chart } from './chart.js';
import { ErrorFace, Face, say, sayError } from './pieces.js';
import { counted, length, number, size } from './words.js';
import { clock, date, hour, instant, moment, zoneFor } from './zones.js';

const EVERY = 3000;
const DAY_EVERY = 60000;

/** What workers do, by the names that traces have. */
const DOING = /** @type {Record<string, string>} */ ({
  'look up': 'looks it up',
  claim: 'takes it',
  locate: 'finds the footage',
  cut: 'cuts',
  store: 'stores the clip',
  record: 'writes the record',
  announce: 'announces it',
});

/** What each dependency is for. */
const PARTS = /** @type {Record<string, string>} */ ({ records: 'records', queue: 'queue', long_queue: 'queue of long clips', webhooks: 'queue of webhooks', recordings: 'store of recordings', clips: 'store of clips', cache: 'cache' });

/** @param {any} value */
const known = (value) => value !== undefined && value !== null;

export function Status() {
  const [said, setSaid] = useState(/** @type {any} */ (null));
  const [readAt, setReadAt] = useState(0);
  const [day, setDay] = useState(/** @type {any} */ (null));
  const [letters, setLetters] = useState(/** @type {Record<string, any[]>} */ ({}));
  const [examples, setExamples] = useState(/** @type {Map<string, any>} */ (new Map()));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const explained = useRef('');

  const load = async () => {
    try {
      const status = await ask('/status');
      const dead = /** @type {Record<string, any[]>} */ ({});
      for (const [queue, depth] of [['clips', status.queue], ['webhooks', status.webhooks]]) {
        if (depth?.dead) dead[queue] = (await ask(`/dead-letters?queue=${queue}&limit=50`)).items;
      }
      // One failed clip of each reason says in words what to do.
      const reasons = JSON.stringify(status.failed_last_day || {});
      if (reasons !== '{}' && reasons !== explained.current) {
        const { items } = await ask('/clips?state=failed&limit=200');
        const found = new Map();
        for (const clip of items) if (clip.failure && !found.has(clip.failure.reason)) found.set(clip.failure.reason, clip);
        setExamples(found);
        explained.current = reasons;
      }
      setSaid(status);
      setLetters(dead);
      setReadAt(Date.now());
      setFault(null);
    } catch (error) {
      setFault(error);
    }
  };
  const loadDay = () => ask('/status/day').then(setDay, () => {});
  const refused = /** @type {any} */ (fault)?.status === 403;
  useEffect(() => {
    load();
    if (refused) return;
    loadDay();
    const timers = [setInterval(() => document.hidden || load(), EVERY), setInterval(() => document.hidden || loadDay(), DAY_EVERY)];
    return () => timers.forEach(clearInterval);
  }, [refused]);
  if (refused) return html`<main><${Face} title="Not for this key"><p>The status of the installation is for keys with the scope admin that belong to no tenant.</p><//></main>`;
  if (fault && !said) return html`<main><${ErrorFace} error=${fault} again=${load} /></main>`;
  if (!said) return html`<${Bones} />`;

  const zone = zoneFor();
  return html`<main class="page">
    <h1>Status</h1>
    ${fault && html`<p class="why" role="status">The status cannot be read now. This is what it was at ${clock(readAt, zone)}.</p>`}
    ${said.attention.map((/** @type {string} */ each) => html`<p class="why" role="alert">${each}</p>`)}
    ${said.clips && html`<${Numbers} said=${said} day=${day} zone=${zone} />`}
    ${said.clips && html`<div class="two"><${Charts} day=${day} zone=${zone} /></div>`}
    <div class="two">
      ${said.workers && html`<${Workers} workers=${said.workers} zone=${zone} />`}
      <${Dependencies} said=${said} day=${day} />
      ${said.failed_last_day && html`<${Failures} failed=${said.failed_last_day} examples=${examples} />`}
      ${said.queue && html`<${DeadLetters} letters=${letters} zone=${zone} done=${load} />`}
      ${said.waiting_for && Object.keys(said.waiting_for).length > 0 && html`<section class="panelbox"><h2>Waiting for footage</h2><table><thead><tr><th>Camera</th><th>Clips</th></tr></thead><tbody>
        ${Object.entries(said.waiting_for).map(([camera, count]) => html`<tr key=${camera}><td dir="auto"><a href=${`/cameras/${encodeURIComponent(camera)}`}>${camera}</a></td><td class="num">${number(Number(count))}</td></tr>`)}</tbody></table></section>`}
    </div>
  </main>`;
}

const Bones = () => html`<main class="page" aria-busy="true"><h1>Status</h1>
  <div class="four">${[1, 2, 3, 4].map((each) => html`<div class="panelbox bone" key=${each}><b>${'\u00a0'}</b>${'\u00a0'}<p class="sub">${'\u00a0'}</p></div>`)}</div>
  <div class="two">${[1, 2].map((each) => html`<div class="panelbox chart bone" key=${each}><h2>${'\u00a0'}</h2><div class="plot"></div></div>`)}</div>
</main>`;

/** @param {{said: any, day: any, zone: string}} props */
function Numbers({ said, day, zone }) {
  const midnight = instant(date(Date.now(), zone), zone);
  const today = day?.items.filter((/** @type {any} */ each) => Date.parse(each.begins) + 3600000 > midnight);
  const sum = (/** @type {string} */ name) => today?.reduce((/** @type {number} */ all, /** @type {any} */ each) => all + each[name], 0);
  const failed = Object.keys(said.failed_last_day).length;
  const waiting = [
    said.oldest_queued_seconds ? `the oldest for ${length(said.oldest_queued_seconds)}` : 'none waits for a worker',
    said.clips.waiting ? `${number(said.clips.waiting)} for footage` : '',
  ];
  /** @type {[number | undefined, string, string, string][]} */
  const four = [
    [said.clips.queued + said.clips.waiting, 'waiting', waiting.filter(Boolean).join(', '), '/clips?state=queued'],
    [said.clips.processing, 'being made', counted(said.workers.length, 'worker'), '/clips?state=processing'],
    [sum('ready'), 'done today', day ? `${size(sum('stored_bytes'))} stored` : '', '/clips?state=ready'],
    [sum('failed'), 'failed today', failed ? `${counted(failed, 'reason')} in 24 hours` : 'none in 24 hours', '/clips?state=failed'],
  ];
  return html`<div class="four">${four.map(([value, name, more, href]) => html`<a class="panelbox" key=${name} href=${href}><b>${known(value) ? number(Number(value)) : '–'}</b>${name}<p class="sub num">${more || '\u00a0'}</p></a>`)}</div>`;
}

/** @param {{day: any, zone: string}} props */
function Charts({ day, zone }) {
  const items = (day?.items || []).map((/** @type {any} */ each) => {
    const at = Date.parse(each.begins);
    return { ...each, at, name: `${hour(at, zone)} – ${hour(at + 3600000, zone)}` };
  });
  const axis = (/** @type {number} */ at) => hour(at, zone);
  const [ready, failed] = ['ready', 'failed'].map((name) => items.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each[name], 0));
  const slowest = Math.max(0, ...items.map((/** @type {any} */ each) => each.requested_to_ready?.p95 || 0));
  return html`
    <${Chart} title="Clips an hour" said=${`In the last 24 hours, ${counted(ready, 'clip')} became ready and ${number(failed)} failed.`} names=${['ready', 'failed']} kinds=${['good', 'bad']} stacked=${true} unit="count"
      items=${items.map((/** @type {any} */ each) => ({ ...each, values: [each.ready, each.failed] }))} format=${number} axis=${axis} />
    <${Chart} title="From the request to the clip" said=${slowest ? `In the slowest hour, 95 of 100 clips were ready within ${length(slowest)}.` : 'No clip was made in the last 24 hours.'} names=${['half within', '95 of 100 within']} kinds=${['good', 'quiet']} unit="seconds"
      items=${items.map((/** @type {any} */ each) => ({ ...each, values: [each.requested_to_ready?.median ?? null, each.requested_to_ready?.p95 ?? null] }))} format=${(/** @type {number} */ value) => (value < 60 ? `${+value.toFixed(2)} s` : length(value))} axis=${axis} />`;
}

/** @param {{workers: any[], zone: string}} props */
const Workers = ({ workers, zone }) => html`<section class="panelbox"><h2>Workers</h2>
  ${workers.length
    ? html`<table><thead><tr><th>Name</th><th>Doing</th><th>Since</th></tr></thead><tbody>${workers.map((each) => html`<tr key=${each.name}>
        <td>${each.name}</td>
        <td>${each.clip ? html`${DOING[each.stage] || each.stage || 'works'} · <a href=${`/clips/${encodeURIComponent(each.clip)}`}>${each.clip}</a>` : html`<span class="muted">waits for work</span>`}${each.beat_seconds > 45 ? html`<br /><span class="why">silent for ${length(each.beat_seconds)}</span>` : ''}</td>
        <td class="num">${each.started_at ? moment(Date.parse(each.started_at), zone) : '–'}</td></tr>`)}</tbody></table>`
    : html`<p class="why">No worker runs. Start one with <code>cutback worker</code>.</p>`}
</section>`;

/** @param {{said: any, day: any}} props */
function Dependencies({ said, day }) {
  const sum = (/** @type {string} */ name) => day.items.reduce((/** @type {number} */ all, /** @type {any} */ each) => all + each[name], 0);
  return html`<section class="panelbox"><h2>Storage, cache and queue</h2><table><tbody>
    ${said.dependencies.map((/** @type {any} */ each) => html`<tr key=${each.name}><td>${PARTS[each.name] || each.name}</td><td class="num">${each.ok ? html`<span class="muted">answers in ${Math.max(0.1, each.seconds * 1000).toFixed(1)} ms</span>` : html`<span class="why">${each.reason}</span>`}</td></tr>`)}
    ${known(said.disk_free) && html`<tr><td>disk</td><td class="muted num">${size(said.disk_free)} free</td></tr>`}
    ${day && html`<tr><td>in 24 hours</td><td class="muted num">${size(sum('read_bytes'))} of recordings read, ${size(sum('stored_bytes'))} of clips stored</td></tr>`}
    ${said.queue && html`<tr><td>messages</td><td class="muted num">${Object.entries(said.queue).map(([name, count]) => `${number(Number(count))} ${name.replaceAll('_', ' ')}`).join(', ')}</td></tr>`}
  </tbody></table></section>`;
}

/** @param {{failed: Record<string, number>, examples: Map<string, any>}} props */
function Failures({ failed, examples }) {
  const reasons = Object.entries(failed);
  return html`<section class="panelbox"><h2>Failed in 24 hours, by reason</h2>
    ${reasons.length
      ? html`<table><tbody>${reasons.map(([reason, count]) => {
          const clip = examples.get(reason);
          return html`<tr key=${reason}><td class="num">${number(count)}</td><td><code>${reason}</code>${clip?.failure.remedy && html`<p class="sub">${clip.failure.remedy}</p>`}</td><td class="num nowrap">${clip && html`<a href=${`/clips/${encodeURIComponent(clip.id)}`}>the newest</a>`}</td></tr>`;
        })}</tbody></table><p class="act"><a class="button" href="/clips?state=failed">Show all failed clips</a></p>`
      : html`<p class="muted">None.</p>`}
  </section>`;
}

/** @param {{letters: Record<string, any[]>, zone: string, done: () => void}} props */
function DeadLetters({ letters, zone, done }) {
  const redrive = async (/** @type {any} */ body) => {
    try {
      const { redriven } = await ask('/dead-letters/redrive', { method: 'POST', body });
      say(`${counted(redriven, 'message')} in the queue again.`);
      done();
    } catch (error) {
      sayError(error);
    }
  };
  const queues = Object.entries(letters).filter(([, found]) => found.length);
  return html`<section class="panelbox" aria-label="Dead letters"><h2>Dead letters</h2>
    ${queues.length
      ? queues.map(([queue, found]) => html`<div key=${queue}><p class="sub">Messages of the queue of ${queue} that failed every retry. Fix the cause, then send them back.</p>
          <table><thead><tr><th>What</th><th>Why</th><th>When</th><th></th></tr></thead><tbody>
          ${found.map((letter) => html`<tr key=${letter.id}><td dir="auto">${letter.subject || letter.id}</td><td>${letter.reason ? html`<code>${letter.reason}</code>` : '–'}<br /><span class="muted num">${counted(letter.receive_count, 'try', 'tries')}</span></td>
            <td class="num">${moment(Date.parse(letter.died_at), zone)}</td><td><button class="button" onClick=${() => redrive({ queue, ids: [letter.id] })}>Send back</button></td></tr>`)}</tbody></table>
          <p class="act"><button class="button" onClick=${() => redrive({ queue, all: true })}>Send all back</button></p></div>`)
      : html`<p class="muted">None.</p>`}
  </section>`;
}
