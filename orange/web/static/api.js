// Asks the daemon. A refusal is an exception that carries the daemon's own sentence.
// Next in the flow: the routes of the API.

import { read, write } from "./store.js";

const KEPT = "orange.token";

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the daemon answered ${status}`);
    this.status = status;
    this.code = problem.code || "";
    this.problem = problem;
  }
}

// Find the token: in this tab's storage, or for the one-time code in the address.
export async function enter() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code && read().token) return;
  let token = sessionStorage.getItem(KEPT) || "";
  if (code) {
    history.replaceState(null, "", location.pathname + location.search);
    try {
      token = (await ask("POST", "/api/v2/login", { code }, "")).token;
      sessionStorage.setItem(KEPT, token);
    } catch (refused) {
      // An old link is no harm to who is in already.
      if (!token) {
        write({ token: "", refused: refused.message });
        return;
      }
    }
  }
  write({ token });
}

function leave() {
  sessionStorage.removeItem(KEPT);
  write({ token: "" });
}

// Ask something of the project that is shown.
export function call(method, path, body, query = {}) {
  const { token, project } = read();
  const given = new URLSearchParams(project ? { project, ...query } : query).toString();
  return ask(method, given ? `${path}?${given}` : path, body, token);
}

// Ask something of the daemon, whatever project is shown.
export function callDaemon(method, path, body) {
  return ask(method, path, body, read().token);
}

// Read something of the project that is shown, unless it is still what the tag names: {value, tag}, value null if so.
export async function readNewer(path, tag) {
  const { token, project } = read();
  const answer = await send("GET", `${path}?${new URLSearchParams({ project })}`, undefined, token, tag ? { "If-None-Match": tag } : {});
  return { value: answer.status === 304 ? null : await valueOf(answer, token), tag: answer.headers.get("ETag") || "" };
}

export function headers(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function ask(method, path, body, token) {
  return valueOf(await send(method, path, body, token), token);
}

async function send(method, path, body, token, more = {}) {
  const sent = { method, headers: { ...headers(token), ...more }, cache: "no-store", credentials: "omit" };
  if (body !== undefined) {
    sent.headers["Content-Type"] = "application/json";
    sent.body = JSON.stringify(body);
  }
  try {
    return await fetch(path, sent);
  } catch {
    throw new Refused(0, { code: "unreachable", detail: "the daemon cannot be reached: `orange daemon start`" });
  }
}

async function valueOf(answer, token) {
  const text = await answer.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(answer.status || 500, { detail: `the daemon's answer (${answer.status}) is no JSON` });
  }
  if (answer.ok) return value;
  if (answer.status === 401 && token) leave();
  throw new Refused(answer.status, value);
}
