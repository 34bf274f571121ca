// What is newest counts: handlers of the place as it was drawn last, and the answer to what was asked last.
import { useEffect, useRef } from './dom.js';

/**
 * A value as it was drawn last, for what is called between two drawings. It is set while drawing: effects run after the
 * picture is painted, and something may be pressed before.
 * @template T @param {T} value @returns {{current: T}}
 */
export function useLatest(value) {
  const latest = useRef(value);
  latest.current = value;
  return latest;
}

/**
 * Lets only the answer to the newest question through, and none once the place is gone.
 * @returns {<T>(answer: Promise<T>) => Promise<T>} its promises never end if something newer was asked
 */
export function useNewest() {
  const count = useRef(0);
  useEffect(() => () => void count.current++, []);
  return (answer) => {
    const mine = ++count.current;
    return new Promise((done, fail) => {
      answer.then((value) => mine === count.current && done(value), (error) => mine === count.current && fail(error));
    });
  };
}

/**
 * Hear the wheel over an element; the page does not scroll.
 * @param {{current: HTMLElement | null}} element @param {(event: WheelEvent) => void} does
 */
export function useWheel(element, does) {
  const latest = useLatest(does);
  useEffect(() => {
    const over = element.current;
    if (!over) return;
    const wheel = (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      latest.current(event);
    };
    over.addEventListener('wheel', wheel, { passive: false });
    return () => over.removeEventListener('wheel', wheel);
  }, []);
}
