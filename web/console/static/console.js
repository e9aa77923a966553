// What the pages do better with a script; every page works without it.
"use strict";

// "/" puts the cursor into the search field, as on most sites with one.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, textarea, select");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

// On a narrow screen the menu begins closed.
if (window.matchMedia("(max-width: 60rem)").matches) {
  document.querySelector("details.menu")?.removeAttribute("open");
}

// A form that was sent once is not sent again by a second click. Its key protects the act itself.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
  } else if (form.method === "post") {
    form.dataset.sent = "yes";
    window.setTimeout(() => delete form.dataset.sent, 3000);
  }
});

// A button that prints the page; without a script the browser's own menu prints.
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A page from the browser's memory, after "back", may be out of date and somebody else may be signed in.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    window.location.reload();
  }
});

// Opening the form of an act puts the cursor into its first field. `toggle` does not bubble.
document.addEventListener("toggle", (event) => {
  if (event.target.matches("details.act") && event.target.open) {
    event.target.querySelector("[aria-invalid], input:not([type=hidden]), select, textarea")?.focus();
  }
}, true);
