/** Shows /openapi.json; nothing is loaded from anywhere else. */

/**
 * @param {string} tag
 * @param {(Node | string)[]} children
 */
function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

/** @param {any} schema */
function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return link(schema.$ref.split("/").pop());
  if (schema.type === "array") return make("span", "list of ", typeOf(schema.items));
  if (schema.additionalProperties) return make("span", "map to ", typeOf(schema.additionalProperties));
  if (schema.oneOf) return make("span", ...schema.oneOf.flatMap((/** @type {any} */ each) => [typeOf(each), " "]));
  return schema.contentEncoding ?? schema.format ?? schema.type ?? "";
}

/** @param {string} name */
function link(name) {
  const anchor = make("a", name);
  anchor.setAttribute("href", `#${name}`);
  return anchor;
}

/** @param {(Node | string)[][]} rows */
function table(rows) {
  return make("table", make("tbody", ...rows.map((row) => make("tr", ...row.map((cell) => make("td", cell))))));
}

/** @param {string} path @param {string} method @param {any} call */
function showCall(path, method, call) {
  const verb = make("span", method.toUpperCase());
  verb.className = "method";
  const details = make("details", make("summary", verb, " ", path), make("p", call.summary ?? ""));
  if (call.description) details.append(make("p", call.description));
  if (call.parameters) {
    details.append(table(call.parameters.map((/** @type {any} */ each) => [make("code", each.name), each.description ?? ""])));
  }
  const bodies = Object.entries(call.requestBody?.content ?? {});
  if (bodies.length) details.append(make("p", "Takes:"), table(bodies.map(([type, body]) => [make("code", type), typeOf(body.schema)])));
  const answers = Object.entries(call.responses ?? {});
  details.append(make("p", "Answers:"), table(answers.map(([code, answer]) => {
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    return [make("code", code), make("span", answer.description ?? "", " ", typeOf(schema))];
  })));
  return details;
}

/** @param {string} name @param {any} schema */
function showMessage(name, schema) {
  const details = make("details", make("summary", name));
  details.id = name;
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => [make("code", key), typeOf(value)]);
  details.append(schema.enum ? make("p", schema.enum.join(", ")) : table(rows));
  return details;
}

function openTheOneAsked() {
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (found instanceof HTMLDetailsElement) found.open = true;
}

const contract = await (await fetch("/openapi.json")).json();
document.getElementById("version")?.append(`Version ${contract.info.version}`);
for (const [path, methods] of Object.entries(contract.paths)) {
  for (const [method, call] of Object.entries(methods)) document.getElementById("calls")?.append(showCall(path, method, call));
}
for (const [name, schema] of Object.entries(contract.components.schemas)) {
  document.getElementById("messages")?.append(showMessage(name, schema));
}
addEventListener("hashchange", openTheOneAsked);
openTheOneAsked();
