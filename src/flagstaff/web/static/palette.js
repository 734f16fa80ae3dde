// Keys: a command from anywhere, its words completed, and the pages by their letters.
"use strict";

(() => {
  const pages = {
    h: "/", r: "/rollouts", f: "/flags", w: "/workers", d: "/releases", c: "/clean-up",
    a: "/audit", s: "/settings",
  };
  const together = 1200; // milliseconds between two keys that belong together
  const palette = document.querySelector("#palette");
  const keys = document.querySelector("#keys");
  let went = 0;

  function open() {
    if (palette.open) return;
    keys.close();
    palette.showModal();
    palette.querySelector("input").select();
  }

  function writes(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  document.addEventListener("keydown", (event) => {
    if (!palette || event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      open();
    } else if (event.key === "?" && !keys.open) {
      keys.showModal();
    } else if (event.key === "g") {
      went = event.timeStamp;
    } else if (went && event.timeStamp - went < together && pages[event.key]) {
      location.assign(pages[event.key]);
    } else {
      went = 0;
    }
  });

  document.addEventListener("click", (event) => {
    if (!palette || !event.target.closest("[data-palette]")) return;
    event.preventDefault();
    open();
  });

  // A field whose line is completed: the list below it is chosen from with the arrows or a click.
  function complete(field) {
    const list = document.getElementById(field.dataset.completes);
    let found = [], at = -1, asked = 0;

    for (const [name, value] of Object.entries({
      role: "combobox", "aria-controls": list.id, "aria-expanded": "false", "aria-autocomplete": "list",
    })) field.setAttribute(name, value);

    function close() {
      list.hidden = true;
      at = -1;
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
    }

    function mark(next) {
      at = next;
      [...list.children].forEach((item, index) => {
        item.setAttribute("aria-selected", String(index === at));
        if (index === at) item.scrollIntoView({ block: "nearest" });
      });
      field.setAttribute("aria-activedescendant", `${list.id}-${at}`);
    }

    function take(index) {
      field.value = found[index].line;
      field.focus();
      ask();
    }

    function show() {
      list.replaceChildren(...found.map((each, index) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${index}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        const word = document.createElement("code"), about = document.createElement("span");
        word.textContent = each.word;
        about.textContent = each.about;
        item.append(word, about);
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(index);
        });
        return item;
      }));
      if (!found.length || (found.length === 1 && found[0].line === `${field.value} `)) return close();
      list.hidden = false;
      at = -1;
      field.setAttribute("aria-expanded", "true");
      field.removeAttribute("aria-activedescendant");
    }

    async function ask() {
      const turn = ++asked;
      try {
        const answer = await fetch(`/command/completions?line=${encodeURIComponent(field.value)}`);
        if (turn !== asked || !answer.ok) return;
        found = await answer.json();
        if (turn === asked && document.activeElement === field) show();
      } catch {
        close(); // the line can be written without
      }
    }

    // What was offered before and no longer fits goes at once: Tab must not take it.
    field.addEventListener("input", () => {
      found = found.filter((each) => each.line.startsWith(field.value));
      show();
      ask();
    });
    field.addEventListener("focus", () => { if (palette?.open) ask(); });
    field.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) mark((at + step + found.length + (at < 0 && step < 0 ? 1 : 0)) % found.length);
      else if (event.key === "Tab" && !event.shiftKey) take(Math.max(at, 0));
      else if (event.key === "Enter" && at >= 0) take(at);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
  }

  for (const field of document.querySelectorAll("[data-completes]")) complete(field);
})();
