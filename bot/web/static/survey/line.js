// A page's line, a customer's or an agent's: WebRTC to the node, signalled by HTTP. It comes back by itself after the network
// changed, until the node says that the call is over.

const PATIENCE_MS = 30000; // longer than the node waits for a browser that went away (webrtc.reconnect_s)
const RETRY_MS = 1500;
const SHAKY_MS = 2500; // "disconnected" often heals by itself (W3C WebRTC 1.0, 5.6.4)

export class CallOver extends Error {}

export class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
    this.why = why;
  }
}

export async function post(path, body) {
  const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"); // of whoever is signed in
  const reply = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", ...token },
    body: JSON.stringify(body ?? {}),
  });
  const said = await reply.json().catch(() => ({}));
  if (reply.ok) return said;
  const error = said.error ?? {};
  if (error.code === "call_over") throw new CallOver(error.code);
  throw new Refused(reply.status, error.why ?? error.code ?? "");
}

export class Line {
  // on.up(), on.lost(), on.over(), on.sound(stream)
  // `more` goes with every offer.
  constructor(base, on, more = {}) {
    this.base = base;
    this.more = more;
    this.on = on;
    this.peer = null;
    this.legId = null;
    this.waiting = [];
    this.ended = false;
    this.lostAt = 0;
    this.healing = false;
    this.shaky = 0;
    this.goesOnline = () => this.heal();
  }

  // `microphone` is a MediaStreamTrack, or null: then sound comes to us only.
  async open(microphone) {
    const peer = (this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" }));
    peer.addTransceiver(microphone ?? "audio", { direction: microphone ? "sendrecv" : "recvonly" });
    peer.ontrack = (event) => this.on.sound(new MediaStream([event.track]));
    peer.onicecandidate = (event) => this.candidate(event.candidate?.candidate);
    peer.onconnectionstatechange = () => this.changed(peer.connectionState);
    window.addEventListener("online", this.goesOnline);
    await this.offer({});
  }

  async offer(options) {
    this.legId = null;
    await this.peer.setLocalDescription(await this.peer.createOffer(options));
    const answer = await post(`${this.base}/offer`, { sdp: this.peer.localDescription.sdp, ...this.more });
    if (this.ended) return;
    await this.peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    this.legId = answer.leg_id;
    for (const candidate of this.waiting.splice(0)) this.candidate(candidate);
  }

  candidate(candidate) {
    if (!candidate) return;
    if (this.legId === null) {
      this.waiting.push(candidate);
      return;
    }
    // One that is lost matters little: the node answers checks from wherever they come.
    post(`${this.base}/ice`, { leg_id: this.legId, candidate }).catch(() => {});
  }

  changed(state) {
    clearTimeout(this.shaky);
    if (this.ended) return;
    if (state === "connected") {
      this.lostAt = 0;
      this.on.up();
    } else if (state === "disconnected") {
      this.on.lost();
      this.shaky = setTimeout(() => this.heal(), SHAKY_MS);
    } else if (state === "failed") {
      this.on.lost();
      this.heal();
    }
  }

  async heal() {
    if (this.ended || this.healing || !this.peer || this.peer.connectionState === "connected") return;
    this.healing = true;
    this.lostAt ||= Date.now();
    while (!this.ended && Date.now() - this.lostAt < PATIENCE_MS) {
      try {
        await this.offer({ iceRestart: true });
        this.healing = false;
        return;
      } catch (error) {
        if (error instanceof CallOver || error.status === 409) break; // over, or elsewhere
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.healing = false;
    if (!this.ended) this.on.over();
  }

  close() {
    this.ended = true;
    clearTimeout(this.shaky);
    window.removeEventListener("online", this.goesOnline);
    this.peer?.close();
  }
}
