// The player: a video while it plays, and exactly one frame while it is paused. It says which of the two it shows.
import { effect, html, signal, useEffect, useRef } from './dom.js';
import { ask, inPath, send } from './api.js';
import { still } from './recordings.js';

/** How true the picture is: `exact`, `seeking` or `approximate`. @typedef {'exact' | 'seeking' | 'approximate'} Truth */

/** The length of a preview from the server, in seconds. */
const PREVIEW = 8;

/** Plays and shows the frames of one recording. */
export class Player {
  /** @param {import('./recordings.js').FrameMap} map @param {number} frame */
  constructor(map, frame) {
    this.map = map;
    this.url = `/v1/recordings/${inPath(map.key)}/file?version=${encodeURIComponent(map.version)}`;
    this.frame = signal(frame);
    this.playing = signal(false);
    this.truth = signal(/** @type {Truth} */ ('seeking'));
    this.rate = signal(1);
    /** Who decodes: `browser`, or `server` where the browser cannot. */
    this.by = signal('browser');
    /** Frames between which it plays in a loop. @type {{first: number, last: number} | null} */
    this.loop = null;
    /** @type {HTMLVideoElement | null} */
    this.video = null;
    /** @type {HTMLCanvasElement | null} */
    this.canvas = null;
    /** @type {import('./decoder.js').Decoder | null} */
    this.decoder = null;
    /** The size of the picture as it is seen; 0 before the first. */
    this.size = signal({ width: 0, height: 0 });
    /** Called when the server has another version of the recording, or none. */
    this.onChanged = () => {};
    this.wish = 0;
    /** Whether the video element has given up this recording. */
    this.broken = false;
    this.closed = false;
  }

  async open() {
    try {
      const { Decoder } = await import('./decoder.js');
      if (this.closed) return;
      const decoder = new Decoder(this.url, this.map);
      const able = await decoder.open().catch(() => false);
      if (!able || this.closed) {
        decoder.close();
        throw new Error('no decoder');
      }
      this.decoder = decoder;
      this.broken ||= Math.abs(decoder.zero) > 0.001; // the element may count from elsewhere
    } catch {
      this.by.value = 'server';
    }
    this.show(this.frame.value);
  }

  close() {
    this.closed = true;
    this.wish++;
    this.decoder?.close();
  }

  /** Stop, and show exactly this frame. @param {number} frame */
  async show(frame) {
    const wanted = Math.min(this.map.count - 1, Math.max(0, Math.round(frame)));
    this.frame.value = wanted;
    this.#stop();
    const mine = ++this.wish;
    this.truth.value = 'seeking';
    const picture = await this.decoder?.picture(wanted).catch(() => null);
    if (mine !== this.wish || this.closed) return;
    if (picture) {
      this.#paint(picture);
      this.truth.value = 'exact';
      return;
    }
    if (this.decoder === null && this.by.value === 'browser') return; // `open` shows it
    const image = new Image();
    image.src = still(this.map.key, wanted, this.map.version, 1500);
    const there = await image.decode().then(() => true, () => false);
    if (mine !== this.wish || this.closed) return;
    if (there) this.#paint(image);
    else {
      if (this.canvas) this.canvas.hidden = true;
      this.#look();
    }
    this.truth.value = there ? 'exact' : 'approximate';
  }

  /** Ask why there is no picture. */
  async #look() {
    const found = await ask(`/recordings/${inPath(this.map.key)}/frames`, { patient: false }).catch((error) => error);
    if (found.status === 404 || (found.version && found.version !== this.map.version)) this.onChanged();
  }

  /** @param {ImageBitmap | HTMLImageElement} picture */
  #paint(picture) {
    const canvas = this.canvas;
    if (!canvas) return;
    const { width, height } = picture;
    if (this.size.value.width !== width || this.size.value.height !== height) this.size.value = { width, height };
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext('2d')?.drawImage(picture, 0, 0);
    canvas.hidden = false;
  }

  toggle() {
    if (this.playing.value) this.show(this.frame.value);
    else this.play();
  }

  /** Play from the frame on show, or from the beginning of the loop. @param {number} [rate] @param {{once?: boolean}} [options] `once`: no loop */
  async play(rate = 1, { once = false } = {}) {
    const video = this.video;
    if (!video) return;
    const loop = () => (once ? null : this.loop);
    const from = loop();
    if (from && (this.frame.value < from.first || this.frame.value >= from.last - 1)) this.frame.value = from.first;
    video.playbackRate = rate;
    this.rate.value = rate;
    this.playing.value = true; // before it is: the same key once more stops it
    const mine = ++this.wish;
    const otherwise = () => (this.decoder ? this.#playDecoded(mine, rate, loop) : this.#playPreviews(mine, rate, loop));
    // Without a decoder, the element may have the sound alone.
    if (this.broken || video.error || (this.by.value === 'server' && !video.videoWidth)) return otherwise();
    video.onerror = () => {
      this.broken = true;
      if (mine === this.wish) otherwise();
    };
    video.currentTime = this.map.middle(this.frame.value);
    try {
      await video.play();
    } catch {
      // `onerror` says why, or something else was wished for; or the browser does not want to.
      if (mine === this.wish && !this.broken && !video.error) this.show(this.frame.value);
      return undefined;
    }
    if (mine !== this.wish) return undefined;
    this.truth.value = 'approximate';
    if (this.canvas) this.canvas.hidden = true;
    const follow = (/** @type {number} */ _now, /** @type {VideoFrameCallbackMetadata} */ { mediaTime }) => {
      if (!this.playing.value || mine !== this.wish) return;
      const frame = this.map.at(mediaTime + 1e-4);
      this.frame.value = frame;
      const range = loop();
      if (range && frame >= range.last - 1) video.currentTime = this.map.middle(range.first);
      video.requestVideoFrameCallback(follow);
    };
    video.requestVideoFrameCallback(follow);
    video.onended = () => mine === this.wish && this.show(this.map.count - 1);
    return undefined;
  }

  /**
   * Play what the video element cannot, such as some recordings with open GOPs: frame by frame, without sound.
   * @param {number} mine @param {number} rate @param {() => {first: number, last: number} | null} loop
   */
  async #playDecoded(mine, rate, loop) {
    if (!this.decoder) return; // the picture that is there stays, and stays true
    this.playing.value = true;
    const first = this.frame.value;
    const began = performance.now() / 1000 - this.map.starts[first] / rate;
    for await (const { frame, picture } of this.decoder.from(first)) {
      const early = began + this.map.starts[frame] / rate - performance.now() / 1000;
      if (early > 0.004) await new Promise((done) => setTimeout(done, early * 1000));
      const mineStill = mine === this.wish && this.playing.value && !this.closed;
      if (mineStill && early > -0.1) {
        this.#paint(picture);
        this.frame.value = frame;
        this.truth.value = 'exact';
      }
      picture.close();
      if (!mineStill) return;
      const range = loop();
      if (range && frame >= range.last - 1) {
        this.frame.value = range.first;
        this.#playDecoded(mine, rate, loop);
        return;
      }
    }
    if (mine === this.wish) this.show(this.map.count - 1);
  }

  /**
   * Play small copies that the server makes of the frames around here, for recordings that this browser cannot decode.
   * @param {number} mine @param {number} rate @param {() => {first: number, last: number} | null} loop
   */
  async #playPreviews(mine, rate, loop) {
    const video = this.video;
    if (!video) return;
    this.broken = true;
    this.playing.value = true;
    this.truth.value = 'seeking';
    const last = this.map.count - 1;
    let next = this.#preview(this.frame.value);
    while (this.frame.value < last) {
      const part = await next.catch(() => null);
      if (mine !== this.wish || this.closed) return;
      if (!part) {
        this.show(this.frame.value);
        return;
      }
      const behind = part.first + part.frames;
      next = behind <= last ? this.#preview(behind) : Promise.resolve(null);
      next.catch(() => {});
      if (!(await this.#playPreview(part, mine, rate, loop))) {
        next.then((unused) => unused && URL.revokeObjectURL(unused.url), () => {});
        return;
      }
      if (behind > last) break;
      this.frame.value = behind;
    }
    if (mine === this.wish) this.show(last);
  }

  /** The preview that begins with a frame. @param {number} frame @returns {Promise<{url: string, first: number, frames: number, begin: number} | null>} */
  async #preview(frame) {
    const middle = this.map.at(Math.min(this.map.end, this.map.starts[frame] + PREVIEW / 2));
    const answer = await send(`/recordings/${inPath(this.map.key)}/preview.mp4?at=${middle}&seconds=${PREVIEW}&version=${encodeURIComponent(this.map.version)}`);
    const first = Number(answer.headers.get('Cutback-First-Frame'));
    return { url: URL.createObjectURL(await answer.blob()), first, frames: Number(answer.headers.get('Cutback-Frames')), begin: Math.max(first, frame) };
  }

  /** Whether it was played to its end. @param {{url: string, first: number, frames: number, begin: number}} part @param {number} mine @param {number} rate @param {() => {first: number, last: number} | null} loop */
  async #playPreview({ url, first, begin }, mine, rate, loop) {
    const video = /** @type {HTMLVideoElement} */ (this.video);
    const ours = () => mine === this.wish && this.playing.value && !this.closed;
    video.onerror = null;
    video.src = url;
    try {
      await new Promise((done, fail) => {
        video.onloadeddata = done;
        video.onerror = fail;
      });
      video.currentTime = this.map.middle(begin) - this.map.starts[first];
      video.playbackRate = rate;
      await video.play();
      if (!ours()) return false;
      this.truth.value = 'approximate';
      if (this.canvas) this.canvas.hidden = true;
      const follow = (/** @type {number} */ _now, /** @type {VideoFrameCallbackMetadata} */ { mediaTime }) => {
        if (!ours()) return;
        this.frame.value = this.map.at(this.map.starts[first] + mediaTime + 1e-4);
        const range = loop();
        if (range && this.frame.value >= range.last - 1) {
          this.frame.value = range.first;
          this.play(rate);
          return;
        }
        video.requestVideoFrameCallback(follow);
      };
      video.requestVideoFrameCallback(follow);
      await new Promise((done) => {
        video.onended = done;
        video.onpause = done;
      });
      return ours();
    } catch {
      if (mine === this.wish) this.show(this.frame.value);
      return false;
    } finally {
      URL.revokeObjectURL(url);
      video.onended = video.onpause = video.onloadeddata = null;
    }
  }

  #stop() {
    this.playing.value = false;
    this.rate.value = 1;
    this.video?.pause();
  }

  /**
   * Play parts once, one after another, such as two seconds around a cut, or what is before and after a join.
   * @param {{first: number, last: number}[]} parts
   */
  async playParts(parts) {
    for (const { first, last } of parts) {
      const shown = this.show(first);
      const mine = this.wish;
      await shown;
      if (mine !== this.wish) break;
      this.play(1, { once: true });
      if (!(await this.#reached(last, this.wish))) break;
    }
  }

  /** Wait until a frame is played, and stop there; false if something else is wished for. @param {number} last @param {number} mine */
  #reached(last, mine) {
    return new Promise((/** @type {(reached: boolean) => void} */ done) => {
      let began = false;
      const stop = effect(() => {
        const [frame, playing] = [this.frame.value, this.playing.value];
        if (mine === this.wish && frame < last && (playing || !began)) {
          began ||= playing;
          return;
        }
        queueMicrotask(() => {
          stop();
          if (mine === this.wish && frame >= last) this.show(last);
          done(mine === this.wish || frame >= last);
        });
      });
    });
  }
}

/** @param {{player: Player, children?: any}} props */
export function PlayerView({ player, children }) {
  const video = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    player.video = video.current;
    player.canvas = canvas.current;
    player.open();
    return () => player.close();
  }, [player]);
  const truth = player.truth.value;
  return html`<div class="frame">
    <video ref=${video} src=${player.url} preload="auto" playsinline tabindex="-1" aria-hidden="true"></video>
    <canvas ref=${canvas} hidden role="img" aria-label=${`Frame ${player.frame.value}`}></canvas>
    ${children}
    <span class=${`exact num ${truth}`} role="status" data-frame=${player.frame.value} data-truth=${truth}><i></i>${truth}${player.playing.value ? ` · ${player.rate.value}×` : ` · frame ${player.frame.value}`}${player.by.value === 'server' ? ' · from the server' : ''}</span>
  </div>`;
}
