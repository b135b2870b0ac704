// Figures that move: under a printed figure a button, and after it sliders and a drawing.
// The data are those of a function of the package's own formulas, run in the page.
(() => {
  "use strict";
  const { make, lacking, begin, call, latest } = vmbmodelLive;
  const [WIDTH, HEIGHT, LEFT, BELOW] = [640, 320, 56, 44];
  const shape = (tag, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const ticks = ({ low, high, every }) => {
    const rough = (high - low) / 5;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = every || [1, 2, 5, 10].find((times) => times * unit >= rough) * unit;
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  };

  function drawn({ x, y, lines, said }, width) {
    const right = width - 10, bottom = HEIGHT - BELOW;
    const across = (value) => LEFT + ((value - x.low) / (x.high - x.low || 1)) * (right - LEFT);
    const up = (value) => bottom - ((value - y.low) / (y.high - y.low || 1)) * (bottom - 30);
    const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": said });
    for (const value of ticks(x)) {
      svg.append(shape("path", { class: "moving-grid", d: `M${across(value)} 30V${bottom}` }));
      svg.append(shape("text", { x: across(value), y: bottom + 16, "text-anchor": "middle" }, x.clock ? value % 24 : value.toLocaleString("en")));
    }
    for (const value of ticks(y)) {
      svg.append(shape("path", { class: "moving-grid", d: `M${LEFT} ${up(value)}H${right}` }));
      svg.append(shape("text", { x: LEFT - 6, y: up(value) + 4, "text-anchor": "end" }, value.toLocaleString("en")));
    }
    svg.append(shape("text", { x: (LEFT + right) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, x.label));
    svg.append(shape("text", { x: 12, y: bottom / 2, transform: `rotate(-90 12 ${bottom / 2})`, "text-anchor": "middle" }, y.label));
    lines.forEach(({ label, points }, number) => {
      svg.append(shape("polyline", { class: `moving-${number}`, points: points.map(([a, b]) => `${across(a).toFixed(1)},${up(b).toFixed(1)}`).join(" ") }));
      svg.append(shape("text", { class: `moving-${number}`, x: LEFT + number * (right - LEFT) / 2, y: 18 }, label));
    });
    return svg;
  }

  for (const root of document.querySelectorAll(".moving")) {
    const status = make("p", { role: "status" });
    const sliders = make("div", { class: "moving-sliders" });
    const picture = make("div");
    const said = make("p");
    const given = {};
    const ask = latest(async () => {
      try {
        const figure = await call("figure", { name: root.dataset.figure, given: { ...JSON.parse(root.dataset.given), ...given } });
        status.textContent = "";
        picture.replaceChildren(drawn(figure, Math.min(WIDTH, root.clientWidth)));
        said.textContent = figure.said;
        if (!sliders.children.length) figure.controls.forEach(control);
      } catch (error) { status.textContent = error.message; }
    });
    const control = (about) => {
      const id = `moving-${root.dataset.figure}-${about.name}`;
      const value = make("output", { for: id }, String(about.value));
      sliders.append(make("div", {},
        make("label", { for: id, title: about.text }, about.label, about.unit ? ` (${about.unit}): ` : ": ", value),
        make("input", { type: "range", id, min: about.low, max: about.high, step: about.step, value: about.value, oninput: (event) => {
          given[about.name] = Number(event.target.value);
          value.textContent = event.target.value;
          ask();
        } })));
    };
    const button = make("button", { type: "button", onclick: async () => {
      button.disabled = true;
      try {
        await begin(root.dataset.parts, (text) => { status.textContent = text; });
        button.remove();
        await ask();
      } catch (error) { status.textContent = error.message; }
    } }, `Move this figure (loads ${root.dataset.size} of Python from this book)`);
    if (!lacking.length) root.append(button, status, picture, said, sliders);
  }
})();
