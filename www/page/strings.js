// Every word and number format that the scripts put on the page.

/** @import { Answer, Backend, Candidate, Catalogue, Comparison, Model, OperatingRates, Region, StageName, VerifiedAnswer } from "./types.js" */

const SPACE = "\u00a0"; // keeps a number and its unit on one line

/** @type {readonly StageName[]} in the order in which they run */
export const STAGES = ["decode", "find", "prepare", "embed", "decide"];

/** @type {Record<StageName, { doing: string, done: string }>} */
const STAGE_WORDS = {
  decode: { doing: "Opening the photo …", done: "Open the photo" },
  find: { doing: "Finding the tail …", done: "Find the tail" },
  prepare: { doing: "Cutting out the tail, comparing its edge …", done: "Cut out the tail, compare its edge" },
  embed: { doing: "Looking at the pattern …", done: "Look at the pattern" },
  decide: { doing: "Searching the catalogue …", done: "Search the catalogue and decide" },
};

/** @type {Record<Backend["name"], string>} */
const BACKENDS = { webgpu: "the graphics processor (WebGPU)", wasm: "the processor (WebAssembly)" };

export const WORDS = {
  starting: "Getting ready …",
  stopped: "Loading was stopped.",
  stop: "Stop loading",
  load: "Load the model",
  waiting: "Waiting for its turn …",
  waitingForModel: "Starts when the model is loaded …",
  cancelled: "Cancelled.",
  newWhale: "New whale",
  newWhaleWhy: "none of the known whales",
  noFacts: "not stated",
  noNetwork: "the network did not answer",
  serverSaid: "the server answered",
  stoppedItself: "The program stopped by itself, perhaps for lack of memory. It was started again.",
  stoppedWhileOpening: "The program stopped while it was starting, perhaps for lack of memory.",
  notReady: "No model is loaded.",
  pictureOf: "Catalogue photo of",
  newPicture: "Catalogue photo of an unnamed whale",
  noModels: "models/models.json lists no model.",
  chooseModel: "Choose one …",
  card: "Model card",
  noRates: "What this choice brings was not measured.",
  encounterWaits: "One answer for all of them follows when two photos are answered.",
  encounterWorks: "Putting the photos together …",
  verifying: "Comparing with photos of the catalogue …",
  notVerified: "Comparing was cancelled; the answer is as it was.",
  showMatch: "Show the match",
  hideMatch: "Hide the match",
  matchViews: "How the match is shown",
  lines: "Lines",
  blink: "By turns",
  turn: "Show the other photo",
  turning: "Change by itself",
  edges:
    "compared: “edge 6.0 σ” says that the line from tip to tip fits a photo of that whale better than the catalogue's photos do on average, by so many standard deviations. On photos of real humpbacks 4.5 σ are more than fifty times likelier with the right whale than with another.",
};

/** What is listed about a catalogue. */
export const FACTS = {
  title: "Catalogue",
  whales: "Known whales",
  photos: "Photos",
  newPhotos: "Photos of unnamed whales among them",
  made: "Made on",
  size: "Size",
  model: "Model",
  edges: "Trailing edges",
  webgpu: "What WebGPU said",
};

/** @param {number} value */
export function number(value) {
  return value.toLocaleString("en");
}

/** @param {number} probability  0 to 1; the ends are never claimed */
export function percent(probability) {
  if (probability >= 0.995) return `over 99${SPACE}%`;
  if (probability < 0.005) return `under 1${SPACE}%`;
  return `${Math.round(probability * 100)}${SPACE}%`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

/** @param {number} bytes */
export function size(bytes) {
  return `${megabytes(bytes)}${SPACE}MB`;
}

/** @param {string} date  YYYY-MM-DD; anything else is shown as it is */
export function day(date) {
  const time = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(time.getTime())) return date;
  return time.toLocaleDateString("en-GB", { dateStyle: "long", timeZone: "UTC" });
}

/** @param {"program" | "model"} what @param {number} loaded @param {number | null} total */
export function loading(what, loaded, total) {
  const part = what === "program" ? "Loading the program" : "Loading the model";
  const size = total === null ? megabytes(loaded) : `${megabytes(loaded)} of ${megabytes(total)}`;
  return `${part}: ${size}${SPACE}MB`;
}

/** @param {Catalogue} catalogue */
export function ready(catalogue) {
  return `Ready: ${number(catalogue.individuals)}${SPACE}known whales, ${number(catalogue.photos)}${SPACE}photos`;
}

/** @param {string} date  YYYY-MM-DD */
export function madeOn(date) {
  return date === "" ? "" : `made on ${day(date)}`;
}

/** @param {Backend} backend */
export function runsOn(backend) {
  const where = `Runs on ${BACKENDS[backend.name]}.`;
  return backend.note ? `${where} ${backend.note}` : where;
}

/** @param {Answer["verdict"]} verdict */
export function verdict(verdict) {
  const name = verdict.kind === "new" ? "a new whale" : verdict.name;
  return {
    lead: "Most likely",
    name,
    tail: `, ${percent(verdict.probability)}`,
  };
}

/** @param {Candidate} candidate */
export function why(candidate) {
  const { kind, nearest, edge } = candidate;
  const parts = [`score ${candidate.score.toFixed(3)}`];
  if (typeof edge === "number") parts.push(`edge ${edge.toFixed(1)}${SPACE}σ`);
  if (nearest) parts.push(`like ${nearest.photo}, similarity ${nearest.similarity.toFixed(2)}`);
  else if (kind === "new") parts.unshift(WORDS.newWhaleWhy);
  return parts.join(" · ");
}

/** @param {Answer["new_whale"]} newWhale */
export function newLine(newWhale) {
  return `A whale that is not in this catalogue: ${percent(newWhale.probability)}, in place ${number(newWhale.rank)}.`;
}

/** @param {Answer["region"]["source"]} source */
export function regionNote(source) {
  if (source === "given") return "The box is yours.";
  if (source === "found") return "The box shows where the tail was found.";
  return "The whole photo was used.";
}

/** @param {Answer} answer */
export function timings(answer) {
  const total = answer.stages.reduce((sum, stage) => sum + stage.milliseconds, 0);
  return `Took ${Math.round(total)}${SPACE}ms on ${BACKENDS[answer.backend]}`;
}

/** @param {StageName} name */
export function doing(name) {
  return STAGE_WORDS[name]?.doing ?? name;
}

/** @param {StageName} name */
export function done(name) {
  return STAGE_WORDS[name]?.done ?? name;
}

/** @param {string} name  from the address @param {readonly Model[]} models */
export function unknownModel(name, models) {
  const names = models.map(({ path }) => path).join(", ");
  return `There is no model "${name}" here. Choose a catalogue above, or name one of these in the address: ${names}.`;
}

/** @param {string} title  of the catalogue that was chosen @param {number} photos */
export function askedAgain(title, photos) {
  const those = photos === 1 ? "Your photo is" : `Your ${number(photos)} photos are`;
  return `Loading ${title}. ${those} answered again with it.`;
}

/** @param {number} share  of new whales @param {boolean} fitted  it is the bundle's own */
export function expectedShare(share, fitted) {
  const words = percent(share);
  return fitted ? `${words}, as among the photos that the catalogue was tuned on` : words;
}

/** @param {number} cost  of a missed match, in false matches */
export function missedCost(cost) {
  if (cost === 1) return "as bad as a wrong name";
  return cost > 1 ? `${number(cost)} times as bad as a wrong name` : `${percent(cost)} as bad as a wrong name`;
}

/** @param {OperatingRates} rates */
export function operatingNote(rates) {
  const known = `Of photos of known whales ${percent(rates.missed)} are then called new and ${percent(rates.mistaken)} get a wrong name`;
  return `${known}; of photos of new whales ${percent(rates.false_match)} get a name. Measured on photos that nothing was fitted to.`;
}

/** @param {number} photos */
export function askedAgainHere(photos) {
  return `${photos === 1 ? "Your photo is" : `Your ${number(photos)} photos are`} answered again.`;
}

/** @param {number} answered  photos that the answer rests on @param {number} photos  on the page */
export function encounterOf(answered, photos) {
  const those = answered === photos ? `all ${number(photos)}` : `${number(answered)} of the ${number(photos)}`;
  return `By ${those} photos together:`;
}

/** @param {"fetch" | "compare"} what @param {number} done @param {number} total */
export function comparing(what, done, total) {
  const doing = what === "fetch" ? "Fetching the points of catalogue photos" : "Comparing with catalogue photos";
  return `${doing}: ${number(done)} of ${number(total)}`;
}

/** @param {Comparison} match */
export function matchWords(match) {
  if (match.duplicate) return `The same photo as ${match.photo}.`;
  const points = match.inliers === 1 ? "1 point matches" : `${number(match.inliers)} points match`;
  if (match.says === "verified") return `Verified: ${points} ${match.photo}.`;
  if (match.says === "likely") return `${points} ${match.photo}, which speaks for it.`;
  return `${points} ${match.photo}: that alone says little.`;
}

/** @param {VerifiedAnswer} answer */
export function evidenceNote(answer) {
  if (answer.keypoints === 0) return "Your photo shows no points to compare: it is too small or has no texture.";
  const compared = answer.compared.length;
  const those = compared === 1 ? "1 catalogue photo" : `${number(compared)} catalogue photos`;
  const note = `Compared with ${those}. A match speaks for a whale; that there is none says nothing.`;
  const [first] = answer.missing;
  if (first === undefined) return note;
  const missing = answer.missing.length;
  const left = missing === 1 ? "1 photo could not be compared" : `${number(missing)} photos could not be compared`;
  return `${note} ${left}, such as ${first.photo}: ${first.reason}`;
}

/** @param {string} message */
export function notCompared(message) {
  return `Comparing failed, and the answer is as it was: ${message}`;
}

/** @param {Comparison} match */
export function linesLabel(match) {
  return `Your photo above and ${match.photo} of the catalogue below, with ${number(match.inliers)} lines between points that match`;
}

/** @param {Comparison} match @param {boolean} photoShown */
export function blinkLabel(match, photoShown) {
  return photoShown ? `Your photo, laid over ${match.photo}` : `${match.photo} of the catalogue, in the same place`;
}

/** @param {string} photo */
export function removed(photo) {
  return `${photo} removed.`;
}

/** @param {string} path @param {string} reason */
export function notFetched(path, reason) {
  return `${path} could not be fetched: ${reason}.`;
}
