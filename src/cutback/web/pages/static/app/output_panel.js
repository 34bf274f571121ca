// What the clip becomes: the format, and what the format lets one choose.
import { html } from './dom.js';
import { inStages } from './edit_cards.js';
import { Choices, Field, readField } from './fields.js';
import { Typed } from './pieces.js';
import { cardOf, chapterInCut, inCut } from './request.js';
import { number } from './words.js';

/** The formats, as people look for them; those that are not named here stand under "More". */
const GROUPS = /** @type {[string, string[]][]} */ ([
  ['Video', ['mp4', 'mov', 'webm', 'hls']],
  ['Moving picture', ['gif', 'webp']],
  ['Picture', ['jpeg', 'png']],
  ['Sound', ['m4a', 'mp3', 'wav', 'opus', 'flac']],
]);
const NAMES = /** @type {Record<string, string>} */ ({ webm: 'WebM', webp: 'WebP', opus: 'Opus', jpeg: 'JPEG' });
const PRECISION = /** @type {Record<string, string>} */ ({ exact: 'exactly at these frames', keyframe: 'at keyframes, all copied', instant: 'exactly, hidden by an edit list' });
const RATES = ['quality', 'crf', 'bitrate', 'max_size'];
const CODECS = /** @type {Record<string, string>} */ ({ h264: 'H.264', hevc: 'HEVC', av1: 'AV1', vp9: 'VP9' });
const WITH_CHAPTERS = new Set(['mp4', 'mov', 'webm', 'm4a', 'mp3', 'opus', 'flac']);
const HEIGHTS = [2160, 1440, 1080, 720, 480, 360, 240];
const LABELS = /** @type {Record<string, string>} */ ({ width: 'Width at most, in pixels', fps: 'Frames a second, at most', loop: 'Shown how often (0: for ever)', max_size: 'Size at most' });

/** @param {string} format */
export const nameOfFormat = (format) => NAMES[format] || format.toUpperCase();

/**
 * @param {{draft: import('./draft.js').Draft, offers: import('./schema.js').Offers | null, map: import('./recordings.js').FrameMap, frame: number, plan: any}} props
 */
export function OutputPanel({ draft, offers, map, frame, plan }) {
  const { output, cards, ranges, title } = draft.state.value;
  const format = output.format || 'mp4';
  const about = offers?.formats.get(format);
  const field = (/** @type {string} */ name) => about?.fields.find((each) => each.name === name);
  const change = (/** @type {Record<string, any>} */ changes) => {
    const next = { ...output, ...changes };
    for (const name of Object.keys(next)) if (next[name] === undefined) delete next[name];
    draft.change({ output: next });
  };
  const become = (/** @type {string} */ wanted) => {
    const fits = new Set(offers?.formats.get(wanted)?.fields.map((each) => each.name));
    const kept = Object.fromEntries(Object.entries(output).filter(([name]) => fits.has(name) && name !== 'codec' && name !== 'at' && name !== 'width'));
    draft.change({ output: { ...kept, format: wanted, ...(field('precision')?.options.includes(kept.precision) ? {} : { precision: undefined }), ...(fits.has('at') && wanted !== 'webp' ? { at: { frame } } : {}) } });
  };
  const usePreset = (/** @type {any} */ event) => {
    const preset = offers?.presets.find((each) => each.name === event.target.value);
    event.target.value = '';
    if (!preset || !offers) return;
    const added = preset.edits.map((each) => cardOf(each, map, ranges));
    const against = (/** @type {import('./draft.js').Card} */ card) => added.some((each) => {
      const kind = offers.kinds.get(each.kind);
      return (each.kind === card.kind && !kind?.repeats) || kind?.contradicts.includes(card.kind) || offers.kinds.get(card.kind)?.contradicts.includes(each.kind);
    });
    draft.change({ cards: inStages([...cards.filter((each) => !against(each)), ...added], offers.kinds), output: { ...output, ...preset.output, ...(preset.output.container ? { format: preset.output.container } : {}) } });
  };
  const known = new Set(GROUPS.flatMap(([, all]) => all));
  const groups = [...GROUPS, ['More', [...(offers?.formats.keys() || [])].filter((each) => !known.has(each))]].filter(([, all]) => all.length);
  const drawn = new Set(['precision', 'codec', 'at', 'qualities', ...(field('quality') ? RATES : [])]);
  const still = output.at !== undefined;
  const rest = (about?.fields || []).filter((each) => !drawn.has(each.name) && each.kind !== 'list' && !(format === 'webp' && still && each.name !== 'width'));
  return html`<section aria-label="Output"><h2>Output
      <select class="field add" aria-label="Use a preset" onChange=${usePreset} disabled=${!offers}><option value="">Preset …</option>${offers?.presets.map((each) => html`<option value=${each.name}>${each.name}</option>`)}</select></h2>
    <div class="lines">
      <label class="row">Title <${Typed} class="field" dir="auto" maxlength="200" value=${title} commit=${(/** @type {string} */ text) => draft.change({ title: text.trim() })} /></label>
      <label class="row">Format <select class="field" aria-label="Format" onChange=${(/** @type {any} */ event) => become(event.target.value)}>
        ${groups.map(([label, all]) => html`<optgroup label=${label}>${/** @type {string[]} */ (all).map((each) => html`<option value=${each} selected=${each === format}>${nameOfFormat(each)}</option>`)}</optgroup>`)}</select></label>
      ${field('codec') && html`<label class="row">Codec <select class="field" aria-label="Codec" onChange=${(/** @type {any} */ event) => change({ codec: event.target.value || undefined, precision: undefined })}>
        ${field('codec')?.value === null && html`<option value="" selected=${!output.codec}>as recorded</option>`}
        ${field('codec')?.options.map((each) => html`<option value=${each} selected=${(output.codec || field('codec')?.value) === each}>${CODECS[each] || each}</option>`)}</select></label>`}
      ${field('quality') && html`<${Quality} output=${output} change=${change} field=${field} />
        <${Height} draft=${draft} kinds=${offers?.kinds} />`}
      ${field('qualities') && html`<div class="row">Qualities <span class="seg wrap" role="group" aria-label="Qualities">${HEIGHTS.slice(2).map((each) => {
        const chosen = output.qualities || [];
        const on = chosen.includes(each);
        return html`<button aria-pressed=${on} onClick=${() => change({ qualities: on ? (chosen.length > 1 ? chosen.filter((/** @type {number} */ one) => one !== each) : undefined) : [...chosen, each].sort((one, other) => other - one), precision: undefined })}>${each}</button>`;
      })}</span></div>`}
      ${format === 'webp' && html`<div class="row">WebP <${Choices} label="Kind of WebP" options=${[['', 'moving'], ['still', 'one picture']]} value=${still ? 'still' : ''} pick=${(/** @type {string} */ kind) => draft.change({ output: { format, ...(output.width ? { width: output.width } : {}), ...(kind ? { at: { frame } } : {}) } })} /></div>`}
      ${still && field('at') && html`<div class="row">Picture <span class="entry"><button class="button" onClick=${() => change({ at: { frame } })}>Take this frame</button><span class="num">frame ${number(output.at.frame)}</span></span></div>
        ${!ranges.some((each) => output.at.frame >= each.first && output.at.frame < each.last) && ranges.length > 0 && html`<p class="sub">This frame is outside of the ranges: the first one is taken.</p>`}`}
      ${WITH_CHAPTERS.has(format) && html`<${Chapters} draft=${draft} map=${map} frame=${frame} />`}
      ${rest.map((each) => html`<${Field} key=${each.name} field=${each} label=${LABELS[each.name]} value=${output[each.name]} set=${(/** @type {any} */ value) => change({ [each.name]: value })} />`)}
      ${(field('precision')?.options.length || 0) > 1 && html`<label class="row">Ends <select class="field" aria-label="Ends" onChange=${(/** @type {any} */ event) => change(event.target.value === 'exact' ? { precision: undefined } : { precision: event.target.value, codec: undefined, quality: undefined, crf: undefined, bitrate: undefined, max_size: undefined, qualities: undefined })}>
        ${field('precision')?.options.map((each) => html`<option value=${each} selected=${(output.precision || 'exact') === each}>${PRECISION[each] || each}</option>`)}</select></label>`}
      ${plan?.video && html`<p class="sub num">Recorded as ${plan.container.toUpperCase()} · ${CODECS[plan.video.codec] || plan.video.codec.toUpperCase()} · ${plan.video.width} × ${plan.video.height}</p>`}
    </div>
  </section>`;
}

/** Where chapters begin: at joins, nowhere, or at frames. @param {{draft: import('./draft.js').Draft, map: import('./recordings.js').FrameMap, frame: number}} props */
function Chapters({ draft, map, frame }) {
  const { chapters, ranges } = draft.state.value;
  const way = !chapters ? 'joins' : chapters.length ? 'frames' : 'none';
  const put = (/** @type {import('./draft.js').Chapter[] | null} */ next) => draft.change({ chapters: next });
  const add = (/** @type {number} */ from) => {
    const others = (chapters || []).filter((each) => each.at.frame !== from);
    put([...others, { at: { frame: from }, title: `Chapter ${others.length + 1}` }].sort((one, other) => (one.at.frame ?? Infinity) - (other.at.frame ?? Infinity) || 0));
  };
  // The first one is in the clip: where the frame on show is not, it begins with the clip.
  const begin = () => add(ranges.length && inCut(map, ranges, frame) === null ? ranges[0].first : frame);
  const pick = (/** @type {string} */ wanted) => (wanted === 'frames' ? begin() : put(wanted === 'none' ? [] : null));
  const rename = (/** @type {number} */ index, /** @type {string} */ title) => chapters && put(chapters.map((each, i) => (i === index ? { ...each, title: title.trim() || each.title } : each)));
  return html`<label class="row">Chapters <select class="field" aria-label="Chapters" onChange=${(/** @type {any} */ event) => pick(event.target.value)}>
      ${[['joins', 'at joins'], ['frames', 'from this frame on'], ['none', 'none']].map(([value, text]) => html`<option value=${value} selected=${value === way}>${value === 'frames' && way === 'frames' ? 'at these frames' : text}</option>`)}</select></label>
    ${way === 'frames' && chapters && html`${chapters.map((each, i) => html`<div class="row" key=${each.at.frame ?? JSON.stringify(each.at)}><span class="num">${beginning(each)}</span><span class="entry">
        <${Typed} class="field wide" dir="auto" maxlength="60" aria-label=${`Title of chapter ${i + 1}`} value=${each.title} commit=${(/** @type {string} */ text) => rename(i, text)} />
        <button class="button quiet" aria-label=${`Remove chapter ${i + 1}`} title="Remove" onClick=${() => put(chapters.filter((_, j) => j !== i))}>×</button></span></div>
        ${ranges.length > 0 && chapterInCut(each, map, ranges) === null && html`<p class="sub" key=${`outside ${each.at.frame}`}>This frame is outside of the ranges: chapter ${i + 1} is left out.</p>`}`)}
      <div class="row"><button class="button" onClick=${() => add(frame)}>Another from this frame on</button></div>`}`;
}

/** Where a chapter begins, in words. @param {import('./draft.js').Chapter} chapter */
function beginning({ at: { frame, written } }) {
  if (frame !== undefined) return `frame ${number(frame)}`;
  return written?.finished === undefined ? String(written) : `${written.finished} s of the clip`;
}

const WAYS = [['', 'as recorded'], ['small', 'small'], ['good', 'good'], ['best', 'best'], ['max_size', 'at most … MB'], ['bitrate', 'bit rate …'], ['crf', 'quality number …']];
const STARTS = /** @type {Record<string, any>} */ ({ max_size: '10MB', bitrate: '4M', crf: 23 });

const ENTRIES = /** @type {Record<string, {label: string, name: string}>} */ ({ max_size: { label: 'The file at most', name: 'Size at most' }, bitrate: { label: 'Bits a second', name: 'Bit rate' }, crf: { label: 'Lower is better', name: 'Quality number' } });

/** How good pictures are: one of four ways to say it. @param {{output: Record<string, any>, change: (changes: Record<string, any>) => void, field: (name: string) => import('./schema.js').Field | undefined}} props */
function Quality({ output, change, field }) {
  const way = output.quality || RATES.find((each) => output[each] !== undefined) || '';
  const pick = (/** @type {string} */ wanted) => {
    const cleared = { quality: undefined, crf: undefined, bitrate: undefined, max_size: undefined, precision: undefined };
    change({ ...cleared, ...(STARTS[wanted] !== undefined ? { [wanted]: STARTS[wanted] } : wanted ? { quality: wanted } : {}) });
  };
  const entry = STARTS[way] !== undefined && field(way);
  const { label, name } = ENTRIES[way] || {};
  return html`<label class="row">Quality <select class="field" aria-label="Quality" onChange=${(/** @type {any} */ event) => pick(event.target.value)}>
      ${WAYS.map(([value, text]) => html`<option value=${value} selected=${value === way}>${text}</option>`)}</select></label>
    ${entry && html`<label class="row">${label} <${Typed} class="field short num" aria-label=${name} value=${String(output[way])} commit=${(/** @type {string} */ text) => change({ [way]: readField(entry, text) ?? STARTS[way] })} /></label>`}`;
}

/** The height of the pictures: the edit "Size", within reach. @param {{draft: import('./draft.js').Draft, kinds: Map<string, import('./schema.js').Kind> | undefined}} props */
function Height({ draft, kinds }) {
  const { cards } = draft.state.value;
  const index = cards.findIndex((each) => each.kind === 'scale' && each.on);
  const card = cards[index];
  const other = card && (card.fields.width !== undefined || !HEIGHTS.includes(card.fields.height));
  const pick = (/** @type {any} */ event) => {
    const wanted = Number(event.target.value);
    const left = cards.filter((each) => each.kind !== 'scale');
    if (kinds) draft.change({ cards: wanted ? inStages([...left, { kind: 'scale', on: true, fields: { height: wanted } }], kinds) : left });
  };
  return html`<label class="row">Size <select class="field" aria-label="Size" onChange=${pick}>
    <option value="0" selected=${!card}>as recorded</option>
    ${other && html`<option value="" selected disabled>as its card says</option>`}
    ${HEIGHTS.map((each) => html`<option value=${each} selected=${!other && card?.fields.height === each}>at most ${each} high</option>`)}</select></label>`;
}
