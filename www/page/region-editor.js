// The box over the photo: shown, dragged, or typed.

/** @import { Region } from "./types.js" */

const EDGES = /** @type {const} */ (["x0", "y0", "x1", "y1"]);

/** A drag shorter than this many photo pixels is a click. */
const CLICK = 4;

export class RegionEditor {
  /** @type {HTMLImageElement} */ #photo;
  /** @type {SVGSVGElement} */ #overlay;
  /** @type {SVGRectElement[]} */ #boxes;
  /** @type {HTMLDetailsElement} */ #details;
  /** @type {HTMLFormElement} */ #form;

  /**
   * @param {{ photo: HTMLImageElement, overlay: SVGSVGElement, boxes: SVGRectElement[],
   *   details: HTMLDetailsElement, form: HTMLFormElement }} parts
   * @param {(region: Region) => void} ask  the person wants an answer for this box
   */
  constructor({ photo, overlay, boxes, details, form }, ask) {
    this.#photo = photo;
    this.#overlay = overlay;
    this.#boxes = boxes;
    this.#details = details;
    this.#form = form;
    photo.addEventListener("load", () => this.resize(photo.naturalWidth, photo.naturalHeight));
    details.addEventListener("toggle", () => overlay.classList.toggle("is-open", details.open));
    overlay.addEventListener("pointerdown", (event) => this.#drag(event));
    form.addEventListener("input", () => this.#draw(this.#typed()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(this.#typed());
    });
  }

  /** Sets the photo's size in pixels, upright. @param {number} width @param {number} height */
  resize(width, height) {
    this.#overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
    for (const edge of EDGES) this.#input(edge).max = String(edge.startsWith("x") ? width : height);
  }

  /** @param {Region} region */
  show(region) {
    for (const edge of EDGES) this.#input(edge).value = String(Math.round(region[edge]));
    this.#draw(region);
  }

  /** Shows no box. */
  clear() {
    this.#form.reset();
    this.#draw({ x0: 0, y0: 0, x1: 0, y1: 0 });
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!this.#details.open || event.button !== 0) return;
    event.preventDefault();
    const start = this.#toPhoto(event);
    const move = (/** @type {PointerEvent} */ now) => {
      const end = this.#toPhoto(now);
      if (Math.hypot(end.x - start.x, end.y - start.y) < CLICK) return;
      this.show({
        x0: Math.min(start.x, end.x),
        y0: Math.min(start.y, end.y),
        x1: Math.max(start.x, end.x),
        y1: Math.max(start.y, end.y),
      });
    };
    const stop = () => {
      this.#overlay.removeEventListener("pointermove", move);
      this.#overlay.removeEventListener("pointerup", stop);
      this.#overlay.removeEventListener("pointercancel", stop);
    };
    this.#overlay.setPointerCapture(event.pointerId);
    this.#overlay.addEventListener("pointermove", move);
    this.#overlay.addEventListener("pointerup", stop);
    this.#overlay.addEventListener("pointercancel", stop);
  }

  /** Where on the photo, in its pixels. @param {PointerEvent} event */
  #toPhoto(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      this.#overlay.getScreenCTM()?.inverse(),
    );
    const { width, height } = this.#overlay.viewBox.baseVal;
    return { x: Math.min(Math.max(point.x, 0), width), y: Math.min(Math.max(point.y, 0), height) };
  }

  /** @returns {Region} */
  #typed() {
    const value = (/** @type {keyof Region} */ edge) => this.#input(edge).valueAsNumber;
    return { x0: value("x0"), y0: value("y0"), x1: value("x1"), y1: value("y1") };
  }

  /** @param {keyof Region} edge */
  #input(edge) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(edge));
  }

  /** @param {Region} region */
  #draw({ x0, y0, x1, y1 }) {
    for (const box of this.#boxes) {
      box.setAttribute("x", String(x0 || 0));
      box.setAttribute("y", String(y0 || 0));
      box.setAttribute("width", String(Math.max(x1 - x0, 0) || 0));
      box.setAttribute("height", String(Math.max(y1 - y0, 0) || 0));
    }
  }
}
