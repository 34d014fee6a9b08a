// One call's page: its sound goes where one clicks, the line that is heard is marked, and a call that goes on brings
// its lines by itself. Without this file everything can be read, and the sound be played.

const page = document.getElementById("call");
const audio = page.querySelector("audio");
const picture = page.querySelector(".timeline svg");
const begins = Number(page.dataset.begins); // where on the call's time the recording begins, in seconds

// The sound -----------------------------------------------------------------------------------------------

function listen(seconds) {
  const at = Math.max(seconds - begins, 0);
  const go = () => {
    audio.currentTime = at;
  };
  if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) go();
  else audio.addEventListener("loadedmetadata", go, { once: true }); // nothing is fetched before one listens
  audio.play();
}

function follow() {
  const seconds = audio.currentTime + begins;
  const hand = picture?.querySelector(".now");
  if (hand) {
    const x = (seconds / Number(picture.dataset.seconds)) * picture.viewBox.baseVal.width;
    hand.setAttribute("x1", x);
    hand.setAttribute("x2", x);
    hand.removeAttribute("hidden");
  }
  for (const row of page.querySelectorAll(".talk .row[data-end]")) {
    const heard = Number(row.dataset.start) <= seconds && seconds < Number(row.dataset.end);
    row.classList.toggle("heard-now", heard && !audio.paused);
  }
}

if (audio) {
  page.addEventListener("click", (event) => {
    const row = event.target.closest(".play");
    if (row) return listen(Number(row.dataset.at));
    if (picture && picture.contains(event.target)) {
      const box = picture.getBoundingClientRect();
      listen(((event.clientX - box.left) / box.width) * Number(picture.dataset.seconds));
    }
  });
  for (const name of ["timeupdate", "seeked", "pause"]) audio.addEventListener(name, follow);
}

// A call that goes on -------------------------------------------------------------------------------------

function goOn() {
  const talk = document.getElementById("talk");
  const lines = htmx.createEventSource(`/calls/${encodeURIComponent(page.dataset.call)}/live?after=${page.dataset.after}`);
  lines.addEventListener("line", (message) => {
    const { seq, html } = JSON.parse(message.data);
    if (!document.getElementById(`seq-${seq}`)) talk.insertAdjacentHTML("beforeend", html);
  });
  lines.addEventListener("over", () => {
    lines.close();
    location.reload(); // now there are its answers, its sound and its outcome
  });
}

if ("after" in page.dataset) goOn();

// Back to the journal as it was: with its filters and its place --------------------------------------------

if (document.referrer) {
  const from = new URL(document.referrer);
  if (from.origin === location.origin && from.pathname === "/calls") {
    document.getElementById("to-journal").href = from.pathname + from.search;
  }
}
