// Runs programs, one JSON line each, and answers with what they did.
const lines = require("node:readline").createInterface({ input: process.stdin });

function behaviour({ source, on, argument }) {
  const trace = [];
  let left = 3;
  const t = (value) => {
    // The actor given to the flag, t(9), is asked for no longer; all else must be.
    if (value !== 9) trace.push(value);
    return value % 2 ? value : 0;
  };
  const step = () => --left > 0;
  const run = (value) => {
    trace.push(JSON.stringify(value) ?? "undefined");
    return value;
  };
  const flags = { isEnabled: () => on, isDisabled: () => !on };
  const useFlag = () => on;
  try {
    const main = new Function("flags", "useFlag", "t", "step", "run", "p", source);
    run(main(flags, useFlag, t, step, run, argument));
  } catch (error) {
    trace.push(error instanceof Error ? error.name : String(error));
  }
  return trace;
}

lines.on("line", (line) => {
  process.stdout.write(`${JSON.stringify(JSON.parse(line).map(behaviour))}\n`);
});
