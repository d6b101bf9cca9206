// Ways in for photos: chosen, dropped, pasted, or an example.

/** @import { Example } from "./types.js" */

/**
 * @param {HTMLElement} zone  shows that a drop would land
 * @param {HTMLInputElement} input
 * @param {(files: File[]) => void} take
 */
export function acceptPhotos(zone, input, take) {
  input.addEventListener("change", () => {
    take([...(input.files ?? [])]);
    input.value = ""; // the same photo may be chosen again
  });

  // Dropping beside the zone counts too: the browser would leave the page for the photo otherwise.
  const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    zone.classList.add("is-over");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) zone.classList.remove("is-over");
  });
  document.addEventListener("drop", (event) => {
    zone.classList.remove("is-over");
    if (!carriesFiles(event)) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(files);
  });
}

/**
 * @param {HTMLElement} section @param {HTMLTemplateElement} template
 * @param {Example[]} examples @param {string} bundle
 * @param {(file: File) => void} take
 */
export function showExamples(section, template, examples, bundle, take) {
  const list = /** @type {HTMLElement} */ (section.querySelector("ul"));
  list.replaceChildren(
    ...examples.map((example) => {
      const item = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
      const url = new URL(example.file, bundle);
      /** @type {HTMLImageElement} */ (item.querySelector("img")).src = url.href;
      /** @type {HTMLElement} */ (item.querySelector("span")).textContent = example.name;
      const button = /** @type {HTMLButtonElement} */ (item.querySelector("button"));
      button.addEventListener("click", async () => take(await fetchExample(url, example)));
      return item;
    }),
  );
  section.hidden = examples.length === 0;
}

/** A picture that cannot be had becomes an empty file, and its card says that it is no photo. @param {URL} url @param {Example} example */
async function fetchExample(url, example) {
  const response = await fetch(url).catch(() => null);
  const body = response?.ok ? await response.blob() : new Blob();
  return new File([body], example.file.split("/").at(-1) ?? example.name, { type: body.type });
}
