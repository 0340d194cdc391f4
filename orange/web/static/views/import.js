// A document becomes tasks: first what it would come to, then, if that is wanted, all of them or none.

import { html, useState } from "../vendor/preact-htm.js";
import { call } from "../api.js";
import { attempt } from "../doing.js";
import { Empty, Heading } from "../parts.js";
import { go, to } from "../routes.js";
import { note } from "../store.js";
import { count } from "../words.js";

export function Import() {
  const [text, setText] = useState("");
  const [shown, setShown] = useState(null);
  const [busy, setBusy] = useState(false);
  const preview = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    setBusy(true);
    await attempt("The document was not read", async () => {
      const said = { prd_content: text, granularity: form.get("granularity"), auto_ready: form.has("auto_ready") };
      setShown(await call("POST", "/api/v2/import/prd/preview", said));
    });
    setBusy(false);
  };
  const load = async (event) => {
    const [file] = event.target.files;
    if (file) setText(await file.text());
    setShown(null);
  };
  return html`
    <${Heading} title="Import a document">Import a document<//>
    <form class="new" onSubmit=${preview}>
      <div class="field"><label for="file">A file of this machine</label>
        <input id="file" type="file" accept=".md,.markdown,.txt,text/plain,text/markdown" onChange=${load} aria-describedby="file-help" />
        <p class="help" id="file-help">Markdown or plain text. A PDF: <code>orange plan decompose FILE</code>.</p></div>
      <div class="field"><label for="document">The document</label>
        <textarea id="document" rows="10" required value=${text} onInput=${(event) => (setText(event.target.value), setShown(null))} aria-describedby="document-help"></textarea>
        <p class="help" id="document-help">Headings, lists and words such as “depends on” become tasks and what they wait for. Nothing is made before you say so.</p></div>
      <div class="pair">
        <div class="field"><label for="granularity">Size of the tasks</label>
          <select id="granularity" name="granularity">${["coarse", "balanced", "fine"].map((word) => html`<option key=${word} value=${word} selected=${word === "balanced"}>${word}</option>`)}</select></div>
        <p class="check"><label><input type="checkbox" name="auto_ready" /> Start what is ready as soon as they are made</label></p>
      </div>
      <div class="actions"><button class=${shown ? "" : "main"} disabled=${busy}>Preview</button></div>
    </form>
    ${shown && html`<${Preview} key=${shown.job_id} of=${shown} />`}`;
}

function Preview({ of }) {
  const [busy, setBusy] = useState(false);
  const { preview, warnings, job_id } = of;
  const { summary } = preview;
  const titles = new Map(preview.tasks.map((task) => [task.key, task.title]));
  const title = (key) => titles.get(key) || key;
  const commit = async () => {
    setBusy(true);
    await attempt("No task was made", async () => {
      const made = await call("POST", "/api/v2/import/prd/commit", { job_id });
      note(`${count(made.created_count, "task")} made of the document`);
      go(to("/"));
    });
    setBusy(false);
  };
  if (!preview.tasks.length) return html`<${Empty}>There is nothing in it to be done: give it headings, lists or checkboxes.<//>`;
  return html`<section class="preview" aria-labelledby="preview">
    <h2 id="preview">${preview.prd_title || "What it would come to"}</h2>
    <p role="status">${count(summary.task_count, "task")}, ${count(summary.dependency_count, "dependency", "dependencies")}, ${count(summary.wave_count, "wave")}.</p>
    ${warnings.length > 0 && html`<ul class="rows">${warnings.map((one) => html`<li key=${one.message} class="why">${one.line ? `Line ${one.line}: ` : ""}${one.message}</li>`)}</ul>`}
    <div class="actions"><button class="main" disabled=${busy} onClick=${commit}>Make these tasks</button></div>
    <div class="panels">
      <section aria-labelledby="tasks"><h3 id="tasks">Tasks</h3>
        <ol class="rows">${preview.tasks.map(
          (task) => html`<li key=${task.key}>${task.title} <span class="quiet">${task.type}, ${task.priority}${task.done ? ", done already" : ""}${task.parent ? `, part of ${title(task.parent)}` : ""}</span></li>`,
        )}</ol></section>
      <section aria-labelledby="waits"><h3 id="waits">What waits for what</h3>
        ${preview.dependencies.length ? html`<ul class="rows">${preview.dependencies.map(
          (edge) => html`<li key=${`${edge.from} ${edge.to}`}>${title(edge.to)} waits for ${title(edge.from)} <span class="quiet">${edge.reason}</span></li>`,
        )}</ul>` : html`<${Empty}>Nothing waits for anything.<//>`}
        ${preview.blocked_root_ids.length > 0 && html`<h3>Held back at the top</h3><ul class="rows">${preview.blocked_root_ids.map((key) => html`<li key=${key}>${title(key)}</li>`)}</ul>`}</section>
      <section aria-labelledby="waves"><h3 id="waves">Waves</h3>
        <ol class="rows">${preview.estimated_waves.map((wave, at) => html`<li key=${at}><b>${at + 1}</b> ${wave.map(title).join(", ")}</li>`)}</ol></section>
    </div>
  </section>`;
}
