// Fills the list under the search box while somebody types: past searches, names and labels.
(() => {
  const KEPT = 50, PAST = 3, NAMES = 7, PAUSE = 120; // milliseconds
  const box = (event) => event.target.closest?.(".search-input input");
  let timer, asked = 0;

  function past() {
    try {
      return JSON.parse(localStorage.getItem("muscall.searches")) ?? [];
    } catch {
      return []; // a browser may forbid it
    }
  }

  function keep(text) {
    const others = past().filter((one) => one !== text);
    try {
      localStorage.setItem("muscall.searches", JSON.stringify([text, ...others].slice(0, KEPT)));
    } catch { /* then they are not kept */ }
  }

  function show(input, texts) {
    const options = [...new Set(texts)].filter((text) => text !== input.value).map((text) => {
      const option = document.createElement("option");
      option.value = text;
      return option;
    });
    document.getElementById("suggestions")?.replaceChildren(...options);
    input.setAttribute("list", "suggestions"); // the framework names a list that is not there
  }

  async function fill(input) {
    const typed = input.value.trim(), number = ++asked;
    if (!typed) return show(input, past().slice(0, NAMES));
    const own = past().filter((one) => one.toLowerCase().startsWith(typed.toLowerCase())).slice(0, PAST);
    const query = new URLSearchParams({ text: typed, n: NAMES });
    const answer = await fetch(`${window.path_prefix || ""}/v1/suggest?${query}`).catch(() => null);
    const names = answer?.ok ? await answer.json() : [];
    if (number === asked) show(input, [...own, ...names.map((one) => one.text)]);
  }

  function searched(input) {
    clearTimeout(timer);
    asked += 1;
    if (input.value.trim()) keep(input.value.trim());
    show(input, []); // so that the arrow leads to what was found
  }

  document.addEventListener("input", (event) => {
    const input = box(event);
    if (!input) return;
    clearTimeout(timer);
    timer = setTimeout(() => fill(input), PAUSE);
  });
  document.addEventListener("focusin", (event) => {
    const input = box(event);
    if (input && !input.value) fill(input);
  });
  document.addEventListener("keydown", (event) => {
    const input = box(event);
    if (input && event.key === "Enter") searched(input);
  }, true);
  document.addEventListener("click", (event) => {
    const input = event.target.closest?.(".search-go") && document.querySelector(".search-input input");
    if (input) searched(input);
  }, true);
})();
