// Decodes single frames in the browser. Loaded only in the cutting room.
import { ALL_FORMATS, Input, UrlSource, VideoSampleSink } from 'mediabunny';

const KEPT = 48;

/** Paints the frames of one recording; the newest wish wins. */
export class Decoder {
  /** @param {string} url @param {import('./recordings.js').FrameMap} map */
  constructor(url, map) {
    this.map = map;
    // Past the cache, where it and the video element would wait for each other's turn at the same file.
    this.input = new Input({ source: new UrlSource(url, { requestInit: { cache: 'no-store' } }), formats: ALL_FORMATS });
    /** @type {Map<number, ImageBitmap>} */
    this.kept = new Map();
    this.wish = 0;
    /** @type {Promise<void>} */
    this.turn = Promise.resolve();
  }

  /** Whether this browser decodes the recording. */
  async open() {
    const track = await this.input.getPrimaryVideoTrack();
    if (!track || !(await track.canDecode())) return false;
    this.sink = new VideoSampleSink(track);
    // Where zero is: the first frame as the decoder counts time, which should be where the frame map has it.
    this.rotation = track.rotation;
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
      const sample = await this.sink?.getSample(this.map.middle(frame));
      if (!sample) return null;
      const right = Math.abs(sample.timestamp - this.map.starts[frame]) < (this.map.starts[frame + 1] - this.map.starts[frame]) / 2;
      try {
        if (!right) return null;
        const source = sample.toVideoFrame();
        const made = await createImageBitmap(source, width ? { resizeWidth: width, resizeHeight: Math.round((width * sample.displayHeight) / sample.displayWidth) } : {});
        source.close();
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
    for await (const sample of this.sink.samples(this.map.middle(frame))) {
      const picture = sample.toVideoFrame();
      const at = sample.timestamp;
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
