// Shows /openapi.json. Text of the description reaches the page as text nodes
// only, never as markup.
"use strict";

const methods = ["get", "post", "put", "patch", "delete"];
let api = {};

/** element("td", {className: "note"}, "text", otherElement) */
function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", {}, text)));
  return element("div", { className: "scroll" },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}

function row(...cells) {
  return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
}

/** Follows a reference within the description. */
function resolve(schema) {
  if (!schema || !schema.$ref) return schema || {};
  return schema.$ref.slice(2).split("/").reduce((at, key) => (at || {})[key], api) || {};
}

/** One line of text for what a parameter or member takes. */
function typeOf(schema) {
  const s = resolve(schema);
  const choices = s.anyOf || s.oneOf;
  if (choices) return choices.map(typeOf).join(" or ");
  let text = [].concat(s.type || "any").join(" or ");
  if (s.format) text += ` (${s.format})`;
  if (s.enum) text += ": " + s.enum.map((value) => JSON.stringify(value)).join(", ");
  if (s.minimum !== undefined) text += `, ≥ ${s.minimum}`;
  if (s.maximum !== undefined) text += `, ≤ ${s.maximum}`;
  if (s.maxLength !== undefined) text += `, up to ${s.maxLength} characters`;
  if (s.default !== undefined) text += `, default ${JSON.stringify(s.default)}`;
  return text;
}

/** An outline of a JSON value: member names, a mark on optional ones, types. */
function outline(schema, indent, seen) {
  const s = resolve(schema);
  if (seen.includes(s)) return "…";
  const inner = [...seen, s];
  if (s.items) return "[" + outline(s.items, indent, inner) + ", …]";
  if (!s.properties) return typeOf(s);
  const required = s.required || [];
  const deeper = indent + "  ";
  const lines = Object.entries(s.properties).map(([name, member]) => {
    const about = resolve(member).description || member.description;
    return `${deeper}"${name}"${required.includes(name) ? "" : "?"}: ${outline(member, deeper, inner)}` +
      (about ? `   // ${about}` : "");
  });
  if (s.additionalProperties === true) lines.push(deeper + "… other members are ignored");
  return "{\n" + lines.join("\n") + "\n" + indent + "}";
}

function content(body) {
  return Object.entries(body.content || {}).map(([type, media]) =>
    element("div", {}, element("span", { className: "note" }, type),
      element("pre", {}, outline(media.schema, "", []))));
}

function parameters(operation) {
  const all = operation.parameters || [];
  if (all.length === 0) return null;
  return element("section", {}, element("h3", {}, "Parameters"),
    table(["name", "in", "type", "about"], all.map((p) => row(
      element("code", {}, p.name), p.in + (p.required ? ", required" : ""),
      typeOf(p.schema), p.description || ""))));
}

function answers(operation) {
  const rows = Object.entries(operation.responses || {}).map(([status, response]) => {
    const headers = Object.keys(response.headers || {});
    const problem = (response.content || {})["application/problem+json"];
    const cell = element("div", {},
      problem ? codeLinks(response.description) : response.description,
      headers.length ? element("div", { className: "note" }, "headers: " + headers.join(", ")) : null,
      ...(problem ? [] : content(response)));
    return row(element("code", {}, status), cell);
  });
  return element("section", {}, element("h3", {}, "Answers"), table(["status", ""], rows));
}

/** The codes of a refusal, each leading to its row below. */
function codeLinks(text) {
  const span = element("span", {});
  text.split(", ").forEach((code, i) => {
    if (i > 0) span.append(", ");
    span.append(element("a", { href: "#" + code }, code));
  });
  return span;
}

function showOperation(path, method, operation) {
  const scopes = (operation.security || []).flatMap((need) => Object.values(need).flat());
  const body = operation.requestBody;
  const box = element("details", { id: operation.operationId || method + path },
    element("summary", {}, element("span", { className: "method" }, method.toUpperCase()),
      element("span", { className: "path" }, path), " ",
      element("span", { className: "note" }, operation.summary || "")),
    element("div", { className: "inside" },
      operation.description ? element("p", {}, operation.description) : null,
      scopes.length ? element("p", { className: "note" }, "API key with scope " + scopes.join(", ")) : null,
      parameters(operation),
      body ? element("section", {}, element("h3", {}, body.required ? "Body" : "Body (optional)"), ...content(body)) : null,
      answers(operation)));
  box.dataset.words = box.textContent.toLowerCase();
  return box;
}

function showCodes() {
  const codes = api["x-problem-codes"] || [];
  const rows = codes.map((problem) => {
    const line = row(element("code", {}, problem.code), String(problem.status), problem.title);
    line.id = problem.code;
    return line;
  });
  const schema = ((api.components || {}).schemas || {}).Problem;
  return [element("h2", {}, "Problems"),
    element("p", {}, "Every refusal is application/problem+json:"),
    element("pre", {}, outline(schema, "", [])),
    table(["code", "status (version 2)", "meaning"], rows)];
}

function filter(words) {
  for (const box of document.querySelectorAll("details")) {
    box.hidden = !box.dataset.words.includes(words.trim().toLowerCase());
  }
}

function show() {
  document.title = api.info.title;
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("about").textContent = api.info.description || "";
  const operations = Object.entries(api.paths || {}).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => showOperation(path, method, item[method])));
  document.getElementById("main").replaceChildren(
    element("h2", {}, "Operations"), ...operations, ...showCodes());
  document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
  if (location.hash) {
    const target = document.getElementById(location.hash.slice(1));
    if (target) {
      target.open = true;
      location.replace(location.hash); // the target was not there when the page loaded
    }
  }
}

fetch("/openapi.json")
  .then((response) => (response.ok ? response.json() : Promise.reject(new Error(String(response.status)))))
  .then((description) => { api = description; show(); })
  .catch((error) => {
    document.getElementById("main").textContent = "The description could not be loaded: " + error.message;
  });
