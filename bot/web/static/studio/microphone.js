// One turn by microphone: pressed once it listens, pressed again the words are in the field, and are sent.

const RATE = 8000; // as a telephone has it
const LONGEST = 15 * RATE; // samples; the node takes no more of one turn

const box = document.querySelector(".voice");
const button = document.getElementById("speak");
const told = document.getElementById("hearing");
let listening = null;

class Microphone {
  constructor(stream, context, node) {
    this.stream = stream;
    this.context = context;
    this.chunks = [];
    this.length = 0;
    node.port.onmessage = ({ data }) => {
      if (this.length < LONGEST) this.chunks.push(data);
      this.length += data.length;
      if (this.length >= LONGEST) this.onfull?.();
    };
  }

  static async open() {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
    });
    const context = new AudioContext({ sampleRate: RATE });
    await context.audioWorklet.addModule(new URL("./recorder.js", import.meta.url));
    const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
    context.createMediaStreamSource(stream).connect(node);
    return new Microphone(stream, context, node);
  }

  // Bytes, 16 bit little-endian.
  async close() {
    for (const track of this.stream.getTracks()) track.stop();
    await this.context.close();
    return new Blob(this.chunks).slice(0, 2 * LONGEST);
  }
}

function pressed(on) {
  button.setAttribute("aria-pressed", String(on));
}

async function start() {
  try {
    listening = await Microphone.open();
  } catch (error) {
    told.textContent = box.dataset.denied;
    console.info("no microphone:", error.name);
    return;
  }
  listening.onfull = () => stop();
  told.textContent = box.dataset.listening;
  pressed(true);
}

async function stop() {
  const microphone = listening;
  listening = null;
  if (!microphone) return;
  pressed(false);
  told.textContent = box.dataset.hearing;
  const sound = await microphone.close();
  try {
    const answer = await fetch(box.dataset.path, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", "X-CSRF-Token": box.dataset.csrf },
      body: sound,
    });
    const found = await answer.json();
    if (answer.ok) say(found.text);
    else told.textContent = `${box.dataset.failed}: ${found.error.message}`;
  } catch {
    told.textContent = box.dataset.failed;
  }
}

function say(text) {
  const line = document.getElementById("line");
  told.textContent = text ? "" : box.dataset.nothing;
  if (!text || !line) return;
  line.value = text;
  line.form.requestSubmit();
}

button.addEventListener("click", () => (listening ? stop() : start()));
box.hidden = !navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode;
