// The desk's bell: two notes every three seconds. A browser makes no sound before its user has touched the
// page once, so the title and the announcement ring as well.

const NOTES_HZ = [660, 880];
const NOTE_S = 0.35;
const EVERY_MS = 3000;

export class Bell {
  constructor() {
    this.context = null;
    this.timer = 0;
  }

  // Whether it can be heard from now on.
  async wake() {
    this.context ??= new AudioContext();
    await this.context.resume().catch(() => {});
    return this.context.state === "running";
  }

  once() {
    if (this.context?.state !== "running") return;
    NOTES_HZ.forEach((hz, place) => {
      const tone = new OscillatorNode(this.context, { frequency: hz });
      const loudness = new GainNode(this.context, { gain: 0.2 });
      tone.connect(loudness).connect(this.context.destination);
      const begins = this.context.currentTime + place * NOTE_S;
      loudness.gain.setTargetAtTime(0, begins + NOTE_S / 2, NOTE_S / 8);
      tone.start(begins);
      tone.stop(begins + NOTE_S);
    });
  }

  start() {
    if (this.timer) return;
    this.once();
    this.timer = setInterval(() => this.once(), EVERY_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
  }
}
