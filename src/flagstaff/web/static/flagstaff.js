// What the pages do beyond HTML: local times, time left, copying, and refetching what changed.
"use strict";

(() => {
  const connectAgainAfter = 2000;
  const gather = () => (window.htmx ? 400 : 5000);

  const parts = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const local = new Intl.DateTimeFormat(undefined, parts);
  const longAgo = new Intl.DateTimeFormat(undefined, { ...parts, year: "numeric" });
  const said = (at) => (at.getFullYear() === new Date().getFullYear() ? local : longAgo).format(at);

  function showTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
      time.title = time.textContent;
      time.textContent = said(new Date(time.dateTime));
    }
    for (const left of root.querySelectorAll("[data-left]:not([data-ends])")) {
      left.dataset.ends = Date.now() + 1000 * Number(left.dataset.left);
    }
    if (navigator.clipboard) {
      for (const button of root.querySelectorAll(".copy[hidden]")) button.hidden = false;
    }
    for (const fold of root.querySelectorAll("details[data-fold]")) {
      const kept = sessionStorage.getItem(`fold:${fold.dataset.fold}`);
      if (kept !== null) fold.open = kept === "open";
    }
  }

  function words(seconds) {
    const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
    let rest = Math.max(0, Math.round(seconds));
    const at = units.findIndex(([, size]) => rest >= size || size === 1);
    const said = [];
    for (const [name, size] of units.slice(at, at + 2)) {
      const count = Math.floor(rest / size);
      if (count || !said.length) said.push(`${count} ${name}`);
      rest %= size;
    }
    return said.join(" ");
  }

  function countDown() {
    for (const left of document.querySelectorAll("[data-ends]")) {
      const seconds = (Number(left.dataset.ends) - Date.now()) / 1000;
      left.textContent = seconds > 0 ? `${words(seconds)} left` : "time is up";
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it yourself";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });

  document.addEventListener("click", (event) => {
    const fold = event.target.closest("summary")?.parentElement;
    if (!fold?.dataset.fold) return;
    setTimeout(() => sessionStorage.setItem(`fold:${fold.dataset.fold}`, fold.open ? "open" : "closed"));
  });

  // An address that is kept or sent to others says only what is searched for.
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
  });

  // The command under the form for a flag says what the form says.
  // The terminal knows these kinds of actors alone; of any other it would make a user.
  const kinds = ["Project", "Group", "Namespace", "User", "Repository"];
  const unsayable = "these actors can be set here, but not in a terminal";

  function quoted(text) {
    return /^[\w.,:/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  }

  function scoped(who, how) {
    if (how === "groups") return [`--feature-group=${who || "NAME"}`];
    const named = (who || "User:42").split(",").map((one) => one.trim()).filter(Boolean);
    return named.map((one) => {
      const kind = kinds.find((each) => one.startsWith(`${each}:`));
      if (!kind) return null;
      const rest = one.slice(kind.length + 1);
      const ambiguous = !rest || rest.startsWith("@") || rest.startsWith(`${kind}:`);
      return `--${kind.toLowerCase()}=${ambiguous ? one : rest}`;
    });
  }

  function command(form) {
    const fields = new FormData(form);
    const typed = (name) => (fields.get(name) ?? "").trim();
    const how = typed("how");
    const said = ["flagstaff", "feature", how === "unset" ? "delete" : "set"];
    said.push(form.dataset.flag || typed("flag") || "NAME");
    if (how === "matching") said.push("--expression", quoted(typed("value") || "JSON"));
    else if (how !== "unset") said.push(quoted(typed("value") || "VALUE"));
    if (how === "actors" || how === "random") said.push(`--${how}`);
    if (how === "single" || how === "groups") {
      const words = scoped(typed("who"), how);
      if (words.includes(null)) return "";
      said.push(...words.map(quoted));
    }
    said.push(...fields.getAll("environment").map((name) => `--${name}`));
    if (typed("reason")) said.push("--reason", quoted(typed("reason")));
    return said.join(" ");
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest(".flag-form");
    if (!form) return;
    const text = command(form);
    const copy = form.querySelector("[data-command] .copy");
    form.querySelector("[data-command] code").textContent = text || unsayable;
    copy.dataset.copy = text;
    copy.disabled = !text;
  });

  // Refetching. The server names what changed; each part of the page knows which names it shows.
  const shown = new WeakMap();
  const due = new Set(); // ids where there are any: a part is another element after every refetch
  let waiting = null;

  function isAbout(part, name) {
    const kind = name.split(":")[0];
    return part.dataset.live.split(" ").some((each) => each === name || each === kind);
  }

  function refetch() {
    waiting = null;
    const parts = [...due]
      .map((each) => (typeof each === "string" ? document.getElementById(each) : each))
      .filter((part) => part?.isConnected);
    due.clear();
    if (!window.htmx) {
      if (parts.length && !typedSomething(document)) location.reload();
      return;
    }
    for (const part of parts) {
      // What changes while it is being fetched is fetched again after that.
      if (part.classList.contains("htmx-request")) due.add(part.id || part);
      else window.htmx.trigger(part, "live");
    }
    soon();
  }

  function soon() {
    if (due.size && waiting === null) waiting = setTimeout(refetch, gather());
  }

  function changed(name) {
    for (const part of document.querySelectorAll("[data-live]")) {
      if (name === "everything" || isAbout(part, name)) due.add(part.id || part);
    }
    soon();
  }

  function typedSomething(root) {
    return [...root.querySelectorAll("input:not([type=hidden]), textarea")]
      .some((field) => field.value !== field.defaultValue || field === document.activeElement);
  }

  // What a person has typed outlives the part around it; fields about another step have another id.
  function typedIn(part) {
    return [...part.querySelectorAll("input[id]:not([type=hidden]), textarea[id]")].map((field) => ({
      id: field.id, value: field.value, changed: field.value !== field.defaultValue,
      focused: field === document.activeElement, start: field.selectionStart, end: field.selectionEnd,
    }));
  }

  function putBack(fields) {
    for (const { id, value, changed: was, focused, start, end } of fields) {
      const field = document.getElementById(id);
      if (!field) continue;
      if (was) field.value = value;
      if (focused) {
        field.focus();
        field.setSelectionRange?.(start, end);
      }
    }
  }

  let kept = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, serverResponse, xhr } = event.detail;
    if (xhr.status !== 200 || shown.get(target) === serverResponse) {
      event.detail.shouldSwap = false;
      return;
    }
    kept = typedIn(target);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const now = document.getElementById(event.detail.elt.id) ?? event.detail.elt;
    shown.set(now, event.detail.xhr.responseText);
    putBack(kept);
    kept = [];
    showTimes(now.parentElement ?? document);
  });

  // A browser opens only a few connections to one server: pages that nobody looks at give theirs up.
  let source = null;
  let missed = true; // what happened between rendering and listening

  function tell(text) {
    const place = document.querySelector("[data-connection]");
    if (place) place.textContent = text;
  }

  function listen() {
    if (source || document.hidden || !document.querySelector("[data-live]")) return;
    source = new EventSource("/events");
    source.addEventListener("connected", () => {
      tell("live");
      if (missed) changed("everything");
      missed = false;
    });
    source.addEventListener("changed", (event) => changed(event.data));
    source.addEventListener("error", () => {
      tell("connection lost, trying again");
      missed = true;
      if (source?.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(listen, connectAgainAfter);
      }
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) listen();
    else if (source) {
      source.close();
      source = null;
      missed = true;
    }
  });
  addEventListener("pagehide", () => source?.close());

  showTimes(document);
  setInterval(countDown, 1000);
  listen();
})();
