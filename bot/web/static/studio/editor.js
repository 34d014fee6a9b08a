// The editor of a draft: its textarea stays what is typed into; colours, marks and suggestions are around it.

import { suggest } from "./complete.js";
import { Painting } from "./paint.js";
import { Saving } from "./saving.js";

const LINT_MS = 350;
const MOST_SHOWN = 12;

const form = document.getElementById("draft");
const said = form.dataset;
const area = document.getElementById("text");
const editor = form.querySelector(".editor");
const list = document.getElementById("completions");
const saved = document.getElementById("saved");
const found = document.getElementById("found");
const problems = document.getElementById("problems");
const conflict = document.getElementById("conflict");
const kept = document.getElementById("kept");
const painting = new Painting(editor.querySelector(".backdrop"));
const backdrop = painting.backdrop;

// Typing through the browser's own command keeps its undo; a textarea's value alone would lose it.
function type(text, from, to) {
  area.focus();
  area.setSelectionRange(from, to);
  const done = text
    ? document.execCommand("insertText", false, text)
    : from === to || document.execCommand("delete");
  if (!done) {
    area.setRangeText(text, from, to, "end");
    area.dispatchEvent(new Event("input"));
  }
}

function put(text) {
  type(text, 0, area.value.length);
  area.setSelectionRange(0, 0);
}

// Saving ---------------------------------------------------------------------------------------

const saving = new Saving({
  survey: said.survey,
  csrf: said.csrf,
  revision: Number(form.elements.revision.value),
  text: area.value,
  told(state, detail) {
    if (state === "saved") saved.textContent = said.saved + detail;
    else if (state === "conflict") tellConflict(detail);
    else saved.textContent = said[state];
    saved.classList.toggle("problem", ["unsaved", "signedOut", "refused"].includes(state));
    for (const field of document.querySelectorAll("input[name=revision]")) field.value = saving.revision;
  },
});

let theirs = null;

function tellConflict(draft) {
  theirs = draft;
  saved.textContent = "";
  conflict.querySelector("p").textContent = draft ? `${said.conflict} ${draft.by}, ${draft.at}.` : said.gone;
  const lines = conflict.querySelector("pre");
  lines.hidden = !draft;
  lines.replaceChildren(
    ...(draft?.lines ?? []).map(([sign, line]) => {
      const made = document.createElement({ "+": "ins", "-": "del" }[sign] ?? "span");
      made.textContent = sign === "@" ? "⋯" : `${sign === "-" ? "−" : sign} ${line}`;
      return made;
    }),
  );
  conflict.querySelector("[data-do=theirs]").hidden = !draft;
  conflict.hidden = false;
}

function download(text) {
  const link = document.createElement("a");
  link.href = `data:application/yaml;charset=utf-8,${encodeURIComponent(text)}`;
  link.download = `${said.survey}-mine.yaml`;
  link.click();
}

const doing = {
  restore() {
    const text = saving.kept();
    kept.hidden = true;
    put(text);
  },
  forget() {
    saving.forget();
    kept.hidden = true;
  },
  mine() {
    conflict.hidden = true;
    saving.mine(theirs);
  },
  theirs() {
    download(area.value);
    conflict.hidden = true;
    saving.take(theirs);
    put(theirs.text);
  },
};

document.addEventListener("click", (event) => doing[event.target.dataset?.do]?.());

// Whatever is sent from this page is about what is typed: it is saved before.
document.addEventListener("submit", async (event) => {
  if (event.target.id === "draft") {
    event.preventDefault();
    await saving.now();
    return;
  }
  if (saving.text === saving.saved || event.target.id === "discard") return;
  event.preventDefault();
  if (await saving.now()) event.target.requestSubmit(event.submitter);
});

window.addEventListener("beforeunload", () => saving.now());
window.addEventListener("online", () => saving.now());

// Marks ----------------------------------------------------------------------------------------

let linting = false;
let linted = null;
let timer = 0;
let marks = [];

async function lint() {
  if (linting || linted === area.value) return;
  linting = true;
  const text = area.value;
  if (linted === null) found.textContent = said.checking;
  try {
    const answer = await fetch(`/surveys/${said.survey}/lint`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": said.csrf },
      body: JSON.stringify({ text }),
    });
    if (answer.ok) {
      const told = await answer.json();
      if (area.value === text) show(told.problems);
    } else {
      const { error } = await answer.json();
      found.textContent = `${said.unchecked}: ${error.message}`;
    }
  } catch {
    found.textContent = said.unchecked;
  }
  linted = text;
  linting = false;
  if (area.value !== text) lint();
}

function show(told) {
  marks = told.filter((each) => each.line > 0);
  painting.mark(told);
  const errors = told.filter((each) => each.level === "error").length;
  found.textContent = told.length
    ? `${said.errors}: ${errors}, ${said.warnings}: ${told.length - errors}`
    : said.clean;
  found.classList.toggle("good", !told.length);
  problems.replaceChildren(
    ...told.map((each) => {
      const item = document.createElement("li");
      item.className = each.level;
      const button = document.createElement("button");
      button.type = "button";
      const where = document.createElement("b");
      where.textContent = `${each.level === "error" ? "✕" : "▲"} ${each.line ? `${said.line} ${each.line}` : ""}`;
      const hint = document.createElement("small");
      hint.textContent = [each.hint, each.rule].filter(Boolean).join(" · ");
      button.append(where, ` ${each.message}`, hint);
      button.addEventListener("click", () => go(each));
      item.append(button);
      return item;
    }),
  );
}

function go({ line, column }) {
  if (!line) return;
  const lines = area.value.split("\n");
  const at = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + Math.max(0, column - 1);
  area.focus();
  area.setSelectionRange(at, at);
  area.scrollTop = Math.max(0, (line - 4) * lineHeight());
  area.scrollLeft = 0;
}

function nextMark(step) {
  const line = area.value.slice(0, area.selectionStart).split("\n").length;
  const numbers = [...new Set(marks.map((each) => each.line))].sort((a, b) => a - b);
  if (!numbers.length) return;
  const onward = numbers.find((each) => each > line) ?? numbers[0];
  const back = numbers.findLast((each) => each < line) ?? numbers[numbers.length - 1];
  go(marks.find((each) => each.line === (step > 0 ? onward : back)));
}

// Suggestions ----------------------------------------------------------------------------------

let schema = null;
let offered = null;
let chosen = 0;

fetch("/surveys/schema.json").then(async (answer) => {
  if (answer.ok) schema = await answer.json();
});

function lineHeight() {
  return parseFloat(getComputedStyle(area).lineHeight);
}

function letterWidth() {
  const paper = document.createElement("canvas").getContext("2d");
  paper.font = getComputedStyle(area).font;
  return paper.measureText("0").width;
}

function offer(asked) {
  const collapsed = area.selectionStart === area.selectionEnd;
  offered = schema && collapsed ? suggest(area.value, area.selectionStart, schema, asked) : null;
  if (!offered) return close();
  offered.items = offered.items.slice(0, MOST_SHOWN);
  chosen = 0;
  list.replaceChildren(
    ...offered.items.map((each, place) => {
      const item = document.createElement("li");
      item.id = `completion-${place}`;
      item.role = "option";
      item.textContent = each.required ? `${each.label} · ${said.required}` : each.label;
      if (each.detail) {
        const detail = document.createElement("small");
        detail.textContent = each.detail;
        item.append(detail);
      }
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        accept(place);
      });
      return item;
    }),
  );
  const before = area.value.slice(0, offered.from).split("\n");
  const style = getComputedStyle(area);
  const x = parseFloat(style.paddingLeft) + before[before.length - 1].length * letterWidth() - area.scrollLeft;
  const y = parseFloat(style.paddingTop) + before.length * lineHeight() - area.scrollTop;
  list.hidden = false;
  const room = editor.clientHeight - list.offsetHeight;
  list.style.left = `${Math.max(0, Math.min(x, editor.clientWidth - list.offsetWidth))}px`;
  list.style.top = `${y > room && y > list.offsetHeight ? y - list.offsetHeight - lineHeight() : Math.min(y, Math.max(0, room))}px`;
  document.getElementById("suggested").textContent = `${said.suggestions}: ${offered.items.length}`;
  choose(0);
}

function choose(place) {
  chosen = (place + offered.items.length) % offered.items.length;
  [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
  list.children[chosen].scrollIntoView({ block: "nearest" });
  area.setAttribute("aria-activedescendant", `completion-${chosen}`);
}

function close() {
  offered = null;
  list.hidden = true;
  area.removeAttribute("aria-activedescendant");
}

function accept(place) {
  const { from, to, items } = offered;
  close();
  type(items[place].insert, from, to);
}

// Keys -----------------------------------------------------------------------------------------

const whileOffered = {
  ArrowDown: () => choose(chosen + 1),
  ArrowUp: () => choose(chosen - 1),
  Enter: () => accept(chosen),
  Tab: () => accept(chosen),
  Escape: close,
};

// The next line goes in as far as this one, two further behind a key that holds more.
function newLine() {
  const from = area.selectionStart;
  const line = area.value.slice(0, from).split("\n").pop();
  const [, spaces, dashes] = /^( *)((?:- +)*)/.exec(line);
  const opens = /[^\s:]:\s*([>|][+-]?)?$/.test(line);
  type(`\n${" ".repeat(spaces.length + dashes.length + (opens ? 2 : 0))}`, from, area.selectionEnd);
}

area.addEventListener("keydown", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
  if (offered && plain && whileOffered[event.key]) {
    event.preventDefault();
    whileOffered[event.key]();
  } else if ((event.ctrlKey || event.metaKey) && event.code === "Space") {
    event.preventDefault();
    offer(true);
  } else if ((event.ctrlKey || event.metaKey) && event.code === "KeyS") {
    event.preventDefault();
    saving.now();
  } else if (event.key === "F8") {
    event.preventDefault();
    nextMark(event.shiftKey ? -1 : 1);
  } else if (event.key === "Enter" && plain && !event.shiftKey) {
    event.preventDefault();
    newLine();
  }
});

area.addEventListener("input", (event) => {
  painting.draw(area.value);
  saving.changed(area.value);
  clearTimeout(timer);
  timer = setTimeout(lint, LINT_MS);
  follow();
  if (event.inputType === "insertText" && event.data && event.data !== "\n") offer(false);
  else close();
});

function follow() {
  backdrop.scrollTop = area.scrollTop;
  backdrop.scrollLeft = area.scrollLeft;
}

area.addEventListener("scroll", () => {
  follow();
  close();
});
area.addEventListener("blur", close);
area.addEventListener("click", close);

// The beginning --------------------------------------------------------------------------------

area.setAttribute("aria-autocomplete", "list");
area.setAttribute("aria-controls", "completions");
painting.draw(area.value);
editor.classList.add("live");
follow();
kept.hidden = !saving.kept();
if (area.value.trim()) lint();
