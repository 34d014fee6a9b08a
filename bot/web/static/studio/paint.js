// The coloured copy below the textarea: one row a line, of which only those that changed are made anew.

const COMMENT = /(^|\s)#.*$/;
const KEY = /^(\s*(?:- +)*)([\w.-]+)(?=:(?:\s|$))/;
const PIPE = /\{[^{}\n]*\}/g;

function span(kind, text) {
  const made = document.createElement("span");
  made.className = kind;
  made.textContent = text;
  return made;
}

function plain(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(PIPE)) {
    parts.push(text.slice(from, found.index), span("pipe", found[0]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}

// A comment begins at a # outside of quotes: enough for colours, whatever YAML says of the rest.
function commentFrom(line) {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/g, (quoted) => "x".repeat(quoted.length));
  const found = COMMENT.exec(bare);
  return found ? found.index + found[1].length : line.length;
}

function coloured(line) {
  const end = commentFrom(line);
  const code = line.slice(0, end);
  const key = KEY.exec(code);
  const parts = key
    ? [key[1], span("key", key[2]), ...plain(code.slice(key[0].length))]
    : plain(code);
  return end < line.length ? [...parts, span("comment", line.slice(end))] : parts;
}

// The word at a column, underlined; the rest of the line as it is.
function marked(line, column) {
  const from = Math.min(column - 1, line.length);
  const word = /^\s*(?:[\w.-]+|\S+)?/.exec(line.slice(from))[0] || line.slice(from, from + 1);
  return [line.slice(0, from), span("at", word), line.slice(from + word.length)];
}

export class Painting {
  constructor(backdrop) {
    this.backdrop = backdrop;
    this.lines = [];
  }

  draw(text) {
    const lines = text.split("\n");
    const old = this.lines;
    let start = 0;
    while (start < Math.min(lines.length, old.length) && lines[start] === old[start]) start += 1;
    let end = 0;
    const most = Math.min(lines.length, old.length) - start;
    while (end < most && lines[lines.length - 1 - end] === old[old.length - 1 - end]) end += 1;
    const rows = this.backdrop.children;
    for (let n = old.length - end - start; n > 0; n -= 1) rows[start].remove();
    const fresh = document.createDocumentFragment();
    for (const line of lines.slice(start, lines.length - end)) {
      const row = document.createElement("div");
      row.className = "row";
      row.append(...coloured(line));
      fresh.append(row);
    }
    this.backdrop.insertBefore(fresh, rows[start] ?? null);
    this.lines = lines;
  }

  // problems: [{line, column, level}] of the text that is drawn; of one line the worst is shown.
  mark(problems) {
    [...this.backdrop.children].forEach((row, place) => {
      if (row.className === "row") return;
      row.className = "row";
      row.replaceChildren(...coloured(this.lines[place]));
    });
    const worst = new Map();
    for (const { line, column, level } of problems) {
      const known = worst.get(line);
      if (!known || (known.level === "warning" && level === "error")) worst.set(line, { level, column });
    }
    for (const [line, { level, column }] of worst) {
      const row = this.backdrop.children[line - 1];
      if (!row) continue;
      row.className = `row ${level}`;
      if (column > 0) row.replaceChildren(...marked(this.lines[line - 1], column));
    }
  }
}
