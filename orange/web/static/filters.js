// Which tasks are shown. Pure.

export function shows(task, { q, state, label, agent }) {
  if (state && task.state !== state) return false;
  if (label && !task.labels.includes(label)) return false;
  if (agent && task.agent !== agent) return false;
  return !q || q.toLowerCase().split(/\s+/).every((word) => textOf(task).includes(word));
}

const textOf = (task) => [task.title, task.name, task.id, task.ref || "", task.status, ...task.labels].join(" ").toLowerCase();

// Every value that some task has, in order.
export const labelsOf = (tasks) => [...new Set([...tasks].flatMap(({ labels }) => labels))].sort();
export const agentsOf = (tasks) => [...new Set([...tasks].map(({ agent }) => agent).filter(Boolean))].sort();

// Tasks below their parents, with their depth; a parent is kept where something below it is.
export function tree(tasks, kept) {
  const below = new Map();
  const roots = [];
  for (const task of tasks.values()) {
    if (tasks.has(task.parent)) below.set(task.parent, [...(below.get(task.parent) || []), task]);
    else roots.push(task);
  }
  const rows = [];
  const met = new Set();
  // Whether the task or something below it is kept.
  const walk = (task, depth) => {
    if (met.has(task.id)) return false;
    met.add(task.id);
    const at = rows.push({ task, depth }) - 1;
    const inside = (below.get(task.id) || []).map((child) => walk(child, depth + 1)).some(Boolean);
    if (!inside && !kept(task)) rows.splice(at);
    return inside || kept(task);
  };
  // at last those that are their own ancestors, by a mistake in their files
  for (const task of [...roots, ...tasks.values()]) walk(task, 0);
  return rows;
}
