// The scanner page: codes come in by camera, scanner or typing; the gateway judges them; the
// screen, the speaker and the list say what came of it.

import { mayStart, openCamera } from "./camera.js";
import { openGateway } from "./gateway.js";
import { openRecent } from "./recent.js";
import { openResult } from "./result.js";
import { openScannerTest } from "./scanner_test.js";
import { askForTouch, signal } from "./signals.js";
import { listen } from "./wedge.js";

const OUT_OF_SIGHT = 4000; // ms after which a code that the camera sees again is a new scan
const SLOW = 400; // ms after which the screen says that it is checking
const COUNT_EVERY = 15000;

const door = document.querySelector("[data-door]");
const find = (name) => document.querySelector(`[data-${name}]`);
const words = find("words").content;
const word = (name) => words.querySelector(`[data-word="${name}"]`).textContent;
const form = find("code-form");
const field = form.elements.code;
const { scanUrl, undoUrl, countsUrl, decoderUrl, readerUrl, wasmUrl } = door.dataset;

const gateway = openGateway({
  urls: { scan: scanUrl, undo: undoUrl, counts: countsUrl },
  token: form.elements.csrfmiddlewaretoken.value,
});
const result = openResult({
  screen: find("result"),
  behind: door,
  announcer: find("announcer"),
  field,
  onUndo: undo,
  onRetry: retry,
  onHidden: checkNext,
});
const recent = openRecent({
  section: find("recent"),
  undoSeconds: Number(door.dataset.undoSeconds),
  onUndo: undo,
  onRetry: retry,
});

// -- judging ------------------------------------------------------------------------------------

let isChecking = false;
const waiting = []; // codes that came while another one was being checked, or had to be decided

/** The words for a scan that was not checked, by its reason. */
function unchecked(judged) {
  const title = word(judged.reason);
  const lines = [word("not-checked"), word(`${judged.reason}-advice`)];
  const way = { "logged-out": "log-in", "not-allowed": "load-anew" }[judged.reason] ?? "try-again";
  return { ...judged, title, lines, said: [`${title}.`, ...lines].join(" "), retry: word(way) };
}

async function check(code, id) {
  if (isChecking) {
    waiting.push([code, id]);
    return;
  }
  isChecking = true;
  const slow = setTimeout(
    () => result.show({ tone: "wait", title: word("checking"), said: word("checking") }),
    SLOW,
  );
  let judged = await gateway.judge(code, id);
  clearTimeout(slow);
  if (judged.reason) judged = unchecked(judged);
  result.show(judged);
  signal(judged.tone);
  recent.add(judged);
  isChecking = false;
  if (judged.outcome === "admitted") countSoon();
  // Anything but a good result stays until somebody has seen it.
  if (judged.tone === "good") checkNext();
}

function checkNext() {
  if (!isChecking && waiting.length) check(...waiting.shift());
}

/** Check what a scanner has typed; later, if a result appeared meanwhile that needs a decision. */
function take(code) {
  if (result.needsDecision()) waiting.push([code]);
  else check(code);
}

function retry({ code, id, reason }) {
  if (reason === "logged-out" || reason === "not-allowed") location.reload();
  else check(code, id);
}

async function undo(id) {
  const { said, error } = await gateway.undo(id);
  // By now the next person's result may be shown, which stays.
  if (!result.shown() || result.shown().id === id) result.hide();
  say(said ?? error ?? word("undo-failed"));
  if (said) recent.undone(id, word("undone"));
  countSoon();
}

/** Show a sentence below the camera, where screen readers read it out too. */
function say(sentence) {
  find("camera-say").textContent = sentence;
}

window.addEventListener("online", () => {
  if (result.shown()?.reason === "no-connection") retry(result.shown());
});

// -- the three ways in --------------------------------------------------------------------------

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const code = field.value.trim();
  field.value = "";
  if (code) check(code);
});

listen({
  prefix: door.dataset.prefix,
  onScan: take,
  onRun: openScannerTest({ panel: find("scanner-test"), prefix: door.dataset.prefix, word }),
});

const seen = new Map(); // code -> when the camera last saw it

function onCode(code) {
  const now = performance.now();
  const isNew = now - (seen.get(code) ?? -Infinity) > OUT_OF_SIGHT;
  if (isNew && isChecking) return;
  seen.set(code, now);
  for (const [other, at] of seen) if (now - at > OUT_OF_SIGHT) seen.delete(other);
  if (isNew) check(code);
}

function onState(state, { cameras = 0, torch = false } = {}) {
  const isOn = state === "on";
  if (isOn) askForTouch();
  find("camera").dataset.state = state;
  find("camera-say").textContent = word(`camera-${state}`);
  find("start").hidden = isOn || state === "starting";
  find("stop").hidden = !isOn;
  find("other-camera").hidden = cameras < 2;
  find("torch").hidden = !torch;
  find("torch").setAttribute("aria-pressed", "false");
}

const camera = openCamera({
  video: find("video"),
  urls: { decoder: decoderUrl, reader: readerUrl, wasm: wasmUrl },
  onCode,
  onState,
});

find("camera").hidden = false;
find("start").addEventListener("click", camera.start);
find("stop").addEventListener("click", camera.stop);
find("other-camera").addEventListener("click", camera.useNext);
find("torch").addEventListener("click", async ({ currentTarget: button }) => {
  const on = await camera.setTorch(button.getAttribute("aria-pressed") !== "true");
  button.setAttribute("aria-pressed", String(on));
});
mayStart().then((may) => may && camera.start());

// -- how many are in ----------------------------------------------------------------------------

let soon = 0;

/** Count in a second; further calls until then lead to no further count. */
function countSoon() {
  clearTimeout(soon);
  soon = setTimeout(count, 1000);
}

async function count() {
  const counted = document.hidden ? null : await gateway.counts();
  if (!counted) return;
  find("in").textContent = counted.in;
  find("expected").textContent = counted.expected;
  find("by-type").replaceChildren(
    ...counted.by_type.map((row) => {
      const line = document.createElement("tr");
      const head = document.createElement("th");
      line.append(Object.assign(head, { scope: "row", textContent: row.name }));
      for (const number of [row.in, row.expected]) line.insertCell().textContent = number;
      return line;
    }),
  );
}

setInterval(count, COUNT_EVERY);
document.addEventListener("visibilitychange", count);
