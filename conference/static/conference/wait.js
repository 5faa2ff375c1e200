// Checks every few seconds whether what the page waits for is ready, and then reloads it. Without
// it the page asks people to reload.

const EVERY = 3000; // milliseconds
const AT_MOST = 200; // checks: ten minutes

const box = document.querySelector("[data-wait]");
const state = document.querySelector("[data-state]").dataset.state;

async function look(left) {
  let answer = null;
  let text = "";
  try {
    answer = await fetch(location.href, { cache: "no-store" });
    if (answer.headers.get("Content-Type")?.startsWith("text/html")) text = await answer.text();
  } catch {
    answer = null; // no network for the moment
  }
  if (answer?.ok && !text.includes(`data-state="${state}"`)) {
    if (box.dataset.ready) box.textContent = box.dataset.ready;
    location.replace(location.href);
  } else if (left > 1) {
    setTimeout(look, EVERY, left - 1);
  }
}

setTimeout(look, EVERY, AT_MOST);
