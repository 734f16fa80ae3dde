// Charts over time: each place names the address of its numbers, and the table beside it has them too.
"use strict";

(() => {
  const height = 170;
  const charts = new Map();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  const marked = { person: "amber-solid", deployment: "blue-solid", engine: "red-solid" };

  // A line for everything that people and deployments did, on the time axis of the numbers.
  function marks(of) {
    return (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.lineWidth = devicePixelRatio;
      for (const mark of of()) {
        const x = Math.round(plot.valToPos(mark.at, "x", true));
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.strokeStyle = colour(marked[mark.by]);
        ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
      ctx.restore();
    };
  }

  function axis(more) {
    return {
      stroke: () => colour("soft"),
      grid: { stroke: () => colour("line"), width: 1 },
      ticks: { show: false },
      font: `12px ${colour("sans")}`,
      ...more,
    };
  }

  function options(place, state) {
    const stepped = uPlot.paths.stepped({ align: 1 });
    return {
      width: place.clientWidth,
      height,
      cursor: { y: false, drag: { setScale: false } },
      hooks: { draw: [marks(() => state.data.marks)] },
      scales: { x: { time: true }, y: { range: [0, 105] } },
      axes: [
        axis({ values: clock, space: 70 }),
        axis({ size: 48, values: (_, ticks) => ticks.map((tick) => `${tick} %`), splits: () => [0, 25, 50, 75, 100] }),
      ],
      series: [
        { label: "At", value: (_, at) => (at === null ? "–" : moment.format(new Date(1000 * at))) },
        {
          label: `On in ${state.data.environment}`,
          stroke: () => colour("violet-solid"),
          fill: () => colour("violet-paper"),
          width: 2,
          paths: stepped,
          points: { show: false },
          value: (_, share) => (share === null ? "–" : `${share} %`),
        },
      ],
    };
  }

  const moment = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

  function clock(plot, ticks) {
    const long = plot.scales.x.max - plot.scales.x.min > 3 * 86400;
    let before = "";
    return ticks.map((tick) => {
      const at = new Date(1000 * tick);
      const date = day.format(at);
      const said = long ? date : `${hour.format(at)}${date === before ? "" : `\n${date}`}`;
      before = date;
      return said;
    });
  }

  async function load(place) {
    const answer = await fetch(place.dataset.chart, { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    const data = await answer.json();
    const columns = [data.x, data.share];
    const known = charts.get(place);
    if (known) {
      known.data = data;
      known.plot.setData(columns);
    } else if (data.x.length) {
      const state = { data };
      state.plot = new uPlot(options(place, state), columns, place);
      charts.set(place, state);
    }
  }

  function again(place) {
    load(place).catch(() => {}); // the connection's own sign says when the server is away
  }

  function start() {
    if (!window.uPlot) return;
    for (const place of document.querySelectorAll("[data-chart]")) {
      place.addEventListener("live", () => again(place));
      again(place);
    }
    addEventListener("resize", () => {
      for (const [place, { plot }] of charts) plot.setSize({ width: place.clientWidth, height });
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const { plot } of charts.values()) plot.redraw();
    });
  }

  start();
})();
