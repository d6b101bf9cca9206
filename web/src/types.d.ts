/** A file of the bundle that must be fetched before the first photo. */
export interface BundleFile { path: string; bytes: number }

/** Pixels of the upright photo; x1 and y1 are exclusive. */
export interface Region { x0: number; y0: number; x1: number; y1: number }

/** What runs; the note says why it is not WebGPU, and the detail what WebGPU itself said. */
export interface BackendStatus { name: "webgpu" | "wasm"; note: string | null; detail: string | null }

/** What the catalogue holds; `trained_on` is the day of the export, `edges` whether trailing edges are compared. */
export interface CatalogueFacts {
  title: string;
  individuals: number;
  photos: number;
  new_photos: number;
  model_hash: string;
  trained_on: string;
  edges: boolean;
}

/** How often verdicts are wrong at an operating point; shares of photos, 0 to 1. */
export interface OperatingRates {
  /** The expected share of new whales. */
  new_share: number;
  /** The cost of a missed match, in false matches. */
  missed_cost: number;
  /** Known whales that are called new. */
  missed: number;
  /** Known whales that are given another whale's name. */
  mistaken: number;
  /** New whales that are given a name. */
  false_match: number;
}

export type StageName = "decode" | "find" | "prepare" | "embed" | "decide";

export interface Candidate {
  kind: "individual" | "new";
  name: string;
  score: number;
  probability: number;
  nearest: { photo: string; thumbnail: string | null; similarity: number } | null;
  /**
   * How well its trailing edge fits, in standard deviations above the mean of all catalogue photos; null where the bundle has no
   * edges, and of several photos together.
   */
  edge: number | null;
}

/** What the networks say of a photo, and where the bundle has trailing edges, how well each label's fits. */
export interface Embedding { feature: number[]; logits: number[]; edges?: number[] }

/** All that was found where a photo was compared; only to be handed back. */
export interface Findings { inliers: [number, number][]; votes: number[]; edges?: number[]; heard: number }

/** What `decide` takes of each photo of an encounter. */
export interface EncounterPhoto extends Embedding { findings?: Findings }

/** What several photos of one animal say together, as an `Answer` says it of one. */
export interface EncounterAnswer {
  candidates: Candidate[];
  new_whale: { rank: number; probability: number };
  verdict: { kind: "individual" | "new"; name: string; probability: number } | null;
}

export interface Answer {
  photo: { width: number; height: number };
  region: Region & { source: "given" | "found" | "whole" };
  /** Best first. */
  candidates: Candidate[];
  /** Where a new whale stands, even if it is not among the candidates. */
  new_whale: { rank: number; probability: number };
  /** What to say if one thing is to be said. */
  verdict: { kind: "individual" | "new"; name: string; probability: number };
  stages: { name: StageName; milliseconds: number }[];
  backend: "webgpu" | "wasm";
  /** Whether `to_verify` and `verify` have something to say. */
  verifiable: boolean;
  embedding: Embedding;
}

/** The keypoints of a gallery photo, by its row. */
export interface KeypointFile { row: number; path: string; bytes: number }

/** A photo compared with one of the gallery. */
export interface Comparison {
  /** The gallery photo and whom it shows. */
  photo: string;
  thumbnail: string | null;
  name: string;
  /** Descriptors that are alike, and those of them that agree on one map. */
  matches: number;
  inliers: number;
  /** How likely it is, by the inliers alone, that both show one whale. */
  probability: number;
  /** That in a word. */
  says: "verified" | "likely" | "little";
  /** The two are one photo. */
  duplicate: boolean;
  /** Of the whale's photos it is the one to show. */
  shown: boolean;
  /** The inliers: in pixels of the photo, and of the gallery photo's fluke. Centres of pixels are whole. */
  pairs: [[number, number], [number, number]][];
  /** Takes pixels of the photo to pixels of the gallery photo's fluke, as SVG's `matrix`. */
  affine: [number, number, number, number, number, number] | null;
  /** Width and height of the gallery photo's fluke; its thumbnail shows the same part. */
  size: [number, number];
  /** All keypoints of the gallery photo. */
  keypoints: [number, number][];
}

/** An answer that local features were compared for. */
export interface VerifiedAnswer extends EncounterAnswer {
  /** Keypoints of the photo itself. */
  keypoints: number;
  compared: Comparison[];
  /** Gallery photos that it could not be compared with. */
  missing: { row: number; photo: string; reason: string }[];
  /** For the encounter that the photo is one of. */
  findings: Findings;
}
