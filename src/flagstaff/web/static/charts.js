// Charts over time: each place names the address of its numbers, and the table beside it has them too.
"use strict";

(() => {
  const charts = new Map();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  const marked = { person: "amber-solid", deployment: "blue-solid", engine: "red-solid", stage: "line-strong" };

  // A line for everything that people and deployments did, on the time axis of the numbers.
  function marks(of) {
    return (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.lineWidth = devicePixelRatio;
      ctx.font = `${11 * devicePixelRatio}px ${colour("sans")}`;
      ctx.fillStyle = colour("soft");
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      let free = -Infinity;
      for (const mark of of()) {
        const x = Math.round(plot.valToPos(mark.at, "x", true));
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.strokeStyle = colour(marked[mark.by]);
        ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        const room = ctx.measureText(mark.text).width + 8 * devicePixelRatio;
        if (mark.by !== "stage" || x < free || x + room > bbox.left + bbox.width) continue;
        ctx.fillText(mark.text, x + 4 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
        free = x + room;
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

  const when = { label: "At", value: (_, at) => (at === null ? "–" : moment.format(new Date(1000 * at))) };

  // How far the flag was open.
  const course = {
    height: 170,
    isWorth: (data) => data.x.length,
    columns: (data) => [data.x, data.share],
    options: (state) => ({
      scales: { x: { time: true }, y: { range: [0, 105] } },
      axes: [
        axis({ values: clock, space: 70 }),
        axis({ size: 48, values: (_, ticks) => ticks.map((tick) => `${tick} %`), splits: () => [0, 25, 50, 75, 100] }),
      ],
      series: [
        when,
        {
          label: `On in ${state.data.environment}`,
          stroke: () => colour("violet-solid"),
          fill: () => colour("violet-paper"),
          width: 2,
          paths: uPlot.paths.stepped({ align: 1 }),
          points: { show: false },
          value: (_, share) => (share === null ? "–" : `${share} %`),
        },
      ],
    }),
  };

  // How much likelier something fails with the flag on, on a scale where twice and half are alike.
  function reach(data) {
    const furthest = Math.max(2, ...data.ratio.map((ratio) => (ratio ? Math.max(ratio, 1 / ratio) : 1)));
    return Math.min(64, 4 ** Math.ceil(Math.log(furthest) / Math.log(4)));
  }

  function times(ratio, unbounded) {
    if (ratio === null || ratio === undefined) return unbounded;
    return `${Number(ratio.toPrecision(2))}×`;
  }

  const evidence = {
    height: 160,
    isWorth: (data) => data.known.some(Boolean),
    columns: (data) => {
      const most = reach(data);
      const within = (ratio) => Math.min(most, Math.max(1 / most, ratio));
      const known = (at) => data.known[at];
      return [
        data.x,
        data.low.map((low, at) => (known(at) ? within(low) : null)),
        data.high.map((high, at) => (known(at) ? within(high ?? Infinity) : null)),
        data.x.map(() => data.limit),
        data.ratio.map((ratio, at) => (known(at) && ratio !== null ? within(ratio) : null)),
      ];
    },
    options: (state) => {
      const said = (name, without) => (_, value, __, at) =>
        at === null || at === undefined || value === null ? "–" : times(state.data[name][at], without);
      const edge = { stroke: () => colour("line-strong"), width: 1, points: { show: false } };
      return {
        scales: { x: { time: true }, y: { distr: 3, log: 2, range: () => [1 / reach(state.data), reach(state.data)] } },
        bands: [{ series: [2, 1], fill: () => colour("line") }],
        axes: [
          axis({ values: clock, space: 70 }),
          axis({
            size: 44,
            splits: () => {
              const most = reach(state.data);
              const step = most > 4 ? 4 : 2;
              const found = [];
              for (let tick = 1 / most; tick <= most; tick *= step) found.push(tick);
              return found;
            },
            filter: (_, ticks) => ticks,
            values: (_, ticks) => ticks.map((tick) => (tick < 1 ? `1/${Math.round(1 / tick)}` : `${tick}×`)),
          }),
        ],
        series: [
          when,
          { label: "At least", ...edge, value: said("low", "0×") },
          { label: "at most", ...edge, value: said("high", "…") },
          {
            label: "Harmless up to",
            stroke: () => colour("red-solid"),
            width: 1.5,
            dash: [6, 4],
            points: { show: false },
            value: () => times(state.data.limit, "–"),
          },
          // Drawn last, or the band would lie on it.
          { label: "Ratio", stroke: () => colour("ink"), width: 2, points: { show: false }, value: said("ratio", "–") },
        ],
      };
    },
  };

  // How often applications were answered on and off.
  const answers = {
    height: 150,
    isWorth: (data) => data.x.length > 1,
    columns: (data) => [data.x, data.on, data.off],
    options: () => {
      const line = (label, name, dash) => ({
        label, dash, stroke: () => colour(name), width: 2, points: { show: false },
        value: (_, count) => (count === null ? "–" : count.toLocaleString()),
      });
      return {
        scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(1, 1.1 * most)] } },
        axes: [axis({ values: clock, space: 70 }), axis({ size: 60 })],
        series: [when, line("On", "violet-solid"), line("Off", "soft", [6, 4])],
      };
    },
  };

  const kinds = { course, evidence, answers };

  function options(place, state) {
    const kind = kinds[place.dataset.kind];
    return {
      width: place.clientWidth,
      height: kind.height,
      cursor: { y: false, drag: { setScale: false } },
      hooks: { draw: [marks(() => state.data.marks)] },
      ...kind.options(state),
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
      const time = hour.format(at);
      const first = date !== before;
      const said = long ? (first ? date : time) : `${time}${first ? `\n${date}` : ""}`;
      before = date;
      return said;
    });
  }

  async function load(place) {
    const answer = await fetch(place.dataset.chart, { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    const data = await answer.json();
    const known = charts.get(place);
    const kind = kinds[place.dataset.kind];
    const columns = kind.columns(data);
    if (known) {
      known.data = data;
      known.plot.setData(columns);
    } else if (kind.isWorth(data) && place.isConnected) {
      const state = { data };
      charts.set(place, state);
      state.plot = new uPlot(options(place, state), columns, place);
    }
  }

  function again(place) {
    load(place).catch(() => {}); // the connection's own sign says when the server is away
  }

  function resize() {
    for (const [place, { plot }] of charts) {
      plot.setSize({ width: place.clientWidth, height: kinds[place.dataset.kind].height });
    }
  }

  // A part that was fetched anew has new places: what was drawn in the old ones goes there.
  function moveIn() {
    const homeless = [...charts].filter(([place]) => !place.isConnected);
    for (const [place] of homeless) charts.delete(place);
    for (const place of document.querySelectorAll("[data-chart]:not([data-live])")) {
      const [, state] = homeless.find(([old]) => old.dataset.chart === place.dataset.chart) ?? [];
      if (state) {
        charts.set(place, state);
        place.append(state.plot.root);
      }
      if (state || !charts.has(place)) again(place);
    }
  }

  function start() {
    if (!window.uPlot) return;
    for (const place of document.querySelectorAll("[data-chart]")) {
      place.addEventListener("live", () => again(place));
      again(place);
    }
    document.addEventListener("htmx:afterSwap", moveIn);
    addEventListener("resize", resize);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const { plot } of charts.values()) plot.redraw();
    });
  }

  start();
})();
