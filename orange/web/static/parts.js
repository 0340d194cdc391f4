// Small pieces that several views are made of.

import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { call } from "./api.js";
import { agentsOf, labelsOf } from "./filters.js";
import { filterBy, toTask } from "./routes.js";
import { useKnown } from "./store.js";
import { COLUMN, COLUMNS, ago, moment } from "./words.js";

// What a path of the API answers; read anew with each `turn`, or only when something changed.
export function useAnswer(path, pace = "turn") {
  const known = useKnown();
  const asked = `${known.project} ${path}`;
  const [found, setFound] = useState({});
  useEffect(() => {
    let wanted = true;
    const tell = (answer) => wanted && setFound((before) => (before.asked === asked && before.text === answer.text ? before : answer));
    call("GET", path).then(
      (value) => tell({ asked, value, text: JSON.stringify(value) }),
      (refused) => tell({ asked, refused, text: refused.message }),
    );
    return () => (wanted = false);
  }, [asked, pace, known[pace]]);
  return found.asked === asked ? found : {};
}

export const State = ({ state, status }) =>
  html`<span class="state ${state}">${COLUMN[state]}${status && !COLUMN[state].toLowerCase().includes(status) ? ` · ${status}` : ""}</span>`;

export const Time = ({ at }) => (at ? html`<time dateTime=${at} title=${moment(at)}>${ago(at)}</time>` : null);

export const Progress = ({ of }) =>
  of
    ? html`<span class="progress" title="children done">
        <meter min="0" max=${of.total} value=${of.done} aria-label="children done"></meter> (${of.done}/${of.total})
      </span>`
    : null;

export const Labels = ({ of }) => of.map((label) => html`<span class="label" key=${label}>${label}</span>`);

export const Priority = ({ of }) => (of === "medium" ? null : html`<span class="priority ${of}">${of}</span>`);

export const TaskLink = ({ task, id }) => html`<a href=${toTask(task ? task.id : id)}>${task ? task.title : id}</a>`;

// An empty place says what comes there, and how.
export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

export const Trouble = ({ refused }) => html`<p class="trouble" role="alert">${refused.message}</p>`;

// The title of a view; it has the focus when the view is come to.
export function Heading({ children, title }) {
  useEffect(() => {
    document.title = `${title} · orange`;
  }, [title]);
  return html`<h1 tabindex="-1">${children}</h1>`;
}

// What the lists are filtered by.
export function Filters({ states = true }) {
  const { tasks, place } = useKnown();
  const { filter } = place;
  const every = tasks ? [...tasks.values()] : [];
  const choose = (key) => (event) => filterBy({ [key]: event.target.value });
  const choice = (key, name, words) => html`
    <label><span>${name}</span>
      <select value=${filter[key]} onChange=${choose(key)}>
        <option value="">all</option>
        ${words.map(([value, text]) => html`<option key=${value} value=${value} selected=${filter[key] === value}>${text}</option>`)}
      </select>
    </label>`;
  const same = (words, chosen) => [...new Set([...words, chosen].filter(Boolean))].map((word) => [word, word]);
  return html`<form class="filters" role="search" aria-label="Filter tasks" onSubmit=${(event) => event.preventDefault()}>
    <label><span>Filter</span>
      <input type="search" id="filter" value=${filter.q} placeholder="title, id, label" aria-keyshortcuts="/"
        onInput=${choose("q")} onKeyDown=${(event) => event.key === "Escape" && filterBy({ q: "" })} />
    </label>
    ${states && choice("state", "State", COLUMNS)}
    ${choice("label", "Label", same(labelsOf(every), filter.label))}
    ${choice("agent", "Agent", same(agentsOf(every), filter.agent))}
  </form>`;
}

// A question in front of everything else; closed by Escape, too.
export function Dialog({ title, onClose, children }) {
  const ref = useRef(null);
  useEffect(() => {
    ref.current.showModal();
  }, []);
  return html`<dialog ref=${ref} aria-label=${title} onClose=${onClose}
    onClick=${(event) => event.target === ref.current && ref.current.close()}>
    <div class="sheet"><h2>${title}</h2>${children}</div>
  </dialog>`;
}
