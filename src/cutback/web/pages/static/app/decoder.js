// Decodes single frames in the browser. Loaded only in the cutting room.
import { ALL_FORMATS, EncodedPacketSink, Input, UrlSource, VideoSampleSink } from 'mediabunny';

const KEPT = 48;
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
    /** What the decoder's times have and the frame map's have not, in seconds. */
    this.zero = 0;
    this.wish = 0;
    /** @type {Promise<void>} */
    this.turn = Promise.resolve();
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
    const name = frame;
    const known = !width && this.kept.get(name);
    if (known) {
      this.kept.delete(name);
      this.kept.set(name, known);
      return known;
    }
    const mine = latest ? ++this.wish : 0;
    const before = this.turn;
    /** @type {() => void} */
    let done = () => {};
    this.turn = new Promise((resolve) => (done = resolve));
    await before;
    try {
      if (latest && mine !== this.wish) return null;
      const sample = await this.sink?.getSample(this.map.middle(frame) + this.zero);
      if (!sample) return null;
      const right = Math.abs(sample.timestamp - this.zero - this.map.starts[frame]) < SAME;
      try {
        if (!right) return null;
        const made = drawn(sample, width);
        if (!width) this.#keep(frame, made);
        return made;
      } finally {
        sample.close();
      }
    } finally {
      done();
    }
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

  /** @param {number} frame @param {ImageBitmap} picture */
  #keep(frame, picture) {
    this.kept.set(frame, picture);
    if (this.kept.size <= KEPT) return;
    const [[oldest, bitmap]] = this.kept;
    this.kept.delete(oldest);
    bitmap.close();
  }

  close() {
    this.wish++;
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
