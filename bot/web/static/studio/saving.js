// A draft saves itself. Until the node has taken it, the browser keeps it; of two editors the later one is told.

const WAIT_MS = 700;
const AGAIN_MS = 4000;
const MOST_KEPT_ALIVE = 30_000; // letters: of requests that outlive their page a browser sends 64 KiB at most

export class Saving {
  // `told(state, detail)`: saving, saved, unsaved, signedOut, refused, conflict.
  constructor({ survey, csrf, revision, text, told }) {
    this.path = `/surveys/${survey}/save`;
    this.key = `otklik_draft_${survey}`;
    this.csrf = csrf;
    this.revision = revision;
    this.saved = text;
    this.text = text;
    this.told = told;
    this.timer = 0;
    this.running = null;
    this.halted = false; // a conflict waits for its editor's word
  }

  // A text that a former page could not save; "" where there is none, or it is what is there now.
  kept() {
    const kept = localStorage.getItem(this.key);
    return kept === null || kept === this.saved ? "" : kept;
  }

  forget() {
    localStorage.removeItem(this.key);
  }

  changed(text) {
    this.text = text;
    if (text === this.saved) this.forget();
    else localStorage.setItem(this.key, text);
    clearTimeout(this.timer);
    if (this.halted) return;
    if (text !== this.saved) this.told("saving"); // at once: what is typed is not saved until it says so
    this.timer = setTimeout(() => this.now(), WAIT_MS);
  }

  // Resolves to whether everything is saved.
  async now() {
    clearTimeout(this.timer);
    while (this.running) await this.running;
    if (this.text === this.saved) return true;
    if (this.halted) return false;
    this.running = this.send(this.text);
    const done = await this.running;
    this.running = null;
    if (done && this.text !== this.saved) return this.now();
    return done;
  }

  async send(text) {
    this.told("saving");
    const body = JSON.stringify({ text, revision: this.revision });
    let answer;
    try {
      answer = await fetch(this.path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.csrf },
        body,
        keepalive: body.length < MOST_KEPT_ALIVE,
      });
    } catch {
      return this.later("unsaved");
    }
    if (answer.ok) {
      const { revision, saved_at: at } = await answer.json();
      this.revision = revision;
      this.saved = text;
      if (this.text === text) this.forget();
      this.told("saved", at);
      return true;
    }
    if (answer.status === 409) {
      this.halted = true;
      this.told("conflict", (await answer.json()).theirs);
      return false;
    }
    if (answer.status === 401) return this.later("signedOut");
    if (answer.status >= 500 || answer.status === 403) return this.later("unsaved");
    this.told("refused");
    return false;
  }

  later(state) {
    this.told(state);
    this.timer = setTimeout(() => this.now(), AGAIN_MS);
    return false;
  }

  // In a conflict: my text in place of theirs, or theirs.
  mine(theirs) {
    this.halted = false;
    this.revision = theirs ? theirs.revision : 0;
    return this.now();
  }

  take(theirs) {
    this.halted = false;
    this.revision = theirs.revision;
    this.saved = theirs.text;
    this.text = theirs.text;
    this.forget();
  }
}
