// What may be written where the caret is, by the JSON Schema of a survey. Pure: text in, suggestions out.

const SHAPE = /^( *)((?:- +)*)(?:([\w.-]+):(?:\s+(.*))?$)?/;

// Columns of a line: `col` where its key stands, `dash` that of its first dash or -1.
function shape(line) {
  const found = SHAPE.exec(line);
  return {
    col: found[1].length + found[2].length,
    dash: found[2] ? found[1].length : -1,
    key: found[3],
    value: found[4] ?? "",
    blank: !line.trim() || line.trim().startsWith("#"),
  };
}

// The mapping around a key at `col` of line `row`: its other keys, and the way to it from the top.
function around(lines, row, col, dash) {
  const siblings = new Map();
  let item = dash;
  let at = row;
  while (item < 0 && at > 0) {
    at -= 1;
    const above = shape(lines[at]);
    if (above.blank || above.col > col) continue;
    if (above.col < col) break;
    if (above.key) siblings.set(above.key, above.value);
    item = above.dash;
  }
  for (let below = row + 1; below < lines.length; below += 1) {
    const each = shape(lines[below]);
    if (each.blank || each.col > col) continue;
    if (each.col < col || each.dash >= 0) break;
    if (each.key) siblings.set(each.key, each.value);
  }
  const steps = item >= 0 ? ["[]"] : [];
  const limit = item >= 0 ? item + 1 : col;
  for (let above = item >= 0 && dash < 0 ? at - 1 : row - 1; above >= 0; above -= 1) {
    const each = shape(lines[above]);
    if (each.blank || !each.key || each.col >= limit || each.value) continue;
    const outer = around(lines, above, each.col, each.dash);
    return { siblings, way: [...outer.way, { kind: outer.siblings.get("kind") }, each.key, ...steps] };
  }
  return { siblings, way: steps };
}

// Every schema that a node stands for; of questions told apart by `kind` the one of this kind.
function meant(schema, node, kind) {
  if (!node) return [];
  if (node.$ref) return meant(schema, schema.$defs[node.$ref.split("/").pop()], kind);
  const found = [node];
  for (const each of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) found.push(...meant(schema, each, kind));
  for (const each of node.allOf ?? []) {
    const only = each.if?.properties?.kind?.const;
    if (only === undefined) found.push(...meant(schema, each, kind));
    else if (only === kind) found.push(...meant(schema, each.then, kind));
  }
  return found;
}

function walk(schema, way, kind) {
  let nodes = meant(schema, schema, undefined);
  const steps = way.filter((step) => typeof step === "string");
  steps.forEach((step, place) => {
    const last = place === steps.length - 1;
    nodes = nodes.flatMap((node) => {
      const next = step === "[]" ? node.items : node.properties?.[step];
      return meant(schema, next, last ? kind : undefined);
    });
  });
  return nodes;
}

function propertiesOf(nodes) {
  const found = new Map();
  const required = new Set(nodes.flatMap((node) => node.required ?? []));
  for (const node of nodes) {
    for (const [name, property] of Object.entries(node.properties ?? {})) {
      if (!found.has(name)) found.set(name, { property, required: required.has(name) });
    }
  }
  for (const name of required) {
    if (!found.has(name)) found.set(name, { property: { type: "string" }, required: true });
  }
  return found;
}

function valuesOf(schema, nodes, key, text) {
  const property = propertiesOf(nodes).get(key)?.property;
  if (key === "goto" || key === "after") return idsOf(text);
  return meant(schema, property, undefined).flatMap((node) => {
    if (node.enum) return node.enum.map(String);
    if (node.const !== undefined) return [String(node.const)];
    if (node.type === "boolean") return ["true", "false"];
    return (node.examples ?? []).filter((each) => typeof each !== "object").map(String);
  });
}

// Of questions: they alone have answers, and calls go on to them.
function idsOf(text) {
  const from = /^questions:/m.exec(text);
  if (!from) return [];
  const below = text.slice(from.index + from[0].length);
  const end = /^[a-z]/m.exec(below);
  const part = end ? below.slice(0, end.index) : below;
  return [...part.matchAll(/^ *- +id: *([a-z]\w*)/gm)].map((found) => found[1]);
}

// What follows a key that is taken: a block for what holds more, a space for a word.
function afterKey(schema, property, col) {
  const nodes = meant(schema, property, undefined);
  const simple = nodes.some((node) => ["string", "number", "integer", "boolean"].includes(node.type) || node.enum);
  if (simple) return ": ";
  const inner = `\n${" ".repeat(col + 2)}`;
  return nodes.some((node) => node.type === "array") ? `:${inner}- ` : `:${inner}`;
}

// {from, to, items: [{insert, label, detail, required}]} or null; `asked` is Ctrl+Space.
export function suggest(text, caret, schema, asked = false) {
  const before = text.slice(0, caret).split("\n");
  const lines = text.split("\n");
  const row = before.length - 1;
  const typed = before[row];
  const rest = lines[row].slice(typed.length);
  const asValue = /^( *)((?:- +)*)([\w.-]+): +(.*)$/.exec(typed);
  if (asValue) {
    const [, spaces, dashes, key, written] = asValue;
    return inValue(text, caret, schema, { lines, row, spaces, dashes, key, written, rest, asked });
  }
  const asKey = /^( *)((?:- +)*)([\w-]*)$/.exec(typed);
  if (!asKey || (rest.trim() && !rest.startsWith(":"))) return null;
  const [, spaces, dashes, part] = asKey;
  if (!part && !asked) return null;
  const col = spaces.length + dashes.length;
  const { siblings, way } = around(lines, row, col, dashes ? spaces.length : -1);
  const kind = siblings.get("kind");
  const nodes = walk(schema, way, kind);
  const items = [];
  for (const [name, { property, required }] of propertiesOf(nodes)) {
    if (siblings.has(name) || !name.startsWith(part) || name === part) continue;
    const insert = rest.startsWith(":") ? name : name + afterKey(schema, property, col);
    items.push({ insert, label: name, detail: property.description ?? "", required });
  }
  items.sort((a, b) => Number(b.required) - Number(a.required));
  return items.length ? { from: caret - part.length, to: caret, items } : null;
}

function inValue(text, caret, schema, { lines, row, spaces, dashes, key, written, rest, asked }) {
  if (rest.trim()) return null;
  const col = spaces.length + dashes.length;
  const { siblings, way } = around(lines, row, col, dashes ? spaces.length : -1);
  if (key === "when" || key === "if") return inCondition(text, caret, written);
  const nodes = walk(schema, way, siblings.get("kind"));
  const known = valuesOf(schema, nodes, key, text);
  const items = [...new Set(known)]
    .filter((each) => each.startsWith(written) && each !== written)
    .map((each) => ({ insert: each, label: each, detail: "", required: false }));
  if (!items.length || (!written && !asked && items.length > 30)) return null;
  return { from: caret - written.length, to: caret, items };
}

function inCondition(text, caret, written) {
  const part = /(?:^|[\s(])([a-z.]\w*(?:\.\w*)?)$/.exec(written)?.[1] ?? "";
  const items = idsOf(text)
    .map((id) => `answer.${id}`)
    .filter((each) => each.startsWith(part) && each !== part)
    .map((each) => ({ insert: each, label: each, detail: "", required: false }));
  return items.length ? { from: caret - part.length, to: caret, items } : null;
}
