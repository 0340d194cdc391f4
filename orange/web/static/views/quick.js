// Quick actions: something asked once, outside of any task. It leaves a record, and no task unless it is promoted.

import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { call } from "../api.js";
import { attempt } from "../doing.js";
import { look } from "../live.js";
import { Empty, Heading, Time, Trouble, useAnswer } from "../parts.js";
import { go, toTask } from "../routes.js";
import { note } from "../store.js";
import { count } from "../words.js";

export function Quick() {
  const { value, refused } = useAnswer("/api/v2/quick-runs");
  const [busy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    const form = event.target;
    const said = new FormData(form);
    setBusy(true);
    const done = await attempt("It was not begun", async () => {
      await call("POST", "/api/v2/quick-runs", { prompt: said.get("prompt"), promote: said.has("promote") });
      note("It is begun as soon as a slot is free");
    });
    if (done) form.reset();
    setBusy(false);
  };
  const found = value?.quick_runs || [];
  const going = found.some(({ status }) => status === "queued" || status === "running");
  useEffect(() => {
    // no event tells how far they are
    const timer = going && setInterval(() => document.hidden || look(), 2000);
    return () => clearInterval(timer);
  }, [going]);
  return html`
    <${Heading} title="Quick action">Quick action<//>
    <p class="quiet">One-off: an agent does it once, in a workspace of its own. It is no task, is not reviewed and never merged; a good one can be made a task afterwards.</p>
    <form class="new" onSubmit=${send}>
      <div class="field"><label for="prompt">What is to be done once?</label><textarea id="prompt" name="prompt" rows="4" required></textarea></div>
      <p class="check"><label><input type="checkbox" name="promote" /> Make a task of it when it is completed</label></p>
      <div class="actions"><button class="main" disabled=${busy}>Do it once</button></div>
    </form>
    ${refused && html`<${Trouble} refused=${refused} />`}
    ${value && !found.length && html`<${Empty}>Nothing was asked yet. On the command line: <code>orange quick run "PROMPT"</code>.<//>`}
    <ul class="quick">${found.slice(0, 100).map((one) => html`<${One} key=${one.id} one=${one} />`)}</ul>`;
}

function One({ one }) {
  const promote = () =>
    attempt("It was not promoted", async () => {
      const { task } = await call("POST", `/api/v2/quick-runs/${encodeURIComponent(one.id)}/promote`);
      note(`“${task.title}” is a task now`);
      go(toTask(task.id));
    });
  return html`<li class="card"><b>${one.title}</b>
    <p class="about"><code>${one.id}</code> <span class="state ${one.status}">${one.status}</span> <span class="quiet">${one.agent || ""}</span> <${Time} at=${one.created_at} />
      ${one.changed_files?.length > 0 && html`<span class="quiet">${count(one.changed_files.length, "file")} changed</span>`}</p>
    ${one.result_summary && html`<pre class="text">${one.result_summary}</pre>`}
    ${one.error && html`<p class="why">${one.error}</p>`}
    ${one.promoted_task_id
      ? html`<p>Made <a href=${toTask(one.promoted_task_id)}>a task</a></p>`
      : one.status === "completed" && html`<button aria-label=${`Make a task of ${one.title}`} onClick=${promote}>Make it a task</button>`}
  </li>`;
}
