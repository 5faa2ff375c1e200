// The last scans of this device, kept in memory only: closing the page forgets them.

const MOST = 20;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** undoSeconds: how long an entry can be taken back; onUndo(id), onRetry(result). */
export function openRecent({ section, undoSeconds, onUndo, onRetry }) {
  const list = section.querySelector("[data-recent-list]");
  const template = section.querySelector("[data-recent-row]");
  const rows = new Map(); // scan id -> its line

  section.hidden = false;

  /** Add a result, or put it in the place of an earlier one with the same id. */
  function add(result) {
    const row = template.content.firstElementChild.cloneNode(true);
    const part = (name) => row.querySelector(`[data-${name}]`);
    row.dataset.tone = result.tone;
    part("who").textContent = result.name || result.code.slice(0, 9);
    part("what").textContent = result.title;
    part("when").textContent = result.at ?? clock.format(new Date());
    if (result.may_undo_until) {
      const button = part("row-undo");
      button.hidden = false;
      button.addEventListener("click", () => onUndo(result.id));
      setTimeout(() => (button.hidden = true), undoSeconds * 1000);
    }
    if (result.retry) {
      part("row-retry").hidden = false;
      part("row-retry").addEventListener("click", () => onRetry(result));
    }
    rows.get(result.id)?.remove();
    rows.set(result.id, row);
    list.prepend(row);
    while (list.children.length > MOST) list.lastElementChild.remove();
    section.querySelector("[data-recent-empty]").hidden = true;
  }

  /** Mark an entry as taken back. */
  function undone(id, word) {
    const row = rows.get(id);
    if (!row) return;
    row.dataset.tone = "undone";
    row.querySelector("[data-what]").textContent = word;
    row.querySelector("[data-row-undo]").hidden = true;
  }

  return { add, undone };
}
