// Pictures that the server makes when asked: few at once, and the newest wish first, so that what is looked at comes soon.
import { useEffect, useState } from './dom.js';
import { pause } from './api.js';

const AT_ONCE = 2;
const TRIES = 3;

/** @type {{url: string, done: (url: string) => void, gone: () => boolean}[]} */
const wishes = [];
let loading = 0;

/** Load a picture; the promise ends with its address once it can be shown at once, or with none. @param {string} url @param {() => boolean} [gone] */
export function load(url, gone = () => false) {
  return new Promise((/** @type {(url: string) => void} */ done) => {
    wishes.push({ url, done, gone });
    next();
  });
}

async function next() {
  if (loading >= AT_ONCE) return;
  const wish = wishes.pop();
  if (!wish) return;
  if (wish.gone()) {
    wish.done('');
    next();
    return;
  }
  loading++;
  let found = '';
  for (let tries = 0; tries < TRIES && !found; tries++) {
    if (tries) await pause(1000 * tries);
    const image = new Image();
    image.src = wish.url;
    found = await image.decode().then(() => wish.url, () => '');
  }
  loading--;
  wish.done(found);
  next();
}

/** The address of a picture once it is loaded; the one before stays until then. @param {() => Promise<string>} find its address @param {unknown[]} inputs */
export function usePicture(find, inputs) {
  const [shown, setShown] = useState('');
  useEffect(() => {
    let stale = false;
    find()
      .then((url) => (stale || !url ? '' : load(url, () => stale)))
      .then((url) => url && !stale && setShown(url), () => {});
    return () => {
      stale = true;
    };
  }, inputs);
  return shown;
}
