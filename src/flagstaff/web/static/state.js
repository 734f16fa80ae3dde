// The icon and the title of the tab say how it stands, also while nobody looks at the page.
"use strict";

(() => {
  function show() {
    const said = document.querySelector("[data-icon]");
    if (!said) return;
    const icon = document.querySelector("link[rel=icon]");
    const address = `/static/favicon-${said.dataset.icon}.svg`;
    if (icon.getAttribute("href") !== address) icon.setAttribute("href", address);
    document.title = said.dataset.title;
  }

  document.addEventListener("htmx:afterSwap", show);
  show();
})();
