// Decodes single frames in the browser. Loaded only in the cutting room.
import { ALL_FORMATS, EncodedPacketSink, Input, UrlSource, VideoSampleSink } from 'mediabunny';

/** How many pictures are kept at most, and how many bytes of them. */
const KEPT = 48;
const KEPT_BYTES = 400e6;
/** How long a picture has to rest before those around it are made, in milliseconds. */
const REST = 200;
/** How far apart two times of one frame may be, in seconds: containers round them to milliseconds. */
const SAME = 0.002;

/** Paints the frames of one recording; the newest wish wins. */
export class Decoder {
  /** @param {string} url @param {import('./recordings.js').FrameMap} map */
  constructor(url, map) {
    this.map = map;
    // Past the cache, where it and the video element would wait for each other's turn at the same file.
    this.input = new Input({ source: new UrlSource(url, { requestInit: { cache: 'no-store' } }), formats: ALL_FORMATS });
    /** @type {Map<number, ImageBitmap>} */
    this.kept = new Map();
    /** The frames that the decoder passed without a picture of them: they are not made again for what is around. @type {Set<number>} */
    this.absent = new Set();
    /** What the decoder's times have and the frame map's have not, in seconds. */
    this.zero = 0;
    this.wish = 0;
    /** @type {Promise<void>} */
    this.turn = Promise.resolve();
    /** The frame that was asked for last, and whether it was reached forwards (1) or backwards (-1). */
    this.at = 0;
    this.way = 1;
    /** The frame that waits for its turn. @type {number | null} */
    this.waits = null;
    /** Decoding that can go on: its samples, and the frame that comes next. @type {{samples: AsyncGenerator<import('mediabunny').VideoSample, void, unknown>, next: number} | null} */
    this.run = null;
    this.most = KEPT;
    /** Whether pictures around are being made, or soon will be. */
    this.looking = false;
    this.closed = false;
  }

  /** Whether this browser decodes the recording. */
  async open() {
    const track = await this.input.getPrimaryVideoTrack();
    if (!track || !(await track.canDecode())) return false;
    // Containers may begin at any time; the frame map counts from the recording's zero. Where edit lists say what is not
    // shown, the decoder applies them, and its first frame may lie before zero.
    const first = await track.getFirstTimestamp();
    this.zero = first > 0 ? first - this.map.starts[0] : 0;
    // Both must agree on where the last keyframe is, or frames would be shown under wrong numbers.
    const key = this.map.keyframes.at(-1) ?? 0;
    const packet = await new EncodedPacketSink(track).getKeyPacket(this.map.middle(key) + this.zero);
    if (!packet || Math.abs(packet.timestamp - this.zero - this.map.starts[key]) > SAME) return false;
    this.sink = new VideoSampleSink(track);
    return true;
  }

  /**
   * The picture of a frame; null if another frame was wished for meanwhile, or if the decoder's frame is not this one.
   * @param {number} frame
   * @param {{width?: number, latest?: boolean}} [options] `latest`: give up as soon as something newer is wished for
   * @returns {Promise<ImageBitmap | null>}
   */
  async picture(frame, { width, latest = true } = {}) {
    if (width) return this.#inTurn(() => this.#single(frame, width));
    const mine = latest ? ++this.wish : 0;
    const wished = () => !latest || mine === this.wish;
    const step = frame - this.at;
    if (latest) {
      this.at = frame;
      this.way = step < 0 ? -1 : 1;
    }
    let found = this.kept.get(frame);
    if (!found) {
      if (latest) this.waits = frame;
      found = await this.#inTurn(async () => {
        if (latest && this.waits === frame) this.waits = null;
        // Backwards, what is before is decoded anyway: it is kept, so that the next steps are immediate.
        const first = step < 0 && step >= -2 ? this.#chunkBefore(frame + 1) : frame;
        if (wished() && !this.kept.has(frame)) await this.#decode(first, frame, wished);
        return this.kept.get(frame);
      });
    }
    if (latest && wished()) this.#lookAround(Math.abs(step) === 1 ? 0 : REST);
    return (wished() && found) || null;
  }

  /** Do something once nothing else is being decoded. @template T @param {() => Promise<T>} act @returns {Promise<T>} */
  async #inTurn(act) {
    const before = this.turn;
    /** @type {() => void} */
    let done = () => {};
    this.turn = new Promise((resolve) => (done = resolve));
    await before;
    try {
      return await act();
    } finally {
      done();
    }
  }

  /** One small picture. @param {number} frame @param {number} width */
  async #single(frame, width) {
    const sample = await this.sink?.getSample(this.map.middle(frame) + this.zero);
    if (!sample) return null;
    try {
      return this.#frameOf(sample) === frame ? drawn(sample, width) : null;
    } finally {
      sample.close();
    }
  }

  /** Which frame a sample is; -1 if it is none of the frame map. @param {import('mediabunny').VideoSample} sample */
  #frameOf(sample) {
    const at = sample.timestamp - this.zero;
    const frame = this.map.at(at + 1e-4);
    return Math.abs(at - this.map.starts[frame]) < SAME ? frame : -1;
  }

  /** Where to begin decoding what is before a frame. @param {number} frame */
  #chunkBefore(frame) {
    const last = Math.max(0, frame - 1);
    return Math.max(this.map.keyframeBefore(last), last + 1 - Math.floor(this.most / 3));
  }

  /**
   * Keep the pictures of these frames, as long as they are wanted. Goes on where the decoder is, if that is not farther
   * than the last keyframe.
   * @param {number} first @param {number} last @param {() => boolean} wanted
   */
  async #decode(first, last, wanted) {
    if (!this.sink || this.closed) return;
    if (!this.run || first < this.run.next || this.map.keyframeBefore(first) > this.run.next) {
      await this.run?.samples.return();
      this.run = { samples: this.sink.samples(this.map.middle(first) + this.zero), next: first };
    }
    const run = this.run;
    while (run.next <= last && wanted() && !this.closed) {
      const { value: sample } = await run.samples.next();
      if (!sample) {
        this.run = null;
        for (let each = run.next; each <= last; each++) this.absent.add(each);
        return;
      }
      const frame = this.#frameOf(sample);
      const passed = this.map.at(sample.timestamp - this.zero + 1e-4);
      for (let each = run.next; each <= passed; each++) if (each !== frame) this.absent.add(each);
      this.absent.delete(frame);
      if (frame >= first && !this.closed && !this.kept.has(frame)) this.#keep(frame, drawn(sample));
      run.next = passed + 1;
      sample.close();
      if (run.next <= last) await new Promise((done) => setTimeout(done)); // keys and clicks come first
    }
  }

  /** Make the pictures around the one on show, so that steps are immediate in both directions. @param {number} rest */
  async #lookAround(rest) {
    if (this.looking) return;
    this.looking = true;
    try {
      let at = this.at;
      if (rest) {
        do {
          at = this.at;
          await new Promise((done) => setTimeout(done, rest));
        } while (at !== this.at && !this.closed);
      }
      for (let near = this.#near(); near && !this.closed; near = this.#near()) {
        const { first, last } = near;
        const needed = () => this.waits === null || (this.waits >= first && this.waits <= last && !this.kept.has(this.waits));
        const before = this.run;
        const next = before?.next;
        await this.#inTurn(() => this.#decode(first, last, needed));
        if (this.run === before && this.run?.next === next && this.waits === null) break; // there is nothing to be had
      }
    } catch {
      // Whoever wishes for the frame hears of it.
    } finally {
      this.looking = false;
    }
  }

  /** The frames to make next: those that steps in the same direction come to, then those on the other side. */
  #near() {
    return this.#missing(this.way) || this.#missing(-this.way);
  }

  /** The frames to make on one side of the one on show, once only few are kept there. @param {number} side 1 or -1 */
  #missing(side) {
    let end = this.at;
    while (this.kept.has(end + side) || this.absent.has(end + side)) end += side;
    const enough = Math.floor(this.most / 6);
    if (Math.abs(end - this.at) >= enough || end + side < 0 || end + side >= this.map.count) return null;
    if (side > 0) return { first: end + 1, last: Math.min(this.map.count - 1, this.at + 2 * enough) };
    return { first: this.#chunkBefore(end), last: end - 1 };
  }

  /** The pictures from a frame on, in order, for playing; each is to be closed. @param {number} frame */
  async *from(frame) {
    if (!this.sink) return;
    for await (const sample of this.sink.samples(this.map.middle(frame) + this.zero)) {
      const picture = drawn(sample);
      const at = sample.timestamp - this.zero;
      sample.close();
      yield { frame: this.map.at(at + 1e-4), picture };
    }
  }

  /** Keep a picture; those that are farthest from the one on show are dropped. @param {number} frame @param {ImageBitmap} picture */
  #keep(frame, picture) {
    this.kept.set(frame, picture);
    this.most = Math.max(12, Math.min(KEPT, Math.floor(KEPT_BYTES / (4 * picture.width * picture.height))));
    while (this.kept.size > this.most) {
      let farthest = frame;
      for (const each of this.kept.keys()) if (Math.abs(each - this.at) > Math.abs(farthest - this.at)) farthest = each;
      this.kept.get(farthest)?.close();
      this.kept.delete(farthest);
    }
  }

  close() {
    this.wish++;
    this.closed = true;
    this.run?.samples.return().catch(() => {});
    for (const each of this.kept.values()) each.close();
    this.kept.clear();
    this.input.dispose();
  }
}

/** The picture as it is to be seen: turned, and with square pixels. @param {import('mediabunny').VideoSample} sample @param {number} [width] */
function drawn(sample, width) {
  const [wide, tall] = width ? [width, Math.round((width * sample.displayHeight) / sample.displayWidth)] : [sample.displayWidth, sample.displayHeight];
  const canvas = new OffscreenCanvas(wide, tall);
  sample.draw(/** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d')), 0, 0, wide, tall);
  return canvas.transferToImageBitmap();
}
