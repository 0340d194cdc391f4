// Light or dark: what the system says, unless it was chosen here; the choice is this browser's.

const KEPT = "orange.theme";
const CHOICES = ["system", "light", "dark"];

export const theme = () => document.documentElement.dataset.theme || "system";

export function next() {
  show(CHOICES[(CHOICES.indexOf(theme()) + 1) % CHOICES.length]);
  localStorage.setItem(KEPT, theme());
}

export function show(chosen = localStorage.getItem(KEPT)) {
  if (CHOICES.includes(chosen) && chosen !== "system") document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}
