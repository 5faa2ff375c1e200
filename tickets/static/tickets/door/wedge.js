// Scanners that type like a keyboard. They type into whatever has the focus, so the whole
// document is listened to; how fast the letters come tells a scanner from a person.

const USUAL_GAP = 60; // milliseconds; Bluetooth is slower
const LEAST = 12; // letters of a scan; nobody types so many so fast
const GAP = "door.gap";

/** The longest pause between two letters of one scan, in milliseconds; kept on this device. */
export const gap = {
  get: () => Number(localStorage.getItem(GAP)) || USUAL_GAP,
  set: (milliseconds) => localStorage.setItem(GAP, milliseconds),
};

/** Letters that came one after the other, and the field they went into. */
const emptyRun = () => ({ text: "", pause: 0, lastAt: -Infinity, field: null, before: "" });

/** Put a field back to what it held before a scanner typed into it. */
function restore({ field, before }) {
  // No field had the focus at the first letter: the one that has it now got it during the scan.
  const typedInto = field ?? document.activeElement;
  if (typedInto.matches("input")) typedInto.value = before;
}

/**
 * onScan(text) for every scan. onRun({text, pause, end}) for every run of letters long enough to
 * be judged by the test panel, also one that was too slow; pause is its longest gap in ms, end is
 * "Enter", "Tab" or null. Where onRun returns true, the run was a test and is not scanned.
 */
export function listen({ prefix, onScan, onRun }) {
  let run = emptyRun();
  let slow = emptyRun(); // as `run`, but with pauses of up to a second: for the test panel
  let timer = 0;

  const isScan = ({ text }) => text.length >= LEAST || text.toUpperCase().startsWith(prefix);

  function begin(event) {
    const field = event.target.closest?.("input:not([type=hidden])") ?? null;
    return { ...emptyRun(), field, before: field?.value ?? "" };
  }

  function add(to, event) {
    if (to.text) to.pause = Math.max(to.pause, event.timeStamp - to.lastAt);
    to.text += event.key;
    to.lastAt = event.timeStamp;
  }

  /** Tell the panel; true where the run was a test. */
  function report(end) {
    clearTimeout(timer);
    const { text, pause } = slow;
    slow = emptyRun();
    return text.length >= LEAST && onRun({ text, pause: Math.round(pause), end }) === true;
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key.length === 1 && !event.repeat) {
        if (event.timeStamp - run.lastAt > gap.get()) run = begin(event);
        if (event.timeStamp - slow.lastAt > 1000) slow = begin(event);
        add(run, event);
        add(slow, event);
        clearTimeout(timer);
        timer = setTimeout(() => report(null), 1000);
        return;
      }
      if (event.key !== "Enter" && event.key !== "Tab") return;
      const done = run;
      const tested = slow;
      run = emptyRun();
      const wasFast = event.timeStamp - done.lastAt <= gap.get() && isScan(done);
      const wasTest = report(event.key);
      if (!wasFast && !wasTest) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      restore(wasTest ? tested : done);
      if (!wasTest) onScan(done.text);
    },
    true,
  );
}
