// The text of a unified diff -> files with their lines, numbered. Pure.

export function parse(text) {
  const files = [];
  let file = null;
  let old = 0;
  let now = 0;
  let left = [0, 0];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$/.exec(line);
    if (line.startsWith("diff --git ") && !(left[0] > 0 || left[1] > 0)) {
      file = { path: named(line), about: [], lines: [] };
      files.push(file);
    } else if (!file) {
      continue;
    } else if (head && !(left[0] > 0 || left[1] > 0)) {
      [old, now] = [Number(head[1]), Number(head[3])];
      left = [Number(head[2] ?? 1), Number(head[4] ?? 1)];
      file.lines.push({ kind: "@", text: line });
    } else if (left[0] > 0 || left[1] > 0) {
      const kind = line[0] || " ";
      if (kind === "\\") continue;
      const at = { kind, text: line.slice(1), old: kind === "+" ? null : old++, now: kind === "-" ? null : now++ };
      left = [left[0] - (kind === "+" ? 0 : 1), left[1] - (kind === "-" ? 0 : 1)];
      file.lines.push(at);
    } else if (line.startsWith("+++ ") && line !== "+++ /dev/null") {
      file.path = unquoted(line.slice(4)).replace(/^b\//, "");
    } else if (/^(new file|deleted file|rename |copy |old mode|new mode|Binary files|GIT binary)/.test(line)) {
      file.about.push(line);
    }
  }
  return files;
}

// The path in `diff --git a/x b/x`, where no line below tells it.
function named(line) {
  const rest = line.slice("diff --git ".length);
  const quoted = /^"(?:[^"\\]|\\.)*" ("(?:[^"\\]|\\.)*")$/.exec(rest);
  if (quoted) return unquoted(quoted[1]).replace(/^b\//, "");
  return rest.slice((rest.length + 1) / 2).replace(/^b\//, "");
}

const SIGNS = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v", '"': '"', "\\": "\\" };

// A path as git writes it: in quotes, with octal bytes, where it has odd characters.
function unquoted(text) {
  text = text.replace(/\t$/, "");
  if (!text.startsWith('"')) return text;
  const bytes = [];
  for (const [, octal, sign, plain] of text.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gu)) {
    if (octal) bytes.push(Number.parseInt(octal, 8));
    else bytes.push(...new TextEncoder().encode(plain ?? SIGNS[sign] ?? sign));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

// How many lines came and went.
export function figures(files) {
  const found = { added: 0, removed: 0 };
  for (const { lines } of files) {
    for (const { kind } of lines) {
      if (kind === "+") found.added += 1;
      if (kind === "-") found.removed += 1;
    }
  }
  return found;
}
