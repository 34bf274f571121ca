// What can be done about a clip that failed, and where a clip is edited again.
import { ask, query } from './api.js';
import { filmed, refresh, take } from './clip_store.js';

/** @typedef {{label: string, href?: string, act?: () => Promise<void>}} Remedy */

/** Try a failed or cancelled clip again. @param {any} clip */
export async function retry(clip) {
  take([await ask(`/clips/${encodeURIComponent(clip.id)}/retry`, { method: 'POST' })]);
  await refresh(clip.id);
}

/** Where the clip opens in the cutting room; empty if it is from several recordings, or from none that is known. @param {any} clip */
export function editAgain(clip) {
  const path = (/** @type {Record<string, any>} */ more) => `/cut${query(more)}`;
  const spans = (clip.result?.spans || []).filter((/** @type {any} */ each) => each.recording && !each.asset);
  if (spans.length) {
    const [{ recording }] = spans;
    return spans.every((/** @type {any} */ each) => each.recording === recording) ? path({ recording, clip: clip.id }) : '';
  }
  const source = [clip.request?.source].flat();
  if (source.length !== 1 || !source[0]?.recording) return '';
  const [from, to] = [Number(source[0].start), Number(source[0].end)];
  const exists = clip.failure?.reason !== 'range_outside_recording';
  return path({ recording: source[0].recording, ...(from < to && exists ? { in: from, out: to } : {}) });
}

const WIDER = new Set(['range_outside_recording', 'edit_impossible', 'output_impossible', 'media_too_slow', 'media_too_large', 'out_of_time']);
const FOOTAGE = new Set(['footage_missing', 'footage_not_yet', 'camera_unknown']);
/** Trying again changes nothing. */
const HOPELESS = new Set(['footage_expired', 'media_unsupported', 'media_crashed', 'invalid_request']);

/** What to do about a clip that failed, the best first. @param {any} clip @returns {Remedy[]} */
export function remediesOf(clip) {
  if (clip.state === 'cancelled') return [{ label: 'Make it after all', act: () => retry(clip) }];
  if (clip.state !== 'failed' || !clip.failure) return [];
  const { reason } = clip.failure;
  const again = { label: FOOTAGE.has(reason) ? 'Look for the footage again' : 'Try again', act: () => retry(clip) };
  const edit = editAgain(clip);
  if (WIDER.has(reason) && edit) return [{ label: 'Choose another range', href: edit }, again];
  const where = filmed(clip);
  if (FOOTAGE.has(reason) && where && where.at) {
    const around = { from: new Date(where.at - 1800000).toISOString(), to: new Date(where.at + 1800000).toISOString() };
    const day = { label: 'Widen the range', href: `/cameras/${encodeURIComponent(where.camera)}${query(around)}` };
    return reason === 'camera_unknown' ? [again] : [again, day];
  }
  if (HOPELESS.has(reason)) return edit ? [{ label: 'Edit it', href: edit }] : [];
  return [again];
}
