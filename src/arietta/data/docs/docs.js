// The page at /ari/docs: what openapi.json declares, forms to ask it, and the events as they come. Nothing is fetched
// from anywhere but this server.

const MOST_EVENTS = 500;
const METHODS = ["get", "post", "put", "delete"];
const base = location.origin + new URL("..", location.href).pathname.replace(/\/$/, ""); // without a user in the address
const byId = (id) => document.getElementById(id);

/** An element with properties and children; text goes in as text, never as HTML. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

// ------------------------------------------------------------------------------------------------ the description

/** The name of a schema's type, as a person would say it. */
function typeName(schema = {}) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.type === "array") return `list of ${typeName(schema.items)}`;
  const several = schema.anyOf || schema.oneOf;
  if (several) return several.map(typeName).join(" or ");
  return Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type || "anything";
}

/** The fields of a model, one line each; models inside are named. */
function outline(schema, schemas) {
  const named = schema && schema.type === "array" ? schema.items : schema;
  const model = named && named.$ref ? schemas[named.$ref.split("/").pop()] : named;
  if (!model || !model.properties) return "";
  const required = new Set(model.required || []);
  return Object.entries(model.properties)
    .map(([name, field]) => `${name}${required.has(name) ? "" : "?"}: ${typeName(field)}${field.enum ? ` (${field.enum.join(", ")})` : ""}`)
    .join("\n");
}

/** What an operation takes: parameters of path and query, and what stands in a body alone. */
function inputsOf(operation) {
  const parameters = operation.parameters || [];
  const names = new Set(parameters.map((parameter) => parameter.name));
  const body = operation.requestBody?.content?.["application/json"]?.schema?.properties || {};
  const others = Object.entries(body)
    .filter(([name]) => !names.has(name))
    .map(([name, schema]) => ({ name, in: "body", required: false, description: schema.description, schema }));
  return [...parameters, ...others];
}

function field(input, id) {
  const schema = input.schema || {};
  const common = { id, name: input.name, required: input.in === "path" };
  const choices = schema.enum || (schema.type === "boolean" ? ["true", "false"] : null);
  if (choices) {
    return make("select", common, make("option", { value: "", textContent: "" }),
      ...choices.map((choice) => make("option", { value: String(choice), textContent: String(choice) })));
  }
  if (input.in === "body") {
    const hint = schema.type === "array" ? '[{"attribute": "…", "value": "…"}]' : '{"NAME": "value"}';
    return make("textarea", { ...common, placeholder: hint, spellcheck: false });
  }
  return make("input", { ...common, placeholder: schema.default === undefined ? "" : String(schema.default),
    inputMode: schema.type === "integer" ? "numeric" : "text", autocomplete: "off", spellcheck: false });
}

/** One operation, with its form; the inside is made when it is first opened. */
function operationElement(method, path, operation, schemas) {
  const summary = make("summary", {},
    make("span", { className: `method ${method.toUpperCase()}`, textContent: method.toUpperCase() }),
    make("span", { className: "path", textContent: path }),
    make("span", { className: "summary", textContent: operation.summary || "" }));
  const details = make("details", { className: "operation", id: operation.operationId }, summary);
  details.dataset.words = `${method} ${path} ${operation.operationId} ${operation.summary}`.toLowerCase();
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(inside(method, path, operation, schemas));
  });
  return details;
}

function inside(method, path, operation, schemas) {
  const inputs = inputsOf(operation);
  const rows = inputs.map((input) => {
    const id = `${operation.operationId}-${input.name}`;
    const note = `${typeName(input.schema)} in ${input.in}${input.in === "path" ? ", required" : ""}`;
    return make("tr", {},
      make("td", {}, make("label", { htmlFor: id, textContent: input.name }), make("br"), make("span", { className: "dim", textContent: note })),
      make("td", {}, field(input, id)),
      make("td", { textContent: input.description || "" }));
  });
  const curl = make("pre", { ariaLabel: "The same with curl" });
  const answer = make("div", { ariaLive: "polite" });
  const isSocket = Boolean(operation.responses["101"]);
  const form = make("form", { noValidate: false },
    inputs.length ? make("table", {}, make("tbody", {}, ...rows)) : make("p", { className: "dim", textContent: "It takes no parameters." }),
    isSocket ? make("p", { textContent: "This one opens a WebSocket: see Events above." })
      : make("button", { type: "submit", className: "go", textContent: "Try it" }));
  const draw = () => { curl.textContent = curlLine(method, path, collect(form, inputs)); };
  form.addEventListener("input", draw);
  form.addEventListener("submit", (event) => { event.preventDefault(); draw(); ask(method, path, collect(form, inputs), answer); });
  draw();
  const responses = Object.entries(operation.responses).map(([status, response]) => {
    const schema = response.content?.["application/json"]?.schema;
    const fields = status < "300" ? outline(schema, schemas) : "";
    return make("tr", {}, make("td", { textContent: status }),
      make("td", {}, `${response.description}${schema && status < "300" ? ` ${typeName(schema)}` : ""}`,
        fields ? make("pre", { textContent: fields }) : null));
  });
  return make("div", { className: "inside" },
    operation.description ? make("p", { textContent: operation.description }) : null,
    make("h3", { textContent: "Ask" }), form, curl, answer,
    make("h3", { textContent: "Answers" }), make("table", {}, make("tbody", {}, ...responses)));
}

// ------------------------------------------------------------------------------------------------------ asking it

/** What was filled in: {path, query, body, problem}. */
function collect(form, inputs) {
  const asked = { path: {}, query: [], body: {}, problem: "" };
  for (const input of inputs) {
    const text = form.elements.namedItem(input.name).value;
    if (input.in === "path") asked.path[input.name] = text;
    else if (text !== "" && input.in === "query") asked.query.push([input.name, text]);
    else if (text !== "") {
      try { asked.body[input.name] = JSON.parse(text); } catch (error) { asked.problem = `${input.name} is not JSON: ${error.message}`; }
    }
  }
  return asked;
}

function urlOf(path, asked) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(asked.path[name] || "") || `{${name}}`);
  const query = asked.query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  return base + filled + (query ? `?${query}` : "");
}

const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;

function curlLine(method, path, asked) {
  const parts = ["curl -u USER:PASSWORD"];
  if (method !== "get") parts.push(`-X ${method.toUpperCase()}`);
  if (Object.keys(asked.body).length) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(asked.body))}`);
  return [...parts, quoted(urlOf(path, asked))].join(" ");
}

async function ask(method, path, asked, answer) {
  if (asked.problem) {
    answer.replaceChildren(make("p", { className: "bad", textContent: asked.problem }));
    return;
  }
  const options = { method: method.toUpperCase(), credentials: "same-origin", headers: {} };
  if (Object.keys(asked.body).length) {
    options.body = JSON.stringify(asked.body);
    options.headers["Content-Type"] = "application/json";
  }
  const begun = performance.now();
  try {
    const response = await fetch(urlOf(path, asked), options);
    const milliseconds = (performance.now() - begun).toFixed(1);
    const location = response.headers.get("Location");
    answer.replaceChildren(
      make("p", {}, make("span", { className: `status ${response.ok ? "good" : "bad"}`, textContent: `${response.status} ${response.statusText}` }),
        make("span", { className: "dim", textContent: `  ${milliseconds} ms${location ? `, Location: ${location}` : ""}` })),
      await shown(response));
  } catch (error) {
    answer.replaceChildren(make("p", { className: "bad", textContent: `No answer: ${error.message}` }));
  }
}

/** The body of an answer: JSON indented, audio to listen to, or nothing. */
async function shown(response) {
  const kind = response.headers.get("Content-Type") || "";
  if (kind.startsWith("audio/")) return make("audio", { controls: true, src: URL.createObjectURL(await response.blob()) });
  const text = await response.text();
  if (!text) return null;
  try { return make("pre", { textContent: JSON.stringify(JSON.parse(text), null, 2) }); } catch { return make("pre", { textContent: text }); }
}

// --------------------------------------------------------------------------------------------------------- events

let socket = null;

function connect() {
  const query = new URLSearchParams({ app: byId("apps").value, subscribeAll: String(byId("everything").checked) });
  if (byId("key").value) query.set("api_key", byId("key").value);
  socket = new WebSocket(`${base.replace(/^http/, "ws")}/events?${query}`);
  say("connecting …");
  socket.addEventListener("open", () => { say("connected"); byId("connect").textContent = "Disconnect"; });
  socket.addEventListener("message", (message) => show(JSON.parse(message.data)));
  socket.addEventListener("close", (closed) => {
    socket = null;
    byId("connect").textContent = "Connect";
    say(closed.code === 1006 ? "refused or lost: is the user right, and is the name of the application?" : `closed (${closed.code})`);
  });
}

function say(text) { byId("state").textContent = text; }

/** What an event is about: the first things in it that have a name or an id. */
function subject(event) {
  return ["channel", "bridge", "playback", "recording", "peer", "endpoint", "device_state"]
    .map((name) => event[name] && (event[name].name || event[name].id || event[name].resource)).filter(Boolean).join(", ");
}

function show(event) {
  const text = JSON.stringify(event, null, 2);
  const entry = make("li", {}, make("details", {},
    make("summary", {}, make("time", { textContent: (event.timestamp || "").slice(11, 23) }),
      make("strong", { textContent: event.type }), make("span", { className: "who", textContent: subject(event) })),
    make("pre", { textContent: text })));
  entry.dataset.words = text.toLowerCase();
  entry.hidden = !matches(entry, byId("only").value);
  const log = byId("log");
  log.prepend(entry);
  while (log.children.length > MOST_EVENTS) log.lastElementChild.remove();
}

// ------------------------------------------------------------------------------------------------------- the page

const matches = (element, text) => text.toLowerCase().split(/\s+/).every((word) => element.dataset.words.includes(word));

function search() {
  const text = byId("search").value;
  let count = 0;
  for (const section of byId("resources").children) {
    let any = false;
    for (const operation of section.querySelectorAll(".operation")) {
      operation.hidden = !matches(operation, text);
      if (!operation.hidden) { any = true; count += 1; }
    }
    section.hidden = !any;
  }
  byId("found").textContent = `${count} operations`;
}

function view(name) {
  for (const one of ["operations", "events"]) {
    byId(one).hidden = one !== name;
    byId(`show-${one}`).setAttribute("aria-pressed", String(one === name));
  }
}

async function start() {
  const response = await fetch(`${base}/openapi.json`, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`openapi.json: ${response.status} ${response.statusText}`);
  const api = await response.json();
  byId("about").textContent = `${api.info.title} ${api.info.version}, at ${base}`;
  for (const tag of api.tags) {
    const section = make("section", {}, make("h2", { textContent: tag.name },
      make("small", { textContent: (tag.description || "").split("\n")[0] })));
    for (const [path, item] of Object.entries(api.paths)) {
      for (const method of METHODS) {
        if (item[method]?.tags.includes(tag.name)) section.append(operationElement(method, path, item[method], api.components.schemas));
      }
    }
    byId("resources").append(section);
  }
  search();
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (wanted === "events") view("events");
  else if (wanted && byId(wanted)) { byId(wanted).open = true; byId(wanted).scrollIntoView(); }
}

byId("search").addEventListener("input", search);
byId("show-operations").addEventListener("click", () => view("operations"));
byId("show-events").addEventListener("click", () => view("events"));
byId("subscribe").addEventListener("submit", (event) => { event.preventDefault(); if (socket) socket.close(1000); else connect(); });
byId("clear").addEventListener("click", () => byId("log").replaceChildren());
byId("only").addEventListener("input", () => { for (const entry of byId("log").children) entry.hidden = !matches(entry, byId("only").value); });
start().catch((error) => { byId("about").textContent = `The description of the API cannot be read: ${error.message}`; });
