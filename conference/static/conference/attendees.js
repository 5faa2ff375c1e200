// Adds and removes people in the browser; without it the same buttons submit the form.

const form = document.querySelector("[data-reserve]");
const list = form.querySelector("[data-people]");
const addButton = form.querySelector("[data-add-person]");
const status = form.querySelector("[data-people-status]");
const total = form.querySelector("[name$=-TOTAL_FORMS]");
const most = Number(form.querySelector("[name$=-MAX_NUM_FORMS]")?.value) || 10;
const NUMBERED = ["id", "name", "for", "aria-describedby"];

const rows = () => [...list.querySelectorAll("[data-person]")];

/** Renumber one row's fields and labels; index counts from 0. */
function number(row, index) {
  for (const element of row.querySelectorAll("[id], [name], [for]")) {
    for (const attribute of NUMBERED) {
      const value = element.getAttribute(attribute);
      if (value) element.setAttribute(attribute, value.replace(/-\d+-/g, `-${index}-`));
    }
  }
  for (const word of row.querySelectorAll("[data-number]")) word.textContent = index + 1;
  row.querySelector("[name=remove]").value = index;
}

/** A copy of a row with the same kind of ticket, but without text and errors. */
function emptyCopy(row) {
  const copy = row.cloneNode(true);
  copy.querySelectorAll(".field-error").forEach((error) => error.remove());
  copy.querySelectorAll(".has-error").forEach((field) => field.classList.remove("has-error"));
  for (const control of copy.querySelectorAll("input, select")) {
    control.removeAttribute("aria-invalid");
    const described = (control.getAttribute("aria-describedby") ?? "").replace(/\S+_error/, "").trim();
    if (described) control.setAttribute("aria-describedby", described);
    else control.removeAttribute("aria-describedby");
    if (control.tagName === "SELECT") control.value = row.querySelector("select").value;
    else if (control.type !== "hidden") control.value = "";
  }
  return copy;
}

function refresh() {
  const all = rows();
  all.forEach(number);
  total.value = all.length;
  addButton.hidden = all.length >= most;
  for (const row of all) row.querySelector("[data-remove]").hidden = all.length === 1;
  form.dispatchEvent(new Event("peoplechange"));
}

function say(sentence, count) {
  status.textContent = sentence.replace("{number}", count);
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button === addButton && rows().length) {
    event.preventDefault();
    if (rows().length >= most) return;
    const copy = emptyCopy(rows().at(-1));
    list.append(copy);
    refresh();
    say(status.dataset.added, rows().length);
    copy.querySelector("input:not([type=hidden]), select").focus();
  } else if (button?.name === "remove") {
    event.preventDefault();
    const index = rows().findIndex((row) => row.contains(button));
    rows()[index].remove();
    refresh();
    say(status.dataset.removed, index + 1);
    rows()[Math.max(0, index - 1)].querySelector("input:not([type=hidden]), select").focus();
  }
});
