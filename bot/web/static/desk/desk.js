// The agent's desk: what is shown, and what buttons and keys do. Texts stand in the template.

import { CallOver, Line, post } from "../survey/line.js";
import { Bell } from "./ring.js";

const SETTLE_MS = 250; // events come in bursts: one new card for all of them
const TOLD_MS = 8000;
const PAGE = "otklik_desk_page";

const LEFT = "otklik_desk_left";

// This tab's name. It survives a reload and every other way back to this page, such as another language. A tab
// that was duplicated has a copy of the storage, but was made while the first one stood: it gets one of its own.
function pageName() {
  const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
  const back = reloaded || sessionStorage.getItem(LEFT) !== null;
  sessionStorage.removeItem(LEFT);
  window.addEventListener("pagehide", () => sessionStorage.setItem(LEFT, "1"));
  const known = back ? sessionStorage.getItem(PAGE) : null;
  const name = known ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("");
  sessionStorage.setItem(PAGE, name);
  return name;
}

function desk() {
  return {
    presence: "",
    call: null, // {call_id, how, phase, page, held}
    offline: false,
    lost: false,
    muted: false,
    silenced: false,
    refused: "",
    busy: false,
    heard: false,
    told: "",
    announced: "",

    get phase() {
      return this.call ? this.call.phase : "";
    },
    get held() {
      return Boolean(this.call && this.call.held);
    },
    get onPhone() {
      return Boolean(this.call && this.call.how === "phone");
    },
    get here() {
      return Boolean(this.call && this.call.how === "desk" && this.call.page === this.page);
    },
    get elsewhere() {
      return Boolean(this.call && this.call.how === "desk" && this.phase === "talking" && !this.here);
    },

    init() {
      this.line = null;
      this.stream = null;
      this.settling = 0;
      this.clearing = 0;
      this.colleaguesOf = "";
      this.bell = new Bell();
      this.title = document.title;
      this.page = pageName();
      if (!this.$root.dataset.agent) return;
      document.addEventListener("keydown", (event) => this.key(event));
      document.addEventListener("pointerdown", () => this.bell.wake(), { once: true });
      this.follow();
    },

    word(name) {
      return (this.$root.querySelector(`[data-word="${name}"]`) ?? this.$root.querySelector('[data-word="other"]')).textContent;
    },

    tell(text) {
      clearTimeout(this.clearing);
      this.told = text;
      this.clearing = setTimeout(() => (this.told = ""), TOLD_MS);
    },

    // What the node tells -----------------------------------------------------------------------

    follow() {
      const events = new EventSource("/live"); // it reconnects by itself, unless it was refused
      events.onopen = () => this.catchUp();
      events.onerror = () => {
        this.offline = true;
        if (events.readyState === EventSource.CLOSED) setTimeout(() => this.follow(), 3000);
      };
      events.addEventListener("desk", (message) => this.onDesk(JSON.parse(message.data)));
      events.addEventListener("presence", (message) => (this.presence = JSON.parse(message.data).state));
      events.addEventListener("call", (message) => {
        if (JSON.parse(message.data).call_id === this.call?.call_id) this.refresh();
      });
    },

    async catchUp() {
      const reply = await fetch("/agent/now", { headers: { Accept: "application/json" } }).catch(() => null);
      if (reply?.status === 401) return location.reload(); // the session is over: to the form
      if (!reply?.ok) return undefined;
      const now = await reply.json();
      this.offline = false;
      this.presence = now.presence;
      const [call] = now.calls;
      if (call) this.show(call);
      else if (this.call) this.takeOff("other");
      return undefined;
    },

    onDesk(told) {
      const mine = this.call?.call_id === told.call_id;
      if (told.phase === "gone") {
        if (mine) this.takeOff(told.reason);
        if (mine || !this.call) this.catchUp(); // something else may be on the desk
      } else if (mine || !this.call || this.phase === "after") {
        this.show(told);
      }
      if (told.phase === "after") this.reload();
    },

    show(call) {
      const before = this.call;
      const fresh = before?.call_id !== call.call_id;
      this.call = call;
      if (fresh) this.refused = "";
      if (fresh || before.phase !== call.phase) this.changed(fresh);
      this.refresh(fresh);
      if (call.how === "desk" && !this.here && this.line) this.drop(); // another window has it now
      if (this.here && call.phase === "talking" && !this.line && !this.busy) this.connect({}); // loaded anew
    },

    changed(fresh) {
      const ringing = this.phase === "ringing";
      document.title = ringing ? `☎ ${this.word("ringing")} · ${this.title}` : this.title;
      if (ringing && !this.onPhone) this.bell.start();
      else this.bell.stop();
      if (ringing && fresh) this.announced = this.word("incoming");
      if (!ringing) this.announced = "";
      if (this.phase === "talking") this.colleagues();
      if (this.phase === "after") {
        this.drop();
        this.$root.querySelector("form.note").reset();
      }
      const first = { ringing: "accept", talking: this.here ? "mute" : "hold", after: "outcome" }[this.phase];
      // Alpine shows what x-show names with the next frame, later than its tick: what is hidden takes no focus.
      if (first) this.$nextTick(() => requestAnimationFrame(() => this.focus(first)));
    },

    // Whoever types somewhere is not torn away.
    focus(name) {
      const typing = document.activeElement?.matches("input, textarea, select") && !this.$refs[name].form;
      if (!typing) this.$refs[name].focus();
    },

    takeOff(reason) {
      this.bell.stop();
      document.title = this.title;
      this.announced = "";
      this.drop();
      const wasAfter = this.phase === "after";
      this.call = null;
      this.refused = "";
      this.$refs.card.replaceChildren();
      if (!wasAfter) this.tell(this.word(reason || "other"));
      this.reload();
    },

    reload() {
      window.htmx.trigger("#cases", "refresh");
    },

    // The card ----------------------------------------------------------------------------------

    refresh(now) {
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.card(), now ? 0 : SETTLE_MS);
    },

    async card() {
      const callId = this.call?.call_id;
      if (!callId) return;
      const reply = await fetch(`/agent/calls/${callId}`).catch(() => null);
      if (!reply?.ok || this.call?.call_id !== callId) return;
      const card = this.$refs.card;
      const html = await reply.text();
      const log = card.querySelector(".transcript");
      const atEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 24;
      const top = log?.scrollTop ?? 0;
      const reading = log !== null && document.activeElement === log;
      const open = Array.from(card.querySelectorAll("details"), (each) => each.open);
      card.innerHTML = html; // our own template, everything in it escaped
      card.querySelectorAll("details").forEach((each, place) => (each.open = open[place] ?? false));
      const lines = card.querySelector(".transcript");
      lines.scrollTop = atEnd ? lines.scrollHeight : top;
      if (reading) lines.focus();
    },

    async colleagues() {
      const callId = this.call.call_id;
      if (this.colleaguesOf === callId) return;
      const reply = await fetch(`/agent/calls/${callId}/colleagues`).catch(() => null);
      if (!reply?.ok) return;
      this.$refs.colleagues.innerHTML = await reply.text();
      this.colleaguesOf = callId;
    },

    // Presence ----------------------------------------------------------------------------------

    async choose(event) {
      const before = this.presence;
      this.presence = event.target.value;
      try {
        await post("/agent/presence", { state: event.target.value });
      } catch {
        this.presence = before;
        this.tell(this.word("problem"));
      }
    },

    async tryRing() {
      this.heard = await this.bell.wake();
      this.bell.once();
    },

    // The call ----------------------------------------------------------------------------------

    path(what) {
      return `/agent/calls/${this.call.call_id}/${what}`;
    },

    async order(what, body) {
      if (this.busy) return false;
      this.busy = true;
      try {
        await post(this.path(what), body);
        return true;
      } catch {
        this.tell(this.word("problem"));
        this.catchUp();
        return false;
      } finally {
        this.busy = false;
      }
    },

    async accept() {
      if (this.phase !== "ringing") return;
      if (this.onPhone) await this.order("accept");
      else await this.connect({});
    },

    async decline() {
      if (this.phase === "ringing") await this.order("decline");
    },

    async moveHere() {
      await this.connect({ move: true });
    },

    async connect(more) {
      if (this.busy) return;
      this.busy = true;
      this.refused = "";
      const path = `/agent/calls/${this.call.call_id}`;
      let line = null;
      try {
        if (!(await this.microphone())) return;
        line = new Line(path, {
          up: () => (this.lost = false),
          lost: () => (this.lost = true),
          over: () => this.lineOver(line),
          sound: (stream) => this.play(stream),
        }, { ...more, page: this.page });
        await line.open(this.stream.getAudioTracks()[0]);
        line.more = { page: this.page };
        this.line = line;
        this.muted = false;
        if (!this.call || `/agent/calls/${this.call.call_id}` !== path || this.phase === "after") this.drop();
      } catch (error) {
        line?.close();
        this.quiet();
        if (error instanceof CallOver || error.status === 409) this.tell(this.word("taken"));
        else this.refused = "failed";
        this.catchUp();
      } finally {
        this.busy = false;
      }
    },

    async microphone() {
      if (!navigator.mediaDevices) {
        this.refused = "insecure";
        return false;
      }
      try {
        this.stream = await navigator.mediaDevices.getUserMedia({
          audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
        });
        return true;
      } catch (error) {
        this.refused = error.name === "NotAllowedError" ? "denied" : "absent";
        return false;
      }
    },

    lineOver(line) {
      if (this.line === line) this.drop();
      this.catchUp();
    },

    async play(stream) {
      this.$refs.sound.srcObject = stream;
      await this.hear();
    },

    async hear() {
      this.silenced = await this.$refs.sound.play().then(() => false, () => true);
    },

    drop() {
      this.line?.close();
      this.line = null;
      this.lost = this.muted = this.silenced = false;
      this.quiet();
    },

    quiet() {
      for (const track of this.stream?.getTracks() ?? []) track.stop();
      this.stream = null;
    },

    mute() {
      if (!this.here || this.phase !== "talking") return;
      this.muted = !this.muted;
      for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !this.muted;
    },

    async hold() {
      if (this.phase === "talking") await this.order(this.held ? "unhold" : "hold");
    },

    async hangUp() {
      if (this.phase === "talking") await this.order("hang-up");
    },

    async passOn() {
      const to = this.$refs.colleagues.value;
      if (to && (await this.order("pass-on", { to }))) this.tell(this.word("passed_on"));
    },

    async write(event) {
      const form = new FormData(event.target);
      await this.order("note", { outcome: form.get("outcome") ?? "", text: form.get("text") });
    },

    async writeNothing() {
      await this.order("note", { outcome: "", text: "" });
    },

    // The keyboard ------------------------------------------------------------------------------

    key(event) {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.repeat || !this.call) return;
      const does = {
        F2: () => this.mute(),
        F4: () => this.hold(),
        F8: () => this.accept(),
        F9: () => (this.phase === "ringing" ? this.decline() : this.hangUp()),
      }[event.key];
      if (!does) return;
      event.preventDefault();
      does();
    },
  };
}

document.addEventListener("alpine:init", () => window.Alpine.data("desk", desk));
