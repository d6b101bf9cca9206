// Which models this site offers, the choice among them, and the example photos that come with one.

import { WORDS, notFetched } from "./strings.js";

/** @import { Example, Model } from "./types.js" */

const FOLDER = new URL("../models/", import.meta.url);

/**
 * @returns {Promise<Model[]>} at least one
 * @throws {Error} with a sentence for the person
 */
export async function listModels() {
  const response = await fetch(new URL("models.json", FOLDER), { cache: "no-cache" }).catch(() => null);
  if (response === null) throw new Error(notFetched("models.json", WORDS.noNetwork));
  if (!response.ok) throw new Error(notFetched("models.json", `${WORDS.serverSaid} ${response.status}`));
  const list = await response.json().catch((error) => {
    throw new Error(notFetched("models.json", error.message));
  });
  if (!Array.isArray(list.models) || list.models.length === 0) throw new Error(WORDS.noModels);
  return list.models;
}

/**
 * Lets the person choose, where there is something to choose. What the address names may not be here: then nothing is
 * chosen yet, and even a single model is offered.
 * @param {Model[]} models @param {Model | null} current @param {(model: Model) => void} choose
 */
export function offerModels(models, current, choose) {
  const select = /** @type {HTMLSelectElement} */ (document.getElementById("model-select"));
  const options = models.map((model) => new Option(model.title, model.path, false, model === current));
  if (current === null) {
    const none = new Option(WORDS.chooseModel, "", true, true);
    none.disabled = true;
    options.unshift(none);
  }
  select.replaceChildren(...options);
  const choice = /** @type {HTMLElement} */ (document.getElementById("model-choice"));
  choice.hidden = models.length < 2 && current !== null;
  select.onchange = () => {
    const chosen = models.find(({ path }) => path === select.value);
    if (chosen !== undefined) choose(chosen);
  };
}

/** Address of a model's folder, with a slash at its end. @param {Model} model */
export function bundleOf(model) {
  return new URL(`${encodeURIComponent(model.path)}/`, FOLDER).href;
}

/** Address of a model's card, or null. @param {Model} model @param {string} bundle */
export function cardOf(model, bundle) {
  return model.card ? new URL(model.card, bundle) : null;
}

/** Example photos are a courtesy: most models have none. @param {Model} model @param {string} bundle @returns {Promise<Example[]>} */
export async function listExamples(model, bundle) {
  if (!model.examples) return [];
  try {
    const response = await fetch(new URL(model.examples, bundle));
    return response.ok ? ((await response.json()).examples ?? []) : [];
  } catch {
    return [];
  }
}
