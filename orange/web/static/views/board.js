// The board: every task in the column of its state. Cards are moved by the mouse, or by their button.

import { html, useState } from "../vendor/preact-htm.js";
import { moveTo } from "../doing.js";
import { shows } from "../filters.js";
import { toColumn } from "../moves.js";
import { Dialog, Empty, Filters, Heading, Labels, Priority, Progress, TaskLink } from "../parts.js";
import { to } from "../routes.js";
import { useKnown } from "../store.js";
import { COLUMNS } from "../words.js";

// Cards shown in a column before it is asked for more.
const FIRST = 50;
const KEYS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

export function Board() {
  const { tasks, columns, machine, place } = useKnown();
  const [held, hold] = useState(null);
  const [asked, ask] = useState(null);
  if (!tasks) return html`<${Heading} title="Board">Board<//><${Filters} states=${false} /><p class="empty">Reading…</p>`;
  const shown = COLUMNS.filter(([state]) => state !== "cancelled" || columns.cancelled?.length);
  return html`
    <${Heading} title="Board">Board<//>
    <${Filters} states=${false} />
    ${!tasks.size && html`<${First} />`}
    <div class="board" onKeyDown=${wander}>
      ${shown.map(
        ([state, name]) => html`<${Column} key=${state} state=${state} name=${name} held=${held && tasks.get(held)} hold=${hold} ask=${ask}
          tasks=${(columns[state] || []).map((id) => tasks.get(id)).filter((task) => shows(task, { ...place.filter, state: "" }))} />`,
      )}
    </div>
    ${asked && tasks.has(asked) && html`<${Moves} task=${tasks.get(asked)} machine=${machine} onClose=${() => ask(null)} />`}`;
}

function Column({ state, name, tasks, held, hold, ask }) {
  const { machine } = useKnown();
  const [most, more] = useState(FIRST);
  const refused = held && held.state !== state && !toColumn(held, state, machine).move;
  const drop = (event) => {
    event.preventDefault();
    if (held) moveTo(held, state);
    hold(null);
  };
  return html`<section class="column ${refused ? "refused" : held ? "open" : ""}" aria-labelledby="column-${state}"
    onDragOver=${(event) => held && event.preventDefault()} onDrop=${drop}>
    <h2 id="column-${state}">${name} <span class="count">${tasks.length}</span></h2>
    <ul>
      ${tasks.slice(0, most).map((task) => html`<${Card} key=${task.id} task=${task} hold=${hold} ask=${ask} />`)}
    </ul>
    ${tasks.length > most && html`<button onClick=${() => more(most + 200)}>Show more of ${tasks.length - most}</button>`}
  </section>`;
}

function Card({ task, hold, ask }) {
  const [reason] = task.waiting;
  const drag = (event) => {
    event.dataTransfer.setData("text/plain", task.id);
    event.dataTransfer.effectAllowed = "move";
    hold(task.id);
  };
  const key = (event) => {
    if (event.key === "m" && !event.ctrlKey && !event.metaKey && !event.altKey) ask(task.id);
  };
  return html`<li class="card ${task.priority}" draggable=${true} onDragStart=${drag} onDragEnd=${() => hold(null)} onKeyDown=${key} data-task=${task.id}>
    <${TaskLink} task=${task} />
    <p class="about"><code>${task.id}</code> <${Priority} of=${task.priority} /> <${Progress} of=${task.progress} />
      ${task.agent && html`<span class="agent">${task.agent}</span>`} <${Labels} of=${task.labels} /></p>
    ${reason && html`<p class="why">${reason.message}</p>`}
    <button class="quiet" aria-haspopup="dialog" aria-keyshortcuts="m" aria-label=${`Move ${task.title}`} onClick=${() => ask(task.id)}>Move</button>
  </li>`;
}

// Where a task may go, and why not elsewhere.
function Moves({ task, machine, onClose }) {
  const choices = COLUMNS.filter(([state]) => state !== task.state).map(([state, name]) => ({ state, name, ...toColumn(task, state, machine) }));
  return html`<${Dialog} title=${`Move “${task.title}”`} onClose=${onClose}>
    <ul class="choices">
      ${choices.map(
        ({ state, name, move, reason }) => html`<li key=${state}>
          <button disabled=${!move} aria-describedby=${move ? undefined : `not-${state}`}
            onClick=${(event) => (event.target.closest("dialog").close(), moveTo(task, state))}>${name}</button>
          ${!move && html`<span class="why" id="not-${state}">${reason}</span>`}
        </li>`,
      )}
    </ul>
    <form method="dialog"><button>Leave it</button></form>
  <//>`;
}

// Arrow keys go from card to card.
function wander(event) {
  const step = KEYS[event.key];
  const card = event.target.closest(".card");
  if (!step || !card || event.target.closest("dialog")) return;
  const columns = [...event.currentTarget.querySelectorAll(".column")].map((column) => [...column.querySelectorAll(".card")]);
  let [x, y] = [columns.findIndex((cards) => cards.includes(card)), 0];
  y = columns[x].indexOf(card);
  do x += step[0];
  while (step[0] && columns[x] && !columns[x].length);
  const wanted = columns[x]?.[Math.min(y + step[1], columns[x].length - (step[0] ? 1 : 0))];
  if (!wanted) return;
  event.preventDefault();
  wanted.querySelector("a").focus();
}

const First = () => html`<${Empty}>There are no tasks yet. <a href=${to("/new")}>Create one</a>, or type <code>orange task create</code> in the repository.
  A document becomes many with <code>orange plan decompose FILE</code>.<//>`;
