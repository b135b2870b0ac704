// What only the page as it is laid out can tell a screen reader or a keyboard.
document.addEventListener("DOMContentLoaded", () => {
  // a label must contain what a button shows: words, or icons that have titles
  for (const button of document.querySelectorAll(".search-button__button, .theme-switch-button")) {
    if (button.innerText.trim() || button.matches(".theme-switch-button")) {
      button.removeAttribute("aria-label");
    }
  }
  // what scrolls is reached by the keyboard, also when it is unfolded later
  const scrolled = [
    "pre",
    "div.math",
    "mjx-container[display]",
    ".output.text_html",
    ".pst-scrollable-table-container",
  ].join();
  const reach = (part) => {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
  };
  const sizes = new ResizeObserver((seen) => seen.forEach(({ target }) => reach(target)));
  const watch = () => {
    for (const part of document.querySelectorAll(scrolled)) {
      reach(part);
      sizes.observe(part);
    }
  };
  addEventListener("load", watch);
  watch();
  window.MathJax?.startup?.promise?.then(watch);
});
