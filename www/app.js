// Entry of the page: puts its parts together.

import { Card } from "./page/card.js";
import { Expectations } from "./page/expectations.js";
import { Encounter } from "./page/encounter.js";
import { acceptPhotos, showExamples } from "./page/intake.js";
import { bundleOf, listExamples, listModels, offerModels } from "./page/models.js";
import { Queue } from "./page/queue.js";
import { Recogniser } from "./page/recogniser.js";
import { StatusPanel, announce } from "./page/status.js";
import { askedAgain, askedAgainHere, removed, unknownModel } from "./page/strings.js";

/** @import { Example, Model } from "./page/types.js" */

/** @param {string} id */
function byId(id) {
  return /** @type {any} */ (document.getElementById(id));
}

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

const recogniser = new Recogniser(new URLSearchParams(location.search).get("backend") ?? "auto", {
  opening: () => panel.loading(),
  progress: (what, loaded, total) => panel.progress(what, loaded, total),
  status: (text) => panel.text(text),
  ready(catalogue, backend, bytes, operating) {
    panel.ready(catalogue, backend, bytes);
    expectations.offer(operating);
    recogniser.point = expectations.point;
    queue.next();
    together();
    keepForOffline();
  },
  failed: (message) => panel.failed(message),
});

const queue = new Queue(recogniser);
const encounter = new Encounter(byId("encounter"), recogniser);

/** What the photos on the page say together, anew. */
function together() {
  encounter.show(cards, model === null ? "" : bundleOf(model));
}

const expectations = new Expectations(() => {
  recogniser.point = expectations.point;
  for (const card of cards) queue.add(card);
  if (cards.size > 0) announce(askedAgainHere(cards.size));
});

/** @param {File[]} files */
function take(files) {
  for (const file of files) {
    const cancel = (/** @type {Card} */ asked) => queue.cancel(asked);
    const verify = (/** @type {Card} */ asked) => queue.verify(asked);
    const card = new Card(file, { ask: (asked) => queue.add(asked), verify, cancel, remove, changed: together });
    cards.add(card);
    byId("results").append(card.element);
    queue.add(card);
  }
  together();
  if (files.length === 1) [...cards].at(-1)?.element.scrollIntoView({ block: "nearest" });
}

/** @param {Card} card */
function remove(card) {
  queue.cancel(card);
  const list = [...cards];
  const next = list[list.indexOf(card) + 1] ?? list[list.indexOf(card) - 1];
  cards.delete(card);
  card.dispose();
  together();
  announce(removed(card.file.name));
  (next?.element ?? byId("file-input")).focus();
}

/** Photos that are on the page are asked again: an answer of the catalogue before would mislead. @param {Model} chosen */
async function openModel(chosen) {
  model = chosen;
  const bundle = bundleOf(chosen);
  panel.choose(chosen, bundle);
  for (const card of cards) card.forget();
  recogniser.open(bundle);
  queue.bundle = bundle;
  for (const card of cards) queue.add(card);
  if (cards.size > 0) announce(askedAgain(chosen.title, cards.size));
  const offer = (/** @type {Example[]} */ examples) =>
    showExamples(byId("examples"), byId("example-template"), examples, bundle, (file) => take([file]));
  offer([]);
  const examples = await listExamples(chosen, bundle);
  if (model === chosen) offer(examples);
}

/** @param {Model} chosen */
function changeModel(chosen) {
  const url = new URL(location.href);
  url.searchParams.set("model", chosen.path);
  history.replaceState(null, "", url);
  void openModel(chosen);
}

async function start() {
  panel.loading();
  try {
    const models = await listModels();
    const name = new URLSearchParams(location.search).get("model");
    const current = name === null ? models[0] : models.find(({ path }) => path === name);
    offerModels(models, current ?? null, changeModel);
    if (current === undefined) panel.failed(unknownModel(name ?? "", models), false);
    else await openModel(current);
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
