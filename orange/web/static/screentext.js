// What a program says to a terminal -> lines that can be read: colours and other orders left out, what was written over
// gone. A program that draws a whole screen is looked at with `orange attach`. Pure.

// Lines that are kept.
const MOST = 2000;
// The orders of a terminal: CSI, OSC and other strings, and those of one or two characters.
const ORDER = /^(?:\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-OQ-WYZ\\`-~])/;
// The longest order that may still be on its way.
const LONGEST = 4096;

export const EMPTY = { lines: [""], column: 0, rest: "" };

// The screen after some more was said.
export function say(screen, said) {
  const text = screen.rest + said;
  const lines = screen.lines.slice();
  let { column } = screen;
  let at = 0;
  while (at < text.length) {
    const sign = text[at];
    if (sign === "\x1b") {
      const order = ORDER.exec(text.slice(at, at + LONGEST));
      if (!order && text.length - at < LONGEST) return { lines, column, rest: text.slice(at) };
      if (order && /^\x1b\[[02]?K$/.test(order[0])) lines.push(lines.pop().slice(0, order[0].includes("2") ? 0 : column));
      at += order ? order[0].length : 1;
    } else if (sign === "\n") {
      lines.push("");
      column = 0;
      at += 1;
    } else if (sign === "\r") {
      column = 0;
      at += 1;
    } else if (sign === "\b") {
      column = Math.max(0, column - 1);
      at += 1;
    } else {
      const [plain] = /^[^\x00-\x08\x0a-\x1f\x7f]*/.exec(text.slice(at));
      if (plain) {
        const line = lines.pop();
        lines.push(line.slice(0, column).padEnd(column) + plain + line.slice(column + plain.length));
        column += plain.length;
      }
      at += plain.length || 1;
    }
    if (lines.length > MOST) lines.splice(0, lines.length - MOST);
  }
  return { lines, column, rest: "" };
}
