// Keeps what the page knows fresh: looks again when the daemon tells of a change, else every few seconds; not at all
// while the page is hidden. What is told is a hint only, everything is read anew: so nothing that is missed stays wrong.
// Next in the flow: `store`, and through it the views.

import { call, callDaemon, headers, readNewer } from "./api.js";
import { read, write } from "./store.js";

const PACE = 2000;
// With the stream open, for what no event tells: times that are over, limits that ended.
const CALM = 30000;
const BACK_OFF = [1000, 2000, 5000, 10000];

let looking = null;
let again = false;
let timer = 0;
// Milliseconds the last look took.
let took = 0;
// Whether the stream is tried, and whether it is open.
let listening = false;
let streaming = false;
// What was read last: the project, the tag of its board, and the text of the rest.
let seen = {};

let begun = false;

// Begin; again, after somebody was let in anew, is no harm.
export function start() {
  if (!begun) document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  begun = true;
  if (!listening) stream();
  look();
}

// Look after something was done here: also at what is looked at only when something changed.
export function lookCloser() {
  write({ change: read().change + 1 });
  return look();
}

// Read everything anew; while that is under way, once more afterwards.
export function look() {
  again = looking !== null;
  looking ??= round().finally(() => {
    looking = null;
    if (again) look();
  });
  return looking;
}

// Look when what happens at once has happened; the more there is to read, the longer that waits.
function soon() {
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(50, 2 * took));
}

async function round() {
  again = false;
  clearTimeout(timer);
  const asked = performance.now();
  const project = read().project;
  try {
    await refresh();
    if (read().contact === "lost") write({ contact: streaming ? "live" : "polling" });
  } catch (refused) {
    if (refused.status === 0 || refused.status >= 500) write({ contact: "lost" });
    else if (refused.code !== "no_token") write({ contact: "lost", trouble: refused.message });
  }
  // a project that takes long to read is not read all the time
  took = performance.now() - asked;
  const pause = Math.max(streaming ? CALM : PACE, 10 * took);
  if (project !== read().project) again = true;
  if (!document.hidden && read().token) timer = setTimeout(look, pause);
}

async function refresh() {
  if (!read().machine) write({ machine: await callDaemon("GET", "/api/v2/state-machine") });
  const { projects } = await callDaemon("GET", "/api/v2/projects");
  const project = chosen(projects);
  if (project !== seen.project) seen = { project, tag: "", text: "" };
  if (project !== read().project) write({ project, tasks: null, columns: {}, status: null });
  if (!projects.length) return write({ projects, tasks: new Map(), columns: {} });
  const [board, status] = await Promise.all([readNewer("/api/v2/tasks/board", seen.tag), call("GET", "/api/v2/status")]);
  if (project !== read().project) return;
  const text = JSON.stringify([projects, status]);
  const same = !board.value && text === seen.text;
  seen = { project, tag: board.tag, text };
  const { turn, change } = read();
  // what is the same is not drawn anew
  if (same) write({ turn: turn + 1 });
  else write({ projects, status, trouble: null, turn: turn + 1, change: change + 1, ...(board.value && sorted(board.value.columns)) });
}

// Which project to show: the one that was chosen, if it is served, else the first.
function chosen(projects) {
  const wanted = read().project || new URLSearchParams(location.search).get("project") || "";
  const found = projects.find(({ name, path }) => wanted === name || wanted === path) || projects[0];
  return found ? called(found, projects) : "";
}

// A project's name, or its folder where two have that name.
export function called(project, projects) {
  return projects.filter(({ name }) => name === project.name).length > 1 ? project.path : project.name;
}

function sorted(columns) {
  const tasks = new Map();
  const ids = {};
  for (const [column, found] of Object.entries(columns)) {
    ids[column] = found.map(({ id }) => id);
    for (const task of found) tasks.set(task.id, task);
  }
  return { tasks, columns: ids };
}

// Hear of changes as they happen, for as long as the page is open; a daemon that has no stream is asked in turns.
async function stream() {
  listening = true;
  await hear();
  listening = false;
}

async function hear() {
  let last = "";
  for (let failures = 0; read().token; ) {
    try {
      const more = last ? { "Last-Event-ID": last } : {};
      const answer = await fetch("/api/v2/events", { headers: { ...headers(read().token), ...more }, cache: "no-store" });
      if (answer.status === 404 || answer.status === 401) return;
      if (!answer.ok) throw new Error(`${answer.status}`);
      streaming = true;
      failures = 0;
      write({ contact: "live" });
      look();
      for await (const event of events(answer.body)) {
        last = event.id || last;
        if (!document.hidden) soon();
      }
    } catch {
      // it ended; below it is tried again
    }
    streaming = false;
    if (read().contact === "live") write({ contact: "polling" });
    look();
    await new Promise((done) => setTimeout(done, BACK_OFF[Math.min(failures++, BACK_OFF.length - 1)]));
  }
}

// Read server-sent events off a body.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const event = parse(part);
      if (event.data) yield event;
    }
  }
}

// One event's lines -> {id, event, data}; a comment alone has no data.
export function parse(text) {
  const found = { id: "", event: "message", data: "" };
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^([a-z]+): ?(.*)$/.exec(line) || [];
    if (key === "data") found.data += (found.data && "\n") + value;
    else if (key === "id" || key === "event") found[key] = value;
  }
  return found;
}
