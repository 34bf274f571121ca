// The edit "colour" over the picture in the player: the same mapping of brightness and colours that the clip gets.
import { html, useLayoutEffect, useRef } from './dom.js';

/** What red, green and blue give to the brightness of a picture in HD. */
const [RED, GREEN, BLUE] = [0.2126, 0.7152, 0.0722];
/** How far the most extreme temperature moves both colour differences, which go from -0.5 to 0.5. */
const WARMEST = 32 / 224;

/** A sum of red, green, blue and one. @typedef {number[]} Sum */

/** @param {...[number, Sum]} parts @returns {Sum} */
const sum = (...parts) => [0, 1, 2, 3].map((i) => parts.reduce((total, [times, each]) => total + times * each[i], 0));
const ONE = [0, 0, 0, 1];

/** What red, green and blue become. @param {Record<string, any>} fields of the edit @returns {Sum[]} */
export function graded({ brightness = 0, contrast = 0, saturation = 0, temperature = 0 }) {
  const [harder, stronger] = [1 + contrast / 100, 1 + saturation / 100];
  const warmer = (temperature / 100) * WARMEST;
  const luma = [RED, GREEN, BLUE, 0];
  const bluish = sum([1 / (2 * (1 - BLUE)), [0, 0, 1, 0]], [-1 / (2 * (1 - BLUE)), luma]);
  const reddish = sum([1 / (2 * (1 - RED)), [1, 0, 0, 0]], [-1 / (2 * (1 - RED)), luma]);
  const bright = sum([harder, luma], [(1 - harder) / 2 + brightness / 100, ONE]);
  const red = sum([1, bright], [2 * (1 - RED) * stronger, reddish], [2 * (1 - RED) * warmer, ONE]);
  const blue = sum([1, bright], [2 * (1 - BLUE) * stronger, bluish], [-2 * (1 - BLUE) * warmer, ONE]);
  const green = sum([1 / GREEN, bright], [-RED / GREEN, red], [-BLUE / GREEN, blue]);
  return [red, green, blue];
}

/** @param {{draft: import('./draft.js').Draft}} props */
export function Grading({ draft }) {
  const place = useRef(/** @type {SVGElement | null} */ (null));
  const card = draft.state.value.cards.find((each) => each.kind === 'colour' && each.on);
  const rows = card ? graded(card.fields).map(([red, green, blue, one]) => `${red} ${green} ${blue} 0 ${one}`) : [];
  const values = `${rows.join(' ')} 0 0 0 1 0`;
  useLayoutEffect(() => {
    for (const each of place.current?.parentElement?.querySelectorAll('video, canvas') || []) {
      /** @type {HTMLElement} */ (each).style.setProperty('filter', card ? 'url(#graded)' : 'none');
    }
  }, [values]);
  return html`<svg class="visually-hidden" ref=${place} aria-hidden="true">${card && html`<filter id="graded" color-interpolation-filters="sRGB" x="0" y="0" width="100%" height="100%"><feColorMatrix type="matrix" values=${values} /></filter>`}</svg>`;
}
