// What may be done with a task as it is, by the daemon's own table of moves. Pure.
// Next in the flow: `doing` carries it out.

// Column of the board -> the status a task has there.
const STATUS = {
  backlog: "backlog",
  ready: "pending",
  blocked: "stuck",
  in_progress: "working",
  in_review: "reviewing",
  done: "done",
  cancelled: "cancelled",
};

// Every move: from which statuses it is offered, to which status it leads, and the words for it.
const MOVES = [
  { id: "approve", from: ["reviewing"], to: "reviewed", label: "Approve", main: true, done: "approved" },
  { id: "approve", from: ["stuck"], to: "pending", label: "Approve", main: true, done: "approved", why: ["approval"] },
  { id: "reject", from: ["reviewing", "reviewed"], to: "working", label: "Request changes", ask: "feedback", done: "sent back" },
  { id: "reject", from: ["stuck"], to: "pending", label: "Request changes", ask: "feedback", done: "sent back", why: ["approval"] },
  { id: "answer", from: ["stuck", "working"], to: null, label: "Answer", ask: "text", main: true, done: "answered", why: ["question"] },
  { id: "merge", from: ["reviewed"], to: "done", label: "Merge now", main: true, done: "merged" },
  { id: "run", from: ["pending", "backlog"], to: "working", label: "Run now", main: true, done: "started" },
  { id: "retry", from: ["stuck"], to: "pending", label: "Retry", main: true, done: "may start again" },
  { id: "pending", from: ["backlog"], to: "pending", label: "Make startable", done: "may start" },
  { id: "reopen", from: ["done"], to: "pending", label: "Reopen", done: "open again" },
  { id: "rollback", from: ["done"], to: "stuck", label: "Roll back", done: "taken out of the base", sure: "Take its work out of the base again?" },
  { id: "restore", from: ["cancelled"], to: "backlog", label: "Restore", main: true, done: "back in the backlog" },
  { id: "backlog", from: ["pending", "stuck"], to: "backlog", label: "Put back", done: "put back to the backlog" },
  { id: "stuck", from: ["pending"], to: "stuck", label: "Set aside", ask: "message", done: "set aside" },
  { id: "cancel", from: [], to: "cancelled", label: "Cancel task", done: "cancelled" },
];

export function legal(machine, from, to) {
  return machine.transitions.some((move) => move.from === from && move.to === to);
}

// What keeps a task from being started; "" where nothing does.
function held(task) {
  const open = task.waiting.find(({ code }) => code.startsWith("blocker_"));
  return open ? `it waits: ${open.message}` : "";
}

// The moves that are offered, the likeliest first; with the reason, where one cannot be made now.
export function offers(task, machine) {
  const codes = new Set([task.stuck?.reason, ...task.waiting.map(({ code }) => code)]);
  return MOVES.filter(
    ({ from, to, why }) =>
      (!from.length || from.includes(task.status)) &&
      (!why || why.some((code) => codes.has(code))) &&
      (to === null || reaches(machine, task.status, to)),
  ).map((move) => (move.id === "run" ? { ...move, reason: held(task) } : move));
}

// A task in the backlog is made startable on the way to being run.
const reaches = (machine, from, to) =>
  legal(machine, from, to) || (from === "backlog" && to === "working" && legal(machine, "backlog", "pending"));

// The move that takes a task to a column; null where there is none, with the reason.
export function toColumn(task, column, machine) {
  const target = STATUS[column];
  if (task.state === column) return { move: null, reason: "" };
  if (held(task) && (task.status === target || column === "in_progress")) return { move: null, reason: held(task) };
  if (task.status === target) return { move: null, reason: `it is ${target} already; what it waits for decides the column` };
  if (!reaches(machine, task.status, target)) return { move: null, reason: refusal(task, target, machine) };
  const known = { in_progress: "run", cancelled: "cancel" }[column] || back(task.status, target);
  return { move: { id: known || target, to: target, label: column, done: `moved to ${target}` }, reason: "" };
}

const back = (from, to) =>
  ({ "stuck pending": "retry", "done pending": "reopen", "cancelled backlog": "restore", "reviewed done": "merge" })[`${from} ${to}`];

function refusal(task, target, machine) {
  const targets = machine.transitions.filter(({ from }) => from === task.status).map(({ to }) => to);
  return `a ${task.status} task cannot become ${target}; it can become ${targets.join(", ") || "nothing else"}`;
}

// How to ask the daemon for a move.
export function request(task, move, said = {}) {
  const path = `/api/v2/tasks/${encodeURIComponent(task.id)}`;
  const words = machineWords(move, said);
  return words ? [`${path}/transition`, words] : [`${path}/${move.id}`, said];
}

function machineWords({ id }, said) {
  if (id === "stuck") return { status: "stuck", reason: "manual", ...said };
  return ["pending", "backlog", "reviewing", "done"].includes(id) ? { status: id, ...said } : null;
}

// What takes a move back, step by step; null where nothing can.
export function undoing(before, after) {
  const steps = {
    "backlog pending": ["backlog"],
    "pending backlog": ["pending"],
    "backlog cancelled": ["restore"],
    "pending cancelled": ["restore", "pending"],
    "cancelled backlog": ["cancel"],
    "pending stuck": ["retry"],
  }[`${before.status} ${after.status}`];
  return steps ? steps.map((id) => ({ id })) : null;
}
