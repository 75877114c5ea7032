// Keeps the files of the page's frame, and has an answer where the server cannot be reached.
const SHELL = "muscall VERSION";
const AWAY = new URL("page/away", self.registration.scope).href;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((shell) => shell.add(AWAY)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("muscall ") && name !== SHELL);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

async function kept(request) {
  const shell = await caches.open(SHELL);
  const there = await shell.match(request);
  if (there) return there;
  const answer = await fetch(request);
  if (answer.ok) await shell.put(request, answer.clone());
  return answer;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(AWAY)));
  // Their addresses name their version.
  else if (/\/_nicegui\/[^/]+\/static\//.test(request.url)) event.respondWith(kept(request));
});
