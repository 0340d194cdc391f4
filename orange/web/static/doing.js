// Carries out what a person asked for, tells how it went, and offers to take it back.
// Next in the flow: `api`; afterwards everything is read anew.

import { call } from "./api.js";
import { lookCloser } from "./live.js";
import { request, toColumn, undoing } from "./moves.js";
import { note, read } from "./store.js";

// Do something and look again; a refusal is told with its reason. Returns whether it was done.
export async function attempt(what, act) {
  try {
    await act();
    await lookCloser();
    return true;
  } catch (refused) {
    note(`${what}: ${refused.message}`, { kind: "refused" });
    lookCloser();
    return false;
  }
}

// Make a move of a task.
export function move(task, wanted, said) {
  return attempt(`“${task.title}” stays as it is`, async () => {
    const [path, body] = request(task, wanted, said);
    const { task: after } = await call("POST", path, body);
    const steps = undoing(task, after);
    note(`“${task.title}”: ${wanted.done}`, { undo: steps && (() => takeBack(task, steps)) });
  });
}

function takeBack(task, steps) {
  return attempt(`“${task.title}”: this cannot be taken back`, async () => {
    for (const step of steps) await call("POST", ...request(task, step));
    note(`“${task.title}” is as it was`);
  });
}

// Take a task to a column of the board, or say why that cannot be.
export function moveTo(task, column) {
  const { move: wanted, reason } = toColumn(task, column, read().machine);
  if (wanted) return move(task, wanted);
  if (reason) note(`“${task.title}” stays as it is: ${reason}`, { kind: "refused" });
  return false;
}
