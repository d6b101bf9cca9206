// Shows a model card as the text that it is: servers disagree on what a browser should do with a .md file.

import { WORDS, notFetched } from "./strings.js";

/** @param {string} id */
function byId(id) {
  return /** @type {any} */ (document.getElementById(id));
}

/** A link to the card that opens it on the page; as any link, it can also be opened in a tab. @param {URL} url */
export function cardLink(url) {
  const link = document.createElement("a");
  link.href = url.href;
  link.textContent = WORDS.card;
  link.dataset.testid = "model-card-link";
  link.addEventListener("click", (event) => {
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (elsewhere || url.origin !== location.origin) return;
    event.preventDefault();
    void show(url);
  });
  return link;
}

/** @param {URL} url */
async function show(url) {
  const text = byId("model-card-text");
  text.textContent = WORDS.starting;
  byId("model-card-close").onclick = () => byId("model-card").close();
  byId("model-card").showModal();
  text.textContent = await read(url);
  text.scrollTop = 0;
}

/** @param {URL} url */
async function read(url) {
  const name = url.pathname.split("/").at(-1) ?? "";
  try {
    const response = await fetch(url);
    return response.ok ? await response.text() : notFetched(name, `${WORDS.serverSaid} ${response.status}`);
  } catch {
    return notFetched(name, WORDS.noNetwork);
  }
}
