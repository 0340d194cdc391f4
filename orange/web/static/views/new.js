// The form for a task. Only the instructions are required; what is left empty is decided when it runs, and said here.

import { html, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { call } from "../api.js";
import { attempt } from "../doing.js";
import { Heading, useAnswer } from "../parts.js";
import { go, toTask } from "../routes.js";
import { note, useKnown } from "../store.js";
import { listOf, titleOf } from "../words.js";

const TYPES = ["task", "feature", "bug", "refactor", "chore", "docs", "test", "research", "security", "performance", "hotfix", "spike", "plan_only", "verify_only"];

export function New() {
  const { tasks } = useKnown();
  const { value } = useAnswer("/api/v2/config", "change");
  const [busy, setBusy] = useState(false);
  const [title, setTitle] = useState("");
  const form = useRef(null);
  const settings = useMemo(() => new Map((value?.settings || []).map((row) => [row.key, row])), [value]);
  const send = async (event) => {
    event.preventDefault();
    const task = read(new FormData(form.current), event.submitter?.value || "pending");
    setBusy(true);
    await attempt("No task was made", async () => {
      const made = (await call("POST", "/api/v2/tasks", task)).task;
      note(`“${made.title}” was created`, { undo: () => remove(made) });
      go(toTask(made.id));
    });
    setBusy(false);
  };
  return html`
    <${Heading} title="New task">New task<//>
    <form class="new" ref=${form} onSubmit=${send}>
      <${Field} name="instructions" label="Instructions" help="What is wanted and why: the agent reads this. Markdown. Required.">
        <textarea id="instructions" name="instructions" rows="10" required aria-describedby="instructions-help"
          onInput=${(event) => setTitle(titleOf(event.target.value))}></textarea>
      <//>
      <${Field} name="title" label="Title" help=${title ? `Empty: “${title}”` : "Empty: the first line of the instructions."}>
        <input id="title" name="title" maxlength="200" aria-describedby="title-help" />
      <//>
      <div class="pair">
        <${Field} name="type" label="Type" help="Chooses the steps it goes through.">
          <select id="type" name="type" aria-describedby="type-help">${TYPES.map((type) => html`<option key=${type} value=${type}>${type}</option>`)}</select>
        <//>
        <${Field} name="priority" label="Priority" help="Which ready task is started first.">
          <select id="priority" name="priority" aria-describedby="priority-help">
            ${["critical", "high", "medium", "low"].map((word) => html`<option key=${word} value=${word} selected=${word === "medium"}>${word}</option>`)}
          </select>
        <//>
      </div>
      <${Field} name="criteria" label="Acceptance criteria" help="One a line: how to see that it is done.">
        <textarea id="criteria" name="criteria" rows="3" aria-describedby="criteria-help"></textarea>
      <//>
      <div class="pair">
        <${Field} name="blocked_by" label="Blocked by" help="Ids or names, with commas: it starts when these are done.">
          <input id="blocked_by" name="blocked_by" list="known-tasks" aria-describedby="blocked_by-help" />
        <//>
        <${Field} name="parent" label="Part of" help="The task it is a part of.">
          <input id="parent" name="parent" list="known-tasks" aria-describedby="parent-help" />
        <//>
      </div>
      <${Field} name="labels" label="Labels" help="With commas.">
        <input id="labels" name="labels" aria-describedby="labels-help" />
      <//>
      <details><summary>How it is run</summary>
        <div class="pair">
          ${["agent", "model", "effort", "base"].map((key) => html`<${Plain} key=${key} name=${key} setting=${settings.get(key)} />`)}
          <${Field} name="publish" label="Publish" help=${empty(settings.get("publish"))}>
            <select id="publish" name="publish" aria-describedby="publish-help">
              <option value="">as the project says</option>
              ${["merge", "branch", "pr", "none"].map((word) => html`<option key=${word} value=${word}>${word}</option>`)}
            </select>
          <//>
          <${Field} name="branch" label="Branch" help="Empty: a new one, named for the task.">
            <input id="branch" name="branch" aria-describedby="branch-help" />
          <//>
          <${Field} name="skill" label="Skill" help="A named skill to carry it out with. Empty: none, the instructions alone.">
            <input id="skill" name="skill" aria-describedby="skill-help" />
          <//>
        </div>
      </details>
      <datalist id="known-tasks">${[...(tasks?.values() || [])].slice(0, 500).map((task) => html`<option key=${task.id} value=${task.id}>${task.title}</option>`)}</datalist>
      <div class="actions">
        <button class="main" value="pending" disabled=${busy}>Create, and start when ready</button>
        <button value="backlog" disabled=${busy}>Keep in the backlog</button>
      </div>
    </form>`;
}

const Field = ({ name, label, help, children }) => html`<div class="field">
  <label for=${name}>${label}</label>${children}<p class="help" id="${name}-help">${help}</p>
</div>`;

const NAMES = { agent: "Agent", model: "Model", effort: "Effort", base: "Base branch" };

const Plain = ({ name, setting }) => html`<${Field} name=${name} label=${NAMES[name]} help=${empty(setting)}>
  <input id=${name} name=${name} aria-describedby="${name}-help" />
<//>`;

// What holds where a field is left empty.
function empty(setting) {
  if (!setting) return "Empty: as the project says.";
  const value = setting.value === null || setting.value === "" ? "its own default" : setting.value;
  return `Empty: ${value} (${setting.source}), decided when it runs.`;
}

function read(form, status) {
  const said = Object.fromEntries([...form].map(([key, value]) => [key, value.trim()]).filter(([, value]) => value));
  const { instructions, criteria, labels, blocked_by, ...rest } = said;
  return {
    ...rest,
    status,
    title: said.title || titleOf(instructions || "") || "Untitled",
    body: instructions || "",
    ...(criteria && { acceptance_criteria: listOf(criteria, /\n/) }),
    ...(labels && { labels: listOf(labels) }),
    ...(blocked_by && { blocked_by: listOf(blocked_by) }),
  };
}

const remove = (task) =>
  attempt("It could not be removed", async () => {
    await call("DELETE", `/api/v2/tasks/${task.id}`);
    note(`“${task.title}” is gone`);
    go("/");
  });
