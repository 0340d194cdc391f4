// Every task in one list, with the task it is a part of.

import { html, useState } from "../vendor/preact-htm.js";
import { shows } from "../filters.js";
import { Empty, Filters, Heading, Labels, Priority, Progress, State, TaskLink, Time } from "../parts.js";
import { to } from "../routes.js";
import { useKnown } from "../store.js";
import { COLUMNS, count } from "../words.js";

const FIRST = 100;

export function List() {
  const { tasks, columns, place } = useKnown();
  const [most, more] = useState(FIRST);
  if (!tasks) return html`<${Heading} title="List">List<//><${Filters} /><p class="empty">Reading…</p>`;
  const found = COLUMNS.flatMap(([state]) => columns[state] || [])
    .map((id) => tasks.get(id))
    .filter((task) => shows(task, place.filter));
  return html`
    <${Heading} title="List">List<//>
    <${Filters} />
    <p role="status" class="quiet">${count(found.length, "task")}</p>
    ${found.length ? html`<${Table} rows=${found.slice(0, most)} tasks=${tasks} />` : html`<${Nothing} any=${tasks.size > 0} />`}
    ${found.length > most && html`<button onClick=${() => more(most + 500)}>Show more</button>`}`;
}

const Nothing = ({ any }) =>
  any
    ? html`<${Empty}>No task is like that. Press <kbd>Esc</kbd> in the filter to see all of them.<//>`
    : html`<${Empty}>There are no tasks yet. <a href=${to("/new")}>Create one</a>, or type <code>orange task create</code>.<//>`;

const Table = ({ rows, tasks }) => html`<table class="tasks">
  <thead><tr><th>Task</th><th>Id</th><th>State</th><th>Part of</th><th>Labels</th><th>Agent</th><th>Changed</th></tr></thead>
  <tbody>${rows.map((task) => html`<${Row} key=${task.id} task=${task} parent=${tasks.get(task.parent)} />`)}</tbody>
</table>`;

const Row = ({ task, parent }) => html`<tr>
  <th scope="row"><${TaskLink} task=${task} /> <${Priority} of=${task.priority} /> <${Progress} of=${task.progress} /></th>
  <${Cell} name="Id"><code>${task.id}</code><//>
  <${Cell} name="State"><${State} state=${task.state} status=${task.status} /><//>
  <${Cell} name="Part of">${parent && html`<${TaskLink} task=${parent} />`}<//>
  <${Cell} name="Labels">${task.labels.length > 0 && html`<${Labels} of=${task.labels} />`}<//>
  <${Cell} name="Agent">${task.agent}<//>
  <${Cell} name="Changed"><${Time} at=${task.updated_at || task.created_at} /><//>
</tr>`;

const Cell = ({ name, children }) => html`<td data-name=${name} class=${children ? "" : "none"}>${children || "–"}</td>`;
