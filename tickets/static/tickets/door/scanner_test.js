// The panel 'Test your scanner': what came, how fast, and what to change.

import { gap } from "./wedge.js";

/** Returns onRun for wedge.js: true while the panel is open, so that tests let nobody in. */
export function openScannerTest({ panel, prefix, word }) {
  const part = (name) => panel.querySelector(`[data-${name}]`);
  panel.hidden = false;
  part("gap").value = String(gap.get());
  part("gap").addEventListener("change", () => gap.set(Number(part("gap").value)));

  function verdict({ text, pause, end }) {
    if (!text.toUpperCase().includes(prefix)) return "test-foreign";
    if (pause > gap.get()) return "test-slow";
    return end ? "test-good" : "test-no-end";
  }

  return (run) => {
    if (!panel.open) return false;
    part("verdict").textContent = word(verdict(run));
    part("letters").textContent = run.text.length;
    part("pause").textContent = run.pause;
    part("end").textContent = run.end ?? "–";
    part("facts").hidden = false;
    return true;
  };
}
