// The page of a customer's survey: what is shown, and what the buttons do. Texts stand in the template.

import { CallOver, Line, Refused, post } from "./line.js";

const DIGITS = [..."123456789", "0"].map((digit) => ({ keys: digit, label: digit, word: "" }));
const DONE = new Set(["completed", "partial", "transferred", "refused", "opted_out"]);
const BROKEN = new Set(["interrupted", "failed"]);

function survey() {
  return {
    state: "ready", // asking, refused, connecting, failed, talking, calling_agent, with_agent, lost, ended
    why: "",
    end: "",
    listening: false,
    recording: false,
    voice: true,
    muted: false,
    silenced: false,
    lines: [],
    layout: "",
    keys: [],
    atMost: null,
    chosen: [],
    typed: "",

    get onLine() {
      return ["talking", "calling_agent", "with_agent", "lost"].includes(this.state);
    },

    init() {
      this.base = `/s/${this.$root.dataset.token}`;
      this.line = null;
      this.stream = null;
      this.events = null;
      this.before = "talking";
      if (this.$root.dataset.begun) this.start(); // loaded anew within the call
    },

    // The way in --------------------------------------------------------------------------------

    async start() {
      this.state = "asking";
      if (!navigator.mediaDevices) return this.refuse("insecure");
      try {
        this.stream = await navigator.mediaDevices.getUserMedia({
          audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
        });
      } catch (error) {
        return this.refuse(error.name === "NotAllowedError" ? "denied" : "absent");
      }
      this.voice = true;
      await this.connect();
    },

    async startSilent() {
      this.voice = false;
      await this.connect();
    },

    async retry() {
      await (this.voice ? this.start() : this.connect());
    },

    refuse(why) {
      this.why = why;
      this.state = "refused";
    },

    async connect() {
      this.state = "connecting";
      this.drop();
      const line = (this.line = new Line(this.base, {
        up: () => this.up(),
        lost: () => this.lost(),
        over: () => this.over("broken"),
        sound: (stream) => this.play(stream),
      }));
      try {
        await post(`${this.base}/redeem`);
        await line.open(this.stream?.getAudioTracks()[0] ?? null);
      } catch (error) {
        line.close();
        if (error instanceof CallOver) return this.follow(); // what became of it is told there
        this.why = error instanceof Refused ? { 409: "elsewhere", 403: "elsewhere", 503: "busy" }[error.status] ?? "" : "";
        this.state = "failed";
        return;
      }
      this.follow();
    },

    drop() {
      this.line?.close();
      this.line = null;
    },

    // The line ----------------------------------------------------------------------------------

    up() {
      if (this.state === "connecting" || this.state === "lost") this.state = this.before;
    },

    lost() {
      if (this.state !== "ended") this.state = "lost";
    },

    async play(stream) {
      this.$refs.sound.srcObject = stream;
      await this.hear();
    },

    async hear() {
      // A browser may want a touch before it makes a sound: then there is a button for it.
      this.silenced = await this.$refs.sound.play().then(() => false, () => true);
    },

    mute() {
      this.muted = !this.muted;
      for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !this.muted;
    },

    async leave() {
      await post(`${this.base}/leave`).catch(() => {}); // over or unreachable: it ends here all the same
      this.over("other");
    },

    over(how) {
      if (this.state === "ended") return;
      this.end = how;
      this.state = "ended";
      this.listening = this.recording = false;
      this.drop();
      this.events?.close();
      for (const track of this.stream?.getTracks() ?? []) track.stop();
    },

    // What the node tells -----------------------------------------------------------------------

    follow() {
      if (this.events) return;
      this.events = new EventSource(`${this.base}/events`); // it reconnects by itself
      this.events.onmessage = (message) => this.told(JSON.parse(message.data));
      this.events.onerror = () => {
        if (this.events.readyState === EventSource.CLOSED && this.state === "connecting") this.over("broken");
      };
    },

    told(told) {
      switch (told.what) {
        case "state":
          this.before = told.state;
          if (this.state !== "ended" && this.state !== "lost") this.state = told.state;
          if (told.state !== "talking") this.layout = "";
          break;
        case "said":
          this.listening = false;
          this.caption("bot", told.text);
          break;
        case "listening":
          this.listening = true;
          break;
        case "keys":
          this.show(told);
          break;
        case "turn":
          this.listening = false;
          this.layout = "";
          this.caption("you", told.text || this.name("silence"));
          break;
        case "talk":
          this.caption(told.side === "agent" ? "agent" : "you", told.text);
          break;
        case "recording":
          this.recording = told.on;
          break;
        case "ended":
          this.over(this.ending(told.disposition));
          break;
      }
    },

    ending(disposition) {
      if (DONE.has(disposition)) return "done";
      if (disposition === "callback") return "callback";
      return BROKEN.has(disposition) ? "broken" : "other";
    },

    caption(who, text) {
      this.lines.push({ id: this.lines.length, who, name: this.name(who), text });
      this.$nextTick(() => this.$refs.captions.scrollTo(0, this.$refs.captions.scrollHeight));
    },

    name(who) {
      return this.$root.querySelector(`[data-name="${who}"]`).textContent;
    },

    // Keys --------------------------------------------------------------------------------------

    show(told) {
      this.layout = told.layout;
      this.keys = told.layout === "pad" ? DIGITS : told.keys;
      this.atMost = told.at_most;
      this.chosen = [];
      this.typed = "";
    },

    choose(key) {
      if (this.layout === "pad") {
        this.typed = (this.typed + key.keys).slice(0, 6);
      } else if (this.layout === "several") {
        this.toggle(key.keys);
      } else {
        this.press(key.keys);
      }
    },

    toggle(keys) {
      if (keys === "0") {
        this.chosen = this.chosen.includes("0") ? [] : ["0"];
      } else if (this.chosen.includes(keys)) {
        this.chosen = this.chosen.filter((each) => each !== keys);
      } else if (this.atMost === null || this.chosen.filter((each) => each !== "0").length < this.atMost) {
        this.chosen = [...this.chosen.filter((each) => each !== "0"), keys];
      }
    },

    pressedState(key) {
      return this.layout === "several" ? String(this.chosen.includes(key.keys)) : null;
    },

    wipe() {
      this.typed = "";
    },

    done() {
      if (this.layout === "done") return this.press("#");
      const keys = this.layout === "pad" ? this.typed : this.chosen.join("");
      if (!keys) return undefined;
      // All options pressed are a whole answer already: a # would count at the next question.
      const whole = this.layout === "several" && keys.length === this.keys.length - 1 && keys !== "0";
      return this.press(whole ? keys : `${keys}#`);
    },

    async press(keys) {
      this.layout = ""; // once: the question that follows brings its own
      try {
        await post(`${this.base}/press`, { keys });
      } catch (error) {
        if (error instanceof CallOver) this.over("other");
      }
    },
  };
}

document.addEventListener("alpine:init", () => window.Alpine.data("survey", survey));
