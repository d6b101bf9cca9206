// The panel that says how the model is doing, and the voice for screen readers.

import { WORDS, loading, number, ready, runsOn } from "./strings.js";

/** @import { Backend, Catalogue } from "./types.js" */

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Says something to a screen reader, once. @param {string} text */
export function announce(text) {
  byId("announcer").textContent = text;
}

export class StatusPanel {
  #status = byId("model-status");
  #backend = byId("backend");
  #error = byId("model-error");
  #button = /** @type {HTMLButtonElement} */ (byId("model-button"));
  #progress = /** @type {HTMLProgressElement} */ (byId("model-progress"));

  /** @param {{ stop: () => void, load: () => void }} actions  what the panel's button does */
  constructor(actions) {
    this.#button.addEventListener("click", () => (this.state === "loading" ? actions.stop() : actions.load()));
  }

  get state() {
    return this.#status.dataset.state;
  }

  loading() {
    this.#show("loading", WORDS.starting, "");
    this.#progress.removeAttribute("value");
  }

  /** @param {"program" | "model"} what @param {number} loaded @param {number | null} total */
  progress(what, loaded, total) {
    this.#status.textContent = loading(what, loaded, total);
    if (total === null) this.#progress.removeAttribute("value");
    else this.#progress.value = total === 0 ? 1 : loaded / total;
  }

  /** @param {string} text  from the program: what it does after the bytes are there */
  text(text) {
    this.#status.textContent = text;
    this.#progress.removeAttribute("value");
  }

  /** @param {Catalogue} catalogue @param {Backend} backend */
  ready(catalogue, backend) {
    this.#show("ready", ready(catalogue), runsOn(backend));
    this.#backend.dataset.backend = backend.name;
    showFacts(catalogue);
    announce(ready(catalogue));
  }

  /** @param {string} message */
  failed(message) {
    this.#show("error", WORDS.notReady, "");
    this.#error.textContent = message;
    announce(message);
  }

  stopped() {
    this.#show("stopped", WORDS.stopped, "");
  }

  /** @param {"loading" | "ready" | "error" | "stopped"} state @param {string} status @param {string} backend */
  #show(state, status, backend) {
    this.#status.dataset.state = state;
    this.#status.textContent = status;
    this.#backend.textContent = backend;
    this.#error.hidden = state !== "error";
    this.#progress.hidden = state !== "loading";
    this.#button.hidden = state === "ready";
    this.#button.textContent = state === "loading" ? WORDS.stop : WORDS.load;
  }
}

/** @param {Catalogue} catalogue */
function showFacts(catalogue) {
  const facts = [
    ["Catalogue", catalogue.title],
    ["Known whales", number(catalogue.individuals)],
    ["Photos", number(catalogue.photos)],
    ["Photos of unnamed whales among them", number(catalogue.new_photos)],
    ["Trained on", catalogue.trained_on || WORDS.noFacts],
    ["Model", catalogue.model_hash],
  ];
  byId("about-facts").replaceChildren(
    ...facts.flatMap(([term, text]) => {
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = term;
      dd.textContent = text;
      return [dt, dd];
    }),
  );
  byId("about").hidden = false;
}
