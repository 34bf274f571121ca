// The pictures and sounds that edits can name.
import { useEffect, useState } from './dom.js';
import { ask, inPath } from './api.js';
import { useNewest } from './newest.js';

/** Whether an asset is a picture that browsers show. @param {string} name */
export const isPicture = (name) => /\.(png|jpe?g|webp)$/i.test(name);

/** Where an asset's file is. @param {string} name */
export const assetFile = (name) => `/v1/assets/${inPath(name)}/file`;

/** The names of the assets, none as long as they are not known. They are read anew whenever there are more cards that need one. @param {number} cards how many do */
export function useAssets(cards) {
  const [names, setNames] = useState(/** @type {string[]} */ ([]));
  const newest = useNewest();
  useEffect(() => {
    if (cards) newest(ask('/assets')).then((found) => setNames(found.items.map((/** @type {any} */ each) => each.name)), () => {}); // names are typed as well
  }, [cards]);
  return names;
}
