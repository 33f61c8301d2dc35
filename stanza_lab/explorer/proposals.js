// What is probably yours as well: one row each, with its reason, to take or to leave. Text is only ever set as text.

function render({ model, el }) {
  const root = element("div", "stanza-chips");
  const title = element("div", "stanza-label");
  const list = element("ul", "stanza-proposals");
  title.setAttribute("role", "status");
  root.append(title, list);
  el.append(root);

  const answer = (name, word) => {
    const count = model.get("answers") + 1;
    model.set("answer", [name, word, String(count)]);
    model.set("answers", count);
    model.save_changes();
  };
  const button = (name, word, sign) => {
    const made = element("button", word === "accept" ? "stanza-offer" : "stanza-chip", `${sign} ${word === "accept" ? "mine" : "not mine"}`);
    made.type = "button";
    made.setAttribute("aria-label", `${word === "accept" ? "Mine" : "Not mine"}: ${name}`);
    made.addEventListener("click", () => answer(name, word));
    return made;
  };
  const draw = () => {
    const rows = JSON.parse(model.get("proposed") || "[]");
    title.textContent = model.get("title");
    list.replaceChildren(...rows.map(([name, sure, why]) => {
      const row = element("li", "stanza-proposal");
      row.append(button(name, "accept", "+"), button(name, "decline", "×"), element("span", "stanza-name", name),
        element("span", "stanza-sure", sure), element("span", "stanza-about", why));
      return row;
    }));
  };
  model.on("change:proposed", draw);
  model.on("change:title", draw);
  draw();
}

export default { render };
