// Keel's only own script. App Bridge puts the ID token on every fetch (htmx 4 uses fetch): nothing here touches tokens.
(() => {
  const root = document.documentElement;
  const find = (selector, within = document) => within.querySelector(selector);
  const bridge = () => window.shopify;

  // The admin tells its look through this global (undocumented): without it, the new look.
  const wear = (theme) => { root.dataset.theme = !theme || theme === "admin-next" ? "next" : "classic"; };
  let theme = window.__shopifyAdminTheme;
  wear(theme);
  if (!theme) {
    try {
      Object.defineProperty(window, "__shopifyAdminTheme", {
        configurable: true, get: () => theme, set: (value) => { theme = value; wear(value); },
      });
    } catch { /* someone else defined it: keep the default */ }
  }

  const say = (words) => { const live = find("#live"); if (live) live.textContent = words; };
  const go = (href) => window.htmx.ajax("GET", href, { target: "#app", select: "#app", swap: "outerHTML", push: href });

  addEventListener("app:toast", ({ detail: { words, undo } }) => {
    say(words);
    const press = () => find(`form[action="${undo}"]`)?.requestSubmit();
    bridge()?.toast?.show(words, undo ? { action: document.body.dataset.undo, duration: 8000, onAction: press } : {});
  });

  // Failures: the page stays as it is and says so. Only 422 and whole error pages are swapped in.
  const trouble = (on) => {
    const banner = find("#trouble");
    if (!banner) return;
    banner.hidden = !on;
    if (on) banner.scrollIntoView({ block: "nearest" });
  };
  addEventListener("htmx:error", () => trouble(true));
  addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail, { status } = ctx.response;
    const swappable = status < 400 || status === 422 || (status === 404 && ctx.target?.id === "app");
    if (!swappable) event.preventDefault();
    trouble(!swappable);
  });
  addEventListener("htmx:before:request", () => bridge()?.loading?.(true));
  addEventListener("htmx:finally:request", () => bridge()?.loading?.(false));

  // A decided row keeps its height until the next page, so that nothing moves under the pointer.
  const heights = new Map();
  addEventListener("htmx:before:swap", (event) => {
    const target = event.detail.ctx?.target;
    if (target?.id && target.id !== "app" && !heights.has(target.id)) heights.set(target.id, target.offsetHeight);
  });
  addEventListener("htmx:after:swap", (event) => {
    const id = event.detail.ctx?.target?.id;
    if (id === "app") {
      heights.clear();
      scrollTo(0, 0);
      find("main")?.focus({ preventScroll: true });
    } else if (id && heights.has(id)) {
      const now = document.getElementById(id);
      if (now?.matches(".decision")) now.style.minHeight = `${heights.get(id)}px`;
    }
    start();
  });

  // What the admin presses for us: title-bar links, and navigation without a link on the page.
  document.addEventListener("shopify:navigate", (event) => {
    const href = event.target?.getAttribute?.("href");
    if (href) go(href);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("s-link[href], s-button[href]");
    if (link) { event.preventDefault(); go(link.getAttribute("href")); return; }
    if (event.target.closest("[data-print]")) print();
    if (event.target.closest("[data-reload]")) location.reload();
    document.querySelectorAll(".menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });

  // The slider's fill, and the field that it writes while it moves.
  const slide = (range) => range.style.setProperty("--fill", `${(100 * range.value) / (range.max || 1)}%`);
  document.addEventListener("input", ({ target }) => {
    if (target.type !== "range") return;
    slide(target);
    const field = document.getElementById(target.dataset.writes);
    if (field) field.value = target.value;
  });

  // Read-out of a chart by pointer or arrow keys; the chart is whole without it.
  const readable = (plot) => {
    if (plot.dataset.ready) return;
    plot.dataset.ready = "1";
    const points = JSON.parse(plot.dataset.points);
    const make = (name) => Object.assign(document.createElement("div"), { className: name, hidden: true });
    const tip = make("tip"), cross = make("cross");
    plot.append(cross, tip);
    let at = -1;
    const show = (index) => {
      at = Math.max(0, Math.min(points.length - 1, index));
      const [x, ...words] = points[at], y = words.pop(), width = plot.clientWidth;
      tip.hidden = cross.hidden = false;
      tip.replaceChildren(...["span", "b", "i"].map((tag, i) => Object.assign(document.createElement(tag), { textContent: words[i] })));
      cross.style.left = `${x * width}px`;
      cross.style.top = `${y}px`;
      const left = x * width + (x > 0.6 ? -tip.offsetWidth - 12 : 12);
      tip.style.transform = `translate(${Math.max(0, Math.min(width - tip.offsetWidth, left))}px, ${Math.max(0, y - 30)}px)`;
    };
    const hide = () => { tip.hidden = cross.hidden = true; };
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect(), x = (event.clientX - box.left) / box.width;
      show(points.reduce((best, point, i) => (Math.abs(point[0] - x) < Math.abs(points[best][0] - x) ? i : best), 0));
    });
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -1e4, End: 1e4 }[event.key];
      if (!step) return;
      event.preventDefault();
      show(at < 0 ? 0 : at + step);
      say(points[at].slice(1, 4).filter(Boolean).join(", "));
    });
  };
  const start = () => {
    document.querySelectorAll("[data-points]").forEach(readable);
    document.querySelectorAll("input[type=range]").forEach(slide);
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
