// Fills the candidates and the timings of a card. Order, numbers and names come from the recogniser as they are.

import { WORDS, done, newLine, percent, timings, verdict, why } from "./strings.js";

/** @import { Answer, Candidate, EncounterAnswer } from "./types.js" */

/**
 * @param {ParentNode} root @param {string} name  of a `data-part`
 * @returns {any}
 */
export function part(root, name) {
  return root.querySelector(`[data-part="${name}"]`);
}

/** @param {HTMLElement} element @param {Answer["verdict"]} answer */
export function showVerdict(element, answer) {
  const words = verdict(answer);
  const name = document.createElement("strong");
  name.textContent = words.name;
  element.replaceChildren(`${words.lead} `, name, words.tail);
  element.dataset.kind = answer.kind;
}

/** Empty rows hold the place of answers to come, so that nothing moves when they do. @param {HTMLElement} list @param {number} count */
export function showPlaceholders(list, count) {
  list.replaceChildren(
    ...Array.from({ length: count }, () => {
      const row = document.createElement("li");
      row.className = "candidate is-empty";
      row.setAttribute("aria-hidden", "true");
      return row;
    }),
  );
}

/** @param {HTMLElement} list @param {Answer | EncounterAnswer} answer @param {string} bundle */
export function showCandidates(list, answer, bundle) {
  list.replaceChildren(...answer.candidates.map((candidate) => candidateRow(candidate, bundle)));
}

/** @param {HTMLElement} element @param {Answer | EncounterAnswer} answer */
export function showNewLine(element, answer) {
  element.textContent = newLine(answer.new_whale);
}

/** @param {HTMLElement} details @param {Answer} answer */
export function showTimings(details, answer) {
  part(details, "timings-summary").textContent = timings(answer);
  part(details, "timings-rows").replaceChildren(
    ...answer.stages.map(({ name, milliseconds }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = done(name);
      const cell = document.createElement("td");
      cell.textContent = milliseconds.toFixed(1);
      row.append(head, cell);
      return row;
    }),
  );
  details.hidden = false;
}

/** @param {Candidate} candidate @param {string} bundle */
function candidateRow(candidate, bundle) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("candidate-template"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  row.dataset.kind = candidate.kind;
  part(row, "name").textContent = candidate.kind === "new" ? WORDS.newWhale : candidate.name;
  part(row, "probability").textContent = percent(candidate.probability);
  part(row, "bar").style.inlineSize = `${candidate.probability * 100}%`;
  part(row, "why").textContent = why(candidate);
  const thumbnail = candidate.nearest?.thumbnail;
  if (thumbnail) showThumbnail(part(row, "thumb"), candidate, new URL(thumbnail, bundle).href);
  return row;
}

/** The drawn fluke stays where the picture cannot be had. @param {HTMLElement} frame @param {Candidate} candidate @param {string} url */
function showThumbnail(frame, candidate, url) {
  const picture = new Image();
  picture.decoding = "async";
  picture.alt = candidate.kind === "new" ? WORDS.newPicture : `${WORDS.pictureOf} ${candidate.name}`;
  picture.addEventListener("load", () => frame.replaceChildren(picture));
  picture.src = url;
}
