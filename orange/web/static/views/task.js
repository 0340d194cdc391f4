// One task: what it is, why it does not move, what may be done with it, what its branch changes, what happened to it.

import { html, useState } from "../vendor/preact-htm.js";
import { call } from "../api.js";
import { attempt, move } from "../doing.js";
import { offers } from "../moves.js";
import { Dialog, Empty, Heading, Labels, Priority, Progress, State, TaskLink, Time, Trouble, useAnswer } from "../parts.js";
import { to } from "../routes.js";
import { note, useKnown } from "../store.js";
import { count, moment, span } from "../words.js";
import { Review } from "./review.js";
import { Screen } from "./screen.js";

export function Task() {
  const { place, tasks, machine } = useKnown();
  const path = `/api/v2/tasks/${encodeURIComponent(place.task)}`;
  const { value, refused } = useAnswer(path);
  const events = useAnswer(`${path}/events`);
  const diff = useAnswer(`${path}/diff`, tasks?.get(value?.task.id)?.status === "working" ? "turn" : "change");
  if (refused) return html`<${Heading} title="Task">${place.task}<//><${Trouble} refused=${refused} /><p><a href=${to("/")}>To the board</a></p>`;
  if (!value || !machine || !tasks) return html`<${Heading} title="Task">${place.task}<//><p class="empty">Reading…</p>`;
  const { task } = value;
  return html`
    ${task.parent && html`<p class="above">Part of <${TaskLink} task=${tasks.get(task.parent)} id=${task.parent} /></p>`}
    <${Heading} title=${task.title}>${task.title}<//>
    <p class="about"><${State} state=${task.state} status=${task.status} /> <code>${task.id}</code> <${Priority} of=${task.priority} />
      <${Progress} of=${task.progress} /> <${Labels} of=${task.labels} /></p>
    <${Actions} key=${task.id} task=${task} machine=${machine} commit=${diff.value?.commit} />
    <${Why} task=${task} tasks=${tasks} />
    <div class="page">
      <div>
        <${Text} task=${task} />
        <${Screen} task=${task} />
        <${Review} task=${task} diff=${diff} />
      </div>
      <aside aria-label="More about it">
        <${Steps} steps=${task.steps} />
        <${Evidence} task=${task} />
        <${Kin} name="Parts" ids=${task.children} tasks=${tasks} />
        <${Kin} name="Waits for" ids=${task.blocked_by} tasks=${tasks} />
        <${Kin} name="Holds back" ids=${[...tasks.values()].filter((other) => other.blocked_by.includes(task.id)).map(({ id }) => id)} tasks=${tasks} />
        <${Facts} task=${task} />
        <${History} found=${events} />
      </aside>
    </div>`;
}

// An approval is of the commit whose changes are shown: what came later is refused, and looked at first.
function Actions({ task, machine, commit }) {
  const [asked, ask] = useState(null);
  const found = offers(task, machine);
  const main = found.findIndex((wanted) => wanted.main && !wanted.reason);
  const act = (wanted) => (wanted.ask || wanted.sure ? ask(wanted) : move(task, wanted, wanted.id === "approve" ? { commit } : undefined));
  return html`<div class="actions" role="group" aria-label="What may be done">
    ${found.map(
      (wanted, at) => html`<button key=${wanted.id} class=${at === main ? "main" : ""} title=${wanted.reason || undefined}
        aria-haspopup=${wanted.ask || wanted.sure ? "dialog" : undefined}
        disabled=${wanted.reason || (wanted.id === "approve" && !commit)}
        onClick=${() => act(wanted)}>${wanted.label}</button>`,
    )}
    ${asked && html`<${Asked} task=${task} wanted=${asked} onClose=${() => ask(null)} />`}
  </div>`;
}

const QUESTIONS = { feedback: "What should be changed? Comments on lines go with it.", text: "Your answer", message: "Why is it set aside?" };

// What a move needs to be told, or to be sure of.
function Asked({ task, wanted, onClose }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    const dialog = event.target.closest("dialog");
    setBusy(true);
    const done = await move(task, wanted, wanted.ask ? { [wanted.ask]: text } : undefined);
    setBusy(false);
    if (done) dialog.close();
  };
  return html`<${Dialog} title=${wanted.label} onClose=${onClose}>
    <form onSubmit=${send}>
      ${wanted.ask
        ? html`<label for="said">${QUESTIONS[wanted.ask]}</label>
            <textarea id="said" rows="5" required value=${text} onInput=${(event) => setText(event.target.value)}></textarea>`
        : html`<p>${wanted.sure}</p>`}
      <div class="actions">
        <button class="main" disabled=${busy}>${wanted.ask ? "Send" : wanted.label}</button>
        <button type="button" onClick=${(event) => event.target.closest("dialog").close()}>Leave it</button>
      </div>
    </form>
  <//>`;
}

function Why({ task, tasks }) {
  if (!task.waiting.length) return null;
  return html`<section class="reasons" aria-labelledby="reasons">
    <h2 id="reasons">Why it does not move</h2>
    <ul>${task.waiting.map(
      (reason) => html`<li key=${reason.code + reason.message}><span>${reason.message}</span> <${Time} at=${reason.since} />
        <${Shortcut} task=${task} reason=${reason} tasks=${tasks} /></li>`,
    )}</ul>
  </section>`;
}

// What would help, as near as it can be brought.
function Shortcut({ task, reason, tasks }) {
  const blocker = reason.code.startsWith("blocker_") && task.blocked_by.find((id) => id === reason.evidence);
  const unblock = () =>
    attempt("It still waits", async () => {
      await call("DELETE", `/api/v2/tasks/${task.id}/dependencies/${encodeURIComponent(blocker)}`);
      note(`“${task.title}” no longer waits for ${blocker}`, { undo: () => block(task, blocker) });
    });
  const resume = () =>
    attempt("Dispatch stays as it is", async () => {
      await call("POST", "/api/v2/daemon/resume");
      note("New work is started again");
    });
  if (blocker) return html`<span class="shortcut"><${TaskLink} task=${tasks.get(blocker)} id=${blocker} /> <button onClick=${unblock}>Do not wait for it</button></span>`;
  if (reason.code === "paused" || reason.code === "draining") return html`<span class="shortcut"><button onClick=${resume}>Resume</button></span>`;
  if (reason.code === "review") return html`<span class="shortcut"><a href="#changes">Look at what it changes</a></span>`;
  return reason.remedy ? html`<span class="shortcut">What helps: <code>${reason.remedy}</code></span>` : null;
}

const block = (task, blocker) =>
  attempt("It does not wait for it", () => call("POST", `/api/v2/tasks/${task.id}/dependencies`, { blocked_by: [blocker] }));

function Text({ task }) {
  const body = task.body.trim();
  return html`<section aria-labelledby="instructions"><h2 id="instructions">Instructions</h2>
    ${body ? html`<pre class="text">${body}</pre>` : html`<${Empty}>It says nothing but its title. <code>orange task edit ${task.id}</code> opens its file.<//>`}
    ${task.acceptance_criteria.length > 0 && html`<h3>Done when</h3><ul>${task.acceptance_criteria.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`}
  </section>`;
}

const SIGNS = { done: "✓", failed: "✗", working: "●", running: "●", waiting: "…", skipped: "–" };

const Steps = ({ steps }) =>
  steps.length
    ? html`<section aria-labelledby="steps"><h2 id="steps">Steps</h2>
        <ol class="steps">${steps.map(
          (step) => html`<li key=${step.name} class=${step.state}><span aria-hidden="true">${SIGNS[step.state] || "○"}</span> ${step.name}${" "}
            <span class="quiet">${step.state}${step.seconds === null ? "" : `, ${span(step.seconds)}`} <${Time} at=${step.at} /></span>
            ${step.message && html`<br /><span class="quiet">${step.message}</span>`}</li>`,
        )}</ol></section>`
    : null;

function Evidence({ task }) {
  if (!task.checks.length && !task.reviews.length) return null;
  return html`<section aria-labelledby="evidence"><h2 id="evidence">Checks and reviews</h2>
    <ul class="rows">
      ${task.checks.map((round) => html`<li key=${round.on + round.run}>Checks of its ${round.on}: <b>${round.passed ? "passed" : "failed"}</b> <${Time} at=${round.at} />
        <ul>${round.results.map(
          (result) => html`<li key=${result.name}>${result.name}: <b>${result.verdict}</b> <span class="quiet">${result.message}</span>
            ${result.verdict !== "passed" && result.evidence && html`<pre class="text">${result.evidence}</pre>`}</li>`,
        )}</ul></li>`)}
      ${task.reviews.map((told, at) => html`<li key=${at}>${told.agent}: <b>${told.verdict}</b> <${Time} at=${told.at} />
        <p>${told.summary}</p>
        <ul>${(told.findings || []).map(
          (found) => html`<li key=${found.message}><b>${found.severity}</b> <code>${[found.file, found.line].filter(Boolean).join(":")}</code> ${found.message}</li>`,
        )}</ul></li>`)}
    </ul>
  </section>`;
}

const Kin = ({ name, ids, tasks }) =>
  ids.length
    ? html`<section aria-label=${name}><h2>${name} <span class="count">${ids.length}</span></h2>
        <ul class="rows">${ids.map((id) => html`<li key=${id}><${TaskLink} task=${tasks.get(id)} id=${id} /> ${tasks.get(id) && html`<${State} state=${tasks.get(id).state} />`}</li>`)}</ul>
      </section>`
    : null;

function Facts({ task }) {
  const spent = task.spent;
  const rows = [
    ["Type", task.type],
    ["Agent", [task.agent, task.model, task.effort].filter(Boolean).join(", ")],
    ["Branch", task.branch],
    ["Run", task.run],
    ["Attempts", task.attempts || ""],
    ["Spent", [spent.minutes && span(spent.minutes * 60), spent.tokens && count(spent.tokens, "token"), spent.usd && `${spent.usd.toFixed(2)} USD`].filter(Boolean).join(", ")],
    ["Estimate", task.estimate],
    ["Assignee", task.assignee],
    ["Merged", task.merged?.commit?.slice(0, 12)],
    ["Created", moment(task.created_at)],
    ["File", `.orange/${task.path}`],
  ].filter(([, value]) => value);
  return html`<section aria-labelledby="facts"><h2 id="facts">Facts</h2>
    <dl>${rows.map(([name, value]) => html`<dt key=${name}>${name}</dt><dd class="long">${value}</dd>`)}</dl>
  </section>`;
}

const SAID = ["status", "reason", "step", "outcome", "message", "question", "review", "file", "text", "title"];

function History({ found }) {
  const events = found.value?.events || [];
  return html`<section aria-labelledby="history"><h2 id="history">History <span class="count">${events.length}</span></h2>
    <ol class="rows history" tabindex="0" aria-labelledby="history">${events
      .slice(-100)
      .reverse()
      .map(({ at, type, by, data }, n) => html`<li key=${events.length - n}><b>${type.replace(/^task\./, "").replaceAll("_", " ")}</b> ${SAID.filter((key) => data[key]).map((key) => data[key]).join(" · ")}
        <br /><span class="quiet">${by} <${Time} at=${at} /></span></li>`)}</ol>
  </section>`;
}
