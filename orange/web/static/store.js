// What the page knows: one object, replaced as a whole. Whoever uses it is drawn anew when it changes.
// Next in the flow: `live` writes what it reads from the daemon, the views read it.

import { useEffect, useReducer } from "./vendor/preact-htm.js";

let known = {
  // Null until it is known whether there is a token; then the token, or "".
  token: null,
  projects: [],
  // The name or folder of the project that is shown.
  project: "",
  // Every task of the project, by id; null until they are read.
  tasks: null,
  // The ids of the tasks in each column, in order.
  columns: {},
  // What the daemon says of itself and the project; null until it is read.
  status: null,
  // What moves are legal; null until it is read.
  machine: null,
  // How the page keeps up: "live", "polling" or "lost".
  contact: "polling",
  // Grows with every look at the daemon.
  turn: 0,
  // Grows with every look that found something changed, or that followed something done here.
  change: 0,
  // Where the page is: {view, task}.
  place: { view: "board" },
  // What is told in the corner: [{id, text, kind, undo}].
  notes: [],
};
const listeners = new Set();

export function read() {
  return known;
}

export function write(change) {
  known = { ...known, ...change };
  for (const tell of listeners) tell();
}

// Read it in a component, and draw that anew with each change.
export function useKnown() {
  const [, again] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    listeners.add(again);
    again();
    return () => listeners.delete(again);
  }, []);
  return known;
}

let notes = 0;

// Tell what happened, in the corner and to screen readers; `undo` takes it back.
export function note(text, { kind = "done", undo = null } = {}) {
  const id = ++notes;
  write({ notes: [...known.notes.slice(-3), { id, text, kind, undo }] });
  if (kind === "done") setTimeout(() => drop(id), undo ? 60000 : 6000);
}

export function drop(id) {
  write({ notes: known.notes.filter((found) => found.id !== id) });
}
