// A trial talk: what the bot said is spoken, where that is wanted.

import "./microphone.js";

const WANTED = "otklik_aloud";
const aloud = document.getElementById("aloud");
const player = new Audio();
let heard = -1;

function sounds() {
  return [...document.querySelectorAll("#talk [data-sound]")];
}

// What has come since, one after another.
async function play(links) {
  for (const link of links) {
    player.src = link.href;
    await player.play();
    await new Promise((resolve) => {
      player.onended = resolve;
      player.onerror = resolve;
      player.onpause = resolve;
    });
    if (!aloud.checked) return;
  }
}

function caughtUp() {
  const fresh = sounds().filter((link) => Number(link.dataset.sound) > heard);
  if (!fresh.length) return;
  heard = Number(fresh[fresh.length - 1].dataset.sound);
  if (!aloud.checked) return;
  play(fresh).catch((error) => {
    // Before the first press of a button browsers play nothing: then the switch says so.
    if (error.name === "NotAllowedError") aloud.checked = false;
    else throw error;
  });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-sound]");
  if (!link) return;
  event.preventDefault();
  player.src = link.href;
  player.play();
});

aloud.addEventListener("change", () => {
  localStorage.setItem(WANTED, aloud.checked ? "1" : "");
  if (!aloud.checked) player.pause();
});

// What came with the last turn, for whoever hears the page: the talk itself is made anew each time.
function tell() {
  const lines = [...document.querySelectorAll("#talk .said li")];
  const last = lines.findLastIndex((line) => line.classList.contains("caller"));
  const fresh = lines.slice(last + 1).filter((line) => line.classList.contains("bot"));
  document.getElementById("newest").textContent = fresh.map((line) => line.firstChild.nextSibling.data).join(" ");
}

document.addEventListener("htmx:afterSettle", () => {
  caughtUp();
  tell();
  (document.getElementById("line") ?? document.querySelector("#talk button"))?.focus();
  document.getElementById("talk").scrollIntoView({ block: "end" });
});

aloud.closest("label").hidden = false;
aloud.checked = localStorage.getItem(WANTED) === "1";
caughtUp();
