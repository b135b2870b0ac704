// Figures that move: under a printed figure a button, and after it sliders and a drawing.
// The data are those of the function that drew the printed one, vmbmodel.leading, run in the page.
(() => {
  "use strict";
  const { make, lacking, begin, call, latest } = vmbmodelLive;
  const OLD = "To move this figure, a browser of 2023 or later is needed.";
  const [WIDTH, HEIGHT, LEFT, BELOW, ABOVE] = [640, 320, 56, 44, 14];
  const shape = (tag, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const ticks = ({ low, high, clock, log }, wide) => {
    if (log) {
      const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
      return Array.from({ length: last - first + 1 }, (_, i) => Number((10 ** (first + i)).toPrecision(12)));
    }
    const rough = (high - low) / (wide < 400 ? 4 : 5);
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = clock ? 3 : [1, 2, 5, 10].find((times) => times * unit >= rough) * unit;
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  };
  const scale = ({ low, high, log }, from, to) => {
    const at = log ? Math.log : (value) => value;
    return (value) => from + ((at(Math.min(Math.max(value, low), high)) - at(low)) / (at(high) - at(low) || 1)) * (to - from);
  };
  const said = (value, maximumFractionDigits = 3) => value.toLocaleString("en", { maximumFractionDigits });
  // lines in their order, each with a colour and a dash; the first colour is that of an area
  const looks = ({ lines, area }) => lines.map((_, number) => `moving-${(number + (area ? 1 : 0)) % 4} dash-${number % 4}`);

  function drawn(figure, width) {
    const { x, y, bars } = figure;
    const height = bars ? BELOW + 28 * bars.labels.length + ABOVE : HEIGHT;
    const left = bars ? 76 : LEFT, right = width - 14, bottom = height - BELOW;
    const across = scale(x, left, right);
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": figure.said });
    const write = (text, attributes) => svg.append(shape("text", attributes, text));
    const stroke = (name, d) => svg.append(shape("path", { class: name, d }));
    for (const value of ticks(x, width)) {
      stroke("moving-grid", `M${across(value)} ${ABOVE}V${bottom}`);
      write(x.clock ? value % 24 : said(value), { x: across(value), y: bottom + 16, "text-anchor": "middle" });
    }
    write(x.label, { x: (left + right) / 2, y: height - 8, "text-anchor": "middle" });
    if (bars) {
      bars.values.forEach((parts, row) => {
        const top = ABOVE + 28 * row;
        write(bars.labels[row], { x: left - 6, y: top + 18, "text-anchor": "end", class: row === bars.mine ? "moving-mine" : "" });
        let end = 0;
        parts.forEach((part, number) => {
          const [from, to] = [across(end), across(end += part)];
          svg.append(shape("rect", { class: `moving-${number}`, x: from, y: top + 4, width: to - from, height: 20 }));
        });
        write(said(end, 0), { x: across(end) + 4, y: top + 18 });
      });
      return svg;
    }
    const up = y.down ? scale(y, ABOVE, bottom) : scale(y, bottom, ABOVE);
    for (const { label, low, high } of figure.stretches || []) {
      svg.prepend(shape("rect", { class: "moving-stretch", x: across(low), y: ABOVE, width: across(high) - across(low), height: bottom - ABOVE }));
      write(label, { x: (across(low) + across(high)) / 2, y: ABOVE + 12, "text-anchor": "middle" });
    }
    const joined = (points) => points.map(([a, b]) => `${across(a).toFixed(1)},${up(b).toFixed(1)}`).join(" ");
    for (const value of ticks(y)) {
      stroke("moving-grid", `M${left} ${up(value)}H${right}`);
      write(said(value), { x: left - 6, y: up(value) + 4, "text-anchor": "end" });
    }
    write(y.label, { x: 12, y: (ABOVE + bottom) / 2, transform: `rotate(-90 12 ${(ABOVE + bottom) / 2})`, "text-anchor": "middle" });
    for (const { at } of figure.limits || []) stroke("moving-limit", `M${left} ${up(at)}H${right}`);
    if (figure.area) svg.append(shape("polygon", { points: joined(figure.area.points) }));
    figure.lines.forEach(({ points }, number) => {
      svg.append(shape("polyline", { class: looks(figure)[number], points: joined(points) }));
    });
    for (const { label, at } of figure.limits || []) {
      write(label, { x: right, y: up(at) + (up(at) < 3 * ABOVE ? 13 : -4), "text-anchor": "end" });
    }
    const { points = [], names = [] } = figure.dots || {};
    points.forEach(([a, b], number) => {
      svg.append(shape("circle", { cx: across(a), cy: up(b), r: 2.5 }));
      if (!names[number]) return;
      const far = across(a) + 6 * names[number].length > right;
      write(names[number], { x: across(a) + (far ? -5 : 5), y: up(b) + (far ? 14 : -5), "text-anchor": far ? "end" : "start" });
    });
    if (figure.mark) {
      const at = across(figure.mark.at);
      const beside = at < left + 16 ? at + 13 : at - 5;
      stroke("moving-mark", `M${at} ${ABOVE}V${bottom}`);
      write(figure.mark.label, { x: beside, y: bottom - 5, transform: `rotate(-90 ${beside} ${bottom - 5})` });
    }
    return svg;
  }

  // what the lines, dots or parts of bars are, each with a sample
  function legend(figure) {
    const { lines, dots, area, bars } = figure;
    const entry = (sample, label) => {
      const svg = shape("svg", { width: 30, height: 12, "aria-hidden": "true" });
      svg.append(sample);
      return make("li", {}, svg, label);
    };
    const entries = bars
      ? bars.parts.map((name, number) => entry(shape("rect", { class: `moving-${number}`, width: 30, height: 12 }), name))
      : lines.map(({ label }, number) => entry(shape("polyline", { class: looks(figure)[number], points: "0,6 30,6" }), label));
    if (area) entries.push(entry(shape("polygon", { points: "0,0 30,0 30,12 0,12" }), area.label));
    if (dots) entries.push(entry(shape("circle", { cx: 15, cy: 6, r: 2.5 }), dots.label));
    return make("ul", { class: "moving-legend" }, ...entries);
  }

  const ready = (root) => {
    const status = make("p", { role: "status" });
    const sliders = make("div", { class: "moving-sliders" });
    const picture = make("div");
    const sentence = make("p", { role: "status" });
    const given = {};
    let figure;
    const draw = () => { picture.replaceChildren(legend(figure), drawn(figure, Math.min(WIDTH, root.clientWidth))); };
    const ask = latest(async () => {
      try {
        figure = await call("figure", { name: root.dataset.figure, given: { ...JSON.parse(root.dataset.given), ...given } });
        status.textContent = "";
        draw();
        sentence.textContent = figure.said;
        if (!sliders.children.length) figure.controls.forEach(control);
      } catch (error) { status.textContent = error.message; }
    });
    const control = (about) => {
      const id = `moving-${root.dataset.figure}-${about.name}`;
      const change = (value) => { given[about.name] = value; ask(); };
      const label = (...more) => make("label", { for: id, title: about.text }, about.label, about.unit ? ` (${about.unit}): ` : ": ", ...more);
      if (about.choices) {
        const options = about.choices.map((choice) => make("option", choice === about.value ? { selected: "" } : {}, choice));
        sliders.append(make("div", {}, label(), make("select", { id, onchange: (event) => change(event.target.value) }, ...options)));
        return;
      }
      const value = make("output", { for: id }, String(about.value));
      sliders.append(make("div", {}, label(value),
        make("input", { type: "range", id, min: about.low, max: about.high, step: about.step, value: about.value, oninput: (event) => {
          value.textContent = event.target.value;
          change(Number(event.target.value));
        } })));
    };
    const button = make("button", { type: "button", onclick: async () => {
      button.disabled = true;
      try {
        await begin(root.dataset.parts, (text) => { status.textContent = text; });
        button.remove();
        await ask();
        window.addEventListener("resize", draw);
      } catch (error) { status.textContent = error.message; }
    } }, `Move this figure (loads ${root.dataset.size} of Python from this book)`);
    root.replaceChildren(...(lacking.length ? [OLD] : [button, status, picture, sentence, sliders]));
  };
  // the script stands below the first figure of a page; there may be more
  const all = () => { document.querySelectorAll(".moving").forEach(ready); };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", all); else all();
})();
