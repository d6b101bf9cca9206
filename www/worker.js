// The worker: owns the program (WebAssembly) and the model, so that the page never freezes.
// It fetches bytes and passes them on; what they mean is decided in the `web` crate.

import { KEYPOINTS, MODELS, NotFetched, fetchOk, keep, openStore, read } from "./page/fetching.js";
import { notFetched } from "./page/strings.js";

/** @import { Report, Request, VerifiedAnswer } from "./page/types.js" */

/** @typedef {{ row: number, path: string, bytes: number }} KeypointFile */

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
  /** @type {KeypointFile[]} */
  const files = identifier.to_verify(embedding);
  const store = await openStore(KEYPOINTS);
  const total = files.length;
  const rows = Uint32Array.from(files, ({ row }) => row);
  const told = (/** @type {number} */ done) => tell({ type: "comparing", what: "compare", done, total });
  const compare = async () => {
    let fetched = 0;
    const contents = await Promise.all(
      files.map(async (file) => {
        const content = await keypoints(file, store);
        tell({ type: "comparing", what: "fetch", done: ++fetched, total });
        return content;
      }),
    );
    const answer = await identifier.verify(new Uint8Array(photo), region, embedding, rows, contents, count, told);
    return { answer, damaged: await settle(files, contents, answer, store) };
  };
  let { answer, damaged } = await compare();
  // A kept copy was: it is gone now, and fetched anew.
  if (damaged) ({ answer } = await compare());
  tell({ type: "verified", answer });
}

/**
 * A file of keypoints, or in words why it cannot be had: the answer stands without it.
 * @param {KeypointFile} file @param {Cache | null} store
 */
async function keypoints(file, store) {
  const url = new URL(file.path, folder);
  try {
    return await read((await store?.match(url)) ?? (await fetchOk(url, file.path)), file, () => {});
  } catch (error) {
    if (error instanceof NotFetched) return error.message;
    throw error;
  }
}

/**
 * Keeps the files that could be compared with, and drops kept copies that could not. Says whether there were such.
 * @param {KeypointFile[]} files @param {(Uint8Array<ArrayBuffer> | string)[]} contents
 * @param {VerifiedAnswer} answer @param {Cache | null} store
 */
async function settle(files, contents, answer, store) {
  if (store === null) return false;
  const missing = new Set(answer.missing.map(({ row }) => row));
  let damaged = false;
  for (const [index, { row, path }] of files.entries()) {
    const [url, content] = [new URL(path, folder), contents[index]];
    if (content === undefined || typeof content === "string") continue;
    if (missing.has(row)) damaged = (await store.delete(url)) || damaged;
    else if (!(await store.match(url))) await keep(store, url, content);
  }
  return damaged;
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
  const store = await openStore(MODELS);
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
 * Keeps the manifest once all its files are kept, and drops the files of the one before it.
 * @param {Cache | null} store @param {string} bundle @param {URL} url
 * @param {Uint8Array<ArrayBuffer>} manifest @param {{ path: string }[]} files
 */
async function keepManifest(store, bundle, url, manifest, files) {
  if (store === null) return;
  if (!(await isKept(store, url, manifest))) await dropKeypoints(bundle);
  await keep(store, url, manifest);
  const current = new Set([url.href, ...files.map((file) => new URL(file.path, bundle).href)]);
  for (const { url: kept } of await store.keys()) {
    if (kept.startsWith(bundle) && !current.has(kept)) await store.delete(kept);
  }
}

/** @param {Cache} store @param {URL} url @param {Uint8Array} data */
async function isKept(store, url, data) {
  const kept = await (await store.match(url))?.arrayBuffer();
  if (kept?.byteLength !== data.length) return false;
  return new Uint8Array(kept).every((byte, index) => byte === data[index]);
}

/** Another bundle has other points. @param {string} bundle */
async function dropKeypoints(bundle) {
  const store = await openStore(KEYPOINTS);
  for (const { url } of (await store?.keys()) ?? []) {
    if (url.startsWith(bundle)) await store?.delete(url);
  }
}
