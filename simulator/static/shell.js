// The simulated admin around the frame. It hands out ID tokens to the app's own origin and to nobody else.
(() => {
  "use strict";
  const body = document.body, frame = document.getElementById("app"), origin = body.dataset.appOrigin, shop = body.dataset.shop;
  const optional = (body.dataset.optionalScopes || "").split(",").filter(Boolean);
  const base = `/store/${body.dataset.handle}/apps/keel`;
  const send = (message) => frame.contentWindow.postMessage(message, origin);
  const reply = (id, value, error) => send({ keel: "answer", id, value, error });
  const token = async () => {
    const answer = await fetch("/internal/token", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ shop }) });
    if (!answer.ok) throw new Error("no token");
    return (await answer.json()).id_token;
  };
  const scopes = async () => {
    const granted = (await (await fetch(`/_sim/${shop}/state`)).json()).scopes.split(",").filter(Boolean);
    return { granted, required: granted.filter((one) => !optional.includes(one)), optional: granted.filter((one) => optional.includes(one)) };
  };
  const grant = async (wanted) => {
    const allowed = wanted.every((one) => optional.includes(one)) && confirm(`Grant ${wanted.join(", ")}?`);
    if (allowed) await fetch(`/_sim/${shop}/scopes`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ grant: wanted }) });
    return { result: allowed ? "granted-all" : "declined-all", detail: await scopes() };
  };
  const open = (path) => { send({ keel: "navigate", value: path }); };
  const chrome = (data) => {
    document.getElementById("title").textContent = data.title || "";
    const crumb = document.getElementById("crumb");
    crumb.hidden = !data.breadcrumb;
    if (data.breadcrumb) { crumb.textContent = `${data.breadcrumb.text} ›`; crumb.onclick = () => open(data.breadcrumb.href); }
    if (!data.nav) return;
    const list = document.getElementById("menu");
    list.replaceChildren(...data.nav.filter((item) => !item.home).map((item) => {
      const button = document.createElement("button");
      button.textContent = item.text;
      button.className = data.path === item.href || data.path.startsWith(`${item.href}/`) ? "here" : "";
      button.onclick = () => open(item.href);
      const entry = document.createElement("li");
      entry.append(button);
      return entry;
    }));
  };
  const toast = (data) => {
    const box = document.getElementById("toast");
    box.textContent = data.text;
    box.className = data.isError ? "error" : "";
    if (data.action) { const button = document.createElement("button"); button.textContent = data.action; button.onclick = () => { send({ keel: "toast-action", id: data.id }); box.hidden = true; }; box.append(button); }
    box.hidden = false;
    clearTimeout(box.timer);
    box.timer = setTimeout(() => { box.hidden = true; }, data.duration);
  };
  addEventListener("message", async (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return;
    const data = event.data || {};
    if (data.keel === "token") { try { reply(data.id, await token()); } catch (error) { reply(data.id, null, String(error)); } }
    if (data.keel === "chrome") chrome(data);
    if (data.keel === "toast") toast(data);
    if (data.keel === "toast-hide") document.getElementById("toast").hidden = true;
    if (data.keel === "loading") document.getElementById("bar").hidden = !data.on;
    if (data.keel === "savebar") document.getElementById("savebar").hidden = !data.on;
    if (data.keel === "history") history.replaceState(null, "", base + (data.path === "/" ? "" : data.path.split("?")[0]) + location.search);
    if (data.keel === "user") reply(data.id, {});
    if (data.keel === "scopes") { try { reply(data.id, await scopes()); } catch (error) { reply(data.id, null, String(error)); } }
    if (data.keel === "scopes-request") { try { reply(data.id, await grant(data.wanted)); } catch (error) { reply(data.id, null, String(error)); } }
  });
  document.querySelectorAll("[data-savebar]").forEach((button) => { button.onclick = () => { send({ keel: "savebar", value: button.dataset.savebar }); document.getElementById("savebar").hidden = true; }; });
  document.querySelector(".home")?.addEventListener("click", () => open("/"));
  document.querySelectorAll("[data-act]").forEach((button) => { button.onclick = async () => {
    button.disabled = true;
    await fetch(`/_sim/${shop}/${button.dataset.act}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: button.dataset.body || "{}" });
    if (button.dataset.act === "days") { await walk(); return; }
    location.reload();
  }; });
  // Days go by one after the other; the app works on each before the next. Seen to the end, then everything is shown anew.
  const waits = { deliveries: "webhooks", news: "Keel reads the news", prices: "Keel writes prices", tests: "Keel carries the price test on", verdicts: "Keel judges what was decided", suggestions: "Keel works out suggestions" };
  const look = async () => (await fetch(`/_sim/${shop}/days`)).json();
  const walk = async () => {
    const box = document.getElementById("walk"), buttons = document.querySelectorAll("[data-act]");
    buttons.forEach((one) => { one.disabled = true; });
    for (let now = await look(); !now.is_over; now = await look()) {
      document.getElementById("day").textContent = now.today;
      box.textContent = `Day ${Math.min(now.passed + 1, now.days)} of ${now.days}${now.waits_for ? ` · ${waits[now.waits_for] || now.waits_for}` : ""}`;
      box.hidden = false;
      await new Promise((resume) => { setTimeout(resume, 400); });
    }
    location.reload();
  };
  look().then((now) => { if (!now.is_over) walk(); }).catch(() => {});
  requestAnimationFrame(() => { if (frame && frame.dataset.src) frame.src = frame.dataset.src; });
})();
