// What a task's branch changes, line by line; a line is commented on by its number, and the comments go with the decision.

import { html, useMemo, useState } from "../vendor/preact-htm.js";
import { call } from "../api.js";
import { figures, parse } from "../difftext.js";
import { attempt } from "../doing.js";
import { Empty, Trouble } from "../parts.js";
import { note } from "../store.js";
import { count } from "../words.js";

// Lines of a file shown before it is asked for more.
const FIRST = 500;

export function Review({ task, diff }) {
  const { value, refused } = diff;
  const files = useMemo(() => parse(value?.diff || ""), [value?.diff]);
  const { added, removed } = useMemo(() => figures(files), [files]);
  const open = task.status === "reviewing" || task.status === "reviewed" || task.stuck?.reason === "approval";
  return html`<section class="changes" aria-labelledby="changes"><h2 id="changes" tabindex="-1">Changes${" "}
      ${files.length > 0 && html`<span class="count">${count(files.length, "file")}, +${added} −${removed}</span>`}</h2>
    ${refused && html`<${Trouble} refused=${refused} />`}
    ${value && !files.length && html`<${Empty}>Its branch changes nothing yet.<//>`}
    ${open && files.length > 0 && html`<p class="quiet">Choose a line’s number to comment on it; <kbd>↑</kbd> <kbd>↓</kbd> go along. Your comments go with your decision.</p>`}
    ${files.map((file) => html`<${File} key=${file.path} file=${file} task=${task} open=${open} said=${task.comments.filter((one) => one.file === file.path)} />`)}
  </section>`;
}

function File({ file, task, open, said }) {
  const [most, more] = useState(FIRST);
  const [line, setLine] = useState(null);
  const first = file.lines.find(({ now }) => now)?.now;
  const shown = file.lines.slice(0, most);
  return html`<details class="file" open=${file.lines.length <= 2000}>
    <summary><code>${file.path}</code> <span class="quiet">${file.about.join(", ")}</span></summary>
    <div class="code" role="region" aria-label=${`Changes of ${file.path}`} tabindex="0">
      <table onKeyDown=${along}><tbody>
        ${shown.map((found, at) => html`
          <${Line} key=${at} found=${found} file=${file} open=${open} first=${found.now && found.now === first} choose=${setLine} />
          ${found.now && said.filter((one) => one.line === found.now).map((one) => html`<${Said} key=${one.at + one.text} one=${one} />`)}
          ${found.now && line === found.now && html`<${Remark} key="remark" file=${file} line=${line} task=${task} onClose=${() => setLine(null)} />`}`)}
      </tbody></table>
    </div>
    ${file.lines.length > most && html`<button onClick=${() => more(most + 2000)}>Show ${file.lines.length - most} more lines</button>`}
  </details>`;
}

const KINDS = { "+": "added", "-": "removed", "@": "place", " ": "same" };

function Line({ found, file, open, first, choose }) {
  const number = found.now ?? found.old;
  const button = open && found.now;
  return html`<tr class=${KINDS[found.kind]}>
    <td class="number">${button
      ? html`<button tabindex=${first ? 0 : -1} aria-label=${`Comment on line ${found.now} of ${file.path}`} onClick=${() => choose(found.now)}>${number}</button>`
      : number}</td>
    <td class="sign">${found.kind === "@" ? "" : found.kind}</td>
    <td class="line"><code>${found.text || " "}</code></td>
  </tr>`;
}

const Said = ({ one }) => html`<tr class="said"><td colspan="3"><p>${one.text}</p><p class="quiet">${one.by.replace(/^person:/, "")}, goes with the decision</p></td></tr>`;

function Remark({ file, line, task, onClose }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    const done = await attempt("The comment was not kept", async () => {
      await call("POST", `/api/v2/tasks/${task.id}/comments`, { comments: [{ file: file.path, line, text }] });
      note(`Comment on line ${line} of ${file.path} kept; it goes with your decision`);
    });
    setBusy(false);
    if (done) onClose();
  };
  return html`<tr class="said"><td colspan="3"><form onSubmit=${send} onKeyDown=${(event) => event.key === "Escape" && onClose()}>
    <label>Comment on line ${line}
      <textarea rows="3" required value=${text} onInput=${(event) => setText(event.target.value)} ref=${focused}></textarea></label>
    <div class="actions"><button class="main" disabled=${busy}>Keep comment</button><button type="button" onClick=${onClose}>Leave it</button></div>
  </form></td></tr>`;
}

// The field is there to be written in at once.
const focused = (field) => field && !field.dataset.met && ((field.dataset.met = "yes"), field.focus());

// Arrow keys go from number to number.
function along(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || event.target.tagName !== "BUTTON" || event.target.closest(".said")) return;
  const buttons = [...event.currentTarget.querySelectorAll("td.number button")];
  const wanted = buttons[buttons.indexOf(event.target) + step];
  if (!wanted) return;
  event.preventDefault();
  wanted.focus();
}
