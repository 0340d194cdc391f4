// Words and figures as people read them. Pure.

export const COLUMNS = [
  ["backlog", "Backlog"],
  ["ready", "Ready"],
  ["blocked", "Blocked"],
  ["in_progress", "In progress"],
  ["in_review", "In review"],
  ["done", "Done"],
  ["cancelled", "Cancelled"],
];
export const COLUMN = Object.fromEntries(COLUMNS);

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

// Seconds -> "3 min".
export function span(seconds) {
  const [size, unit] = UNITS.find(([size]) => seconds >= size) || UNITS[3];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

// RFC 3339, or seconds since 1970 -> "3 min ago".
export function ago(at, now = Date.now()) {
  const then = typeof at === "number" ? at * 1000 : Date.parse(at);
  return Number.isNaN(then) ? "" : `${span((now - then) / 1000)} ago`;
}

export function moment(at) {
  const then = new Date(at);
  return Number.isNaN(then.getTime()) ? String(at) : then.toLocaleString();
}

// A short text of one line, from the beginning of a longer one.
export function titleOf(text) {
  const line = text.split("\n").map((part) => part.replace(/^[#>*\s-]+/, "").trim()).find(Boolean) || "";
  return line.length > 80 ? `${line.slice(0, 79).trimEnd()}…` : line;
}

// A list that was typed in, with commas or line breaks between its parts.
export const listOf = (text, between = /[,\n]/) => text.split(between).map((part) => part.trim()).filter(Boolean);

export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}
