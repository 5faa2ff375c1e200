// Small conveniences for every form; each page works without them.

// Focus the error summary, because older browsers ignore its autofocus.
const summary = document.querySelector("[data-error-summary]");
if (summary) {
  setTimeout(() => document.activeElement === document.body && summary.focus(), 300);
}

// A form is sent only once. Its button says that it is busy, and is reset after "back".
const busyForms = new Set();

function release(form) {
  busyForms.delete(form);
  for (const button of form.querySelectorAll("[data-label]")) {
    button.textContent = button.dataset.label;
    button.removeAttribute("aria-disabled");
    delete button.dataset.label;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[data-submit-once]")) return;
  if (busyForms.has(form)) {
    event.preventDefault();
    return;
  }
  busyForms.add(form);
  const button = event.submitter?.dataset.busy ? event.submitter : form.querySelector("[data-busy]");
  if (!button || event.submitter?.name === "add" || event.submitter?.name === "remove") return;
  button.dataset.label = button.textContent;
  button.textContent = button.dataset.busy;
  button.setAttribute("aria-disabled", "true");
});

window.addEventListener("pageshow", () => {
  for (const form of [...busyForms]) release(form);
});
