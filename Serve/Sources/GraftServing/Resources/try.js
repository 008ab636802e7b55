"use strict";
const find = (id) => document.getElementById(id);

function element(name, properties = {}, children = []) {
  const result = Object.assign(document.createElement(name), properties);
  result.append(...children);
  return result;
}

function headers() {
  const token = find("token").value;
  return token ? { Authorization: "Bearer " + token } : {};
}

async function loadModels() {
  const response = await fetch("/models", { headers: headers() });
  if (!response.ok) return say((await response.json()).error);
  const { models } = await response.json();
  find("model").replaceChildren(...models.map((model) => element("option", { value: model.name, textContent: model.name })));
  tellCommand();
}

function say(text) { find("answer").replaceChildren(element("p", { className: "warn", textContent: text })); }

function tellCommand() {
  const path = "/models/" + encodeURIComponent(find("model").value) + "/predict";
  const token = find("token").value ? " -H 'Authorization: Bearer …'" : "";
  find("curl").textContent = `curl -F image=@one.jpg${token} ${location.origin}${path}`;
}

function bars(values) {
  const entries = Object.entries(values);
  return element("ul", { className: "bars" }, entries.slice(0, 10).map(([name, value]) => element("li", {}, [
    element("meter", { min: 0, max: 1, value, title: name }),
    element("span", { textContent: name }), element("span", { textContent: (100 * value).toFixed(1) + " %" }),
  ])));
}

async function ask(file) {
  const form = new FormData();
  form.append("image", file);
  const path = "/models/" + encodeURIComponent(find("model").value) + "/predict";
  const response = await fetch(path, { method: "POST", body: form, headers: headers() });
  const answer = await response.json();
  if (!response.ok) return say(answer.error);
  const prediction = answer.predictions[0];
  const parts = [element("img", { className: "shown", src: URL.createObjectURL(file), alt: "The image that was asked about" })];
  if (prediction.known === false) parts.push(element("p", { className: "warn", textContent: "Unlike anything in training." }));
  else if (prediction.sure === false) parts.push(element("p", { className: "warn", textContent: "Not sure." }));
  parts.push(prediction.probabilities ? bars(prediction.probabilities) : element("pre", { textContent: JSON.stringify(prediction, null, 1).slice(0, 2000) }));
  find("answer").replaceChildren(...parts);
}

const drop = find("drop");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files[0]) ask(event.dataTransfer.files[0]);
});
find("file").addEventListener("change", (event) => { if (event.target.files[0]) ask(event.target.files[0]); });
find("model").addEventListener("change", tellCommand);
find("token").addEventListener("change", loadModels);
loadModels();
