"use strict";
const search = document.getElementById("search");
const found = document.getElementById("found");
const entries = [...document.querySelectorAll(".entry")].map((entry) => ({
  entry,
  text: entry.textContent.toLowerCase(),
  link: document.querySelector(`nav li a[href="#${CSS.escape(entry.id)}"]`).parentElement,
}));

function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { entry, text, link } of entries) {
    const matches = words.every((word) => text.includes(word));
    entry.hidden = link.hidden = !matches;
    for (const details of entry.querySelectorAll("details")) {
      details.open = words.some((word) => details.textContent.toLowerCase().includes(word));
    }
    count += matches;
  }
  for (const list of document.querySelectorAll("nav ul")) {
    list.hidden = list.previousElementSibling.hidden = !list.querySelector("li:not([hidden])");
  }
  for (const part of document.querySelectorAll(".part")) {
    part.hidden = !part.querySelector(".entry:not([hidden])");
  }
  found.textContent = words.length ? `${count || "nothing"} found` : "";
}

search.addEventListener("input", show);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape" && search.value) {
    search.value = "";
    show();
  }
});
// A link to what the search has hidden shows everything again.
window.addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.closest("[hidden]")) {
    search.value = "";
    show();
    target.scrollIntoView();
  }
});
