// Keeps the app for visits without a network. The worker keeps the model itself, once it has been checked.
// Files of the app: from the network where there is one, else the kept copy.
// Pictures of a bundle: the kept copy, for their names carry a hash and never change their content.

const APP = "flukeprint-app";
const PICTURES = "flukeprint-pictures";
const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const SCOPE = worker.registration.scope;

const FILES = [
  "./",
  "style.css",
  "icon.svg",
  "manifest.webmanifest",
  "app.js",
  "worker.js",
  "page/answer.js",
  "page/card.js",
  "page/expectations.js",
  "page/encounter.js",
  "page/evidence.js",
  "page/fetching.js",
  "page/intake.js",
  "page/model-card.js",
  "page/models.js",
  "page/queue.js",
  "page/recogniser.js",
  "page/region-editor.js",
  "page/status.js",
  "page/strings.js",
  "page/types.js",
  "pkg/flukeprint_web.js",
  "pkg/flukeprint_web_bg.wasm",
  "models/models.json",
];

/** How long a network may be silent before a kept copy is used, in milliseconds. */
const PATIENCE = 4000;
/** After a silence, kept copies are used for so long: a page should not be put together from two versions. */
const REST = 30000;
let restUntil = 0;

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(APP)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" }))))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(SCOPE)) return;
  const path = new URL(request.url).pathname.slice(new URL(SCOPE).pathname.length);
  if (!path.startsWith("models/")) event.respondWith(networkFirst(event, true));
  else if (path.endsWith(".md")) event.respondWith(networkFirst(event, true));
  else if (path.endsWith(".json")) event.respondWith(networkFirst(event, !path.endsWith("/bundle.json")));
  else if (request.destination === "image") event.respondWith(keptFirst(event));
});

/**
 * @param {FetchEvent} event
 * @param {boolean} keep  whether to keep the network's answer; the worker keeps `bundle.json` when it is whole
 */
async function networkFirst(event, keep) {
  const { request } = event;
  const kept = await caches.match(request, { ignoreSearch: true });
  if (kept && Date.now() < restUntil) return kept;
  const network = fetch(request);
  try {
    const fresh = await (kept ? Promise.race([network, silence()]) : network);
    if (kept && fresh.status >= 500) return kept;
    if (keep && fresh.ok && !sameVersion(kept, fresh)) event.waitUntil(put(APP, request, fresh.clone()));
    return fresh;
  } catch (error) {
    restUntil = Date.now() + REST;
    network.catch(() => {}); // it may fail later, when nobody waits for it
    if (kept) return kept;
    throw error;
  }
}

/** @param {FetchEvent} event */
async function keptFirst(event) {
  const { request } = event;
  const kept = await caches.match(request);
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok) event.waitUntil(put(PICTURES, request, fresh.clone()));
  return fresh;
}

function silence() {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE));
}

/** @param {Response | undefined} kept @param {Response} fresh */
function sameVersion(kept, fresh) {
  const version = (/** @type {Response} */ response) =>
    response.headers.get("etag") ?? response.headers.get("last-modified");
  return kept !== undefined && version(kept) !== null && version(kept) === version(fresh);
}

/** @param {string} name @param {Request} request @param {Response} response */
async function put(name, request, response) {
  const key = new URL(request.url);
  key.search = "";
  try {
    await (await caches.open(name)).put(key, response);
  } catch {
    // No room: it is fetched again next time.
  }
}
