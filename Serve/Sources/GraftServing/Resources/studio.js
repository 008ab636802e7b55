"use strict";
// The page keeps nothing: all it shows it is told by its server, so that a reload or a second tab loses nothing.

const find = (id) => document.getElementById(id);
const percent = (value) => (100 * value).toFixed(1) + " %";
let project = { classes: [], bases: [] };
let training = { running: false, phase: "idle", run: 0, curve: [] };
let cameraTarget = null;

function element(name, properties = {}, children = []) {
  const result = Object.assign(document.createElement(name), properties);
  result.append(...children);
  return result;
}

function drawing(name, attributes = {}, text) {
  const result = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) result.setAttribute(key, value);
  if (text !== undefined) result.textContent = text;
  return result;
}

function note(text) {
  find("note").textContent = text;
  find("note").hidden = !text;
}

async function ask(path, options = {}) {
  const response = await fetch(path, options).catch(() => null);
  if (!response) throw new Error("The studio does not answer; is it still running?");
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function send(path, body) {
  const isFile = body instanceof Blob;
  return ask(path, { method: "POST", body: isFile ? body : JSON.stringify(body ?? {}), headers: { "X-Graft-Studio": "1" } });
}

/// Does something for the user; what goes wrong is said.
async function attempt(work) {
  try {
    note("");
    return await work();
  } catch (error) { note(error.message); }
}

const classPath = (name) => "/api/classes/" + encodeURIComponent(name);
const imagePath = (name, image) => classPath(name) + "/images/" + encodeURIComponent(image);

// MARK: Images

async function loadProject() {
  project = await ask("/api/project");
  find("folder").textContent = project.path;
  showClasses();
  const base = find("base");
  if (base.options.length !== project.bases.length) {
    base.replaceChildren(...project.bases.map(({ id, title }) => element("option", { value: id, textContent: id === "pocket" ? title + ", part of Graft" : title })));
  }
  showTraining();
}

// A few at first: of thousands the rest can wait.
const shownCount = 60;

function showClasses() {
  // What somebody is in the middle of stays in focus.
  const focused = document.activeElement?.dataset?.key;
  find("classes").replaceChildren(...project.classes.map(classColumn));
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function classColumn({ name, images }) {
  const input = element("input", { type: "file", multiple: true, accept: "image/*,.dcm", hidden: true, id: "files-" + name });
  input.addEventListener("change", () => addFiles(name, [...input.files]));
  const rename = element("button", { type: "button", textContent: "Rename", ariaLabel: "Rename class " + name });
  rename.dataset.key = "rename-" + name;
  rename.addEventListener("click", () => {
    const to = prompt("New name of " + name, name);
    if (to && to !== name) attempt(() => send(classPath(name) + "/rename", { name: to }));
  });
  const remove = element("button", { type: "button", textContent: "Remove", ariaLabel: "Remove class " + name });
  remove.addEventListener("click", () => {
    if (confirm(`Remove ${name} and its ${images.length} images? They stay in the folder .graft-removed.`)) attempt(() => send(classPath(name) + "/remove"));
  });
  const camera = element("button", { type: "button", textContent: "Camera", ariaLabel: "Camera for " + name });
  camera.addEventListener("click", () => openCamera(name));
  const choose = element("button", { type: "button", textContent: "Add images", ariaLabel: "Add images to " + name });
  choose.dataset.key = "choose-" + name;
  choose.addEventListener("click", () => input.click());
  const list = images.length === 0
    ? element("p", { className: "empty", textContent: "Drop images here" })
    : element("ul", { className: "thumbnails", ariaLabel: "Images of " + name, tabIndex: 0 }, images.slice(0, shownCount).map((image) => thumbnail(name, image)));
  const column = element("section", { className: "panel class", ariaLabel: "Class " + name }, [
    element("h3", {}, [name + " ", element("span", { className: "faint", textContent: count(images.length, "image") })]),
    list,
    ...(images.length > shownCount ? [element("p", { className: "faint", textContent: `and ${images.length - shownCount} more` })] : []),
    element("div", { className: "row" }, [choose, input, camera, rename, remove]),
  ]);
  takeDrops(column, (files) => addFiles(name, files));
  return column;
}

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function thumbnail(name, image) {
  const remove = element("button", { type: "button", textContent: "×", ariaLabel: `Remove ${image} of ${name}` });
  remove.addEventListener("click", () => attempt(() => send(imagePath(name, image) + "/remove")));
  return element("li", {}, [element("img", { src: imagePath(name, image), alt: image, loading: "lazy" }), remove]);
}

function takeDrops(target, take) {
  target.addEventListener("dragover", (event) => { event.preventDefault(); target.classList.add("over"); });
  target.addEventListener("dragleave", (event) => { if (!target.contains(event.relatedTarget)) target.classList.remove("over"); });
  target.addEventListener("drop", async (event) => {
    event.preventDefault();
    target.classList.remove("over");
    take(await droppedFiles(event.dataTransfer));
  });
}

/// The files that were dropped, and those in folders that were.
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  async function walk(entry) {
    if (entry.isFile) return void found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const inner of some) await walk(inner);
    }
  }
  for (const entry of entries) await walk(entry);
  return found;
}

const isHidden = (file) => file.name.startsWith(".") || file.name.toLowerCase() === "thumbs.db";

async function addFiles(name, files) {
  const wrong = [];
  let done = 0;
  const wanted = files.filter((file) => !isHidden(file));
  const next = async () => {
    while (wanted.length > 0) {
      const file = wanted.shift();
      try {
        await send(classPath(name) + "/images?name=" + encodeURIComponent(file.name), file);
        done += 1;
      } catch (error) { wrong.push(`${file.name}: ${error.message}`); }
    }
  };
  await Promise.all([next(), next(), next()]);
  note(wrong.length ? `${count(done, "image")} added, ${wrong.length} left out, such as ${wrong[0]}` : "");
}

/// A folder whose folders are classes.
async function addFolder(files) {
  const byClass = new Map();
  for (const file of files) {
    const parts = file.webkitRelativePath.split("/");
    if (parts.length < 3 || isHidden(file)) continue;
    const name = parts.at(-2);
    byClass.set(name, [...(byClass.get(name) ?? []), file]);
  }
  if (byClass.size === 0) return note("The folder holds no folders with images: each class needs one.");
  for (const [name, some] of byClass) {
    if (!project.classes.some((known) => known.name === name)) await attempt(() => send("/api/classes", { name }));
    await addFiles(name, some);
  }
}

find("new-class").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    await send("/api/classes", { name: find("new-name").value });
    find("new-name").value = "";
  });
});
find("choose-folder").addEventListener("click", () => find("folder-files").click());
find("folder-files").addEventListener("change", (event) => addFolder([...event.target.files]));

// MARK: Training

find("train").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = (id) => (find(id).value === "" ? null : Number(find(id).value));
  attempt(() => send("/api/train", { base: find("base").value, minutes: number("minutes"), epochs: number("epochs"), augmentation: find("augmentation").value }));
});
find("stop").addEventListener("click", () => attempt(() => send("/api/train/stop")));

function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  return seconds < 100 ? `, ${Math.ceil(seconds)} s left` : `, ${Math.ceil(seconds / 60)} min left`;
}

function showTraining() {
  const { running, phase, message, done, total, curve } = training;
  find("start").disabled = running || project.classes.filter(({ images }) => images.length > 0).length < 2;
  find("stop").hidden = !running;
  find("state").className = phase === "failed" ? "warn" : "";
  const isCounting = running && (phase === "features" || phase === "epochs") && total > 0;
  const place = isCounting ? (phase === "features" ? `: ${done} of ${count(total, "image")}` : `: ${done} of ${total} epochs done`) : "";
  const waits = phase === "idle" && !running ? (find("start").disabled ? "Two classes with images are needed." : "Ready to train.") : message;
  find("state").textContent = waits + place + (isCounting ? timeLeft(training.seconds_left) : "");
  find("progress").hidden = !running;
  if (isCounting) { find("progress").max = total; find("progress").value = done; } else find("progress").removeAttribute("value");
  showCurve(curve);
  find("notes").replaceChildren(...(training.notes ?? []).map((text) => element("li", { textContent: text })));
  find("result").hidden = running || !project.model;
  const accuracy = training.val_accuracy;
  find("accuracy").textContent = accuracy === null || accuracy === undefined ? "There is a model in " + project.model
    : `${percent(accuracy)} of the images that were held back are right, after ${training.seconds.toFixed(1)} s.`;
  find("command").textContent = training.command ?? "";
  find("command-line").hidden = !training.command;
}

function showCurve(curve) {
  const figure = find("curve");
  figure.hidden = curve.length < 2;
  if (figure.hidden) return;
  const [width, height, left, bottom] = [640, 220, 44, 28];
  const accuracies = curve.flatMap((entry) => [entry.accuracy, entry.val_accuracy]).filter((value) => Number.isFinite(value));
  const low = Math.min(0.9, ...accuracies);
  const x = (index) => left + (index / Math.max(curve.length - 1, 1)) * (width - left - 12);
  const y = (value) => 10 + (1 - (value - low) / Math.max(1 - low, 0.01)) * (height - bottom - 10);
  const line = (key) => curve.map((entry, index) => [x(index), y(entry[key])]).filter(([, value]) => Number.isFinite(value)).map((pair) => pair.map((v) => v.toFixed(1)).join(",")).join(" ");
  const last = curve.at(-1);
  const words = `Accuracy after ${curve.length} epochs: ${percent(last.accuracy ?? 0)} of the images trained on`
    + (Number.isFinite(last.val_accuracy) ? `, ${percent(last.val_accuracy)} of those held back` : "");
  const svg = drawing("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words });
  for (const value of [low, (low + 1) / 2, 1]) {
    svg.append(drawing("line", { class: "axis", x1: left, x2: width - 12, y1: y(value), y2: y(value) }));
    svg.append(drawing("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, Math.round(100 * value) + " %"));
  }
  svg.append(drawing("text", { x: width - 12, y: height - 8, "text-anchor": "end" }, `epoch ${curve.length}`));
  svg.append(drawing("polyline", { class: "training", points: line("accuracy") }));
  svg.append(drawing("polyline", { class: "validation", points: line("val_accuracy") }));
  figure.replaceChildren(svg, element("figcaption", { textContent: words + ". Solid: held back; dashed: trained on." }));
}

// MARK: Trying

async function tryImage(file) {
  await attempt(async () => {
    const { prediction, heat } = await send("/api/try", file);
    const figure = (source, words) => element("figure", {}, [element("img", { src: source, alt: words }), element("figcaption", { textContent: words })]);
    const parts = [figure(URL.createObjectURL(file), "The image")];
    if (heat) parts.push(figure("data:image/jpeg;base64," + heat, "What the network sees, and where it looked for its answer"));
    const words = [];
    if (prediction.known === false) words.push(element("p", { className: "warn", textContent: "Unlike anything in training." }));
    else if (prediction.sure === false) words.push(element("p", { className: "warn", textContent: "Not sure." }));
    const bars = Object.entries(prediction.probabilities ?? {}).slice(0, 10).map(([name, value]) => element("li", {}, [
      element("meter", { min: 0, max: 1, value, ariaLabel: name }), element("span", { textContent: name }), element("span", { textContent: percent(value) })]));
    find("answer").replaceChildren(element("div", {}, [...words, element("ul", { className: "bars" }, bars)]), ...parts);
  });
}

takeDrops(find("try-drop"), (files) => { if (files[0]) tryImage(files[0]); });
find("try-file").addEventListener("change", (event) => { if (event.target.files[0]) tryImage(event.target.files[0]); });
find("try-camera").addEventListener("click", () => openCamera(null));

// MARK: Camera

async function openCamera(name) {
  await attempt(async () => {
    if (!navigator.mediaDevices) throw new Error("This browser shows pages of this address no camera; open the page as http://localhost.");
    const stream = await navigator.mediaDevices.getUserMedia({ video: true }).catch((error) => { throw new Error("There is no camera to use: " + error.message); });
    cameraTarget = name;
    find("camera-heading").textContent = name === null ? "Camera: try an image" : "Camera: images of " + name;
    find("video").srcObject = stream;
    find("taken").textContent = "";
    find("camera").showModal();
  });
}

find("take").addEventListener("click", async () => {
  const video = find("video");
  const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  if (!blob) return;
  if (cameraTarget === null) {
    find("camera").close();
    return tryImage(blob);
  }
  await attempt(() => send(classPath(cameraTarget) + "/images?name=camera.jpg", blob));
  find("taken").textContent = "Taken.";
});
find("close-camera").addEventListener("click", () => find("camera").close());
find("camera").addEventListener("close", () => {
  for (const track of find("video").srcObject?.getTracks() ?? []) track.stop();
  find("video").srcObject = null;
});

// MARK: Mistakes

async function showMistakes() {
  await attempt(async () => {
    const { mistakes } = await ask("/api/mistakes");
    const names = project.classes.map(({ name }) => name);
    const figures = mistakes.map((mistake) => {
      const choice = element("select", { ariaLabel: `Class of ${mistake.image}` }, names.map((name) => element("option", { value: name, textContent: name, selected: name === mistake.class })));
      const figure = element("figure", {}, [
        element("img", { src: imagePath(mistake.class, mistake.image), alt: `${mistake.image}, labelled ${mistake.class}`, loading: "lazy" }),
        element("figcaption", { textContent: `${mistake.class}, taken for ${mistake.predicted} (${percent(mistake.probability)})` }), choice]);
      choice.addEventListener("change", () => attempt(async () => {
        await send(imagePath(mistake.class, mistake.image) + "/move", { class: choice.value });
        figure.remove();
      }));
      return figure;
    });
    find("wrong").replaceChildren(...(figures.length ? figures : [element("p", { textContent: "None of the images that were held back." })]));
  });
}
find("show-wrong").addEventListener("click", showMistakes);

// MARK: Events

let reload = null;
function projectChanged() {
  // Many images make many events.
  clearTimeout(reload);
  reload = setTimeout(() => attempt(loadProject), 150);
}

const events = new EventSource("/api/events");
events.addEventListener("message", (message) => {
  const event = JSON.parse(message.data);
  if (event.event === "project") return projectChanged();
  const hasEnded = training.running && !event.running;
  training = event;
  showTraining();
  if (hasEnded) projectChanged();
});
events.addEventListener("open", () => attempt(loadProject));
events.addEventListener("error", () => note("The studio does not answer; the page goes on when it does."));
