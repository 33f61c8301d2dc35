// What a page does beyond showing itself: draw figures when they come into sight, in the reader's colours; let the
// keyboard walk them; filter tables; open what a link points into. Text from the data is only ever set as text.
"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("page-facts").textContent);
  const night = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)");
  const heard = document.getElementById("heard");
  const plots = [...document.querySelectorAll(".plot")];
  let printing = false;

  // --- colours ---------------------------------------------------------------------------------------------------
  // As stanza_lab.plot.restyle: only whole values that are a known colour change; what says something is left alone,
  // but for the colours of our own markup in it.
  const TOLD = new Set(
    "text hovertext hovertemplate ticktext customdata name meta ids labels parents x y z label args".split(" "),
  );
  const colours = new Map(Object.entries(facts.dark));
  const lines = { zerolinecolor: facts.grid, linecolor: facts.faint }; // plotly's own default is dark grey
  const darker = (colour) => colours.get(colour) || colour;

  function recoloured(value, key) {
    if (typeof value === "string") {
      if (key === "shadow") return value.replaceAll("white", darker("white"));
      if (key === "text") return value.replace(/(?<=<span style="color:)#[0-9a-f]{6}(?=">)/gi, darker);
      return TOLD.has(key) ? value : darker(value);
    }
    if (Array.isArray(value)) {
      return TOLD.has(key) && key !== "text" ? value : value.map((one) => recoloured(one, key));
    }
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, recoloured(inner, name)]));
  }

  function darkened(figure) {
    const { meta, ...layout } = figure.layout;
    const shown = { ...recoloured({ data: figure.data, layout, frames: figure.frames || [] }, "") };
    for (const [name, axis] of Object.entries(shown.layout)) {
      if (/^[xy]axis\d*$/.test(name)) shown.layout[name] = { ...lines, ...axis };
    }
    return shown;
  }

  // --- drawing ---------------------------------------------------------------------------------------------------
  const drawn = new Set();
  const waiting = [];

  function draw(plot) {
    let figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    if (night.matches && !printing) figure = darkened(figure);
    if (touch.matches) figure.layout.dragmode = false; // a finger scrolls the page
    if (drawn.has(plot)) Plotly.purge(plot);
    drawn.add(plot);
    plot.marks = null;
    const config = { displaylogo: false, responsive: true };
    Plotly.newPlot(plot, { data: figure.data, layout: figure.layout, frames: figure.frames || [], config });
    plot.on("plotly_click", (event) => visit(event.points[0]));
  }

  function drawNext() {
    const plot = waiting.shift();
    if (!plot) return;
    if (!drawn.has(plot)) draw(plot);
    setTimeout(drawNext, 0); // between two figures the page answers
  }

  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watch.unobserve(entry.target);
        if (waiting.push(entry.target) === 1) setTimeout(drawNext, 0);
      }
    },
    { rootMargin: "600px" },
  );
  plots.forEach((plot) => watch.observe(plot));
  night.addEventListener("change", () => drawn.forEach(draw));
  addEventListener("beforeprint", () => {
    printing = true;
    plots.filter((plot) => drawn.has(plot) || plot.checkVisibility()).forEach(draw);
  });
  addEventListener("afterprint", () => {
    printing = false;
    if (night.matches) drawn.forEach(draw);
  });

  // Plotly turns down its own promise of playing, without a reason, when a pause breaks it off: no error of the page.
  addEventListener("unhandledrejection", (event) => {
    if (event.reason === undefined) event.preventDefault();
  });

  // --- the keyboard in a figure ----------------------------------------------------------------------------------
  // Everything that answers a hover, left to right: first what is a thing, then what joins two of them.
  function marksOf(plot) {
    const found = [];
    plot._fullData.forEach((trace, curveNumber) => {
      if (trace.visible !== true || trace.hoverinfo === "skip" || trace.hoverinfo === "none") return;
      const axis = (letter) => plot._fullLayout[(trace[`${letter}axis`] || letter).replace(/^([xy])(\d*)$/, "$1axis$2")];
      const [across, up] = [axis("x"), axis("y")];
      const at = (one, value) => (one && one.d2c ? one.d2c(value) : value);
      if (trace.z && trace.z.length) {
        trace.z.forEach((row, i) =>
          Array.from(row).forEach((value, j) => {
            if (value) found.push({ curveNumber, pointNumber: [i, j], order: 0, x: j, y: i });
          }),
        );
        return;
      }
      const xs = trace.x || [];
      for (let i = 0; i < xs.length; i += 1) {
        const about = trace.customdata && trace.customdata[i];
        const order = (Array.isArray(about) && about[0] === "link") || trace.marker?.opacity === 0 ? 1 : 0;
        const place = { x: at(across, xs[i]), y: at(up, trace.y && trace.y[i]) };
        if (Number.isFinite(place.x)) found.push({ curveNumber, pointNumber: i, order, about, ...place });
      }
    });
    return found.sort((a, b) => a.order - b.order || a.x - b.x || b.y - a.y);
  }

  function say(text) {
    heard.textContent = text;
  }

  // The words of the hover labels in sight; each line of a label is a tspan of its own.
  function hovered(plot) {
    const labels = [...plot.querySelectorAll(".hoverlayer .hovertext")];
    const lines = (label) => {
      const parts = [...label.querySelectorAll("tspan.line")].map((line) => line.textContent);
      return parts.length ? parts : [label.textContent];
    };
    return labels.flatMap(lines).filter(Boolean).join(". ");
  }

  function walk(plot, to) {
    plot.marks = plot.marks || marksOf(plot);
    if (!plot.marks.length) return;
    const last = plot.marks.length - 1;
    const here = plot.mark === undefined ? -1 : plot.mark;
    plot.mark = to === "first" ? 0 : to === "last" ? last : Math.min(last, Math.max(0, here + to));
    const { curveNumber, pointNumber } = plot.marks[plot.mark];
    Plotly.Fx.hover(plot, [{ curveNumber, pointNumber }]);
    setTimeout(() => say(`${hovered(plot)} (${plot.mark + 1} of ${last + 1})`), 60);
  }

  function step(plot, by) {
    const slider = plot.layout.sliders[0];
    const to = Math.min(slider.steps.length - 1, Math.max(0, (slider.active || 0) + by));
    const { method, args, label } = slider.steps[to];
    Plotly.Fx.unhover(plot);
    Promise.resolve(press(plot, method, args)).then(() => {
      plot.marks = null;
      slider.active = to;
      const now = plot.data.filter((trace) => trace.name === "words").map((trace) => plain([trace.text].flat()[0]));
      say(now.filter(Boolean).join(". ") || label);
    });
  }

  function press(plot, method, args) {
    const can = { animate: Plotly.animate, relayout: Plotly.relayout, restyle: Plotly.restyle, update: Plotly.update };
    return Object.hasOwn(can, method) ? can[method](plot, ...(args || [])) : null;
  }

  function play(plot) {
    const menu = (plot.layout.updatemenus || []).find((one) => one.type === "buttons");
    if (!menu) return;
    plot.playing = !plot.playing;
    const button = menu.buttons[plot.playing ? 0 : menu.buttons.length - 1];
    const played = press(plot, button.method, button.args);
    say(plot.playing ? "Playing" : "Paused");
    Promise.resolve(played).then(
      () => { plot.playing = false; },
      () => { plot.playing = false; }, // a pause breaks off what was playing
    );
  }

  function plain(markup) {
    return new DOMParser().parseFromString((markup || "").replaceAll("<br>", ". "), "text/html").body.textContent;
  }

  plots.forEach((plot) => {
    plot.addEventListener("keydown", (event) => {
      if (event.target !== plot || event.ctrlKey || event.altKey || event.metaKey || !drawn.has(plot)) return;
      const slides = (plot.layout.sliders || []).length > 0;
      const acts = {
        ArrowRight: () => (slides ? step(plot, 1) : walk(plot, 1)),
        ArrowLeft: () => (slides ? step(plot, -1) : walk(plot, -1)),
        ArrowDown: () => walk(plot, 1),
        ArrowUp: () => walk(plot, -1),
        Home: () => walk(plot, "first"),
        End: () => walk(plot, "last"),
        Enter: () => plot.mark !== undefined && visit({ customdata: plot.marks[plot.mark].about }),
        Escape: () => Plotly.Fx.unhover(plot),
        ...(slides ? { " ": () => play(plot) } : {}),
      };
      if (!Object.hasOwn(acts, event.key)) return;
      event.preventDefault();
      acts[event.key]();
    });
    plot.addEventListener("blur", () => drawn.has(plot) && Plotly.Fx.unhover(plot));
  });

  // --- getting about ---------------------------------------------------------------------------------------------
  const about = new Map([...document.querySelectorAll("[data-about]")].map((part) => [part.dataset.about, part]));

  function visit(point) {
    const part = point && Array.isArray(point.customdata) && about.get(point.customdata.slice(0, 2).join(" "));
    if (part) show(part);
  }

  function show(part) {
    for (let at = part; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    part.scrollIntoView();
    const title = part.querySelector("summary, h2, h3") || part;
    if (title.tagName !== "SUMMARY") title.tabIndex = -1;
    title.focus({ preventScroll: true });
  }

  function follow() {
    const part = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (part) show(part);
  }
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#"]');
    if (link && link.getAttribute("href") === location.hash) follow(); // the same link again changes no hash
  });

  // --- tables ----------------------------------------------------------------------------------------------------
  function filtered(table) {
    const rows = [...table.tBodies[0].rows];
    const first = facts.rows;
    if (rows.length <= facts.few) return;
    const words = rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase());
    const bar = document.createElement("div");
    const label = document.createElement("label");
    const input = document.createElement("input");
    const all = document.createElement("button");
    const count = document.createElement("span");
    bar.className = "filter";
    input.type = "search";
    all.type = "button";
    count.setAttribute("role", "status");
    label.append("Filter rows ", input);
    bar.append(label, all, count);
    table.closest(".wide").before(bar);
    let every = false;
    const apply = () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = words.map((said) => wanted.every((word) => said.includes(word)));
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !fits[i] || (!every && shown >= first);
        if (!row.hidden) shown += 1;
      });
      const found = fits.filter(Boolean).length;
      all.hidden = !every && found <= first;
      all.textContent = every ? "Show fewer" : `Show all ${found.toLocaleString("en")}`;
      count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length.toLocaleString("en")} rows shown`;
    };
    input.addEventListener("input", apply);
    all.addEventListener("click", () => { every = !every; apply(); });
    apply();
  }
  document.querySelectorAll("main .wide > table").forEach(filtered);
  if (location.hash) follow();
})();
