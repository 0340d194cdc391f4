// What is under way: the daemon, its slots, what waits for one, and what is wrong. A view of the same tasks, no other list.

import { html } from "../vendor/preact-htm.js";
import { call } from "../api.js";
import { attempt } from "../doing.js";
import { Empty, Heading, TaskLink, Time } from "../parts.js";
import { note, useKnown } from "../store.js";
import { count } from "../words.js";

export function Execution() {
  const { status, tasks, columns } = useKnown();
  if (!status) return html`<${Heading} title="Execution">Execution<//><p class="empty">Reading…</p>`;
  const of = (state) => (columns[state] || []).map((id) => tasks.get(id));
  const working = of("in_progress").filter((task) => task.status === "working");
  return html`
    <${Heading} title="Execution">Execution<//>
    <${Switch} dispatch=${status.dispatch} />
    <div class="panels">
      <${Machine} daemon=${status.daemon} project=${status.project} />
      <section aria-labelledby="working"><h2 id="working">At work <span class="count">${working.length}</span></h2>
        <${Tasks} tasks=${working} empty="Nothing is being worked on. Ready tasks start by themselves as slots become free." at=${(task) => task.updated_at} />
      </section>
      <section aria-labelledby="queue"><h2 id="queue">Next, in order <span class="count">${of("ready").length}</span></h2>
        <${Tasks} tasks=${of("ready")} empty="Nothing is ready. A task in the backlog is made startable on its page." />
      </section>
      <${Problems} problems=${status.project.problems} failures=${status.daemon.failures || {}} />
    </div>
    <${Held} waiting=${status.project.waiting} tasks=${tasks} />`;
}

function Switch({ dispatch }) {
  const turn = (word, done, body) => () =>
    attempt("Nothing was changed", async () => {
      await call("POST", `/api/v2/daemon/${word}`, body);
      note(done, { undo: word === "pause" ? turn("resume", "New work is started again") : null });
    });
  const held = dispatch.paused || dispatch.draining;
  const words = dispatch.draining ? "Draining: the daemon stops when nothing is under way" : "Paused: nothing new is started";
  return html`<div class="switch">
    <p role="status" class=${held ? "held" : ""}>${held ? words : "Ready tasks are started as slots become free"}${dispatch.reason ? ` (${dispatch.reason})` : ""}.</p>
    ${held
      ? html`<button class="main" onClick=${turn("resume", "New work is started again")}>Resume</button>`
      : html`<button onClick=${turn("pause", "Nothing new is started", { reason: "paused on the dashboard" })}>Pause</button>
          <button onClick=${turn("drain", "The daemon stops when nothing is under way", { reason: "drained on the dashboard" })}>Drain</button>`}
  </div>`;
}

function Machine({ daemon, project }) {
  const used = project.slots.total - project.slots.free;
  return html`<section aria-labelledby="machine"><h2 id="machine">Daemon</h2>
    <dl>
      <dt>Slots</dt><dd><meter min="0" max=${Math.max(1, project.slots.total)} value=${used} aria-label="slots in use"></meter> ${used} of ${project.slots.total} in use</dd>
      <dt>Process</dt><dd>${daemon.pid}, since <${Time} at=${daemon.since} />, version ${daemon.version}</dd>
      <dt>Base</dt><dd>${project.base.ref || "–"}${project.base.behind ? html`: your branch is ${count(project.base.behind, "commit")} behind${project.base.reason ? `, because ${project.base.reason}` : ""}` : ""}</dd>
      <dt>Folder</dt><dd class="long">${project.path}</dd>
    </dl>
  </section>`;
}

const Tasks = ({ tasks, empty, at }) =>
  tasks.length
    ? html`<ol class="rows">${tasks.slice(0, 50).map(
        (task) => html`<li key=${task.id}><${TaskLink} task=${task} /> <span class="quiet">${task.agent || ""} ${at && html`<${Time} at=${at(task)} />`}</span></li>`,
      )}</ol>${tasks.length > 50 && html`<p class="quiet">and ${tasks.length - 50} more</p>`}`
    : html`<${Empty}>${empty}<//>`;

function Problems({ problems, failures }) {
  const lost = Object.entries(failures);
  return html`<section aria-labelledby="problems"><h2 id="problems">Problems <span class="count">${problems.length + lost.length}</span></h2>
    ${problems.length + lost.length === 0 && html`<${Empty}>Nothing is wrong. <code>orange doctor</code> looks closer.<//>`}
    <ul class="rows">
      ${lost.map(([root, message]) => html`<li key=${root} class="problem"><code>${root}</code><br />${message}</li>`)}
      ${problems.map(
        ({ path, line, message, hint }) => html`<li key=${`${path}:${line}${message}`} class="problem"><code>${path}${line ? `:${line}` : ""}</code><br />
          ${message}${hint && html`<br /><span class="quiet">${hint}</span>`}</li>`,
      )}
    </ul>
  </section>`;
}

// Who waits for what, the same reasons together.
function Held({ waiting, tasks }) {
  const groups = new Map();
  for (const line of waiting) groups.set(line.code, [...(groups.get(line.code) || []), line]);
  return html`<section aria-labelledby="held"><h2 id="held">What waits, and for what</h2>
    ${!groups.size && html`<${Empty}>Nothing waits.<//>`}
    ${[...groups].map(
      ([code, lines]) => html`<details key=${code} open=${lines.length <= 5}>
        <summary>${code.replaceAll("_", " ")} <span class="count">${lines.length}</span></summary>
        <ul class="rows">${lines.slice(0, 50).map(
          (line) => html`<li key=${line.task + line.message}><${TaskLink} task=${tasks.get(line.task)} id=${line.task} />: ${line.message}</li>`,
        )}</ul>
      </details>`,
    )}
  </section>`;
}
