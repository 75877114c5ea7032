// A server that was restarted, or left alone for long, does not know this page any more. Then the
// page is built anew around the player, without a reload: the music goes on, what was typed stays.
(() => {
  const PATIENCE = 2000; // milliseconds between attempts
  const SETTLED = 4000; // milliseconds until a page built anew is at rest
  let socket, renewing = false;

  const box = () => document.querySelector(".search-input input");

  async function renew() {
    if (renewing) return;
    renewing = true;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
    renewing = false;
    if (!page || answer.status >= 500) return setTimeout(renew, PATIENCE);
    const starts = [...page.querySelectorAll("script[type=module]")];
    const start = starts.find((one) => one.textContent.includes("createApp("));
    if (!start) return location.reload(); // it asks for the key, say
    const typed = box()?.value, at = scrollY, focused = document.activeElement === box();
    socket.close();
    app.unmount();
    const script = document.createElement("script");
    script.type = "module";
    script.textContent = start.textContent;
    document.body.append(script);
    let until = 0;
    const rest = () => clearInterval(waiting);
    const waiting = setInterval(() => {
      if (!window.muscall || (typed && !box())) return;
      if (!until) {
        until = Date.now() + SETTLED;
        for (const act of ["keydown", "pointerdown", "wheel"]) { // what its listener does comes first
          addEventListener(act, rest, { once: true, capture: true });
        }
      }
      document.getElementById("popup").ariaHidden = true;
      if (typed && box().value !== typed) { // the framework may set it once more while it starts
        box().value = typed;
        box().dispatchEvent(new Event("input", { bubbles: true }));
        if (focused) box().focus();
      }
      scrollTo(0, at);
      if (Date.now() > until) rest();
    }, 50);
  }

  // What the framework would answer with a reload.
  function take(refused) {
    const usual = refused.listeners("connect_error");
    let late = false;
    refused.off("connect_error").off("try_reconnect").on("try_reconnect", renew);
    refused.on("connect_error", (error) => {
      if (error.message === "Implicit handshake failed") renew();
      else if (error.message !== "timeout") usual.forEach((handle) => handle(error));
      else if (!late) {
        late = true; // it tries another transport once
        usual.forEach((handle) => handle(error));
      }
    });
  }

  Object.defineProperty(window, "socket", {
    get: () => socket,
    set(made) {
      socket = made;
      queueMicrotask(() => take(made)); // when the framework has its own handlers in place
    },
  });
})();
