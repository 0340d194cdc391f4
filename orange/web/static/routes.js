// Where the page is, and how it goes elsewhere: every view is an address that can be kept and sent.
// Next in the flow: `app` draws the view of the place.

import { read, write } from "./store.js";

const VIEWS = ["board", "list", "tree", "new", "quick", "import", "execution"];
// What the lists are filtered by; kept in the address.
export const FILTERS = ["q", "state", "label", "agent"];

export function placeOf(path, search = "") {
  const [, first, second] = path.split("/");
  const query = new URLSearchParams(search);
  const filter = Object.fromEntries(FILTERS.map((key) => [key, query.get(key) || ""]));
  if (first === "tasks" && second) return { view: "task", task: decodeURIComponent(second), filter };
  return { view: VIEWS.includes(first) ? first : "board", filter };
}

// The address of a view; the project stays the one that is shown.
export function to(path) {
  const { project, projects } = read();
  return projects.length > 1 && project ? `${path}?project=${encodeURIComponent(project)}` : path;
}

export const toTask = (id) => to(`/tasks/${encodeURIComponent(id)}`);

export function go(address) {
  history.pushState(null, "", address);
  arrive();
  // the next view begins at its top, and what is read aloud begins with its heading
  requestAnimationFrame(() => {
    scrollTo(0, 0);
    document.querySelector("h1")?.focus({ preventScroll: true });
  });
}

export function filterBy(change) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(change)) value ? query.set(key, value) : query.delete(key);
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
  arrive();
}

function arrive() {
  write({ place: placeOf(location.pathname, location.search) });
}

// Follow the page's own links without loading it again.
export function start() {
  arrive();
  addEventListener("popstate", arrive);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='/']");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(link.getAttribute("href"));
  });
}
