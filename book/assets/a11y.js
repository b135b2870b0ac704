// Two things the theme gets wrong for screen readers.
document.addEventListener("DOMContentLoaded", () => {
  // the label must contain the words that the button shows
  for (const button of document.querySelectorAll(".search-button__button, .theme-switch-button")) {
    button.removeAttribute("aria-label");
  }
  // the sidebar is a landmark of its own
  const sidebar = document.querySelector(".bd-sidebar-primary");
  if (sidebar && !sidebar.hasAttribute("role")) {
    sidebar.setAttribute("role", "complementary");
    sidebar.setAttribute("aria-label", "Book");
  }
});
