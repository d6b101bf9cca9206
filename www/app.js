// Entry of the page: puts its parts together.

import { Card } from "./page/card.js";
import { acceptPhotos, showExamples } from "./page/intake.js";
import { bundleOf, listExamples, listModels, pickModel } from "./page/models.js";
import { Queue } from "./page/queue.js";
import { Recogniser } from "./page/recogniser.js";
import { StatusPanel, announce } from "./page/status.js";

/** @import { Model } from "./page/types.js" */

/** @param {string} id */
function byId(id) {
  return /** @type {any} */ (document.getElementById(id));
}

const address = new URLSearchParams(location.search);

/** @type {Set<Card>} in the order of the page */
const cards = new Set();

/** @type {Model | null} */
let model = null;

const panel = new StatusPanel({
  stop() {
    recogniser.stop();
    panel.stopped();
  },
  load: () => void (model === null ? start() : openModel(model)),
});

const recogniser = new Recogniser(address.get("backend") ?? "auto", {
  opening: () => panel.loading(),
  progress: (what, loaded, total) => panel.progress(what, loaded, total),
  status: (text) => panel.text(text),
  ready(catalogue, backend) {
    panel.ready(catalogue, backend);
    queue.next();
    keepForOffline();
  },
  failed: (message) => panel.failed(message),
});

const queue = new Queue(recogniser);

/** @param {File[]} files */
function take(files) {
  for (const file of files) {
    const card = new Card(file, { ask: (asked) => queue.add(asked), cancel: (asked) => queue.cancel(asked), remove });
    cards.add(card);
    byId("results").append(card.element);
    queue.add(card);
  }
  if (files.length === 1) [...cards].at(-1)?.element.scrollIntoView({ block: "nearest" });
}

/** @param {Card} card */
function remove(card) {
  queue.cancel(card);
  const list = [...cards];
  const next = list[list.indexOf(card) + 1] ?? list[list.indexOf(card) - 1];
  cards.delete(card);
  card.dispose();
  announce(`${card.file.name} removed.`);
  (next?.element ?? byId("file-input")).focus();
}

/** @param {Model} chosen */
async function openModel(chosen) {
  model = chosen;
  const bundle = bundleOf(chosen);
  queue.bundle = bundle;
  for (const card of cards) queue.add(card);
  recogniser.open(bundle);
  const examples = await listExamples(bundle);
  if (model === chosen) showExamples(byId("examples"), byId("example-template"), examples, bundle, (file) => take([file]));
}

/** @param {Model[]} models @param {Model} current */
function offerModels(models, current) {
  const select = byId("model-select");
  select.replaceChildren(...models.map(({ path, title }) => new Option(title, path, false, path === current.path)));
  byId("model-choice").hidden = models.length < 2;
  select.onchange = () => {
    address.set("model", select.value);
    history.replaceState(null, "", `?${address}`);
    void openModel(pickModel(models, select.value));
  };
}

async function start() {
  panel.loading();
  try {
    const models = await listModels();
    const current = pickModel(models, address.get("model"));
    offerModels(models, current);
    await openModel(current);
  } catch (error) {
    panel.failed(error instanceof Error ? error.message : String(error));
  }
}

/** After the model, so that it does not share the line with it. A page without it works, but needs the network. */
function keepForOffline() {
  navigator.serviceWorker?.register("service-worker.js").catch(() => {});
}

acceptPhotos(byId("drop-zone"), byId("file-input"), take);
void start();
