// New recordings: dropped or chosen files, sent in parts that are repeated when they fail. If a file's name does not say
// which camera it is from and when it begins, the page asks before it sends anything.
import { html, useRef, useState } from './dom.js';
import { Problem, ask, inPath, pause } from './api.js';
import { styled } from './pieces.js';
import { size } from './words.js';
import { date, hour, instant, iso, zoneFor } from './zones.js';

const AT_ONCE = 3;

/** @typedef {{camera: string, start: string}} Place */

/** Which camera the file is from, or that it has to be asked. */
class PlaceUntold extends Error {}

/** @param {File} file @param {Place | null} place @param {(done: number) => void} moved */
async function upload(file, place, moved) {
  const key = `uploads/${file.name.replace(/[^\p{L}\p{N}._ -]/gu, '_')}`;
  const begun = await ask('/uploads', { method: 'POST', body: { key, size: file.size, ...place } });
  if (!place && begun.untold.length) {
    await ask(`/uploads/${inPath(begun.id)}`, { method: 'DELETE' });
    throw new PlaceUntold();
  }
  let done = 0;
  let next = 1;
  const sendParts = async () => {
    while (next <= begun.parts) {
      const number = next++;
      const { items } = await ask(`/uploads/${inPath(begun.id)}/parts`, { method: 'POST', body: { numbers: [number] } });
      const [where] = items;
      const from = (number - 1) * begun.part_size;
      const part = file.slice(from, from + begun.part_size);
      for (let tries = 0; ; tries++) {
        const answer = await fetch(where.url, { method: 'PUT', body: part, headers: where.headers || {} }).catch(() => null);
        if (answer?.ok) break;
        if (tries === 4) throw new Problem({ detail: `Part ${number} of ${file.name} did not arrive.`, remedy: 'Try again.' });
        await pause(1000 * 2 ** tries);
      }
      done += part.size;
      moved(done / file.size);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendParts));
  const { catalogued } = await ask(`/uploads/${inPath(begun.id)}/complete`, { method: 'POST' });
  if (catalogued === false) {
    throw new Problem({ detail: 'The file is stored, but it is not known when it begins, so it is not listed.', remedy: 'Register it with `cutback register`.' });
  }
}

/** @typedef {{file: File, part: number, fault: string, asks: boolean}} Sending */

/** @param {{done: () => void, cameras?: string[]}} props */
export function Upload({ done, cameras = [] }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState(/** @type {Record<string, Sending>} */ ({}));
  const note = (/** @type {File} */ file, /** @type {Partial<Sending>} */ more) =>
    setSending((all) => ({ ...all, [file.name]: { ...(all[file.name] || { file, part: 0, fault: '', asks: false }), ...more } }));
  const begin = (/** @type {File} */ file, /** @type {Place | null} */ place) => {
    note(file, { part: 0, fault: '', asks: false });
    upload(file, place, (part) => note(file, { part })).then(done, (error) =>
      note(file, error instanceof PlaceUntold ? { asks: true } : { fault: [error.message, error.remedy].filter(Boolean).join(' '), asks: Boolean(place) && error.status === 422 }));
  };
  const add = (/** @type {FileList | null | undefined} */ files) => {
    for (const file of files || []) begin(file, null);
  };
  return html`<div class=${`drop panelbox${over ? ' over' : ''}`}
    onDragOver=${(/** @type {DragEvent} */ event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}
    onDrop=${(/** @type {DragEvent} */ event) => { event.preventDefault(); setOver(false); add(event.dataTransfer?.files); }}>
    <p>Drop recordings here</p>
    <button class="button" onClick=${() => input.current?.click()}>Choose files</button>
    <input class="visually-hidden" ref=${input} type="file" multiple accept="video/*,.ts,.mts,.m2ts,.mkv" tabindex="-1" aria-label="Choose recordings" onChange=${(/** @type {any} */ event) => add(event.target.files)} />
    ${Object.entries(sending).map(([name, each]) => html`<div class="sending num" key=${name}>
      <span dir="auto">${name}</span> <span class="muted">${size(each.file.size)} · ${each.asks ? 'where is it from?' : each.fault ? 'not sent' : each.part < 1 ? `${Math.floor(each.part * 100)} %` : 'done'}</span>
      ${each.fault && html`<p class="why" role="alert">${each.fault}</p>`}
      ${each.asks
        ? html`<${AskPlace} file=${each.file} cameras=${cameras} answer=${(/** @type {Place} */ place) => begin(each.file, place)} />`
        : html`<div class="meter" ref=${styled({ '--done': `${each.part * 100}%` })}><i></i></div>`}
    </div>`)}
  </div>`;
}

/** @param {{file: File, cameras: string[], answer: (place: Place) => void}} props */
function AskPlace({ file, cameras, answer }) {
  const zone = zoneFor();
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const { camera, start } = /** @type {any} */ (event.target).elements;
    answer({ camera: camera.value.trim(), start: iso(instant(start.value, zone)) });
  };
  return html`<form class="act" onSubmit=${send}>
    <label class="row">Camera <input class="field" name="camera" list="cameras-known" value="uploads" maxlength="200" required /></label>
    <datalist id="cameras-known">${cameras.map((each) => html`<option value=${each}></option>`)}</datalist>
    <label class="row">Begins <input class="field" name="start" type="datetime-local" step="1" value=${`${date(file.lastModified, zone)}T${hour(file.lastModified, zone)}`} required /></label>
    <button class="button primary">Upload</button>
  </form>`;
}
