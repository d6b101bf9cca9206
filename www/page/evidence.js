// What speaks for a candidate: how many points of both photos match, lines between them, and the two photos by turns.

import { part } from "./answer.js";
import { WORDS, blinkLabel, linesLabel, matchWords } from "./strings.js";

/** @import { Comparison, Region, VerifiedAnswer } from "./types.js" */

/** @typedef {{ url: string, width: number, height: number, region: Region }} Photo  of the person, in pixels */

const SVG = "http://www.w3.org/2000/svg";
/** The width that both tails are drawn with, and the gap between them. */
const WIDTH = 400;
const GAP = 8;
/** How long each photo is shown in turns, in milliseconds. */
const TURN = 800;
/** Lines differ, so that the eye can follow one among many. */
const COLOURS = ["#ffc400", "#00dc78", "#50c8ff", "#ff785a", "#d296ff", "#e6f050"];

/**
 * Says in the row of each candidate what speaks for it, and offers the picture.
 * @param {HTMLElement} list  of the candidates of `answer` @param {VerifiedAnswer} answer @param {Photo} photo
 * @param {string} bundle  address of its folder
 */
export function showEvidence(list, answer, photo, bundle) {
  answer.candidates.forEach((candidate, index) => {
    const row = /** @type {HTMLElement} */ (list.children[index]);
    const match = answer.compared.find(({ name, shown }) => shown && candidate.kind === "individual" && name === candidate.name);
    if (match !== undefined) showMatch(row, match, photo, bundle);
  });
}

/** @param {HTMLElement} row @param {Comparison} match @param {Photo} photo @param {string} bundle */
function showMatch(row, match, photo, bundle) {
  const box = part(row, "match");
  box.hidden = false;
  box.dataset.inliers = String(match.inliers);
  part(row, "match-words").textContent = matchWords(match);
  const button = part(row, "match-show");
  button.hidden = match.pairs.length === 0;
  button.setAttribute("aria-label", `${WORDS.showMatch}: ${match.name}`);
  const place = part(row, "match-picture");
  button.addEventListener("click", () => {
    const open = place.hidden;
    place.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? WORDS.hideMatch : WORDS.showMatch;
    button.setAttribute("aria-label", `${button.textContent}: ${match.name}`);
    place.replaceChildren(...(open ? views(match, photo, bundle) : []));
  });
}

/** The switch and what it switches. @param {Comparison} match @param {Photo} photo @param {string} bundle */
function views(match, photo, bundle) {
  const place = document.createElement("div");
  const choice = document.createElement("div");
  choice.className = "match-choice";
  choice.setAttribute("role", "group");
  choice.setAttribute("aria-label", WORDS.matchViews);
  /** @type {[string, () => Element[]][]} */
  const all = [[WORDS.lines, () => [linesPicture(match, photo, bundle)]]];
  const affine = match.affine;
  if (affine !== null) all.push([WORDS.blink, () => blinkPicture(match, affine, photo, bundle)]);
  const buttons = all.map(([name, make]) => {
    const button = quietButton(name);
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      place.replaceChildren(...make());
    });
    return button;
  });
  choice.append(...buttons);
  buttons[0]?.click();
  return [choice, place];
}

/** Both tails, one above the other, with lines between what they share. @param {Comparison} match @param {Photo} photo @param {string} bundle */
function linesPicture(match, photo, bundle) {
  const { x0, y0, x1, y1 } = photo.region;
  const scale = WIDTH / (x1 - x0);
  const above = scale * (y1 - y0);
  const [width, height] = match.size;
  const below = (WIDTH * height) / width;
  const picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${above + GAP + below}`, class: "match-drawing", role: "img" });
  picture.setAttribute("aria-label", linesLabel(match));
  picture.dataset.testid = "match-lines";
  const mine = draw("svg", { width: WIDTH, height: above, viewBox: `${x0} ${y0} ${x1 - x0} ${y1 - y0}` });
  mine.append(whole(photo));
  const theirs = draw("svg", { y: above + GAP, width: WIDTH, height: below, viewBox: `0 0 ${width} ${height}` });
  theirs.append(...gallery(match, bundle));
  picture.append(mine, theirs);
  // Centres of pixels are at whole numbers there, and at halves here.
  match.pairs.forEach(([[x, y], [u, v]], index) => {
    const stroke = COLOURS[index % COLOURS.length];
    const from = [scale * (x + 0.5 - x0), scale * (y + 0.5 - y0)];
    const to = [((u + 0.5) * WIDTH) / width, above + GAP + ((v + 0.5) * WIDTH) / width];
    picture.append(draw("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], stroke, class: "match-line" }));
    for (const [cx, cy] of [from, to]) picture.append(draw("circle", { cx, cy, r: 3, fill: stroke }));
  });
  return picture;
}

/**
 * The two photos in one place, by turns: what is on the skin stays where it is, what is not jumps.
 * @param {Comparison} match @param {NonNullable<Comparison["affine"]>} affine @param {Photo} photo @param {string} bundle
 */
function blinkPicture(match, affine, photo, bundle) {
  const [width, height] = match.size;
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "match-drawing", role: "img" });
  picture.dataset.testid = "match-blink";
  const theirs = draw("g", {});
  theirs.append(...gallery(match, bundle));
  const [a, b, c, d, e, f] = affine;
  // From halves to whole numbers and back, as above.
  const moved = [e + 0.5 - 0.5 * (a + c), f + 0.5 - 0.5 * (b + d)];
  const mine = draw("g", { transform: `matrix(${[a, b, c, d, ...moved].join(" ")})` });
  mine.append(whole(photo));
  picture.append(theirs, mine);

  const show = (/** @type {boolean} */ photoShown) => {
    mine.setAttribute("visibility", photoShown ? "visible" : "hidden");
    picture.dataset.shown = photoShown ? "photo" : "catalogue";
    picture.setAttribute("aria-label", blinkLabel(match, photoShown));
  };
  const turn = () => show(picture.dataset.shown !== "photo");
  show(true);
  const once = quietButton(WORDS.turn);
  once.dataset.testid = "match-turn";
  const automatic = quietButton(WORDS.turning);
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    automatic.setAttribute("aria-pressed", "false");
  };
  once.addEventListener("click", () => {
    stop();
    turn();
  });
  automatic.setAttribute("aria-pressed", "false");
  automatic.addEventListener("click", () => {
    if (automatic.getAttribute("aria-pressed") === "true") return stop();
    automatic.setAttribute("aria-pressed", "true");
    timer = setInterval(() => (picture.isConnected ? turn() : stop()), TURN);
  });
  const buttons = document.createElement("div");
  buttons.className = "match-choice";
  buttons.append(once, automatic);
  return [picture, buttons];
}

/** The person's photo, in its own pixels. @param {Photo} photo */
function whole(photo) {
  return draw("image", { href: photo.url, width: photo.width, height: photo.height, preserveAspectRatio: "none" });
}

/** The catalogue photo's tail in pixels of `size`: its points, and its picture over them where there is one. @param {Comparison} match @param {string} bundle */
function gallery(match, bundle) {
  const [width, height] = match.size;
  const ground = draw("rect", { width, height, class: "match-ground" });
  const points = match.keypoints.map(([x, y]) => draw("circle", { cx: x + 0.5, cy: y + 0.5, r: width / 200, class: "match-point" }));
  if (!match.thumbnail) return [ground, ...points];
  const href = new URL(match.thumbnail, bundle).href;
  const picture = draw("image", { href, width, height, preserveAspectRatio: "none" });
  // Where the picture cannot be had, the points stay.
  picture.addEventListener("load", () => points.forEach((point) => point.remove()));
  return [ground, ...points, picture];
}

/** @param {string} words */
function quietButton(words) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = words;
  return button;
}

/** @param {string} name @param {Record<string, string | number | undefined>} attributes @returns {SVGElement} */
function draw(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
