// One answer for all photos on the page, when the person says that they show one animal.

import { part, showCandidates, showNewLine, showVerdict } from "./answer.js";
import { Cancelled } from "./recogniser.js";
import { announce } from "./status.js";
import { WORDS, encounterOf } from "./strings.js";

/** @import { Card } from "./card.js" */
/** @import { Recogniser } from "./recogniser.js" */
/** @import { EncounterPhoto } from "./types.js" */

const CANDIDATES = 5;

export class Encounter {
  /** @type {HTMLElement} */ #section;
  /** @type {Recogniser} */ #recogniser;
  /** @type {readonly Card[]} */ #cards = [];
  /** @type {string} */ #bundle = "";
  /** What is shown, or asked for now: an answer to an earlier question is dropped. @type {readonly EncounterPhoto[]} */ #asked = [];

  /** @param {HTMLElement} section @param {Recogniser} recogniser */
  constructor(section, recogniser) {
    this.#section = section;
    this.#recogniser = recogniser;
    this.#check.addEventListener("change", () => this.#update());
  }

  /** The photos on the page, or what is said of them, changed. @param {Iterable<Card>} cards @param {string} bundle */
  show(cards, bundle) {
    this.#cards = [...cards];
    this.#bundle = bundle;
    this.#update();
  }

  /** @type {HTMLInputElement} */
  get #check() {
    return part(this.#section, "check");
  }

  #update() {
    this.#section.hidden = this.#cards.length < 2;
    const on = this.#check.checked && !this.#section.hidden;
    part(this.#section, "together").hidden = !on;
    const answered = this.#cards.flatMap(({ said }) => (said === null ? [] : [said]));
    if (!on || answered.length < 2) this.#say(WORDS.encounterWaits, "waiting");
    else if (!isSame(answered, this.#asked)) void this.#ask(answered);
    else this.#title();
  }

  /** @param {readonly EncounterPhoto[]} photos */
  async #ask(photos) {
    this.#say(WORDS.encounterWorks, "working");
    this.#asked = photos;
    const bundle = this.#bundle;
    try {
      const answer = await this.#recogniser.decide(photos, CANDIDATES);
      if (this.#asked !== photos) return;
      this.#section.dataset.state = "answered";
      this.#title();
      showVerdict(part(this.#section, "verdict"), answer.verdict);
      showCandidates(part(this.#section, "candidates"), answer, bundle);
      showNewLine(part(this.#section, "new-line"), answer);
      announce(part(this.#section, "title").textContent + " " + part(this.#section, "verdict").textContent);
    } catch (error) {
      if (this.#asked !== photos) return;
      if (error instanceof Cancelled) this.#say(WORDS.encounterWaits, "waiting");
      else this.#say(error instanceof Error ? error.message : String(error), "failed");
    }
  }

  #title() {
    part(this.#section, "title").textContent = encounterOf(this.#asked.length, this.#cards.length);
  }

  /** Words instead of an answer. @param {string} words @param {"waiting" | "working" | "failed"} state */
  #say(words, state) {
    this.#asked = [];
    this.#section.dataset.state = state;
    part(this.#section, "title").textContent = words;
    for (const name of ["verdict", "candidates", "new-line"]) part(this.#section, name).replaceChildren();
  }
}

/** @param {readonly EncounterPhoto[]} a @param {readonly EncounterPhoto[]} b */
function isSame(a, b) {
  return a.length === b.length && a.every((photo, index) => photo === b[index]);
}
