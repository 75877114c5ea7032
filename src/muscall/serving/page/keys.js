// Keys of the page. They click what is there to be clicked, so that they can do nothing else.
(() => {
  const tracks = () => [...document.querySelectorAll(".results .track")];
  const click = (selector, within = document) => within?.querySelector(selector)?.click();

  function step(by) {
    const all = tracks();
    const at = all.indexOf(document.activeElement?.closest(".track"));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return Boolean(next);
  }

  // Rows are made anew by every search: who was on one is on the one in its place then.
  let place = -1;
  document.addEventListener("focusin", (event) => {
    place = tracks().indexOf(event.target.closest?.(".track"));
  });
  document.addEventListener("focusout", ({ target }) => setTimeout(() => {
    if (target.isConnected && document.activeElement === document.body) place = -1;
  }));
  new MutationObserver(() => {
    if (place < 0 || document.activeElement !== document.body) return;
    const all = tracks();
    all[Math.min(place, all.length - 1)]?.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true });

  function search() {
    const input = document.querySelector(".search-input input");
    if (!input) return click(".nav-search");
    input.focus();
    input.select();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const on = event.target;
    const writes = on.matches("input, textarea, select, [contenteditable], [role=slider], [role=combobox]");
    if (event.key === "Escape" && writes) return on.blur();
    if (writes && on.closest(".search-input") && event.key === "ArrowDown") {
      if (on.list?.options.length) return; // it leads into the suggestions
      if (step(1)) event.preventDefault();
      return;
    }
    if (writes || on.closest(".q-dialog")) return; // an open dialog keeps the focus
    const presses = on.matches("button, a, [role=button], summary");
    const track = on.closest?.(".track");
    const actions = {
      "/": search,
      "?": () => click(".help-button"),
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      ArrowLeft: () => window.muscall?.skip(-5),
      ArrowRight: () => window.muscall?.skip(5),
      n: () => window.muscall?.next(),
      p: () => window.muscall?.previous(),
      m: () => window.muscall?.mute(),
      r: () => window.muscall?.walk(),
      l: () => click(".tray-button"),
    };
    if (!presses) {
      actions[" "] = () => window.muscall?.toggle();
      if (track) actions.Enter = () => click(".cover-button", track);
    }
    if (track) {
      Object.assign(actions, { a: () => click(".act-add", track), "+": () => click(".act-more", track),
        "-": () => click(".act-less", track) });
    }
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
})();
