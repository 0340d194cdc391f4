// The dashboard: lets itself in, keeps itself fresh, and draws the view of the address it is at.
// Next in the flow: `api` for the token, `live` for what is known, `views/` for what is seen.

import { html, render, useErrorBoundary } from "./vendor/preact-htm.js";
import { enter } from "./api.js";
import { start as follow } from "./live.js";
import { start as route } from "./routes.js";
import { Shell, listen } from "./shell.js";
import { read, useKnown } from "./store.js";
import { show } from "./theme.js";
import { Board } from "./views/board.js";
import { Execution } from "./views/execution.js";
import { Import } from "./views/import.js";
import { List } from "./views/list.js";
import { New } from "./views/new.js";
import { Quick } from "./views/quick.js";
import { Task } from "./views/task.js";
import { Tree } from "./views/tree.js";

const VIEWS = { board: Board, list: List, tree: Tree, task: Task, new: New, quick: Quick, import: Import, execution: Execution };

function Page() {
  const { token, place, refused } = useKnown();
  if (token === null) return null;
  if (!token) return html`<${Outside} refused=${refused} />`;
  return html`<${Shell}><${Shown} key=${`${place.view} ${place.task || ""}`} view=${VIEWS[place.view]} /><//>`;
}

// A view that cannot be drawn leaves the rest of the page alone.
function Shown({ view }) {
  const [error] = useErrorBoundary((found) => console.error(found));
  if (error) return html`<h1 tabindex="-1">This view cannot be shown</h1><p class="trouble" role="alert">This is a bug in orange: ${String(error.message)}. Loading the page again may help.</p>`;
  return html`<${view} />`;
}

const Outside = ({ refused }) => html`<main class="alone">
  <h1>orange</h1>
  ${refused && html`<p class="trouble" role="alert">${refused}</p>`}
  <p>Type <code>orange dashboard</code> in your repository: it opens this page with a link that lets you in.</p>
</main>`;

async function arrive() {
  await enter();
  if (read().token) follow();
}

show();
route();
listen();
document.getElementById("page").replaceChildren();
render(html`<${Page} />`, document.getElementById("page"));
addEventListener("hashchange", arrive); // a link that lets in, opened where the page is open already
arrive();
