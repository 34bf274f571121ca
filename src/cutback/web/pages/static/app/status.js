// What waits, what is being made, what failed and why.
import { html, useEffect, useState } from './dom.js';
import { ask } from './api.js';
import { ErrorFace, Face, say, sayError } from './pieces.js';
import { counted, length, number, size } from './words.js';
import { moment, zoneFor } from './zones.js';

const EVERY = 3000;

export function Status() {
  const [said, setSaid] = useState(/** @type {any} */ (null));
  const [done, setDone] = useState(/** @type {number | null} */ (null));
  const [letters, setLetters] = useState(/** @type {any[] | null} */ (null));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const load = async () => {
    try {
      const midnight = new Date();
      midnight.setHours(0, 0, 0, 0);
      const [status, dead, ready] = await Promise.all([
        ask('/status'),
        ask('/dead-letters'),
        ask(`/clips?state=ready&from=${encodeURIComponent(midnight.toISOString())}&limit=1&total=true`),
      ]);
      setSaid(status);
      setLetters(dead.items);
      setDone(ready.total);
      setFault(null);
    } catch (error) {
      setFault(error);
    }
  };
  const refused = /** @type {any} */ (fault)?.status === 403;
  useEffect(() => {
    load();
    if (refused) return;
    const timer = setInterval(() => document.hidden || load(), EVERY);
    return () => clearInterval(timer);
  }, [refused]);
  if (refused) return html`<main><${Face} title="Not for this key"><p>The status of the installation is for keys with the scope admin that belong to no tenant.</p><//></main>`;
  if (fault && !said) return html`<main><${ErrorFace} error=${fault} again=${load} /></main>`;
  if (!said) return html`<main class="page" aria-busy="true"><h1>Status</h1><div class="four">${[1, 2, 3, 4].map((each) => html`<div class="panelbox bone" key=${each}><b>${'\u00a0'}</b></div>`)}</div></main>`;

  const redrive = async (/** @type {any} */ body) => {
    try {
      await ask('/dead-letters/redrive', { method: 'POST', body });
      say('The messages are in the queue again.');
      load();
    } catch (error) {
      sayError(error);
    }
  };
  const failed = Object.entries(said.failed_last_day);
  const waiting = said.clips.queued + said.clips.waiting;
  const zone = zoneFor();
  return html`<main class="page">
    <h1>Status</h1>
    ${said.attention.map((/** @type {string} */ each) => html`<p class="why" role="alert">${each}</p>`)}
    <div class="four">
      ${[[waiting, 'waiting', said.oldest_queued_seconds ? `the oldest for ${length(said.oldest_queued_seconds)}` : said.clips.waiting ? `${counted(said.clips.waiting, 'clip')} for footage` : 'nothing waits for a worker'],
         [said.clips.processing, 'being made', counted(said.workers.length, 'worker')],
         [done, 'done today', ''],
         [failed.reduce((sum, [, count]) => sum + Number(count), 0), 'failed in 24 hours', failed.length ? counted(failed.length, 'reason') : '']].map(
        ([value, name, more]) => html`<div class="panelbox"><b>${value === null ? '–' : number(Number(value))}</b>${name}<p class="sub num">${more}</p></div>`)}
    </div>
    <div class="two">
      <section class="panelbox"><h2>Workers</h2>
        ${said.workers.length ? html`<table><thead><tr><th>Name</th><th>Doing</th><th>Since</th></tr></thead><tbody>
          ${said.workers.map((/** @type {any} */ each) => html`<tr><td>${each.name}</td><td>${each.clip ? html`<a href=${`/clips/${encodeURIComponent(each.clip)}`}>${each.clip}</a> ${each.stage || ''}` : html`<span class="muted">waiting for work</span>`}</td><td class="num">${moment(Date.parse(each.started_at), zone)}</td></tr>`)}
        </tbody></table>` : html`<p class="why">No worker runs. Start one with <code>cutback worker</code>.</p>`}
      </section>
      <section class="panelbox"><h2>What it depends on</h2><table><tbody>
        ${said.dependencies.map((/** @type {any} */ each) => html`<tr><td>${each.name}</td><td>${each.ok ? html`<span class="muted">answers in ${Math.max(0.1, each.seconds * 1000).toFixed(1)} ms</span>` : html`<span class="why">${each.reason}</span>`}</td></tr>`)}
        <tr><td>disk</td><td class="muted num">${size(said.disk_free)} free</td></tr></tbody></table>
      </section>
      <section class="panelbox"><h2>Failed in 24 hours, by reason</h2>
        ${failed.length ? html`<table><tbody>${failed.map(([reason, count]) => html`<tr><td><code>${reason}</code></td><td class="num">${number(Number(count))}</td></tr>`)}</tbody></table>
          <a class="button" href="/clips?state=failed">Show them</a>` : html`<p class="muted">None.</p>`}
      </section>
      <section class="panelbox"><h2>Dead letters</h2>
        ${letters?.length ? html`<table><tbody>${letters.map((letter) => html`<tr><td>${letter.reason || letter.id}</td><td><button class="button" onClick=${() => redrive({ ids: [letter.id] })}>Send back</button></td></tr>`)}</tbody></table>
          <button class="button" onClick=${() => redrive({ all: true })}>Send all back</button>` : html`<p class="muted">None.</p>`}
      </section>
    </div>
  </main>`;
}
