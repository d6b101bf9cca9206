// The worker: owns the program (WebAssembly) and the model, so that the page never freezes.
// It fetches bytes and passes them on; what they mean is decided in the `web` crate.

import { WORDS, notFetched } from "./page/strings.js";

/** @import { Report, Request } from "./page/types.js" */

/** Kept files of the bundles, each checked by the loader before it was kept. */
const KEPT = "flukeprint-models";

/** @type {any} */
let identifier = null;
/** Address of its bundle's folder. */
let folder = "";

/** @param {Report} report */
function tell(report) {
  self.postMessage(report);
}

self.onmessage = async (/** @type {MessageEvent<Request>} */ { data: request }) => {
  try {
    if (request.type === "open") await open(request.bundle, request.backend, request.program);
    else if (request.type === "identify") await identify(request);
    else if (request.type === "verify") await verify(request);
    else decide(request);
  } catch (error) {
    // A trap leaves the program's memory in an unknown state: it has to be started again.
    const broken = error instanceof WebAssembly.RuntimeError;
    tell({ type: "failed", message: error instanceof Error ? error.message : String(error), broken });
  }
};

/**
 * @param {string} bundle  address of the bundle's folder, with a slash at its end
 * @param {string} backend  "auto", "webgpu" or "wasm"
 * @param {WebAssembly.Module | null} program  compiled by an earlier worker
 */
async function open(bundle, backend, program) {
  const web = await import("./pkg/flukeprint_web.js").catch((error) => {
    throw new Error(notFetched("flukeprint_web.js", error.message));
  });
  const compiled = program ?? (await compile(new URL("./pkg/flukeprint_web_bg.wasm", import.meta.url)));
  await web.default({ module_or_path: compiled });
  if (program === null) tell({ type: "compiled", program: compiled });

  folder = bundle;
  const { loader, bytes } = await load(web.BundleLoader, bundle);
  identifier = await loader.finish(backend, (/** @type {string} */ text) => tell({ type: "status", text }));
  const operating = identifier.operating();
  tell({ type: "ready", catalogue: identifier.catalogue(), backend: identifier.backend(), bytes, operating });
}

/** @param {Extract<Request, { type: "identify" }>} request */
async function identify({ photo, region, count, point }) {
  identifier.set_operating_point(point.new_share ?? undefined, point.missed_cost);
  const answer = await identifier.identify(new Uint8Array(photo), region, count, (/** @type {any} */ name) =>
    tell({ type: "stage", name }),
  );
  tell({ type: "answer", answer });
}

/** @param {Extract<Request, { type: "verify" }>} request */
async function verify({ photo, region, embedding, count, point }) {
  identifier.set_operating_point(point.new_share ?? undefined, point.missed_cost);
  /** @type {{ row: number, path: string, bytes: number }[]} */
  const files = identifier.to_verify(embedding);
  const total = files.length;
  let fetched = 0;
  const contents = await Promise.all(
    files.map(async (file) => {
      const content = await keypoints(file);
      tell({ type: "comparing", what: "fetch", done: ++fetched, total });
      return content;
    }),
  );
  const rows = Uint32Array.from(files, ({ row }) => row);
  const told = (/** @type {number} */ done) => tell({ type: "comparing", what: "compare", done, total });
  const answer = await identifier.verify(new Uint8Array(photo), region, embedding, rows, contents, count, told);
  tell({ type: "verified", answer });
}

/** A file of keypoints, or in words why it cannot be had: the answer stands without it. @param {{ path: string, bytes: number }} file */
async function keypoints(file) {
  try {
    return await read(await fetchOk(new URL(file.path, folder), file.path), file, () => {});
  } catch (error) {
    if (error instanceof NotFetched) return error.message;
    throw error;
  }
}

/** Its own trouble is told apart from that of a photo, which may be in work. @param {Extract<Request, { type: "decide" }>} request */
function decide({ photos, count }) {
  try {
    tell({ type: "decided", answer: identifier.decide(photos, count) });
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    tell({ type: "undecided", message: error instanceof Error ? error.message : String(error) });
  }
}

/** Compiles the program while it streams in. @param {URL} url */
async function compile(url) {
  const response = await fetchOk(url, "flukeprint_web_bg.wasm");
  let loaded = 0;
  const counted = new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      tell({ type: "progress", what: "program", loaded, total: null });
      controller.enqueue(chunk);
    },
  });
  const body = /** @type {ReadableStream} */ (response.body).pipeThrough(counted);
  return WebAssembly.compileStreaming(new Response(body, { headers: { "content-type": "application/wasm" } }));
}

/**
 * Fetches everything that the manifest asks for and hands it to the loader, which checks it.
 * @param {any} BundleLoader
 * @param {string} bundle
 */
async function load(BundleLoader, bundle) {
  const url = new URL("bundle.json", bundle);
  const manifest = new Uint8Array(await (await fetchOk(url, "bundle.json", { cache: "no-cache" })).arrayBuffer());
  const loader = new BundleLoader(manifest);
  /** @type {{ path: string, bytes: number }[]} */
  const files = loader.files();
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const store = await openStore();
  let before = 0;
  for (const file of files) {
    const progress = (/** @type {number} */ read) =>
      tell({ type: "progress", what: "model", loaded: Math.min(before + read, total), total });
    await addFile(loader, new URL(file.path, bundle), file, store, progress);
    before += file.bytes;
  }
  await keepManifest(store, bundle, url, manifest, files);
  return { loader, bytes: manifest.length + total };
}

/**
 * Adds one file. A copy that fails the loader's check may come from a cache, so it is fetched once more.
 * @param {any} loader @param {URL} url @param {{ path: string, bytes: number }} file
 * @param {Cache | null} store @param {(read: number) => void} progress
 */
async function addFile(loader, url, file, store, progress) {
  const kept = await store?.match(url);
  try {
    const data = await read(kept ?? (await fetchOk(url, file.path)), file, progress);
    loader.add(file.path, data);
    if (!kept) await keep(store, url, data);
  } catch (error) {
    if (error instanceof NotFetched || error instanceof WebAssembly.RuntimeError) throw error;
    await store?.delete(url);
    const data = await read(await fetchOk(url, file.path, { cache: "reload" }), file, progress);
    loader.add(file.path, data);
    await keep(store, url, data);
  }
}

/**
 * Reads a body of a known size: one byte more than that at most, which is enough for the loader to object.
 * @param {Response} response @param {{ path: string, bytes: number }} file @param {(read: number) => void} progress
 */
async function read(response, file, progress) {
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

class NotFetched extends Error {}

/** @param {URL} url @param {string} path  as the person should read it @param {RequestInit} [options] */
async function fetchOk(url, path, options) {
  const response = await fetch(url, options).catch(() => null);
  if (response === null) throw new NotFetched(notFetched(path, WORDS.noNetwork));
  if (!response.ok) throw new NotFetched(notFetched(path, `${WORDS.serverSaid} ${response.status}`));
  return response;
}

/** The store, or null where the browser has none (plain http, some private windows). */
async function openStore() {
  try {
    return "caches" in self ? await caches.open(KEPT) : null;
  } catch {
    return null;
  }
}

/** @param {Cache | null} store @param {URL} url @param {Uint8Array<ArrayBuffer>} data */
async function keep(store, url, data) {
  try {
    await store?.put(url, new Response(data));
  } catch {
    // No room: the next visit fetches the file again.
  }
}

/**
 * Keeps the manifest once all its files are kept, and drops the files of the one before it.
 * @param {Cache | null} store @param {string} bundle @param {URL} url
 * @param {Uint8Array<ArrayBuffer>} manifest @param {{ path: string }[]} files
 */
async function keepManifest(store, bundle, url, manifest, files) {
  if (store === null) return;
  await keep(store, url, manifest);
  const current = new Set([url.href, ...files.map((file) => new URL(file.path, bundle).href)]);
  for (const { url: kept } of await store.keys()) {
    if (kept.startsWith(bundle) && !current.has(kept)) await store.delete(kept);
  }
}
