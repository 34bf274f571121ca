// Sprites of a recording: small pictures of the whole of it on one sheet, for scrubbing at once.
import { html, useEffect, useRef, useState } from './dom.js';
import { ask, inPath, query, send } from './api.js';
import { load } from './pictures.js';
import { iso } from './zones.js';

/** @typedef {{from: number, to: number, x: number, y: number, width: number, height: number}} Tile seconds and pixels */
/** @typedef {{sheet: HTMLImageElement, tiles: Tile[]}} Sprites */

/** @param {string} stamp `00:01:02.500` */
const secondsOf = (stamp) => stamp.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

/** The tiles of a WebVTT file. @param {string} text @returns {Tile[]} */
export function tilesOf(text) {
  const found = text.matchAll(/([\d:.]+) --> ([\d:.]+)\n\S*#xywh=(\d+),(\d+),(\d+),(\d+)/g);
  return [...found].map(([, from, to, x, y, width, height]) => ({ from: secondsOf(from), to: secondsOf(to), x: +x, y: +y, width: +width, height: +height }));
}

/** @type {Map<string, Promise<Sprites | null>>} */
const kept = new Map();
const MOST = 60;

/** The sprites of a recording, or none if it has none. @param {string} key */
function spritesOf(key) {
  let found = kept.get(key);
  if (!found) {
    found = fetchSprites(key).catch(() => null);
    kept.set(key, found);
    if (kept.size > MOST) kept.delete(/** @type {string} */ (kept.keys().next().value));
  }
  return found;
}

/** @param {string} key @returns {Promise<Sprites | null>} */
async function fetchSprites(key) {
  const answer = await send(`/recordings/${inPath(key)}/sprites.vtt`, { headers: { Accept: 'text/vtt' } });
  const tiles = tilesOf(await answer.text());
  const url = await load(`/v1/recordings/${inPath(key)}/sprites.jpg`);
  if (!tiles.length || !url) return null;
  const sheet = new Image();
  sheet.src = url;
  await sheet.decode();
  return { sheet, tiles };
}

/** @typedef {{sheet: HTMLImageElement, width: number, height: number, items: {begins: number, ends: number, x: number, y: number}[]}} Thumbnails */

/** Small pictures of a span of a camera, or none. @param {string} camera @param {{begins: number, ends: number}} span @returns {Promise<Thumbnails | null>} */
export async function thumbnails(camera, span) {
  const said = await ask(`/cameras/${encodeURIComponent(camera)}/thumbnails${query({ from: iso(span.begins), to: iso(span.ends) })}`).catch(() => null);
  if (!said?.sheet) return null;
  const { pathname, search } = new URL(said.sheet);
  const url = await load(pathname + search);
  if (!url) return null;
  const sheet = new Image();
  sheet.src = url;
  await sheet.decode();
  const items = said.items.map((/** @type {any} */ each) => ({ ...each, begins: Date.parse(each.begins), ends: Date.parse(each.ends) }));
  return { sheet, width: said.width, height: said.height, items };
}

/** The small picture of a moment. @param {{from: Thumbnails, at: number}} props */
export function Thumbnail({ from, at }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const tile = from.items.find((each) => each.begins <= at && at < each.ends);
  useEffect(() => {
    if (!canvas.current || !tile) return;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.current.getContext('2d'));
    pen.drawImage(from.sheet, tile.x, tile.y, from.width, from.height, 0, 0, from.width, from.height);
  }, [from, tile]);
  return tile ? html`<canvas class="shot" ref=${canvas} width=${from.width} height=${from.height}></canvas>` : html`<span class="shot bone"></span>`;
}

/** The picture of a recording at a time, in seconds, from its sprites. @param {{recording: string, at: number}} props */
export function Sprite({ recording, at }) {
  const [sprites, setSprites] = useState(/** @type {Sprites | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    let stale = false;
    setSprites(null);
    spritesOf(recording).then((found) => stale || setSprites(found));
    return () => {
      stale = true;
    };
  }, [recording]);
  const tile = sprites?.tiles.find((each) => at < each.to) || sprites?.tiles.at(-1);
  useEffect(() => {
    if (!canvas.current || !sprites || !tile) return;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.current.getContext('2d'));
    pen.drawImage(sprites.sheet, tile.x, tile.y, tile.width, tile.height, 0, 0, tile.width, tile.height);
  }, [sprites, tile]);
  return tile ? html`<canvas class="sprite" ref=${canvas} width=${tile.width} height=${tile.height} data-from=${tile.from}></canvas>` : null;
}
