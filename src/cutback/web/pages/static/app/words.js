// Numbers, sizes and lengths as people write them.

/** @param {number} bytes */
export function size(bytes) {
  for (const [unit, name] of /** @type {[number, string][]} */ ([[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']])) {
    if (bytes >= unit) return `${(bytes / unit).toFixed(bytes >= 100 * unit ? 0 : 1)} ${name}`;
  }
  return `${bytes} B`;
}

/** @param {number} seconds */
export function length(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A time within a recording, to the millisecond. @param {number} seconds */
export function timecode(seconds) {
  const all = Math.max(0, Math.round(seconds * 1000));
  const [hours, minutes, rest, parts] = [Math.floor(all / 3600000), Math.floor(all / 60000) % 60, Math.floor(all / 1000) % 60, all % 1000];
  return `${hours ? `${two(hours)}:` : ''}${two(minutes)}:${two(rest)}.${String(parts).padStart(3, '0')}`;
}

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** @param {number} count */
export const number = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ' ');

/** @param {number} value */
export const two = (value) => String(value).padStart(2, '0');

/** Seconds in a value of the API: a decimal, or a fraction such as `1/3`. @param {string | number} value */
export function seconds(value) {
  const [top, bottom] = String(value).split('/');
  return Number(top) / (bottom ? Number(bottom) : 1);
}
