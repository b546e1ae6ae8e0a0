// Completes pages of the theme, for people who use the keyboard or a screen reader.
function complete() {
  // The arrow keys scroll a wide table once it has the focus.
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
    table.tabIndex = table.scrollWidth > table.clientWidth ? 0 : -1;
  }
  // A button that copies code is no navigation.
  for (const buttons of document.querySelectorAll(".md-code__nav")) {
    buttons.setAttribute("role", "presentation");
  }
}

document.querySelector(".md-search[role=dialog]").setAttribute("aria-label", "Search");
new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
addEventListener("resize", complete);
complete();
