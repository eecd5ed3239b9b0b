// What pages gain where scripts run: figures that follow the ledger, a filter while typing, keys, light or dark.
const MINUTE = 60_000;
const EVERY = 2_000;

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Light or dark: a cookie, so that the page comes in the right light.
for (const button of all("[data-theme-switch]")) {
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
    document.dispatchEvent(new Event("themechange"));
  });
}

// Filters: the rows of a table of which the text has all words.
function filterRows(field) {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of all(`${field.dataset.filter} [data-search]`)) {
    row.hidden = !words.every((word) => row.dataset.search.includes(word));
  }
}
document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-filter]")) filterRows(event.target);
});

// A click on a heading sorts, by what cells say to machines.
function sortTable(table, heading) {
  const nth = heading.cellIndex;
  const falling = heading.getAttribute("aria-sort") === "descending" || (!heading.hasAttribute("aria-sort") && !heading.classList.contains("number"));
  const value = (row) => {
    const cell = row.cells[nth];
    const text = cell?.dataset.v ?? cell?.textContent.trim() ?? "";
    return heading.classList.contains("number") ? Number(text) || 0 : text;
  };
  const body = table.tBodies[0];
  const sorted = [...body.rows].map((row) => [value(row), row]);
  sorted.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0) * (falling ? 1 : -1));
  for (const head of all("th[aria-sort]", table)) head.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", falling ? "ascending" : "descending");
  body.append(...sorted.map(([, row]) => row));
}
for (const table of all("table[data-sorts]")) {
  for (const heading of all("thead th:not([data-unsorted])", table)) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "sorts" });
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", async () => {
      for (let link; (link = one("a[data-more]")) && await goOn(link, true););
      if (!one("a[data-more]")) sortTable(table, heading);
    });
  }
}

// Keys: / searches, g and a letter goes to a page.
let goes = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches?.("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    const field = one('input[type="search"]');
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  } else if (event.key === "g") {
    goes = performance.now();
  } else if (performance.now() - goes < 1500) {
    goes = 0;
    const entry = all("nav a[data-key]").find((link) => link.dataset.key === event.key);
    if (entry) location.assign(entry.href);
  }
});

// Live figures: the page is fetched anew, and what differs is put in its place. Nothing moves under the pointer.
async function fetched(url) {
  const answer = await fetch(url, { headers: { accept: "text/html" }, cache: "no-cache", redirect: "error" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function keyed(root) {
  return new Map(all("[data-key]", root).map((element) => [element.dataset.key, element]));
}

// Puts the new text of figures and cells in place of the old one; what changed is marked for a while.
function bringUpToDate(old, now, marks) {
  if (old.isEqualNode(now)) return;
  const [before, after] = [[...old.childNodes], [...now.childNodes]];
  const sameShape = before.length === after.length
    && before.every((node, nth) => node.nodeType === after[nth].nodeType && node.nodeName === after[nth].nodeName);
  if (!sameShape || old.namespaceURI !== "http://www.w3.org/1999/xhtml") {
    old.replaceWith(now);
    return;
  }
  const keeps = new Set(["hidden", "open", "class"]);
  for (const { name, value } of [...now.attributes]) if (!keeps.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!keeps.has(name) && !now.hasAttribute(name)) old.removeAttribute(name);
  before.forEach((node, nth) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.data !== after[nth].data) { node.data = after[nth].data; if (marks) mark(old); }
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      bringUpToDate(node, after[nth], marks);
    }
  });
}

function mark(element) {
  element.classList.remove("changed");
  requestAnimationFrame(() => element.classList.add("changed"));
  setTimeout(() => element.classList.remove("changed"), 3000);
}

function bringTableUpToDate(old, now, mayMove, marks) {
  const [before, after] = [keyed(old), keyed(now)];
  for (const [key, body] of before) if (!after.has(key)) body.remove();
  let last = one("thead", old);
  for (const [key, body] of after) {
    const known = before.get(key);
    if (known) bringUpToDate(known, body, marks);
    const here = known?.isConnected ? known : body;
    if (!here.isConnected || (mayMove && last && last.nextElementSibling !== here)) last.after(here);
    last = here;
  }
  for (const body of all(":scope > tbody:not([data-key])", old)) body.remove();
  for (const body of all(":scope > tbody:not([data-key])", now)) old.append(body);
}

function show(page, marks = true) {
  const [old, now] = [one("[data-live]"), one("[data-live]", page)];
  if (!old || !now) { location.reload(); return; }
  const mayMove = !old.matches(":hover, :focus-within") || !marks;
  for (const selector of [".headline", ".as-of"]) {
    const [before, after] = [one(selector, old), one(selector, now)];
    if (before && after) bringUpToDate(before, after, marks);
  }
  const [table, next] = [one("table.now", old), one("table.now", now)];
  if (table && next) bringTableUpToDate(table, next, mayMove, marks);
  const field = one("[data-filter]", old);
  if (field) filterRows(field);
  delete old.dataset.stale;
}

async function follow() {
  let pause = EVERY;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (document.hidden) continue;
    try {
      show(await fetched(liveUrl()));
      pause = EVERY;
    } catch {
      const live = one("[data-live]");
      if (live) live.dataset.stale = "";
      pause = Math.min(pause * 2, MINUTE);
    }
  }
}

// The filter narrows what is here; the ledger is asked for all of it.
function liveUrl() {
  const url = new URL(location.href);
  url.searchParams.delete("q");
  return url;
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const key = link.closest("[data-key]")?.dataset.key;
  try {
    const page = await fetched(link.href);
    history.replaceState(null, "", link.href);
    show(page, false);
    one(`[data-key="${CSS.escape(key)}"] a[data-swap]`)?.focus();
  } catch {
    location.assign(link.href);
  }
});

if (one("[data-live]")) {
  for (const field of all("form.filter [data-filter]")) field.form.addEventListener("submit", (event) => event.preventDefault());
  follow();
}

// A listing goes on when its end comes into sight: the rows of the next page are put behind its own.
const watchEnd = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) if (isIntersecting) { watchEnd.unobserve(target); goOn(target); }
}, { rootMargin: "400px" });

// One page after the other; says whether it came. Where a report begins with other rows by now, the page is its start: whoever
// reads is told, and keeps what is there; for whoever sorts, all rows are fetched anew.
let coming = Promise.resolve();
function goOn(link, begins = false) {
  coming = coming.then(async () => {
    if (!link.isConnected) return false;
    try {
      const page = await fetched(link.href);
      const [body, anew] = [one("table.sheet tbody"), one("[data-anew]", page)];
      if (anew && !begins) {
        if (!link.hidden) link.parentElement.before(anew);
        link.hidden = true;
        return false;
      }
      if (anew) {
        for (const told of all("[data-anew]")) told.remove();
        body.replaceChildren();
      }
      body.append(...one("table.sheet tbody", page).rows);
      const next = one("a[data-more]", page);
      if (!next) { link.remove(); return true; }
      link.hidden = false;
      link.href = next.href;
      watchEnd.observe(link);
      return true;
    } catch {
      // The link is still there to be followed.
      return false;
    }
  });
  return coming;
}
for (const link of all("a[data-more]")) watchEnd.observe(link);

// Charts draw the tables behind them; their library is fetched where there is a chart to draw.
const charts = all("figure[data-chart][data-waiting]");
const library = one('meta[name="charts"]')?.content;
if (charts.length) {
  import(library).then((of) => of.draw(charts)).catch(() => { for (const figure of charts) delete figure.dataset.waiting; });
}
