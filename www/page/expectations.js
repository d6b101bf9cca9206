// What the person expects and fears: two choices that move the answer between "new" and a name. What they
// are worth is measured; the table comes from the bundle.

import { WORDS, expectedShare, missedCost, operatingNote } from "./strings.js";

/** @import { OperatingPoint, OperatingRates } from "./types.js" */

const root = /** @type {HTMLDetailsElement} */ (document.getElementById("expectations"));
const shares = /** @type {HTMLSelectElement} */ (document.getElementById("expected-share"));
const costs = /** @type {HTMLSelectElement} */ (document.getElementById("missed-cost"));
const note = /** @type {HTMLElement} */ (document.getElementById("operating-note"));

export class Expectations {
  /** @type {OperatingRates[]} */ #rates = [];

  /** @param {() => void} changed  the person chose another point */
  constructor(changed) {
    for (const choice of [shares, costs]) {
      choice.addEventListener("change", () => {
        this.#tell();
        changed();
      });
    }
  }

  /** Offers what the bundle has measured, its own point first; a bundle without a table offers nothing. @param {OperatingRates[]} rates */
  offer(rates) {
    // A program that is started again brings the same table: what was chosen stays.
    if (JSON.stringify(rates) === JSON.stringify(this.#rates)) return;
    this.#rates = rates;
    root.hidden = rates.length === 0;
    const [fitted, ...others] = [...new Set(rates.map((one) => one.new_share))];
    fill(shares, [fitted, ...others.sort((a, b) => a - b)].map((share, place) => [share, expectedShare(share, place === 0)]));
    fill(costs, [...new Set(rates.map((one) => one.missed_cost))].map((cost) => [cost, missedCost(cost)]));
    costs.value = "1";
    this.#tell();
  }

  /** What is chosen. @returns {OperatingPoint} */
  get point() {
    if (root.hidden) return { new_share: null, missed_cost: 1 };
    const fitted = shares.selectedIndex === 0;
    return { new_share: fitted ? null : Number(shares.value), missed_cost: Number(costs.value) };
  }

  #tell() {
    const [share, cost] = [shares.value, costs.value];
    const chosen = this.#rates.find((one) => String(one.new_share) === share && String(one.missed_cost) === cost);
    note.textContent = chosen === undefined ? WORDS.noRates : operatingNote(chosen);
  }
}

/** @param {HTMLSelectElement} select @param {(readonly [number, string])[]} choices */
function fill(select, choices) {
  select.replaceChildren(...choices.map(([value, words]) => new Option(words, String(value))));
}
