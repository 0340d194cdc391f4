// What a task's latest run says, as it says it.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { Empty } from "../parts.js";
import { EMPTY, say } from "../screentext.js";
import { read } from "../store.js";

export function Screen({ task }) {
  const epoch = task.claim?.epoch;
  const [open, setOpen] = useState(task.status === "working");
  useEffect(() => {
    if (task.status === "working") setOpen(true);
  }, [task.status]);
  if (!epoch) return null;
  return html`<section aria-labelledby="says">
    <details open=${open} onToggle=${(event) => setOpen(event.target.open)}>
      <summary><h2 id="says">What its latest run says</h2></summary>
      ${open && html`<${Said} key=${epoch} task=${task} />`}
    </details>
  </section>`;
}

function Said({ task }) {
  const [screen, setScreen] = useState(EMPTY);
  const [state, setState] = useState("reading");
  const [tries, again] = useState(0);
  const box = useRef(null);
  const below = useRef(true);
  useEffect(() => {
    const { token, project } = read();
    const address = `ws://${location.host}/api/v2/sessions/${encodeURIComponent(task.id)}/terminal?${new URLSearchParams({ project })}`;
    const socket = new WebSocket(address, ["orange.screen", `bearer.${token}`]);
    const decoder = new TextDecoder();
    socket.binaryType = "arraybuffer";
    socket.onopen = () => setState("live");
    socket.onclose = (event) => setState(event.code === 1000 ? "ended" : "lost");
    socket.onmessage = ({ data }) => setScreen((before) => say(before, decoder.decode(data, { stream: true })));
    return () => {
      socket.onclose = null;
      socket.close();
    };
  }, [task.id, tries]);
  useEffect(() => {
    // a run that has just begun says nothing yet, and the daemon may come back
    if (state !== "lost" || task.status !== "working") return undefined;
    const timer = setTimeout(() => (setScreen(EMPTY), setState("reading"), again(tries + 1)), 1000);
    return () => clearTimeout(timer);
  }, [state, task.status]);
  useEffect(() => {
    // who reads further up is left there
    if (box.current && below.current) box.current.scrollTop = box.current.scrollHeight;
  }, [screen]);
  const scrolled = ({ target }) => (below.current = target.scrollHeight - target.scrollTop - target.clientHeight < 40);
  const text = screen.lines.join("\n").trimEnd();
  return html`
    ${text
      ? html`<pre class="screen" ref=${box} role="region" aria-labelledby="says" tabindex="0" onScroll=${scrolled}>${text}</pre>`
      : html`<${Empty}>${state === "lost" ? "Nothing of it is left." : "It has said nothing yet."}<//>`}
    <p class="quiet">${{ reading: "reading…", live: "live", ended: "the run has ended", lost: "" }[state]}
      ${state === "live" && task.tmux_session && html` · to join in: <code>orange attach ${task.id}</code>`}</p>`;
}
