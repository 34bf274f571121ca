// New recordings: dropped or chosen files, sent in parts that are repeated when they fail.
import { html, useRef, useState } from './dom.js';
import { Problem, ask, inPath, pause } from './api.js';
import { styled } from './pieces.js';
import { size } from './words.js';

const AT_ONCE = 3;

/** @param {File} file @param {(done: number) => void} moved */
async function upload(file, moved) {
  const key = `uploads/${file.name.replace(/[^\p{L}\p{N}._ -]/gu, '_')}`;
  const begun = await ask('/uploads', { method: 'POST', body: { key, size: file.size } });
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
    throw new Problem({
      detail: 'The file is stored, but its name does not tell its camera and time, so it is not listed.',
      remedy: 'Rename it, such as camera.2026-06-21T05-30-00Z.mp4, or register it with `cutback register`.',
    });
  }
}

/** @param {{done: () => void}} props */
export function Upload({ done }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState(/** @type {Record<string, {part: number, size: number, fault: string}>} */ ({}));
  const add = (/** @type {FileList | null | undefined} */ files) => {
    for (const file of files || []) {
      const note = (/** @type {Partial<{part: number, fault: string}>} */ more) =>
        setSending((all) => ({ ...all, [file.name]: { ...(all[file.name] || { part: 0, fault: '', size: file.size }), ...more } }));
      note({});
      upload(file, (part) => note({ part })).then(done, (error) => note({ fault: [error.message, error.remedy].filter(Boolean).join(' ') }));
    }
  };
  return html`<div class=${`drop panelbox${over ? ' over' : ''}`}
    onDragOver=${(/** @type {DragEvent} */ event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}
    onDrop=${(/** @type {DragEvent} */ event) => { event.preventDefault(); setOver(false); add(event.dataTransfer?.files); }}>
    <p>Drop recordings here</p>
    <button class="button" onClick=${() => input.current?.click()}>Choose files</button>
    <input class="visually-hidden" ref=${input} type="file" multiple accept="video/*,.ts,.mts,.m2ts,.mkv" aria-label="Choose recordings" onChange=${(/** @type {any} */ event) => add(event.target.files)} />
    ${Object.entries(sending).map(([name, each]) => html`<div class="sending num" key=${name}>
      <span dir="auto">${name}</span> <span class="muted">${size(each.size)} · ${each.fault || (each.part < 1 ? `${Math.floor(each.part * 100)} %` : 'done')}</span>
      <div class="meter" ref=${styled({ '--done': `${each.part * 100}%` })}><i></i></div>
    </div>`)}
  </div>`;
}
