// One photo and what is known about it: waiting, in work, answered, or in trouble.

import { part, showCandidates, showNewLine, showPlaceholders, showTimings, showVerdict } from "./answer.js";
import { showEvidence } from "./evidence.js";
import { RegionEditor } from "./region-editor.js";
import { announce } from "./status.js";
import { STAGES, WORDS, comparing, doing, evidenceNote, notCompared, regionNote } from "./strings.js";

/** @import { Answer, EncounterPhoto, Region, StageName, VerifiedAnswer } from "./types.js" */

const ROWS = 5;

/** @typedef {{ ask: (card: Card) => void, verify: (card: Card) => void, cancel: (card: Card) => void, remove: (card: Card) => void, changed: () => void }} Actions  changed: another answer, or none any more */

export class Card {
  /** @type {File} */ file;
  /** @type {Region | null} the person's box; null: the recogniser looks for the tail */ region = null;
  /** @type {EncounterPhoto | null} what the answer that is shown rests on */ said = null;
  /** @type {Answer | null} what is shown, before it was verified */ answer = null;
  /** It is compared with the catalogue's photos, or waits for that: its answer stays whatever comes of it. */ verifying = false;
  /** @type {HTMLElement} */ element;
  /** @type {() => void} */ #changed;
  /** @type {RegionEditor} */ #editor;

  /** @param {File} file @param {Actions} actions */
  constructor(file, actions) {
    this.file = file;
    this.#changed = actions.changed;
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("card-template"));
    this.element = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    this.element.setAttribute("aria-label", file.name);
    this.#part("name").textContent = file.name;
    this.#editor = this.#makeEditor(actions);
    this.#showPhoto();
    showPlaceholders(this.#part("candidates"), ROWS);
    this.#part("cancel").addEventListener("click", () => actions.cancel(this));
    this.#part("retry").addEventListener("click", () => actions.ask(this));
    this.#part("verify").addEventListener("click", () => actions.verify(this));
    this.#part("remove").addEventListener("click", () => actions.remove(this));
    this.#part("find-again").addEventListener("click", () => {
      this.region = null;
      actions.ask(this);
    });
  }

  /** @param {boolean} ready  whether the model is */
  showWaiting(ready) {
    this.#show("waiting");
    this.#part("stage").textContent = ready ? WORDS.waiting : WORDS.waitingForModel;
    this.#part("progress").value = 0;
  }

  showWorking() {
    this.#show("working");
    this.#part("stage").textContent = this.verifying ? WORDS.verifying : WORDS.starting;
    this.#part("progress").max = STAGES.length;
    this.#part("progress").value = 0;
  }

  /** @param {StageName} name */
  showStage(name) {
    this.#part("stage").textContent = doing(name);
    this.#part("progress").value = STAGES.indexOf(name) + 0.5;
  }

  /** @param {"fetch" | "compare"} what @param {number} done @param {number} total */
  showComparing(what, done, total) {
    this.#part("stage").textContent = comparing(what, done, total);
    this.#part("progress").max = 2 * total;
    this.#part("progress").value = what === "fetch" ? done : total + done;
  }

  /** @param {VerifiedAnswer} answer @param {string} bundle */
  showVerified(answer, bundle) {
    this.verifying = false;
    this.#part("verify").hidden = true; // it may have the focus, which `#show` then moves
    this.#show("answered");
    showVerdict(this.#part("verdict"), answer.verdict);
    showCandidates(this.#part("candidates"), answer, bundle);
    showNewLine(this.#part("new-line"), answer);
    if (this.answer !== null) {
      const photo = { url: this.#part("photo").src, region: this.answer.region, ...this.answer.photo };
      showEvidence(this.#part("candidates"), answer, photo, bundle);
      this.said = { ...this.answer.embedding, findings: answer.findings };
      this.#changed();
    }
    this.#sayOfEvidence(evidenceNote(answer));
    announce(`${this.file.name}: ${this.#part("verdict").textContent}`);
  }

  /** @param {Answer} answer @param {string} bundle  address of the bundle that gave it */
  showAnswer(answer, bundle) {
    this.#show("answered");
    showVerdict(this.#part("verdict"), answer.verdict);
    showCandidates(this.#part("candidates"), answer, bundle);
    showNewLine(this.#part("new-line"), answer);
    showTimings(this.#part("timings"), answer);
    this.#editor.resize(answer.photo.width, answer.photo.height);
    this.#editor.show(answer.region);
    this.#part("region-note").textContent = regionNote(answer.region.source);
    announce(`${this.file.name}: ${this.#part("verdict").textContent}`);
    this.answer = answer;
    this.#part("evidence").hidden = !answer.verifiable;
    this.#part("verify").hidden = false;
    this.#part("evidence-note").textContent = "";
    this.said = answer.embedding;
    this.#changed();
  }

  showCancelled() {
    if (this.#keptAnswer(WORDS.notVerified)) return;
    this.#showTrouble(WORDS.cancelled, "cancelled");
  }

  /** @param {string} message */
  showTrouble(message) {
    if (this.#keptAnswer(notCompared(message))) return;
    this.#showTrouble(message, "failed");
  }

  /** Drops what another catalogue said. The person's box stays: it is about the photo. */
  forget() {
    this.#clearAnswer();
    this.#part("verdict").hidden = true;
    if (this.region === null) {
      this.#editor.clear();
      this.#part("region-note").textContent = "";
    }
  }

  /** Lets go of the photo. */
  dispose() {
    URL.revokeObjectURL(this.#part("photo").src);
    this.element.remove();
  }

  /** @param {string} name @returns {any} */
  #part(name) {
    return part(this.element, name);
  }

  /** @param {Actions} actions */
  #makeEditor(actions) {
    const parts = {
      photo: this.#part("photo"),
      overlay: this.#part("overlay"),
      boxes: [this.#part("box-under"), this.#part("box-line")],
      details: this.#part("editor"),
      form: this.#part("editor-form"),
    };
    return new RegionEditor(parts, (region) => {
      this.region = region;
      actions.ask(this);
    });
  }

  #showPhoto() {
    const photo = this.#part("photo");
    photo.alt = this.file.name;
    photo.addEventListener("error", () => this.#part("frame").classList.add("is-blank"));
    photo.src = URL.createObjectURL(this.file);
  }

  /** An earlier answer does not stay beside a failure. @param {string} message @param {"failed" | "cancelled"} state */
  #showTrouble(message, state) {
    this.#show(state);
    const error = this.#part("error");
    error.textContent = message;
    if (state === "failed") error.dataset.testid = "error"; // being cancelled is none
    this.#clearAnswer();
    announce(`${this.file.name}: ${message}`);
  }

  /** What went wrong in comparing leaves the answer. @param {string} message */
  #keptAnswer(message) {
    if (!this.verifying || this.answer === null) return false;
    this.verifying = false;
    this.#show("answered");
    this.#sayOfEvidence(message);
    announce(`${this.file.name}: ${message}`);
    return true;
  }

  /** @param {string} message */
  #sayOfEvidence(message) {
    this.#part("evidence-note").textContent = message;
  }

  #clearAnswer() {
    this.answer = null;
    this.#part("evidence").hidden = true;
    showPlaceholders(this.#part("candidates"), ROWS);
    this.#part("new-line").textContent = "";
    this.#part("timings").hidden = true;
    this.said = null;
    this.#changed();
  }

  /** @param {"waiting" | "working" | "answered" | "failed" | "cancelled"} state */
  #show(state) {
    const hadFocus = this.element.contains(document.activeElement);
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "waiting" || state === "working"));
    this.#part("working").hidden = state !== "waiting" && state !== "working";
    delete this.#part("error").dataset.testid;
    this.#part("trouble").hidden = state !== "failed" && state !== "cancelled";
    this.#part("verdict").hidden = state !== "answered";
    // The button that was pressed may be gone now.
    const focused = document.activeElement;
    if (hadFocus && (focused === null || focused === document.body || focused.closest("[hidden]"))) {
      this.element.focus({ preventScroll: true });
    }
  }
}
