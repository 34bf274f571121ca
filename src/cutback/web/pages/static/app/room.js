// The cutting room: find the frames, mark them, say what to do to them, cut.
import { html, signal, useEffect, useLayoutEffect, useMemo, useState } from './dom.js';
import { Problem, ask, inPath, query } from './api.js';
import { useAssets } from './assets.js';
import { take } from './clip_store.js';
import { Draft, newestDraft } from './draft.js';
import { Grading } from './grading.js';
import { EditCards, nameOfKind } from './edit_cards.js';
import { CropBox } from './crop_box.js';
import { keyOf, useKeys } from './keys.js';
import { useNewest } from './newest.js';
import { ErrorFace, Face, Icon, Typed, say, sayError } from './pieces.js';
import { OutputPanel, nameOfFormat } from './output_panel.js';
import { Overlays } from './overlays.js';
import { Player, PlayerView } from './player.js';
import { all, forgetMap, frameMap } from './recordings.js';
import { cardOf, chaptersFrom, inCut, namesMoments, outputFrom, requestOf } from './request.js';
import { go, here } from './router.js';
import { offers } from './schema.js';
import { Timeline } from './timeline.js';
import { counted, length, number, seconds, size, timecode } from './words.js';
import { clock, date, exactClock, instants, iso, zoneFor, zoneName } from './zones.js';

export function Room() {
  const key = here.value.searchParams.get('recording') || newestDraft();
  const [found, setFound] = useState(/** @type {{map: any, recording: any, clip: any, zone: string} | null} */ (null));
  const [fault, setFault] = useState(/** @type {any} */ (null));
  const newest = useNewest();
  const load = () => {
    setFault(null);
    forgetMap(key);
    const again = here.value.searchParams.get('clip');
    const before = again ? ask(`/clips/${encodeURIComponent(again)}`).catch(() => null) : null;
    const read = async () => {
      const [map, recording, clip] = await Promise.all([frameMap(key), ask(`/recordings/${inPath(key)}`), before]);
      const camera = recording.camera ? await ask(`/cameras/${encodeURIComponent(recording.camera)}`).catch(() => null) : null;
      return { map, recording, clip, zone: camera?.time_zone || '' };
    };
    newest(read()).then(setFound, (error) => {
      setFound(null);
      setFault(error);
    });
  };
  useEffect(() => {
    if (key) load();
  }, [key]);
  if (!key) return html`<main><${Face} title="Nothing to cut yet"><p>Choose a moment or a recording in the library.</p><a class="button primary" href="/">To the library</a><//></main>`;
  if (fault) {
    return html`<main>${fault.status === 404
      ? html`<${Face} title="This recording is gone"><p dir="auto">${key} is not in the catalogue any more. What you marked is kept in this browser, in case it comes back.</p>
          <div class="act"><button class="button" onClick=${load}>Look again</button><a class="button" href="/">To the library</a></div><//>`
      : html`<${ErrorFace} error=${fault} again=${load} />`}</main>`;
  }
  if (!found) return html`<div class="room dark" aria-busy="true"><div class="stage"><div class="picture"><div class="frame bone"></div></div></div><aside class="panel"></aside><div class="time"><div class="lane"></div></div><footer class="foot"></footer></div>`;
  return html`<${Cutting} key=${found.map.version} ...${found} again=${load} />`;
}

/** Whether a request failed because the recording is not what it was when it was opened. @param {any} error */
const otherNow = (error) => error.reason === 'source_changed' || error.reason === 'recording_not_found';

/** @param {{map: import('./recordings.js').FrameMap, recording: any, clip: any, zone: string, again: () => void}} props */
function Cutting({ map, recording, clip, zone: cameraZone, again }) {
  const wanted = here.value.searchParams;
  const draft = useMemo(() => {
    const made = new Draft(map.key, map.version, map.count);
    const rangeOf = (/** @type {number} */ from, /** @type {number} */ to) => {
      const first = Math.min(map.boundary(from), map.count - 1);
      return { first, last: Math.max(first + 1, Math.min(map.boundary(to), map.count)), name: '' };
    };
    const [from, to] = [parseFloat(wanted.get('in') || ''), parseFloat(wanted.get('out') || '')];
    const taken = made.takeOver(here.value.hash);
    if (clip?.result) {
      const ranges = clip.result.spans.filter((/** @type {any} */ each) => each.recording === map.key).map((/** @type {any} */ each) => rangeOf(seconds(each.start), seconds(each.end)));
      const cards = (clip.request.edits || []).map((/** @type {any} */ edit) => cardOf(edit, map, ranges));
      const output = outputFrom(clip.request.output || clip.request.outputs?.[0] || {}, map, ranges);
      made.change({ ranges, chosen: ranges.length ? 0 : -1, cards, title: clip.title || '', chapters: chaptersFrom(clip.request.chapters, map, ranges, recording.start, clip.request.edits || []), output });
    } else if (from < to) {
      const { ranges } = made.state.value;
      made.change({ ranges: [...ranges, rangeOf(from, to)], chosen: ranges.length });
    }
    // What the address asked for is in the draft now: another load must not ask for it again.
    if (taken || clip || from < to) queueMicrotask(() => go(`/cut${query({ recording: map.key, at: wanted.get('at') || (from || '') })}`, { replace: true }));
    return made;
  }, []);
  const player = useMemo(() => new Player(map, map.at(parseFloat(wanted.get('at') || wanted.get('in') || '0') || draft.state.value.ranges[0] && map.starts[draft.state.value.ranges[0].first] || 0)), []);
  const view = useMemo(() => signal({ from: map.starts[0], to: map.end }), []);
  const [plan, setPlan] = useState(/** @type {any} */ (null));
  const [planFault, setPlanFault] = useState(/** @type {any} */ (null));
  const [pace, setPace] = useState(1);
  const [tries, setTries] = useState(0);
  const [planned, setPlanned] = useState('');
  const [looping, setLooping] = useState(false);
  const [ruler, setRuler] = useState(localStorage.getItem('cutback.ruler') || 'clock');
  const [offered, setOffered] = useState(/** @type {import('./schema.js').Offers | null} */ (null));
  useEffect(() => void offers().then(setOffered, sayError), []);
  const [others, setOthers] = useState(/** @type {string[]} */ ([]));
  useEffect(() => {
    if (recording.camera) all('/cameras?limit=1000', 1000).then((found) => setOthers(found.map((each) => each.name).filter((each) => each !== recording.camera)), () => {});
  }, []);
  const [cutting, setCutting] = useState(false);
  const state = draft.state.value;
  const assets = useAssets(state.cards.filter((each) => 'asset' in each.fields).length);
  const begins = recording.start ? Date.parse(recording.start) : NaN;
  const zone = zoneFor(cameraZone);
  const known = !Number.isNaN(begins);
  /** The time of a moment of the recording: on the wall where that is known. */
  const name = (/** @type {number} */ at, exact = false) => {
    if (ruler === 'frames') return number(map.boundary(at));
    return known && ruler === 'clock' ? (exact ? exactClock : clock)(begins + at * 1000, zone) : timecode(at);
  };

  // What a card still needs is said here, and not asked of the server.
  const lack = state.cards.filter((each) => each.on).flatMap((each) => {
    const about = offered?.kinds.get(each.kind);
    const field = about?.fields.find((one) => one.required && one.kind === 'text' && !each.fields[one.name]);
    return field ? [`${nameOfKind(each.kind, about)}: ${field.label} is missing.`] : [];
  })[0];
  const request = useMemo(() => requestOf(map, recording, state, pace), [state, pace]);
  const wishes = JSON.stringify(request);
  const ranges = state.ranges.filter((each) => each.last > each.first);
  useEffect(() => {
    if (!ranges.length || lack) {
      setPlan(null);
      setPlanFault(lack ? new Problem({ detail: lack }) : null);
      return;
    }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      ask('/plans', { method: 'POST', body: request, signal: stop.signal }).then(
        (said) => {
          const plain = (/** @type {string} */ tag) => tag.replaceAll('"', '');
          if (said.spans.some((/** @type {any} */ each) => each.recording === map.key && plain(each.etag) !== plain(map.version))) return again();
          // Where the camera's clock is not quite that of its recordings, moments are asked for that give these frames.
          if (namesMoments(recording, state)) {
            const [span] = said.spans;
            const asked = map.starts[ranges[0].first];
            const wrong = span.recording !== map.key || Math.abs(seconds(span.asked.start) - asked) > 0.0005;
            if (wrong && span.recording === map.key && asked > 0 && Math.abs(seconds(span.asked.start) / asked - 1) < 0.01) return setPace(pace * (seconds(span.asked.start) / asked));
            if (wrong && asked > 0) return setPlanFault(new Problem({ detail: 'At this moment another recording of the camera counts, so the clock cannot be shown on exactly these frames.' }));
          }
          setPlan(said);
          setPlanned(wishes);
          return setPlanFault(null);
        },
        (error) => {
          if (stop.signal.aborted) return;
          if (otherNow(error)) again();
          setPlanFault(error);
          if (error.retryable) setTimeout(() => stop.signal.aborted || setTries(tries + 1), 3000);
        },
      );
    }, 250);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [wishes, tries, lack]);

  useEffect(() => {
    player.onChanged = again;
    return draft.follow();
  }, []);
  const copyLink = async () => {
    await navigator.clipboard.writeText(draft.link).then(() => say('The link to this draft is copied.'), () => say(draft.link, { seconds: 60 }));
  };
  const [peaks, setPeaks] = useState(/** @type {{of: (from: number, to: number) => number} | null} */ (null));
  useEffect(() => {
    if (recording.codecs?.length === 1) return; // pictures alone
    ask(`/recordings/${inPath(map.key)}/waveform.json`, { patient: false }).then((said) => setPeaks({ of: heights(said) }), () => {});
  }, []);

  const mark = (/** @type {'first' | 'last'} */ which) => {
    const frame = player.frame.value;
    const range = state.ranges[state.chosen];
    if (which === 'first') draft.changeRange({ first: frame, last: range && range.last > frame ? range.last : Math.min(map.count, map.boundary(map.starts[frame] + 10)) });
    else draft.changeRange({ last: frame + 1, first: range && range.first <= frame ? range.first : Math.max(0, map.boundary(map.starts[frame] - 10)) });
  };
  const around = () => {
    const at = map.starts[player.frame.value];
    draft.changeRange({ first: map.boundary(Math.max(map.starts[0], at - 7.5)), last: Math.max(map.at(at) + 1, map.boundary(Math.min(map.end, at + 7.5))) });
  };
  const range = state.ranges[state.chosen];
  // Before anything is painted: the next key may play.
  useLayoutEffect(() => {
    player.loop = looping && range ? range : null;
  }, [looping, range]);
  const zoom = (/** @type {number} */ factor) => {
    const { from, to } = view.value;
    const at = map.starts[player.frame.value];
    const wide = Math.min(map.end - map.starts[0], Math.max(0.2, (to - from) * factor));
    const left = Math.min(Math.max(map.starts[0], at - wide / 2), map.end - wide);
    view.value = { from: left, to: left + wide };
  };
  const cut = async () => {
    if (cutting || !ranges.length || lack) return;
    setCutting(true);
    try {
      const clip = await ask('/clips', { method: 'POST', body: request });
      take([clip]);
      say(clip.state === 'ready' ? 'This clip exists already.' : 'The clip is being cut.', { action: 'Show', act: () => go(`/clips/${encodeURIComponent(clip.id)}`) });
    } catch (error) {
      if (otherNow(error)) again();
      sayError(error);
    } finally {
      setCutting(false);
    }
  };
  const second = (/** @type {number} */ by) => player.show(map.at(Math.min(map.end, Math.max(map.starts[0], map.starts[player.frame.value] + by))));
  const shuttle = (/** @type {number} */ way) => {
    if (way > 0) player.play(player.playing.value ? Math.min(8, player.rate.value * 2) : 1);
    else second(-1);
  };
  const frame = player.frame.value;
  const aroundIn = (/** @type {import('./draft.js').Range} */ each) => ({ first: map.at(Math.max(map.starts[0], map.starts[each.first] - 1)), last: map.at(Math.min(map.end - 0.001, map.starts[each.first] + 1)) });
  const aroundOut = (/** @type {import('./draft.js').Range} */ each) => ({ first: map.at(Math.max(map.starts[0], map.starts[each.last] - 1)), last: Math.min(map.count - 1, map.at(map.starts[each.last] + 1)) });
  /** The second before a join, and the one after it. @param {number} index of the range behind the join */
  const acrossJoin = (index) => {
    const [before, after] = [state.ranges[index - 1], state.ranges[index]];
    if (!before || !after) return;
    player.playParts([
      { first: Math.max(before.first, map.at(map.starts[before.last] - 1)), last: before.last - 1 },
      { first: after.first, last: Math.min(after.last - 1, map.at(map.starts[after.first] + 1)) },
    ]);
  };
  const newest = useNewest();
  const onOther = async () => {
    if (!known || !others.length) return;
    const at = begins + map.starts[player.frame.value] * 1000;
    for (const camera of others) {
      const found = await newest(ask(`/recordings${query({ camera, from: iso(at), to: iso(at + 1), limit: 1 })}`)).catch(() => null);
      const there = found?.items[0];
      if (there) return go(`/cut${query({ recording: there.key, at: ((at - Date.parse(there.start)) / 1000).toFixed(3) })}`);
    }
    say('No other camera has footage of this moment.');
  };
  useKeys({
    play: () => player.toggle(),
    'shuttle on': () => shuttle(1),
    'shuttle back': () => shuttle(-1),
    'frame back': () => player.show(player.frame.value - 1),
    'frame on': () => player.show(player.frame.value + 1),
    'second back': () => second(-1),
    'second on': () => second(1),
    in: () => mark('first'),
    out: () => mark('last'),
    around,
    loop: () => setLooping(!looping),
    'go to in': () => range && player.show(range.first),
    'go to out': () => range && player.show(range.last - 1),
    'play in': () => range && player.playParts([aroundIn(range)]),
    'play out': () => range && player.playParts([aroundOut(range)]),
    'play join': () => acrossJoin(state.chosen || 1),
    beginning: () => player.show(0),
    end: () => player.show(map.count - 1),
    'zoom in': () => zoom(0.6),
    'zoom out': () => zoom(1.6),
    undo: () => draft.undo(),
    redo: () => draft.redo(),
    'other camera': onOther,
    cut,
  });

  const where = map.starts[frame];
  const jump = (/** @type {string} */ text) => {
    const at = read(text, { map, begins, zone, here: where });
    if (at !== null) player.show(map.at(at + 0.00099)); // what is shown leaves out parts of a millisecond
  };
  return html`<main class="room dark">
    <h1 class="visually-hidden">Cutting room: ${map.key}</h1>
    <section class="stage" aria-label="Player">
      <div class="picture"><${PlayerView} player=${player}><${Grading} draft=${draft} /><${CropBox} draft=${draft} player=${player} /><${Overlays} draft=${draft} player=${player} begins=${begins} camera=${recording.camera || ''} assets=${assets} /><//></div>
      <div class="transport">
        <span class="clock"><${Typed} value=${known ? exactClock(begins + where * 1000, zone) : timecode(where)} aria-label="Time; type a time, a timecode or a frame" commit=${jump} />
          <small>${known ? `${zoneName(begins + where * 1000, zone)} · ` : ''}frame ${number(frame)} · ${timecode(where)}</small></span>
        <div class="keys">
          <button aria-label="Go to in" title=${`Go to in  ${keyOf('go to in')}`} onClick=${() => player.show(range ? range.first : 0)}><${Icon} name="start" /></button>
          <button aria-label="One frame back" title=${`One frame back  ${keyOf('frame back')}`} onClick=${() => player.show(frame - 1)}><${Icon} name="back" /></button>
          <button class="play" aria-label=${player.playing.value ? 'Pause' : 'Play'} title=${`Play and pause  ${keyOf('play')}`} onClick=${() => player.toggle()}><${Icon} name=${player.playing.value ? 'pause' : 'play'} /></button>
          <button aria-label="One frame on" title=${`One frame on  ${keyOf('frame on')}`} onClick=${() => player.show(frame + 1)}><${Icon} name="forward" /></button>
          <button aria-label="Go to out" title=${`Go to out  ${keyOf('go to out')}`} onClick=${() => player.show(range ? range.last - 1 : map.count - 1)}><${Icon} name="end" /></button>
        </div>
        <span class="options">
          <button class="button" title=${`In here  ${keyOf('in')}`} onClick=${() => mark('first')}>In</button>
          <button class="button" title=${`Out here  ${keyOf('out')}`} onClick=${() => mark('last')}>Out</button>
          ${known && html`<select class="field" aria-label="What the ruler shows" onChange=${(/** @type {any} */ event) => { localStorage.setItem('cutback.ruler', event.target.value); setRuler(event.target.value); }}>
            ${[['clock', 'Clock'], ['timecode', 'Timecode'], ['frames', 'Frames']].map(([value, text]) => html`<option value=${value} selected=${ruler === value}>${text}</option>`)}</select>`}
          ${!known && html`<button class="button" aria-pressed=${ruler === 'frames'} onClick=${() => setRuler(ruler === 'frames' ? 'timecode' : 'frames')}>Frames</button>`}
          <button class="button" aria-pressed=${looping} title=${`Loop the selection  ${keyOf('loop')}`} onClick=${() => setLooping(!looping)}>Loop</button>
        </span>
      </div>
    </section>
    <aside class="panel" aria-label="What to cut">
      ${draft.changed && html`<p class="why" role="alert">The recording has changed since these ranges were marked. Check them before you cut. <button class="button" onClick=${() => draft.confirm()}>They are right</button></p>`}
      <section aria-label="Ranges"><h2>Ranges <span class="grow"></span>
          ${state.ranges.length > 0 && html`<button class="button quiet" title="Copy a link that opens this draft anywhere" onClick=${copyLink}>Copy link</button>`}
          <button class="button quiet" onClick=${() => { draft.choose(-1); around(); }}>Add</button></h2>
        ${state.ranges.length
          ? state.ranges.map((each, i) => html`<${Chip} key=${i} draft=${draft} index=${i} name=${name} map=${map} player=${player} />`)
          : html`<p class="sub">Press <kbd>I</kbd> at the first frame and <kbd>O</kbd> at the last, or <kbd>A</kbd> for 15 seconds around here.</p>`}
        ${range && html`<div class="act">
          <button class="button" title=${`Two seconds around in  ${keyOf('play in')}`} onClick=${() => player.playParts([aroundIn(range)])}>Around in</button>
          <button class="button" title=${`Two seconds around out  ${keyOf('play out')}`} onClick=${() => player.playParts([aroundOut(range)])}>Around out</button>
          ${state.chosen > 0 && html`<button class="button" title=${`Across the join before this range  ${keyOf('play join')}`} onClick=${() => acrossJoin(state.chosen)}>Across the join</button>`}</div>`}
      </section>
      <${EditCards} draft=${draft} kinds=${offered?.kinds} zone=${cameraZone} others=${others} assets=${assets} here=${() => inCut(map, ranges, player.frame.value)} frame=${frame} begin=${(/** @type {number} */ at) => player.show(at)} picture=${player.size.value} />
      <${OutputPanel} draft=${draft} offers=${offered} map=${map} frame=${frame} plan=${plan} />
    </aside>
    <${Timeline} map=${map} view=${view.value} setView=${(/** @type {any} */ next) => (view.value = next)} draft=${draft} player=${player} plan=${planFault ? null : plan} peaks=${peaks?.of} name=${name} ahead=${known && ruler === 'clock' ? (begins % 1000) / 1000 : 0} frames=${ruler === 'frames'} />
    <footer class="foot">
      ${planFault
        ? html`<span class="fault" role="alert">${planFault.message}</span>`
        : plan
          ? html`<span class=${planned === wishes ? '' : 'muted'}><b>${length(seconds(plan.clip_duration))}</b> · ${sentence(plan)}</span><span class="legend"><span><i class="copied"></i>copied</span><span><i class="encoded"></i>re-encoded</span></span>`
          : html`<span class="muted">${ranges.length ? 'Planning …' : `${length(map.end - map.starts[0])} · ${counted(map.count, 'frame')} · nothing is marked yet`}</span>`}
      <button class="button primary" disabled=${!ranges.length || Boolean(lack) || cutting} onClick=${cut}>Cut <kbd>Enter</kbd></button>
    </footer>
  </main>`;
}

/**
 * How loud the sound is between two moments, from 0 to 1.
 * @param {any} said the API's waveform @returns {(from: number, to: number) => number}
 */
function heights(said) {
  const [fine, coarse] = [said.fine, said.coarse].map(({ seconds: per, peaks }) => ({ per: per[0] / per[1], peaks }));
  return (from, to) => {
    const { per, peaks } = to - from > coarse.per ? coarse : fine;
    let most = 0;
    for (let i = Math.max(0, Math.floor(from / per)); i <= to / per && i * 2 < peaks.length; i++) most = Math.max(most, -peaks[2 * i], peaks[2 * i + 1]);
    return most / 1000;
  };
}

/** What would be made, in a sentence that is true. @param {any} plan */
function sentence(plan) {
  const { frames_copied: copy = plan.frames.copy, frames_encoded: encode = plan.frames.encode, format = '' } = plan.outputs?.[0] || {};
  const frames = [copy && `${counted(copy, 'frame')} copied`, encode && (copy ? `${number(encode)} re-encoded` : `${counted(encode, 'frame')} encoded`)].filter(Boolean).join(', ');
  const { size: bytes, seconds: takes } = plan.expected;
  return [format && nameOfFormat(format), frames, bytes && `about ${size(bytes)}`, takes !== null && `about ${length(Number(takes))}`].filter(Boolean).join(' · ');
}

/**
 * A time that was typed, as seconds of the recording: `17:03:12.48` on the wall, `1:02.5`, `90s`, `frame 2190`, `+5`.
 * @param {string} text @param {{map: import('./recordings.js').FrameMap, begins: number, zone: string, here: number}} about
 */
function read(text, { map, begins, zone, here: now }) {
  const plain = text.trim().toLowerCase();
  const frame = /^(?:frame|f|#)\s*(\d+)$/.exec(plain);
  if (frame) return map.starts[Math.min(map.count - 1, Number(frame[1]))];
  const moved = /^([+-])(\d+(?:\.\d+)?)s?$/.exec(plain);
  if (moved) return now + Number(moved[1] + moved[2]);
  if (/^\d+(\.\d+)?s?$/.test(plain)) return map.starts[0] + parseFloat(plain);
  const parts = /^(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)$/.exec(plain);
  if (!parts) return null;
  const [hours, minutes, rest] = [Number(parts[1] || 0), Number(parts[2]), Number(parts[3])];
  const within = hours * 3600 + minutes * 60 + rest;
  if (parts[1] && !Number.isNaN(begins)) {
    // A time of day: the one nearest to where we are, of this day or of one beside it; clocks may be changed in between.
    const shown = begins + now * 1000;
    const clockTime = `${parts[1]}:${parts[2]}:${Math.floor(rest)}`;
    const all = [-1, 0, 1].flatMap((days) => instants(`${date(shown + days * 86400000, zone)}T${clockTime}`, zone));
    const nearest = all.sort((one, other) => Math.abs(one - shown) - Math.abs(other - shown))[0];
    return nearest === undefined ? null : (nearest - begins) / 1000 + (rest % 1);
  }
  return within;
}

/** @param {{draft: Draft, index: number, name: (at: number, exact?: boolean) => string, map: import('./recordings.js').FrameMap, player: Player}} props */
function Chip({ draft, index, name, map, player }) {
  const { ranges, chosen } = draft.state.value;
  const range = ranges[index];
  const move = (/** @type {number} */ to) => {
    if (to < 0 || to >= ranges.length || to === index) return;
    const next = [...ranges];
    next.splice(to, 0, ...next.splice(index, 1));
    draft.change({ ranges: next, chosen: to });
  };
  const put = (/** @type {Partial<import('./draft.js').Range>} */ changes) => draft.change({ ranges: ranges.map((each, i) => (i === index ? { ...each, ...changes } : each)) });
  const within = (/** @type {() => void} */ act) => (/** @type {Event} */ event) => {
    event.stopPropagation();
    act();
  };
  return html`<div class="chip" aria-current=${index === chosen ? 'true' : undefined} onClick=${() => index !== chosen && (draft.choose(index), player.show(range.first))}>
    <button class="number" aria-label=${`Choose range ${index + 1}`}>${index + 1}</button>
    <span><${Typed} dir="auto" value=${range.name} placeholder="Unnamed" aria-label=${`Name of range ${index + 1}`} maxlength="80" commit=${(/** @type {string} */ text) => put({ name: text })} />
      <small class="num">${name(map.starts[range.first], true)} – ${name(map.starts[range.last], true)} · ${length(map.starts[range.last] - map.starts[range.first])}</small>
      ${index > 0 && index === chosen && html`<label class="join">Crossfade <${Typed} class="field num" inputmode="decimal" aria-label="Seconds of crossfade" placeholder="0" value=${range.crossfade ? String(range.crossfade) : ''} commit=${(/** @type {string} */ text) => put({ crossfade: Math.max(0, Math.min(60, Number(text.replace(',', '.')) || 0)) || undefined })} /> s</label>`}</span>
    <span class="keys">
      ${index > 0 && html`<button aria-label=${`Move range ${index + 1} up`} title="Earlier in the clip" onClick=${within(() => move(index - 1))}>↑</button>`}
      ${index < ranges.length - 1 && html`<button aria-label=${`Move range ${index + 1} down`} title="Later in the clip" onClick=${within(() => move(index + 1))}>↓</button>`}
      <button aria-label=${`Remove range ${index + 1}`} title="Remove" onClick=${within(() => draft.change({ ranges: ranges.filter((_, i) => i !== index), chosen: Math.min(chosen, ranges.length - 2) }))}>×</button>
    </span>
  </div>`;
}
