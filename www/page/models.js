// Which models this site offers, and the example photos that come with one.

import { WORDS, notFetched, unknownModel } from "./strings.js";

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
 * The model that the address names, else the first.
 * @param {Model[]} models @param {string | null} name
 * @throws {Error} with a sentence for the person
 */
export function pickModel(models, name) {
  const model = name === null ? models[0] : models.find(({ path }) => path === name);
  if (model === undefined) throw new Error(unknownModel(name ?? "", models.map(({ path }) => path)));
  return model;
}

/** Address of a model's folder, with a slash at its end. @param {Model} model */
export function bundleOf(model) {
  return new URL(`${encodeURIComponent(model.path)}/`, FOLDER).href;
}

/** Example photos are a courtesy: a bundle without them has none. @param {string} bundle @returns {Promise<Example[]>} */
export async function listExamples(bundle) {
  try {
    const response = await fetch(new URL("examples.json", bundle));
    return response.ok ? ((await response.json()).examples ?? []) : [];
  } catch {
    return [];
  }
}
