// Draw a plot when it comes into view, and again in the other colours when the page's scheme changes.
// Open the folded parts that the address points into.
addEventListener("DOMContentLoaded", () => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const ink = () => getComputedStyle(document.documentElement).getPropertyValue("--soft").trim();
  const draw = (place) => {
    const figure = plots[place.dataset.plot];
    figure.layout.font.color = ink();
    Plotly.react(place, figure.data, figure.layout, { displayModeBar: false, responsive: true });
  };
  const fit = new ResizeObserver((entries) => entries.forEach((entry) => Plotly.Plots.resize(entry.target)));
  const watcher = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting) { watcher.unobserve(entry.target); draw(entry.target); fit.observe(entry.target); }
  }), { rootMargin: "300px" });
  const places = document.querySelectorAll("[data-plot]");
  places.forEach((place) => {
    place.style.minHeight = `${plots[place.dataset.plot].layout.height}px`;
    watcher.observe(place);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => places.forEach((p) => p.data && draw(p)));

  const unfold = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();
});
