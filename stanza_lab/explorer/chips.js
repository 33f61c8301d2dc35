// Search-as-you-type chips over a list that is sent once. Names are untrusted: they are only ever set as text.

const SHOWN = 30;
const SUGGESTED = 12;
const KIND = { service: "service", team: "team", repository: "repository", host: "server" };
let made = 0;

const key = (one) => JSON.stringify([one.kind, one.name]);
const same = (one) => (pair) => pair[0] === one.kind && pair[1] === one.name;

/** How well a name answers what was typed: 0 best, null not at all. Words may come in any order. */
function rank(low, words) {
  let worst = 0;
  for (const word of words) {
    const at = low.indexOf(word);
    if (at < 0) return null;
    const start = at === 0 ? 0 : /[^a-z0-9]/.test(low[at - 1]) ? 1 : 2;
    worst = Math.max(worst, start);
  }
  return worst;
}

/** The best answers to what was typed; the list has the largest first, and keeps that order among equals. */
export function search(choices, typed, taken) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [[], [], []];
  let count = 0;
  for (const one of choices) {
    if (taken.has(one.key)) continue;
    const level = rank(one.low, words);
    if (level === null) continue;
    found[level].push(one);
    count += 1;
  }
  return { first: found.flat().slice(0, SHOWN), count };
}

function about(one) {
  const of = one.services > 1 || one.kind !== "service" ? `, ${one.services} service${one.services === 1 ? "" : "s"}` : "";
  return `${KIND[one.kind] || one.kind}${of}, ${one.alerts} alert${one.alerts === 1 ? "" : "s"}`;
}

function render({ model, el }) {
  const id = `stanza-chips-${Date.now()}-${(made += 1)}`;
  const root = element("div", "stanza-chips");
  const label = element("label", "stanza-label", model.get("label"));
  const box = element("div", "stanza-box");
  const input = element("input");
  const list = element("ul", "stanza-list");
  const more = element("div", "stanza-more");
  const suggested = element("div", "stanza-suggested");
  input.id = label.htmlFor = `${id}-input`;
  list.id = `${id}-list`;
  input.type = "text";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.placeholder = model.get("placeholder");
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id],
    ["aria-expanded", "false"]]) input.setAttribute(name, value);
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", model.get("label"));
  more.setAttribute("role", "status");
  suggested.setAttribute("aria-label", "Suggestions");
  suggested.setAttribute("role", "group");
  box.append(input);
  root.append(label, box, list, more, suggested);
  el.append(root);

  let choices = [];
  let open = [];
  let at = -1;

  const picked = () => model.get("picked");
  const set = (pairs) => { model.set("picked", pairs); model.save_changes(); };
  const add = (one) => {
    input.value = "";
    close();
    if (!picked().some(same(one))) set([...picked(), [one.kind, one.name]]);
    input.focus();
  };
  const drop = (pair) => { set(picked().filter((other) => !(other[0] === pair[0] && other[1] === pair[1]))); input.focus(); };
  const taken = () => new Set(picked().map(([kind, name]) => key({ kind, name })));

  function close() {
    list.replaceChildren();
    open = [];
    at = -1;
    more.textContent = "";
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(next) {
    if (list.children[at]) list.children[at].setAttribute("aria-selected", "false");
    at = next;
    const option = list.children[at];
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    return input.setAttribute("aria-activedescendant", option.id);
  }

  function look() {
    const typed = input.value.trim();
    if (!typed) return close();
    const { first, count } = search(choices, typed, taken());
    open = first;
    list.replaceChildren(...first.map((one, number) => {
      const option = element("li", "stanza-option");
      option.id = `${id}-${number}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.append(element("span", "stanza-name", one.name), element("span", "stanza-about", about(one)));
      option.addEventListener("mousedown", (event) => { event.preventDefault(); add(one); });
      return option;
    }));
    more.textContent = count === 0 ? "Nothing has this name in the data."
      : count > first.length ? `${count} found, the first ${first.length} shown: type on.` : "";
    input.setAttribute("aria-expanded", String(count > 0));
    return mark(count ? 0 : -1);
  }

  function chips() {
    box.querySelectorAll(".stanza-chip").forEach((chip) => chip.remove());
    for (const pair of picked()) {
      const chip = element("button", "stanza-chip");
      chip.type = "button";
      chip.append(element("span", "stanza-name", pair[1]), element("span", "stanza-about", KIND[pair[0]] || pair[0]),
        element("span", "stanza-cross", "×"));
      chip.setAttribute("aria-label", `Remove ${KIND[pair[0]] || pair[0]} ${pair[1]}`);
      chip.addEventListener("click", () => drop(pair));
      box.insertBefore(chip, input);
    }
    const gone = taken();
    const offer = choices.filter((one) => !gone.has(one.key)).slice(0, SUGGESTED);
    suggested.replaceChildren(...offer.map((one) => {
      const chip = element("button", "stanza-offer");
      chip.type = "button";
      chip.append(element("span", "stanza-cross", "+"), element("span", "stanza-name", one.name),
        element("span", "stanza-about", KIND[one.kind] || one.kind));
      chip.title = about(one);
      chip.addEventListener("click", () => add(one));
      return chip;
    }));
  }

  function load() {
    choices = JSON.parse(model.get("choices") || "[]").map(([kind, name, services, alerts]) => {
      const one = { kind, name, services, alerts, low: name.toLowerCase() };
      return { ...one, key: key(one) };
    });
    chips();
  }

  input.addEventListener("input", look);
  input.addEventListener("focus", look);
  input.addEventListener("blur", close);
  box.addEventListener("mousedown", (event) => { if (event.target === box) { event.preventDefault(); input.focus(); } });
  input.addEventListener("keydown", (event) => {
    const last = open.length - 1;
    if (event.key === "ArrowDown" && open.length) mark(at === last ? 0 : at + 1);
    else if (event.key === "ArrowUp" && open.length) mark(at <= 0 ? last : at - 1);
    else if (event.key === "Enter" && open[at]) add(open[at]);
    else if (event.key === "Escape") close();
    else if (event.key === "Backspace" && !input.value && picked().length) drop(picked()[picked().length - 1]);
    else { event.stopPropagation(); return; }  // JupyterLab has shortcuts of its own
    event.preventDefault();
    event.stopPropagation();
  });

  model.on("change:picked", chips);
  model.on("change:choices", load);
  load();
}

export default { render };
