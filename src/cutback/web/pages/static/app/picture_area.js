// Where the picture lies within the player, so that what is drawn over it stands right.
import { useEffect, useState } from './dom.js';

/**
 * The area of the picture within an element, in CSS pixels.
 * @param {{current: HTMLElement | null}} place an element that fills the player
 * @param {{width: number, height: number}} picture
 */
export function usePictureArea(place, picture) {
  const [box, setBox] = useState({ width: 0, height: 0 });
  useEffect(() => {
    if (!place.current) return;
    const watcher = new ResizeObserver(([entry]) => setBox({ width: entry.contentRect.width, height: entry.contentRect.height }));
    watcher.observe(place.current);
    return () => watcher.disconnect();
  }, []);
  const scale = picture.width ? Math.min(box.width / picture.width, box.height / picture.height) : 0;
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { left: (box.width - width) / 2, top: (box.height - height) / 2, width, height };
}

/**
 * Handlers that drag something.
 * @param {{start: () => any, move: (from: any, x: number, y: number) => void, end: () => void}} does `start` returns what `move` gets, with the distance in CSS pixels
 */
export function dragging({ start, move, end }) {
  /** @type {{x: number, y: number, from: any} | null} */
  let held = null;
  return {
    // What is dragged does not take the focus: arrow keys go on to step through frames.
    onMouseDown: (/** @type {MouseEvent} */ event) => {
      event.preventDefault();
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    },
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      event.stopPropagation();
      /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
      held = { x: event.clientX, y: event.clientY, from: start() };
    },
    onPointerMove: (/** @type {PointerEvent} */ event) => held && move(held.from, event.clientX - held.x, event.clientY - held.y),
    onPointerUp: () => {
      held = null;
      end();
    },
    onPointerCancel: () => {
      held = null;
      end();
    },
  };
}
