// A wall of any number of clips: only the rows that are near what is seen exist, and only their clips are kept.
import { html, useEffect, useLayoutEffect, useRef, useState } from './dom.js';
import { ask } from './api.js';
import { dropFar, take } from './clip_store.js';
import { sayError, styled } from './pieces.js';

/** Pages that are kept on each side of what is seen. */
const KEPT = 3;
export const PAGE = 48;
const GAP = 16;
const PHONE_GAP = 12;
/** What stands under a picture, in pixels. */
const UNDER = 46;

/** @typedef {{cursor: string, ids: string[], there: boolean}} Page `cursor` is where it begins; `there`: its clips are known */

/**
 * The pages of a list of the API, as far as they were read.
 * @param {string} path with a query
 */
export function usePages(path) {
  const [pages, setPages] = useState(/** @type {Page[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const latest = useRef(0);
  const reading = useRef(/** @type {Set<string>} */ (new Set()));

  const read = async (/** @type {string} */ cursor) => {
    const page = await ask(`${path}&limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    take(page.items);
    return { ids: page.items.map((/** @type {any} */ each) => each.id), next: page.next };
  };
  const load = () => {
    const mine = ++latest.current;
    reading.current.clear();
    setFault(null);
    setPages(null);
    setNext(null);
    read('').then((found) => {
      if (mine !== latest.current) return;
      setPages([{ cursor: '', ids: found.ids, there: true }]);
      setNext(found.next);
    }, (error) => mine === latest.current && setFault(error));
  };
  useEffect(load, [path]);

  /** Read once what begins at a cursor. @param {string} cursor @param {(found: {ids: string[], next: string | null}) => void} done */
  const once = (cursor, done) => {
    if (reading.current.has(cursor)) return;
    reading.current.add(cursor);
    const mine = latest.current;
    read(cursor).then((found) => mine === latest.current && done(found), sayError).finally(() => reading.current.delete(cursor));
  };
  const more = () => {
    if (!next) return;
    once(next, (found) => {
      setPages((all) => (all || []).some((each) => each.cursor === next) ? all : [...(all || []), { cursor: next, ids: found.ids, there: true }]);
      setNext(found.next);
    });
  };
  /** Keep the clips of the pages around these, and no others. @param {number} first @param {number} last */
  const keepAround = (first, last) => {
    if (!pages) return;
    const near = (/** @type {number} */ i) => i >= first - KEPT && i <= last + KEPT;
    pages.forEach((page, i) => {
      if (near(i) && !page.there) once(page.cursor, () => setPages((all) => (all || []).map((each, place) => (place === i ? { ...each, there: true } : each))));
    });
    if (pages.some((page, i) => page.there && !near(i))) {
      dropFar(new Set(pages.filter((_, i) => !near(i)).flatMap((page) => page.ids)));
      setPages((all) => (all || []).map((page, i) => (near(i) ? page : { ...page, there: false }))); // another may have come meanwhile
    }
  };
  return { pages, next, fault, load, more, keepAround };
}

/** How many tiles stand beside each other in so many pixels, and how tall a row is. @param {number} width */
function layout(width) {
  const phone = matchMedia('(max-width: 700px)').matches;
  const gap = phone ? PHONE_GAP : GAP;
  const columns = phone ? 2 : Math.max(1, Math.floor((width + gap) / (220 + gap)));
  const wide = (width - gap * (columns - 1)) / columns;
  return { columns, row: Math.round((wide * 9) / 16) + UNDER + gap, gap };
}

/**
 * @param {{ids: string[], before: number, more: (() => void) | null, seen: (first: number, last: number) => void, tile: (id: string) => any}} props
 *   `before` ids stand before those of the pages; `seen` is told which of the pages' ids are near what is seen
 */
export function Wall({ ids, before, more, seen, tile }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  const [view, setView] = useState({ top: 0, tall: 900 });
  useEffect(() => {
    const look = () => {
      if (!box.current) return;
      const top = -box.current.getBoundingClientRect().top;
      setView((was) => (Math.abs(was.top - top) < 60 && was.tall === innerHeight ? was : { top, tall: innerHeight }));
    };
    const watcher = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    if (box.current) watcher.observe(box.current);
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    look();
    return () => {
      watcher.disconnect();
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, []);
  // Known before anything is painted, so that nothing moves.
  useLayoutEffect(() => setWidth(box.current?.clientWidth || 0), []);
  const { columns, row, gap } = layout(width || 900);
  const rows = Math.ceil(ids.length / columns);
  const first = Math.max(0, Math.min(rows - 1, Math.floor(view.top / row) - 3));
  const last = Math.min(rows, Math.ceil((view.top + view.tall) / row) + 3);
  const [from, to] = [first * columns, Math.min(ids.length, last * columns)];
  useEffect(() => {
    seen(Math.max(0, from - before), Math.max(0, to - before));
    if (more && last >= rows - 3) more();
  }, [from, to, ids.length, before, more === null]);
  return html`<div class="tallwall" ref=${(/** @type {HTMLElement | null} */ element) => { box.current = element; styled({ height: `${rows * row + (more ? row : 0)}px` })(element); }}>
    <ul class="wall" ref=${styled({ transform: `translateY(${first * row}px)`, 'grid-template-columns': `repeat(${columns}, minmax(0, 1fr))`, 'grid-auto-rows': `${row - gap}px`, gap: `${gap}px` })}>
      ${ids.slice(from, to).map((id, i) => html`<li key=${id} aria-setsize=${more ? -1 : ids.length} aria-posinset=${from + i + 1}>${tile(id)}</li>`)}
    </ul>
  </div>`;
}
