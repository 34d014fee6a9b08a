// What a microphone gives, as 16 bit samples, from the audio thread to the page.

class Recorder extends AudioWorkletProcessor {
  process([input]) {
    if (input[0]) {
      const samples = Int16Array.from(input[0], (value) => Math.max(-1, Math.min(1, value)) * 32767);
      this.port.postMessage(samples, [samples.buffer]);
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
