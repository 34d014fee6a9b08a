// A page that nobody looks at holds no stream: over HTTP/1.1 a browser opens six connections to one server for all
// its tabs together, and pages that waited in the background would leave none to the one in front. What a stream
// brings is also in what it begins with, or asked for anew when the page is «seen» again.

// A page that is left loses its stream as well, by a sign-out even before it is gone: that is no error to tell of,
// unless the page is still there a while later.
const LEAVING_MS = 3000;
let outward = 0;
addEventListener("beforeunload", () => { outward = Date.now() + LEAVING_MS; });

class SeenStream extends EventTarget {
  onopen = null;
  onerror = null;
  #url;
  #source = null;
  #over = false;
  #names = new Set();
  #turn = () => (document.hidden ? this.#leave() : this.#enter());
  #pass = (event) => this.dispatchEvent(new MessageEvent(event.type, { data: event.data }));

  constructor(url) {
    super();
    this.#url = url;
    document.addEventListener("visibilitychange", this.#turn);
    this.#turn();
  }

  get readyState() {
    if (this.#over) return EventSource.CLOSED;
    return this.#source ? this.#source.readyState : EventSource.CONNECTING;
  }

  addEventListener(name, ...rest) {
    super.addEventListener(name, ...rest);
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#source?.addEventListener(name, this.#pass);
  }

  close() {
    this.#over = true;
    document.removeEventListener("visibilitychange", this.#turn);
    this.#leave();
  }

  #enter() {
    if (this.#source || this.#over) return;
    const source = new EventSource(this.#url);
    this.#source = source;
    for (const name of this.#names) source.addEventListener(name, this.#pass);
    source.onopen = (event) => this.onopen?.(event);
    source.onerror = (event) => {
      if (source.readyState === EventSource.CLOSED) this.close(); // refused: whoever holds it opens another one
      setTimeout(() => this.onerror?.(event), Math.max(0, outward - Date.now()));
    };
  }

  #leave() {
    this.#source?.close();
    this.#source = null;
  }
}

htmx.createEventSource = (url) => new SeenStream(url);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) htmx.trigger(document.body, "seen");
});
