// The player: a video while it plays, and exactly one frame while it is paused. It says which of the two it shows.
import { html, signal, useEffect, useRef } from './dom.js';
import { ask, inPath } from './api.js';
import { still } from './recordings.js';

/** How true the picture is: `exact`, `seeking` or `approximate`. @typedef {'exact' | 'seeking' | 'approximate'} Truth */

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

  /** Play from the frame on show, or from the beginning of the loop. @param {number} [rate] */
  async play(rate = 1) {
    const video = this.video;
    if (!video) return;
    if (this.loop && (this.frame.value < this.loop.first || this.frame.value >= this.loop.last - 1)) this.frame.value = this.loop.first;
    video.playbackRate = rate;
    this.rate.value = rate;
    const mine = ++this.wish;
    if (this.broken || video.error) return this.#playDecoded(mine, rate);
    video.onerror = () => {
      this.broken = true;
      if (mine === this.wish) this.#playDecoded(mine, rate);
    };
    video.currentTime = this.map.middle(this.frame.value);
    try {
      await video.play();
    } catch {
      return undefined; // `onerror` says why, or something else was wished for
    }
    if (mine !== this.wish) return undefined;
    this.playing.value = true;
    this.truth.value = 'approximate';
    if (this.canvas) this.canvas.hidden = true;
    const follow = (/** @type {number} */ _now, /** @type {VideoFrameCallbackMetadata} */ { mediaTime }) => {
      if (!this.playing.value || mine !== this.wish) return;
      const frame = this.map.at(mediaTime + 1e-4);
      this.frame.value = frame;
      if (this.loop && frame >= this.loop.last - 1) video.currentTime = this.map.middle(this.loop.first);
      video.requestVideoFrameCallback(follow);
    };
    video.requestVideoFrameCallback(follow);
    video.onended = () => mine === this.wish && this.show(this.map.count - 1);
    return undefined;
  }

  /**
   * Play what the video element cannot, such as some recordings with open GOPs: frame by frame, without sound.
   * @param {number} mine @param {number} rate
   */
  async #playDecoded(mine, rate) {
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
      if (this.loop && frame >= this.loop.last - 1) {
        this.frame.value = this.loop.first;
        this.#playDecoded(mine, rate);
        return;
      }
    }
    if (mine === this.wish) this.show(this.map.count - 1);
  }

  #stop() {
    this.playing.value = false;
    this.rate.value = 1;
    this.video?.pause();
  }

  /** Play a part once, such as two seconds around a cut. @param {number} first @param {number} last */
  async playPart(first, last) {
    const loop = this.loop;
    this.loop = null;
    await this.show(first);
    const stop = this.frame.subscribe((frame) => {
      if (frame < last) return;
      queueMicrotask(() => {
        stop();
        this.loop = loop;
        if (this.playing.value) this.show(last);
      });
    });
    this.play();
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
