// The filter of the findings. Without this script the page shows everything.
"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const none = document.getElementById("none");
  const rules = [...document.querySelectorAll(".rule")].map((block) => ({
    block,
    head: block.querySelector("summary").textContent.toLowerCase() + " " + block.dataset.kind,
    places: [...block.querySelectorAll(".places > li")].map((item) => ({ item, text: item.textContent.toLowerCase() })),
    more: block.querySelector(".more"),
  }));

  const apply = () => {
    const severities = new Set([...form.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
    const text = form.elements.text.value.trim().toLowerCase();
    const kind = form.elements.kind.value;
    const file = form.elements.file ? form.elements.file.value : "";
    let shown = 0;
    for (const { block, head, places, more } of rules) {
      const named = head.includes(text);
      let fitting = 0;
      for (const place of places) {
        const fits = (!file || place.item.dataset.file === file) && (named || place.text.includes(text));
        place.item.hidden = !fits;
        if (fits) fitting += 1;
      }
      block.hidden = !(severities.has(block.dataset.severity) && (!kind || block.dataset.kind === kind) && fitting);
      if (!block.hidden) shown += 1;
      if (text || file) {
        if (!block.hidden && text && !named) block.open = true;
        if (more) more.open = true;
      }
    }
    none.hidden = shown > 0;
    form.elements.shown.textContent = form.elements.shown.dataset.template
      .replace("{shown}", shown)
      .replace("{all}", rules.length);
  };

  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  addEventListener("hashchange", openTarget);
  // Paper has nothing to click: everything is printed open, and closed again afterwards.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
  apply();
  openTarget();
})();
