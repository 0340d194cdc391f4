// What surrounds every view: the way around, the projects, how the page keeps up, and what is told in the corner.

import { html } from "./vendor/preact-htm.js";
import { called, look } from "./live.js";
import { go, to } from "./routes.js";
import { drop, useKnown, write } from "./store.js";
import { next, theme } from "./theme.js";

const VIEWS = [
  ["board", "/", "Board"],
  ["list", "/list", "List"],
  ["tree", "/tree", "Tree"],
  ["execution", "/execution", "Execution"],
  ["quick", "/quick", "Quick action"],
  ["import", "/import", "Import"],
];
const CONTACT = {
  live: "live",
  polling: "every 2 s",
  lost: "the daemon does not answer: orange daemon start",
};

export function Shell({ children }) {
  const { place, projects, project, contact, trouble } = useKnown();
  return html`
    <a class="skip" href="#content">Skip to the content</a>
    <header>
      <a class="brand" href=${to("/")}>orange</a>
      <nav aria-label="Views"><ul>
        ${VIEWS.map(([view, path, name]) => html`<li key=${view}><a href=${to(path)} aria-current=${place.view === view ? "page" : undefined}>${name}</a></li>`)}
      </ul></nav>
      ${projects.length > 1 && html`<label class="project"><span class="hidden">Project</span>
        <select value=${project} onChange=${choose}>
          ${projects.map((found) => html`<option key=${found.path} value=${called(found, projects)} selected=${called(found, projects) === project}>${called(found, projects)}</option>`)}
        </select></label>`}
      <span class="contact ${contact}" role="status" ><span>${CONTACT[contact]}</span></span>
      <button class="theme" onClick=${() => (next(), write({}))} aria-label=${`Colours: ${theme()}`} title=${`Colours: ${theme()}`}>${{ light: "☀", dark: "☾" }[theme()] || "◐"}</button>
      <a class="new-task" href=${to("/new")} aria-current=${place.view === "new" ? "page" : undefined}>New task</a>
    </header>
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    <main id="content" tabindex="-1">${children}</main>
    <${Notes} />`;
}

function choose(event) {
  write({ project: event.target.value, tasks: null, columns: {}, status: null });
  go(`/?project=${encodeURIComponent(event.target.value)}`);
  look();
}

// Listen to the keys that work everywhere.
export function listen() {
  addEventListener("keydown", shortcut);
}

// `/` filters, from wherever one is, unless something is being written.
function shortcut(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  event.preventDefault();
  const focus = () => document.getElementById("filter")?.focus();
  // at once, so that what is typed next is not lost
  if (document.getElementById("filter")) return focus();
  go(to("/list"));
  requestAnimationFrame(() => requestAnimationFrame(focus));
}

function Notes() {
  const { notes } = useKnown();
  return html`<div class="notes" role="log" aria-live="polite" aria-label="What happened">
    ${notes.map(({ id, text, kind, undo }) => html`<div key=${id} class="note ${kind}">
      <p>${text}</p>
      ${undo && html`<button onClick=${() => (drop(id), undo())}>Undo</button>`}
      <button aria-label="Dismiss" onClick=${() => drop(id)}>×</button>
    </div>`)}
  </div>`;
}
