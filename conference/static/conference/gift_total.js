// Shows above the button what it will do: how many places, and how much to pay.

const form = document.querySelector("[data-reserve]");
const line = form.querySelector("[data-total]");
const pounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
// The amounts that conference/money.py accepts. The server checks them again.
const AMOUNT = /^£? ?(\d{1,9}|\d{1,3}(,\d{3}){1,2})(\.\d{1,2})?$/;

/** The chosen gift in pence, 0 for none, or null while it is unknown. */
function giftPence() {
  const choice = form.querySelector("[name=gift]:checked")?.value;
  if (choice === "none") return 0;
  if (choice !== "other") return choice ? Number(choice) : null;
  const typed = form.querySelector("[name=other_amount]").value.trim();
  if (!AMOUNT.test(typed)) return null;
  const pence = Math.round(Number(typed.replace(/[£ ,]/g, "")) * 100);
  return pence >= 100 ? pence : null;
}

function show() {
  const count = form.querySelectorAll("[data-person]").length;
  const pence = giftPence();
  line.hidden = pence === null;
  if (line.hidden) return;
  const words = line.dataset;
  const places = count === 1 ? words.one : words.many.replace("{count}", count);
  const amount = pounds.format(pence / 100).replace(/\.00$/, "");
  line.textContent = (pence ? words.gift : words.free)
    .replace("{places}", places)
    .replaceAll("{amount}", amount);
}

form.addEventListener("input", show);
form.addEventListener("peoplechange", show);
show();
