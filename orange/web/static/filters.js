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
  for (const task of tasks.values()) {
    const parent = tasks.has(task.parent) ? task.parent : null;
    below.set(parent, [...(below.get(parent) || []), task]);
  }
  const rows = [];
  const walk = (parent, depth, above) => {
    let any = false;
    for (const task of below.get(parent) || []) {
      if (above.has(task.id)) continue;
      const at = rows.length;
      rows.push({ task, depth });
      const inside = walk(task.id, depth + 1, new Set([...above, task.id]));
      if (inside || kept(task)) any = true;
      else rows.splice(at);
    }
    return any;
  };
  walk(null, 0, new Set());
  return rows;
}
