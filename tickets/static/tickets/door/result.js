// One result, as large as the screen, over everything else.

import { gap } from "./wedge.js";

const ADMITTED_FOR = 3000; // milliseconds; what needs a decision stays until somebody moves on
const TYPED = /^[\p{L}\p{N}]$/u;

/** Fill an element with one paragraph for each line. */
function fill(element, lines) {
  element.replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })),
  );
}

/**
 * screen: the section of the template; behind: the page that it covers, inert meanwhile;
 * announcer: the live region that is read out; field: that of the code, which gets the focus back
 * if it had it; onUndo(id), onRetry(result), onHidden().
 */
export function openResult({ screen, behind, announcer, field, onUndo, onRetry, onHidden }) {
  const part = (name) => screen.querySelector(`[data-${name}]`);
  const retry = part("retry");
  const undoForm = part("undo-form");
  let shown = null;
  let timer = 0;
  let keyAt = -Infinity; // when the last letter came, wherever it went
  let wasTyping = false;

  function hide() {
    if (screen.hidden) return;
    clearTimeout(timer);
    screen.hidden = true;
    behind.inert = false;
    shown = null;
    if (wasTyping) field.focus();
    wasTyping = false;
    onHidden();
  }

  function cover() {
    if (screen.hidden && document.activeElement === field) wasTyping = true;
    screen.hidden = false;
    screen.classList.add("result-full");
    behind.inert = true;
    screen.scrollTop = 0;
  }

  /** result: {tone, title, name, ticket_type, lines, said, may_undo_until, retry}. */
  function show(result) {
    clearTimeout(timer);
    shown = result;
    screen.className = `result result-full result-${result.tone}`;
    part("title").textContent = result.title;
    const name = document.createElement("bdi");
    name.textContent = result.name ?? "";
    part("name").replaceChildren(name);
    part("ticket-type").textContent = result.ticket_type ?? "";
    fill(part("lines"), result.lines ?? []);
    retry.hidden = !result.retry;
    retry.textContent = result.retry ?? "";
    undoForm.hidden = !result.may_undo_until;
    cover();
    (result.retry ? retry : part("next")).focus({ preventScroll: true });
    announcer.textContent = result.said ?? "";
    if (result.tone === "good") timer = setTimeout(hide, ADMITTED_FOR);
  }

  part("next").addEventListener("click", (event) => {
    event.preventDefault();
    hide();
  });
  retry.addEventListener("click", () => onRetry(shown));
  undoForm.addEventListener("submit", (event) => {
    event.preventDefault();
    onUndo(shown?.id ?? undoForm.querySelector("button").value);
  });
  screen.addEventListener("click", (event) => {
    if (!event.target.closest("a, button")) hide();
  });
  // Escape closes the result, and so does a letter, which is then the first of the next code. A
  // letter in the middle of a scanner's code does not: that scan began before the result was shown,
  // so nobody has seen it yet.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isFirst = event.timeStamp - keyAt > gap.get();
    if (event.key.length === 1) keyAt = event.timeStamp;
    if (screen.hidden) return;
    if (event.key === "Escape") hide();
    if (!isFirst || !TYPED.test(event.key)) return;
    hide();
    field.focus();
  });
  // Once 'Undo' has the focus, the result stays: there must be time to press it.
  undoForm.addEventListener("focusin", () => clearTimeout(timer));
  // A result that came with the page, from the form that works without scripts, is read out.
  announcer.textContent = screen.dataset.said;
  /** Whether a result is shown that stays until somebody moves on. */
  const needsDecision = () => shown !== null && shown.tone !== "good";
  return { show, hide, shown: () => shown, needsDecision };
}
