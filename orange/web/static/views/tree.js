// Parents with what was delegated to their children.

import { html } from "../vendor/preact-htm.js";
import { shows, tree } from "../filters.js";
import { Empty, Filters, Heading, Priority, State, TaskLink } from "../parts.js";
import { useKnown } from "../store.js";

const MOST = 1000;

export function Tree() {
  const { tasks, place } = useKnown();
  if (!tasks) return html`<${Heading} title="Tree">Tree<//><${Filters} /><p class="empty">Reading…</p>`;
  const rows = tree(tasks, (task) => shows(task, place.filter));
  const parents = rows.some(({ depth }) => depth);
  return html`
    <${Heading} title="Tree">Tree<//>
    <${Filters} />
    ${!parents && html`<${Empty}>No task has parts yet. <code>orange task create NAME --parent TASK</code> makes one;
      agents that find a task too large split it themselves.<//>`}
    <ul class="tree">${rows.slice(0, MOST).map(({ task, depth }) => html`<${Branch} key=${task.id} task=${task} depth=${depth} />`)}</ul>
    ${rows.length > MOST && html`<p class="empty">${rows.length - MOST} more: use the filter.</p>`}`;
}

const Branch = ({ task, depth }) => html`<li class="depth-${Math.min(depth, 8)}">
  <span class="hidden">Level ${depth + 1}: </span><${TaskLink} task=${task} /> <${Priority} of=${task.priority} />
  ${task.progress
    ? html`<span class="state ${task.state}">${task.status} (${task.progress.done}/${task.progress.total})</span>`
    : html`<${State} state=${task.state} status=${task.status} />`}
  ${task.waiting[0] && html`<span class="why">${task.waiting[0].message}</span>`}
</li>`;
