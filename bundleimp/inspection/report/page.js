"use strict";
// The charts, and the tables with the same numbers. Names become text nodes, or text on a canvas; never HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const kinds = data.kinds;
  const byId = (id) => document.getElementById(id);

  function make(tag, properties = {}, ...content) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...content);
    return element;
  }

  function sizeText(size) {
    for (const unit of ["B", "kB", "MB"]) {
      if (size < 1000) return unit === "B" ? `${size} B` : `${size.toFixed(1)} ${unit}`;
      size /= 1000;
    }
    return `${size.toFixed(1)} GB`;
  }
  const timeText = (microseconds) => `${(microseconds / 1000).toFixed(microseconds < 10000 ? 2 : 1)} ms`;
  const count = (number) => number.toLocaleString("en");

  // A colour of the style sheet, as it is now.
  function colour(name) {
    const probe = document.body.appendChild(make("span"));
    probe.style.color = `var(--${name})`;
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  const charts = [];
  function addChart(id, draw) {
    const chart = echarts.init(byId(id), null, { renderer: "canvas" });
    charts.push({ chart, draw });
    return chart;
  }
  const redraw = () => charts.forEach(({ draw }) => draw());

  const tip = (lines) => make("div", { className: "tip" }, ...lines.map((line) => make("div", { textContent: line })));
  const tooltip = () => ({
    renderMode: "html", confine: true, transitionDuration: 0,
    backgroundColor: colour("panel"), borderColor: colour("line"), textStyle: { color: colour("text"), fontSize: 14 },
  });

  // --- tables that can be sorted
  function valueOf(row, column) {
    const cell = row.cells[column];
    const number = cell.querySelector("data");
    if (number) return Number(number.value);
    const text = cell.textContent;
    return cell.classList.contains("number") && text ? Number(text.replaceAll(",", "")) : text.toLowerCase();
  }

  function sort(table) {
    const head = table.querySelector("th[aria-sort]");
    if (!head) return;
    const sign = head.getAttribute("aria-sort") === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [valueOf(row, head.cellIndex), row]);
    rows.sort(([one], [other]) => sign * (one < other ? -1 : one > other ? 1 : 0));
    body.append(...rows.map(([, row]) => row));
  }

  function makeSortable(table) {
    for (const head of table.tHead.rows[0].cells) {
      const button = make("button", { type: "button", textContent: head.textContent });
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
        const first = head.classList.contains("number") ? "descending" : "ascending";
        const second = first === "ascending" ? "descending" : "ascending";
        head.setAttribute("aria-sort", before === first ? second : first);
        sort(table);
      });
      head.replaceChildren(button);
    }
  }

  // --- the treemap: nodes are [name, parent, source, bytecode, native, data, members, state]
  const [NAME, PARENT, SIZES, MEMBERS, STATE] = [0, 1, 2, 6, 7];
  const CLOSED = 2;
  const inside = data.nodes.map(() => []);
  data.nodes.forEach((node, number) => { if (node[PARENT] >= 0) inside[node[PARENT]].push(number); });
  const counted = new Set(kinds);
  let current = 0;

  const sizesOf = (number) => data.nodes[number].slice(SIZES, MEMBERS);
  const total = (number) => sizesOf(number).reduce((sum, size, at) => sum + (counted.has(kinds[at]) ? size : 0), 0);
  const nameOf = (number) => (number ? data.nodes[number][NAME] : document.querySelector("h1").textContent);

  function mainKind(number) {
    const sizes = sizesOf(number);
    return kinds[sizes.indexOf(Math.max(...sizes))];
  }

  function drawTreemap() {
    const text = colour("text");
    const frame = colour("panel");
    const shown = inside[current].length ? inside[current] : [current];
    const element = byId("treemap");
    const perByte = element.clientWidth * element.clientHeight / Math.max(total(current), 1);
    const boxes = shown.map((number) => ({
      name: nameOf(number), number, value: total(number), itemStyle: { color: colour(mainKind(number)) },
      children: sizesOf(number).map((size, at) => ({
        name: kinds[at], number, value: counted.has(kinds[at]) ? size : 0, itemStyle: { color: colour(kinds[at]) },
      })).filter((box) => box.value > 0),
    })).filter((box) => box.value > 0);
    treemap.clear(); // otherwise labels of the last folder remain
    treemap.setOption({
      animation: false,
      tooltip: {
        ...tooltip(),
        formatter: ({ data: box }) => box && box.number !== undefined
          ? tip([nameOf(box.number), ...sizesOf(box.number).map((size, at) => `${kinds[at]}: ${sizeText(size)}`)])
          : "",
      },
      series: [{
        type: "treemap", animation: false, animationDurationUpdate: 0, roam: false, nodeClick: false, breadcrumb: { show: false },
        left: 0, top: 0, right: 0, bottom: 0, visibleMin: 30, childrenVisibleMin: 200,
        label: {
          color: "#14181c", fontSize: 12, lineHeight: 15, overflow: "truncate",
          // Small boxes have no name: their colour says it.
          formatter: ({ data: box }) => {
            const area = box.value * perByte;
            return area < 4000 ? "" : `${area < 12000 ? "" : `${box.name}\n`}${sizeText(box.value)}`;
          },
        },
        upperLabel: {
          show: true, height: 20, color: text, fontSize: 13, overflow: "truncate",
          formatter: ({ data: box }) => (box && box.name ? `${box.name}  ${sizeText(box.value)}` : ""),
        },
        levels: [
          { itemStyle: { borderWidth: 0, gapWidth: 3, borderColor: colour("page") }, upperLabel: { show: false } },
          { itemStyle: { borderWidth: 2, gapWidth: 1, borderColor: frame } },
          { itemStyle: { borderWidth: 0, gapWidth: 0 } },
        ],
        data: boxes,
      }],
    }, true);
  }

  function drawFolder() {
    const path = [];
    for (let number = current; number >= 0; number = data.nodes[number][PARENT]) path.unshift(number);
    byId("crumbs").firstElementChild.replaceChildren(...path.map((number) => {
      const button = make("button", { type: "button" }, make("bdi", { textContent: nameOf(number) }));
      if (number === current) button.setAttribute("aria-current", "location");
      button.addEventListener("click", () => go(number));
      return make("li", {}, button);
    }));
    const node = data.nodes[current];
    byId("folder-caption").textContent =
      `${nameOf(current)}: ${sizeText(total(current))}, ${count(node[MEMBERS])} members`;
    const cell = (size) => make("td", { className: "number" },
      make("data", { value: size, textContent: size ? sizeText(size) : "", title: `${count(size)} bytes` }));
    byId("folder").tBodies[0].replaceChildren(...inside[current].map((number) => {
      const { [NAME]: name, [MEMBERS]: members, [STATE]: state } = data.nodes[number];
      const title = make("td");
      if (inside[number].length) {
        const button = make("button", { type: "button" }, make("bdi", { textContent: name }));
        button.addEventListener("click", () => go(number, true));
        title.append(button);
      } else {
        title.append(make("bdi", { textContent: name }), state === CLOSED ? " (content not shown)" : "");
      }
      return make("tr", {}, title, ...sizesOf(number).map(cell), cell(total(number)),
        make("td", { className: "number", textContent: count(members) }));
    }));
    sort(byId("folder"));
  }

  function go(number, isFocused = true) {
    current = number;
    drawFolder();
    drawTreemap();
    if (isFocused) byId("crumbs").querySelector("[aria-current]").focus();
  }

  kinds.forEach((kind) => {
    const box = make("input", { type: "checkbox", checked: true, name: kind });
    box.addEventListener("change", () => {
      counted[box.checked ? "add" : "delete"](kind);
      drawFolder();
      drawTreemap();
    });
    byId("kinds").append(make("label", {}, box, make("span", { className: `swatch ${kind}` }), kind));
  });

  // --- the waterfall: bars are [name, parent, begin, own, total, bundled, lazy, merged]
  const FEW = 40;
  const MOST = 400;
  const within = new Map();
  data.bars.forEach((bar, number) => {
    if (!within.has(bar[1])) within.set(bar[1], []);
    within.get(bar[1]).push(number);
  });
  const opened = new Set();

  function visible() {
    const rows = [];
    const waiting = (within.get(-1) || []).map((number) => [number, 0]).reverse();
    while (waiting.length) {
      const [number, depth] = waiting.pop();
      rows.push([number, depth]);
      if (opened.has(number)) waiting.push(...within.get(number).map((child) => [child, depth + 1]).reverse());
    }
    return rows;
  }

  // At first, the slowest imports are open.
  function openSlowest() {
    let rows = (within.get(-1) || []).length;
    const candidates = [...(within.get(-1) || [])];
    while (candidates.length) {
      candidates.sort((one, other) => data.bars[one][4] - data.bars[other][4]);
      const number = candidates.pop();
      const children = within.get(number);
      if (!children) continue;
      if (rows + children.length > FEW) break;
      opened.add(number);
      rows += children.length;
      candidates.push(...children);
    }
  }

  function toggle(number) {
    if (!within.has(number)) return;
    opened[opened.has(number) ? "delete" : "add"](number);
    drawImports();
    drawWaterfall();
  }

  function drawWaterfall() {
    const rows = visible();
    const shown = rows.slice(0, MOST);
    byId("waterfall-note").textContent = rows.length > MOST
      ? `The chart shows the first ${MOST} of ${rows.length} rows of the table.` : "";
    byId("waterfall").style.height = `${shown.length * 22 + 60}px`;
    waterfall.resize();
    const left = Math.min(310, Math.round(byId("waterfall").clientWidth * 0.42));
    const [text, quiet, line] = [colour("text"), colour("quiet"), colour("line")];
    const [bundled, elsewhere, nested] = [colour("bundled"), colour("elsewhere"), colour("nested")];
    const bar = (name, color, values) =>
      ({ type: "bar", name, stack: "all", barWidth: 14, silent: false, itemStyle: { color }, data: values });
    const label = (at) => {
      const [number, depth] = shown[at];
      const mark = within.has(number) ? (opened.has(number) ? "▾ " : "▸ ") : "";
      return "  ".repeat(depth) + mark + data.bars[number][0] + (data.bars[number][6] ? " (lazy)" : "");
    };
    waterfall.setOption({
      animation: false,
      tooltip: {
        ...tooltip(), trigger: "item",
        formatter: ({ dataIndex }) => {
          const [name, parent, begin, own, all] = data.bars[shown[dataIndex][0]];
          const importer = parent < 0 ? "the program" : data.bars[parent][0];
          return tip([name, `imported by ${importer}`, `begin: ${timeText(begin)}`, `own time: ${timeText(own)}`,
            `with its imports: ${timeText(all)}`]);
        },
      },
      grid: { left, right: 24, top: 32, bottom: 8 },
      xAxis: {
        type: "value", position: "top", axisLabel: { color: quiet, hideOverlap: true, formatter: (value) => `${value} ms` },
        splitLine: { lineStyle: { color: line } },
      },
      yAxis: {
        type: "category", inverse: true, data: shown.map((_, at) => String(at)), axisTick: { show: false },
        axisLine: { lineStyle: { color: line } }, triggerEvent: true,
        axisLabel: {
          color: text, interval: 0, width: left - 20, overflow: "truncate", align: "left", margin: left - 10,
          formatter: (_, at) => label(at),
        },
      },
      series: [
        { ...bar("begin", "transparent", shown.map(([number]) => data.bars[number][2] / 1000)), silent: true },
        bar("its imports", nested, shown.map(([number]) => (data.bars[number][4] - data.bars[number][3]) / 1000)),
        bar("own code", bundled, shown.map(([number]) => ({
          value: data.bars[number][3] / 1000, itemStyle: { color: data.bars[number][5] ? bundled : elsewhere },
        }))),
      ],
    }, true);
  }

  function drawImports() {
    const cell = (time) => make("td", { className: "number", textContent: timeText(time) });
    byId("imports").tBodies[0].replaceChildren(...visible().map(([number, depth]) => {
      const [name, parent, begin, own, all, bundled, lazy, merged] = data.bars[number];
      const title = make("td");
      title.style.paddingLeft = `${0.6 + Math.min(depth, 30) * 1.1}rem`;
      if (within.has(number)) {
        const button = make("button", { type: "button" },
          make("span", { className: "toggle", textContent: opened.has(number) ? "▾" : "▸" }),
          make("bdi", { textContent: name }));
        button.setAttribute("aria-expanded", String(opened.has(number)));
        button.addEventListener("click", () => {
          toggle(number);
          byId("imports").querySelector(`[data-number="${number}"] button`).focus();
        });
        title.append(button);
      } else {
        title.append(make("span", { className: "toggle" }), make("bdi", { textContent: name }));
      }
      const row = make("tr", {}, title,
        make("td", {}, make("bdi", { textContent: parent < 0 ? "the program" : data.bars[parent][0] })),
        cell(begin), cell(own), cell(all),
        make("td", { textContent: merged ? "" : bundled ? "bundle" : "elsewhere" }),
        make("td", { textContent: lazy ? "lazy" : "" }));
      row.dataset.number = number;
      return row;
    }));
  }

  // --- all together
  document.querySelectorAll("data.bytes").forEach((element) => {
    element.title = element.textContent;
    element.textContent = Number(element.value) ? sizeText(Number(element.value)) : "";
  });
  document.querySelectorAll("data.time").forEach((element) => {
    element.textContent = timeText(Number(element.value));
  });
  document.querySelectorAll("table.sortable").forEach(makeSortable);

  const treemap = addChart("treemap", drawTreemap);
  treemap.on("click", ({ data: box }) => {
    if (box && box.number !== undefined && inside[box.number].length) go(box.number, false);
  });
  go(0, false);
  let waterfall;
  if (data.bars.length) {
    waterfall = addChart("waterfall", drawWaterfall);
    waterfall.on("click", ({ componentType, value, dataIndex }) => {
      const row = visible()[componentType === "yAxis" ? Number(value) : dataIndex];
      if (row) toggle(row[0]);
    });
    openSlowest();
    drawImports();
    drawWaterfall();
  }
  byId("theme").addEventListener("change", ({ target }) => {
    document.documentElement.dataset.theme = target.value;
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", () => {
    charts.forEach(({ chart }) => chart.resize());
    redraw();
  });
})();
