// Makes the page an app that can be installed, where the browser allows it.
addEventListener("load", () => {
  const worker = `${window.path_prefix || ""}/sw.js`;
  navigator.serviceWorker?.register(worker).catch(() => {}); // the page does without
});
