// The panel that says how the model is doing, and the voice for screen readers.

import { cardLink } from "./model-card.js";
import { cardOf } from "./models.js";
import { FACTS, WORDS, day, loading, madeOn, number, ready, runsOn, size } from "./strings.js";

/** @import { Backend, Catalogue, Model } from "./types.js" */

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
  #facts = byId("model-facts");
  #backend = byId("backend");
  #error = byId("model-error");
  #button = /** @type {HTMLButtonElement} */ (byId("model-button"));
  #progress = /** @type {HTMLProgressElement} */ (byId("model-progress"));
  /** @type {URL | null} */ #card = null;

  /** @param {{ stop: () => void, load: () => void }} actions  what the panel's button does */
  constructor(actions) {
    this.#button.addEventListener("click", () => (this.state === "loading" ? actions.stop() : actions.load()));
  }

  get state() {
    return this.#status.dataset.state;
  }

  /** What is known of a model before it is loaded. @param {Model} model @param {string} bundle */
  choose(model, bundle) {
    byId("about").hidden = true;
    this.#card = cardOf(model, bundle);
    this.#showModel(model.bytes ? [size(model.bytes)] : []);
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

  /** @param {Catalogue} catalogue @param {Backend} backend @param {number} bytes  what the bundle takes */
  ready(catalogue, backend, bytes) {
    this.#show("ready", ready(catalogue), runsOn(backend));
    this.#backend.dataset.backend = backend.name;
    this.#showModel([size(bytes), madeOn(catalogue.trained_on)]);
    showFacts(catalogue, backend, bytes);
    announce(ready(catalogue));
  }

  /** @param {string} message @param {boolean} [again]  whether another try may help */
  failed(message, again = true) {
    this.#show("error", WORDS.notReady, "");
    this.#button.hidden = !again;
    this.#error.textContent = message;
    announce(message);
  }

  stopped() {
    this.#show("stopped", WORDS.stopped, "");
  }

  /** @param {string[]} facts */
  #showModel(facts) {
    const link = this.#card === null ? [] : [cardLink(this.#card)];
    const shown = [...facts.filter((fact) => fact !== ""), ...link];
    this.#facts.replaceChildren(...shown.flatMap((fact, index) => (index === 0 ? [fact] : [" · ", fact])));
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

/** @param {Catalogue} catalogue @param {Backend} backend @param {number} bytes */
function showFacts(catalogue, backend, bytes) {
  const facts = [
    [FACTS.title, catalogue.title],
    [FACTS.whales, number(catalogue.individuals)],
    [FACTS.photos, number(catalogue.photos)],
    [FACTS.newPhotos, number(catalogue.new_photos)],
    [FACTS.made, day(catalogue.trained_on) || WORDS.noFacts],
    [FACTS.size, size(bytes)],
    [FACTS.model, catalogue.model_hash],
    ...(catalogue.edges ? [[FACTS.edges, WORDS.edges]] : []),
    ...(backend.detail ? [[FACTS.webgpu, backend.detail]] : []),
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
