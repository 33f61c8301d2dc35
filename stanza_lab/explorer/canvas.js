// One plotly figure that Python replaces as a whole. Text is only ever set as text: figures carry alert titles.

const CONFIG = { displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
const [WIDE, AROUND] = [1100, 160];  // px: what figures are laid out for, and what legend and margins take of it
const LEAST = 60;  // px: half a name
const SAY = { lt: "<", gt: ">", amp: "&", quot: '"', "#x27": "'", "#39": "'" };

/** What a hover text says, without plotly's markup. */
function plain(markup) {
  return String(markup || "")
    .replace(/<br>/g, ". ")
    .replace(/<[^>]*>/g, "")
    .replace(/&(lt|gt|amp|quot|#x27|#39);/g, (all, name) => SAY[name]);
}

/** All that can be picked, in reading order: nodes from left to right, then the middles of links. */
function places(plot) {
  const found = [];
  plot.data.forEach((trace, curve) => {
    if (trace.visible === "legendonly" || !trace.customdata) return;
    const full = plot._fullData[curve];
    trace.customdata.forEach((what, point) => {
      if (!Array.isArray(what) || full.x[point] == null) return;
      const said = Array.isArray(full.hovertext) ? full.hovertext[point] : full.hovertext;
      const link = String(what[0]).startsWith("link") ? 1 : 0;
      found.push({ what, curve, point, link, x: full.x[point], y: full.y[point], said: plain(said) });
    });
  });
  return found.sort((a, b) => a.link - b.link || a.x - b.x || b.y - a.y);
}

/** Leave names at the left and right edges the room they have in a figure 1,100 px wide. */
function roomy(figure, [low, high], width) {
  const range = figure.layout && figure.layout.xaxis && figure.layout.xaxis.range;
  if (!range || low === undefined || width >= WIDE) return;
  const scale = (WIDE - AROUND) / (range[1] - range[0]);  // px per unit as it was meant
  const [left, right] = [low - range[0], range[1] - high].map((room) => Math.max(room * scale, LEAST));
  const inside = width - AROUND - left - right;
  if (inside < 100 || high === low) return;
  const unit = (high - low) / inside;
  figure.layout.xaxis.range = [low - left * unit, high + right * unit];
}

/** The next place from `here` in the direction of an arrow key, on the screen. */
function beyond(all, here, key) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  const far = (to) => {
    const along = (to.x - here.x) * dx + (to.y - here.y) * dy;
    const aside = Math.abs((to.x - here.x) * dy) + Math.abs((to.y - here.y) * dx);
    return along > 1e-6 ? along + 2 * aside : Infinity;
  };
  const best = all.filter((to) => to.link === here.link).sort((a, b) => far(a) - far(b))[0];
  return best && far(best) < Infinity ? best : here;
}

function render({ model, el }) {
  const plot = document.createElement("div");
  const spoken = document.createElement("div");
  plot.className = "stanza-canvas";
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-description", "Arrow keys walk from service to service, L to the links, Enter picks.");
  spoken.className = "stanza-spoken";
  spoken.setAttribute("role", "status");
  el.append(plot, spoken);
  let width = 0;
  let shown = () => undefined;
  let drawn = new Promise((resolve) => { shown = resolve; });  // plotly measures text: wait until there is a page
  let here = null;

  const pick = (what) => {
    model.set("clicked", [...what.map(String), String(model.get("clicks") + 1)]);
    model.set("clicks", model.get("clicks") + 1);
    model.save_changes();
  };
  const describe = () => plot.setAttribute("aria-label", model.get("description"));
  const draw = () => {
    drawn = drawn.then(async () => {
      const began = performance.now();
      const figure = JSON.parse(model.get("figure") || "{}");
      here = null;
      if (plot.data) Plotly.Fx.unhover(plot);
      roomy(figure, model.get("between"), width);
      await Plotly.react(plot, { data: figure.data || [], layout: figure.layout || {}, config: CONFIG });
      if (figure.frames && figure.frames.length) await Plotly.addFrames(plot, figure.frames);
      if (!plot.stanzaListens) {
        plot.stanzaListens = true;
        plot.on("plotly_click", (event) => {
          const point = event.points.find((one) => Array.isArray(one.customdata));
          if (point) pick(point.customdata);
        });
      }
      await step();
      model.set("drawn_ms", performance.now() - began);
      model.save_changes();
    }).catch((error) => { spoken.textContent = `The picture could not be drawn: ${error.message}`; });
  };
  const step = () => {
    const name = model.get("frame");
    if (!name || !plot.data || !plot.data.length) return undefined;
    const now = { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
    return Plotly.animate(plot, [name], now).catch(() => undefined);
  };
  const lit = () => {
    model.set("dark", document.body.dataset.jpThemeLight === "false");
    model.save_changes();
  };

  plot.addEventListener("keydown", (event) => {
    const all = plot.data ? places(plot) : [];
    if (!all.length) return;
    if (event.key.startsWith("Arrow")) here = here ? beyond(all, here, event.key) : all[0];
    else if (event.key === "Home") here = all[0];
    else if (event.key === "End") here = all[all.length - 1];
    else if (event.key === "l") here = all.find((one) => one.link) || all[0];
    else if (event.key === "Enter" && here) pick(here.what);
    else return;
    event.preventDefault();
    event.stopPropagation();
    Plotly.Fx.hover(plot, [{ curveNumber: here.curve, pointNumber: here.point }]);
    spoken.textContent = here.said;
  });

  const sizes = new ResizeObserver(() => {
    if (!plot.offsetWidth || plot.offsetWidth === width) return;
    const first = !width;
    width = plot.offsetWidth;
    if (first) shown();
    else drawn = drawn.then(() => (plot.data ? Plotly.Plots.resize(plot) : undefined)).catch(() => undefined);
  });
  sizes.observe(plot);
  const watch = new MutationObserver(lit);
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("change:figure", draw);
  model.on("change:frame", () => { drawn = drawn.then(step); });
  model.on("change:description", describe);
  model.on("change:said", () => { spoken.textContent = model.get("said"); });
  describe();
  lit();
  draw();
  return () => { watch.disconnect(); sizes.disconnect(); Plotly.purge(plot); };
}

export default { render };
