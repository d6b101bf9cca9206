// Files of a bundle: fetched, read with their progress, and kept for visits without a network.

import { WORDS, notFetched } from "./strings.js";

/** What is needed to name a whale, each file checked by the loader before it was kept. */
export const MODELS = "flukeprint-models";
/** Points of catalogue photos that a photo was compared with. */
export const KEYPOINTS = "flukeprint-keypoints";

/**
 * Reads a body of a known size: one byte more than that at most, which is enough for the loader to object.
 * @param {Response} response @param {{ path: string, bytes: number }} file @param {(read: number) => void} progress
 */
export async function read(response, file, progress) {
  const data = new Uint8Array(file.bytes + 1);
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw new NotFetched(notFetched(file.path, error.message));
    });
    if (done || filled === data.length) break;
    const chunk = value.subarray(0, data.length - filled);
    data.set(chunk, filled);
    filled += chunk.length;
    progress(filled);
  }
  await reader.cancel();
  return data.subarray(0, filled);
}

export class NotFetched extends Error {}

/** @param {URL} url @param {string} path  as the person should read it @param {RequestInit} [options] */
export async function fetchOk(url, path, options) {
  const response = await fetch(url, options).catch(() => null);
  if (response === null) throw new NotFetched(notFetched(path, WORDS.noNetwork));
  if (!response.ok) throw new NotFetched(notFetched(path, `${WORDS.serverSaid} ${response.status}`));
  return response;
}

/** The store, or null where the browser has none (plain http, some private windows). @param {string} name */
export async function openStore(name) {
  try {
    return "caches" in self ? await caches.open(name) : null;
  } catch {
    return null;
  }
}

/** @param {Cache | null} store @param {URL} url @param {Uint8Array<ArrayBuffer>} data */
export async function keep(store, url, data) {
  try {
    await store?.put(url, new Response(data));
  } catch {
    // No room: the next visit fetches the file again.
  }
}
