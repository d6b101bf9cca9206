// Shapes of what the recogniser takes and gives, as written in the `web` crate. Types only, no code.

/** @typedef {{ x0: number, y0: number, x1: number, y1: number }} Region  pixels of the upright photo; x1, y1 exclusive */

/** @typedef {"decode" | "find" | "prepare" | "embed" | "decide"} StageName */

/** @typedef {"individual" | "new"} Kind */

/** @typedef {{ photo: string, thumbnail?: string | null, similarity: number }} Nearest */

/** @typedef {{ kind: Kind, name: string, score: number, probability: number, nearest?: Nearest | null, edge?: number | null }} Candidate  edge: how well its trailing edge fits, in standard deviations */

/** @typedef {{ feature: number[], logits: number[], edges?: number[] }} Embedding  what the networks and the trailing edge say of a photo */

/** @typedef {{ inliers: [number, number][], votes: number[], heard: number }} Findings  of a photo that was compared, only to be handed back */

/** @typedef {Embedding & { findings?: Findings }} EncounterPhoto  what an encounter's answer takes of a photo */

/**
 * @typedef {object} EncounterAnswer
 * @property {Candidate[]} candidates  best first
 * @property {{ rank: number, probability: number }} new_whale
 * @property {{ kind: Kind, name: string, probability: number }} verdict
 */

/**
 * @typedef {object} Answer
 * @property {{ width: number, height: number }} photo
 * @property {Region & { source: "given" | "found" | "whole" }} region
 * @property {Candidate[]} candidates  best first
 * @property {{ rank: number, probability: number }} new_whale
 * @property {{ kind: Kind, name: string, probability: number }} verdict
 * @property {{ name: StageName, milliseconds: number }[]} stages
 * @property {"webgpu" | "wasm"} backend
 * @property {boolean} verifiable  whether the catalogue's photos can be compared with
 * @property {Embedding} embedding
 */

/**
 * The photo compared with one of the catalogue.
 * @typedef {object} Comparison
 * @property {string} photo  of the catalogue
 * @property {string | null} thumbnail
 * @property {string} name  whom it shows
 * @property {number} matches
 * @property {number} inliers  matches that agree on how the two lie to each other
 * @property {number} probability  that both show one whale, by the inliers alone
 * @property {"verified" | "likely" | "little"} says  that in a word
 * @property {boolean} duplicate  the two are one photo
 * @property {boolean} shown  of the whale's photos it is the one to show
 * @property {[[number, number], [number, number]][]} pairs  the inliers, in pixels of the photo and of the catalogue photo's tail; centres of pixels are whole
 * @property {[number, number, number, number, number, number] | null} affine  from the one to the other, as SVG's `matrix`
 * @property {[number, number]} size  of the catalogue photo's tail; its thumbnail shows the same part
 * @property {[number, number][]} keypoints  all points of the catalogue photo
 */

/** @typedef {EncounterAnswer & { keypoints: number, compared: Comparison[], missing: { row: number, photo: string, reason: string }[], findings: Findings }} VerifiedAnswer */

/** @typedef {{ name: "webgpu" | "wasm", note?: string | null, detail?: string | null }} Backend  the note says why WebGPU was not used, if so, and the detail what it said itself */

/**
 * @typedef {object} Catalogue
 * @property {string} title
 * @property {number} individuals
 * @property {number} photos
 * @property {number} new_photos
 * @property {string} model_hash
 * @property {string} trained_on  day of the export, YYYY-MM-DD
 * @property {boolean} edges  whether trailing edges are compared
 */

/**
 * How often verdicts are wrong at an operating point: shares of photos, 0 to 1.
 * @typedef {object} OperatingRates
 * @property {number} new_share  the expected share of new whales
 * @property {number} missed_cost  the cost of a missed match, in false matches
 * @property {number} missed  known whales that are called new
 * @property {number} mistaken  known whales that are given another whale's name
 * @property {number} false_match  new whales that are given a name
 */

/** @typedef {{ new_share: number | null, missed_cost: number }} OperatingPoint  null: the share that the bundle was tuned on */

/**
 * An entry of `models.json`.
 * @typedef {object} Model
 * @property {string} path  the folder below `models/`, and the name in the address
 * @property {string} title
 * @property {string} [card]  address of the model card, relative to the folder
 * @property {number} [bytes]  what is fetched before the first photo
 * @property {string} [examples]  address of a list of photos to try it on, relative to the folder
 */

/** @typedef {{ file: string, name: string }} Example  file: relative to the bundle */

/**
 * What the page asks of the worker.
 * @typedef {{ type: "open", bundle: string, backend: string, program: WebAssembly.Module | null }
 *   | { type: "identify", photo: ArrayBuffer, region: Region | null, count: number, point: OperatingPoint }
 *   | { type: "verify", photo: ArrayBuffer, region: Region, embedding: Embedding, count: number, point: OperatingPoint }
 *   | { type: "decide", photos: readonly EncounterPhoto[], count: number }} Request
 */

/**
 * What the worker tells the page.
 * @typedef {{ type: "compiled", program: WebAssembly.Module }
 *   | { type: "progress", what: "program" | "model", loaded: number, total: number | null }
 *   | { type: "status", text: string }
 *   | { type: "ready", catalogue: Catalogue, backend: Backend, bytes: number, operating: OperatingRates[] }
 *   | { type: "stage", name: StageName }
 *   | { type: "answer", answer: Answer }
 *   | { type: "comparing", what: "fetch" | "compare", done: number, total: number }
 *   | { type: "verified", answer: VerifiedAnswer }
 *   | { type: "decided", answer: EncounterAnswer }
 *   | { type: "undecided", message: string }
 *   | { type: "failed", message: string, broken: boolean }} Report  broken: the program cannot go on
 */

export {};
