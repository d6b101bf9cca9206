// The page's side of the worker: opens a bundle, asks one photo at a time, and can cut either short.

import { WORDS } from "./strings.js";

/** @import { Answer, Backend, Catalogue, EncounterAnswer, EncounterPhoto, OperatingPoint, OperatingRates, Region, Report, Request, StageName, VerifiedAnswer } from "./types.js" */

/** What whoever waits for an answer gets when the person cancels. */
export class Cancelled extends Error {}

/**
 * @typedef {object} Listener
 * @property {() => void} opening
 * @property {(what: "program" | "model", loaded: number, total: number | null) => void} progress
 * @property {(text: string) => void} status
 * @property {(catalogue: Catalogue, backend: Backend, bytes: number, operating: OperatingRates[]) => void} ready  bytes: what the bundle takes
 * @property {(message: string) => void} failed  the bundle could not be opened
 */

/** @typedef {(what: "fetch" | "compare", done: number, total: number) => void} Comparing */

/** @typedef {{ resolve: (answer: any) => void, reject: (error: Error) => void, stage?: (name: StageName) => void, comparing?: Comparing }} Job  a photo that is asked for or verified */

/** @typedef {{ resolve: (answer: EncounterAnswer) => void, reject: (error: Error) => void }} Decision */

export class Recogniser {
  /** @type {string} */ #backend;
  /** @type {Listener} */ #listener;
  /** @type {string | null} */ #bundle = null;
  /** @type {Worker | null} */ #worker = null;
  /** @type {WebAssembly.Module | null} kept, so that a new worker need not compile it again */ #program = null;
  /** @type {Job | null} */ #job = null;
  /** Encounters that wait for their answers, in order. @type {Decision[]} */ #decisions = [];
  #ready = false;
  /** What the person expects and fears; counts from the next photo on. @type {OperatingPoint} */ point = { new_share: null, missed_cost: 1 };

  /** @param {string} backend "auto", "webgpu" or "wasm" @param {Listener} listener */
  constructor(backend, listener) {
    this.#backend = backend;
    this.#listener = listener;
  }

  get ready() {
    return this.#ready;
  }

  /** Whether a photo is in work. */
  get busy() {
    return this.#job !== null;
  }

  /** @param {string} bundle  address of the bundle's folder, with a slash at its end */
  open(bundle) {
    this.#bundle = bundle;
    this.#start();
  }

  /**
   * Asks for one photo; another may be asked when this one is answered.
   * @param {ArrayBuffer} photo  handed over to the worker
   * @param {Region | null} region  null: the recogniser looks for the tail
   * @param {number} count  of candidates
   * @param {(name: StageName) => void} stage
   * @returns {Promise<Answer>}  rejects with `Cancelled` when the recogniser was cut short, or is not open
   */
  identify(photo, region, count, stage) {
    if (!this.#ready) return Promise.reject(new Cancelled());
    return new Promise((resolve, reject) => {
      this.#job = { resolve, reject, stage };
      this.#send({ type: "identify", photo, region, count, point: this.point }, [photo]);
    });
  }

  /**
   * Compares an answered photo with the catalogue's and asks anew; as `identify`, one at a time.
   * @param {ArrayBuffer} photo  handed over to the worker
   * @param {Answer} answer  what was said of it
   * @param {number} count  of candidates
   * @param {Comparing} comparing
   * @returns {Promise<VerifiedAnswer>}  rejects with `Cancelled` as `identify` does
   */
  verify(photo, { region: { x0, y0, x1, y1 }, embedding }, count, comparing) {
    if (!this.#ready) return Promise.reject(new Cancelled());
    const region = { x0, y0, x1, y1 };
    return new Promise((resolve, reject) => {
      this.#job = { resolve, reject, comparing };
      this.#send({ type: "verify", photo, region, embedding, count, point: this.point }, [photo]);
    });
  }

  /**
   * Asks what several photos of one animal say together; also while another photo is in work.
   * @param {readonly EncounterPhoto[]} photos  from their answers, all by the model that is open
   * @param {number} count  of candidates
   * @returns {Promise<EncounterAnswer>}  rejects with `Cancelled` as `identify` does
   */
  decide(photos, count) {
    if (!this.#ready) return Promise.reject(new Cancelled());
    return new Promise((resolve, reject) => {
      this.#decisions.push({ resolve, reject });
      this.#send({ type: "decide", photos, count });
    });
  }

  /** Abandons the photo in work. A busy program hears nothing, so it is ended and started again from kept bytes. */
  cancel() {
    this.#finish((job) => job.reject(new Cancelled()));
    this.#start();
  }

  /** Ends the worker; `open` starts one again. */
  stop() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#ready = false;
    this.#finish((job) => job.reject(new Cancelled()));
    for (const decision of this.#decisions.splice(0)) decision.reject(new Cancelled());
  }

  #start() {
    this.stop();
    if (this.#bundle === null) return;
    this.#listener.opening();
    const worker = new Worker(new URL("../worker.js", import.meta.url), { type: "module" });
    // A worker that was ended may have left a message behind, about another model.
    worker.onmessage = (event) => this.#worker === worker && this.#receive(event.data);
    worker.onerror = () => this.#worker === worker && this.#broke();
    this.#worker = worker;
    this.#send({ type: "open", bundle: this.#bundle, backend: this.#backend, program: this.#program });
  }

  /** @param {Request} request @param {Transferable[]} [transfer] */
  #send(request, transfer = []) {
    this.#worker?.postMessage(request, transfer);
  }

  /** @param {Report} report */
  #receive(report) {
    switch (report.type) {
      case "compiled":
        this.#program = report.program;
        break;
      case "progress":
        this.#listener.progress(report.what, report.loaded, report.total);
        break;
      case "status":
        this.#listener.status(report.text);
        break;
      case "ready":
        this.#ready = true;
        this.#listener.ready(report.catalogue, report.backend, report.bytes, report.operating);
        break;
      case "stage":
        this.#job?.stage?.(report.name);
        break;
      case "comparing":
        this.#job?.comparing?.(report.what, report.done, report.total);
        break;
      case "answer":
      case "verified":
        this.#finish((job) => job.resolve(report.answer));
        break;
      case "decided":
        this.#decisions.shift()?.resolve(report.answer);
        break;
      case "undecided":
        this.#decisions.shift()?.reject(new Error(report.message));
        break;
      case "failed":
        if (report.broken) this.#broke();
        else if (this.#ready) this.#finish((job) => job.reject(new Error(report.message)));
        else this.#failOpening(report.message);
        break;
    }
  }

  /** The program trapped or the worker died. A photo's trouble ends with that photo; trouble in opening ends the try. */
  #broke() {
    if (!this.#ready) {
      this.#failOpening(WORDS.stoppedWhileOpening);
      return;
    }
    this.#finish((job) => job.reject(new Error(WORDS.stoppedItself)));
    this.#start();
  }

  /** @param {string} message */
  #failOpening(message) {
    this.stop();
    this.#listener.failed(message);
  }

  /** @param {(job: Job) => void} settle */
  #finish(settle) {
    const job = this.#job;
    this.#job = null;
    if (job !== null) settle(job);
  }
}
