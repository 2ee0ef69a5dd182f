// Stand-in of Shopify's App Bridge inside the simulated admin: real ID tokens, fetch with a bearer, bounce, title bar, menu, toast.
(() => {
  "use strict";
  const meta = document.querySelector('meta[name="shopify-api-key"]');
  const tag = document.currentScript;
  const apiKey = (meta && meta.content) || (tag && tag.dataset.apiKey);
  if (!apiKey) throw new Error("App Bridge: missing shopify-api-key");
  const admin = new URL(tag.src).origin;
  // A frame of another site may be refused its storage: then each document lives on its own address.
  const store = { read: () => { try { return JSON.parse(sessionStorage.getItem("keel-sim-config") || "{}"); } catch { return {}; } },
    write: (value) => { try { sessionStorage.setItem("keel-sim-config", JSON.stringify(value)); } catch { /* not allowed here */ } } };
  const saved = store.read();
  const query = new URLSearchParams(location.search);
  const config = { shop: query.get("shop") || saved.shop, host: query.get("host") || saved.host, locale: query.get("locale") || saved.locale || "en" };
  store.write(config);
  const waiting = new Map();
  let turn = 0;
  const tell = (type, data) => parent.postMessage({ keel: type, ...data }, admin);
  const ask = (type, data) => new Promise((resolve, reject) => { const id = ++turn; waiting.set(id, { resolve, reject }); tell(type, { id, ...data }); });
  addEventListener("message", (event) => {
    if (event.origin !== admin || event.source !== parent) return;
    const { keel, id, value, error } = event.data || {};
    if (keel === "answer" && waiting.has(id)) { const w = waiting.get(id); waiting.delete(id); error ? w.reject(new Error(error)) : w.resolve(value); }
    if (keel === "navigate") go(value);
    if (keel === "toast-action" && toasts.has(id)) { toasts.get(id)(); toasts.delete(id); }
    if (keel === "savebar") { const form = document.querySelector("form[data-save-bar]"); if (form) value === "save" ? form.requestSubmit() : form.reset(); }
  });
  const idToken = () => ask("token", {});
  const plain = window.fetch.bind(window);
  const own = (input) => new URL(input instanceof Request ? input.url : input, location.href).origin === location.origin;
  window.fetch = async (input, init) => {
    if (!own(input)) return plain(input, init);
    const send = async () => {
      const request = new Request(input instanceof Request ? input.clone() : input, init);
      request.headers.set("Authorization", `Bearer ${await idToken()}`);
      request.headers.set("X-Requested-With", "XMLHttpRequest");
      request.headers.set("Accept-Language", config.locale);
      return plain(request);
    };
    const answer = await send();
    return answer.status === 401 && answer.headers.get("X-Shopify-Retry-Invalid-Session-Request") ? send() : answer;
  };
  const toasts = new Map();
  const go = (path) => {
    const link = [...document.querySelectorAll("a[href]")].find((a) => a.getAttribute("href") === path);
    if (link) { link.click(); return; }
    const event = new CustomEvent("shopify:navigate", { detail: { path }, cancelable: true });
    if (document.dispatchEvent(event)) location.assign(path);
  };
  window.shopify = {
    config: { apiKey, ...config }, environment: { embedded: true, mobile: false }, ready: Promise.resolve(), idToken,
    toast: { show: (text, options = {}) => { const id = ++turn; if (options.onAction) toasts.set(id, options.onAction);
      tell("toast", { id, text, action: options.action || "", isError: !!options.isError, duration: options.duration || 5000 }); return id; }, hide: () => tell("toast-hide", {}) },
    loading: (on) => tell("loading", { on: !!on }), saveBar: { show: () => tell("savebar", { on: true }), hide: () => tell("savebar", { on: false }) },
    user: () => ask("user", {}), scopes: { query: () => ask("scopes", {}), request: (wanted) => ask("scopes-request", { wanted }) },
    modal: { show: () => {}, hide: () => {} }, resourcePicker: async () => undefined,
  };
  for (const name of ["pushState", "replaceState"]) {
    const real = history.replaceState.bind(history);
    history[name] = (state, title, url) => { real(state, title, url); if (url) tell("history", { path: new URL(url, location.href).pathname + new URL(url, location.href).search, push: name === "pushState" }); };
  }
  const chrome = () => {
    const nav = document.querySelector("s-app-nav");
    const page = document.querySelector("s-page");
    tell("chrome", {
      nav: nav ? [...nav.querySelectorAll("a, s-link")].map((a) => ({ text: a.textContent.trim(), href: a.getAttribute("href"), home: a.getAttribute("rel") === "home" })) : null,
      title: page ? page.getAttribute("heading") : document.title, path: location.pathname,
      breadcrumb: page && page.querySelector('[slot="breadcrumb-actions"]') ? { text: page.querySelector('[slot="breadcrumb-actions"]').textContent.trim(), href: page.querySelector('[slot="breadcrumb-actions"]').getAttribute("href") } : null,
    });
  };
  // The real script re-reads the title bar only when an S-PAGE node comes, goes or changes, or document.title is set.
  new MutationObserver((records) => {
    const isPage = (n) => n.nodeName === "S-PAGE";
    if (records.some((r) => isPage(r.target) || [...r.addedNodes, ...r.removedNodes].some((n) => isPage(n) || n.nodeName === "TITLE"))) chrome();
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["heading"] });
  document.addEventListener("input", (event) => { if (event.target.closest("form[data-save-bar]")) tell("savebar", { on: true }); });
  for (const kind of ["submit", "reset"]) document.addEventListener(kind, (event) => { if (event.target.closest("form[data-save-bar]")) tell("savebar", { on: false }); });
  const reload = query.get("shopify-reload");
  const start = async () => {
    if (!reload) { chrome(); return; }
    const target = new URL(reload, location.href);
    if (target.origin !== location.origin) throw new Error("App Bridge: shopify-reload leads away");
    const answer = await window.fetch(target, { headers: { "X-Shopify-Bounce": "1" } });
    const text = await answer.text();
    history.replaceState(null, "", target.pathname + target.search);
    document.open(); document.write(text); document.close();
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
})();
