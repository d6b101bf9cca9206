// Photos wait here and are answered one after the other.

import { Cancelled } from "./recogniser.js";

/** @import { Card } from "./card.js" */
/** @import { Recogniser } from "./recogniser.js" */

const CANDIDATES = 5;

export class Queue {
  /** @type {Recogniser} */ #recogniser;
  /** @type {Card[]} */ #waiting = [];
  /** @type {Card | null} */ #running = null;
  /** The running card has been asked anew: its box or the catalogue changed. */
  #again = false;
  /** @type {string} */ #bundle = "";

  /** @param {Recogniser} recogniser */
  constructor(recogniser) {
    this.#recogniser = recogniser;
  }

  /** Where thumbnails are. @param {string} bundle */
  set bundle(bundle) {
    this.#bundle = bundle;
  }

  /** @param {Card} card */
  add(card) {
    card.verifying = false;
    if (card === this.#running) {
      this.#again = true;
      if (this.#recogniser.busy) this.#recogniser.cancel();
      return;
    }
    this.#wait(card);
  }

  /** Compares the photo of an answered card with the catalogue's. @param {Card} card */
  verify(card) {
    if (card === this.#running || this.#waiting.includes(card) || card.answer === null) return;
    card.verifying = true;
    this.#wait(card);
  }

  /** @param {Card} card */
  #wait(card) {
    card.showWaiting(this.#recogniser.ready);
    if (!this.#waiting.includes(card)) this.#waiting.push(card);
    this.next();
  }

  /** Takes a card out, also while it is being answered. @param {Card} card */
  cancel(card) {
    if (card === this.#running) {
      this.#again = false;
      this.#recogniser.cancel();
    } else if (this.#waiting.includes(card)) {
      this.#waiting = this.#waiting.filter((other) => other !== card);
      card.showCancelled();
    }
  }

  /** Starts the next photo if the recogniser is free. */
  next() {
    if (this.#running !== null || !this.#recogniser.ready) return;
    const card = this.#waiting.shift();
    if (card !== undefined) void this.#run(card);
  }

  /** @param {Card} card */
  async #run(card) {
    this.#running = card;
    card.showWorking();
    try {
      const photo = await card.file.arrayBuffer();
      const bundle = this.#bundle;
      if (card.verifying && card.answer !== null) {
        const comparing = card.showComparing.bind(card);
        card.showVerified(await this.#recogniser.verify(photo, card.answer, CANDIDATES, comparing), bundle);
      } else {
        const answer = await this.#recogniser.identify(photo, card.region, CANDIDATES, (name) => card.showStage(name));
        card.showAnswer(answer, bundle);
      }
    } catch (error) {
      if (error instanceof Cancelled) {
        if (!this.#again) card.showCancelled();
      } else card.showTrouble(error instanceof Error ? error.message : String(error));
    }
    this.#running = null;
    if (this.#again) {
      this.#again = false;
      this.add(card);
    }
    this.next();
  }
}
