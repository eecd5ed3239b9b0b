// The dashboard in a real browser, on the demo's year: no errors, no violations of accessibility rules, the API's figures.
//
//   node pages.mjs ADDRESS PROGRAM DATABASE
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, moved, NARROW, run, WIDE } from "./browser.mjs";

const [address, program, database] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FEATURE = "/feature?code=anshpc";
const PAGES = ["/", "/?open=anshpc", "/features", FEATURE, `${FEATURE}&from=2025-01-01&until=2026-01-01`, "/denials", "/overnight", "/people",
  "/servers", "/alerts", "/history", "/sessions?feature=meba", "/reports", "/reports/usage", "/reports/utilization", "/reports/allocation",
  "/reports/expiry", "/reports/coverage", "/reports/idle", "/settings", "/settings/catalog", "/login"];

const browser = await launch();
const tests = [];
const test = (name, work) => tests.push([name, work]);

// The same ledger, copied, served without a configuration.
async function serveAlone() {
  const place = mkdtempSync(join(tmpdir(), "seatledger-"));
  execFileSync(program, ["--db", database, "db", "backup", join(place, "seatledger.db")], { stdio: "ignore" });
  const service = spawn(program, ["serve", "--listen", "127.0.0.1:0"], { cwd: place, stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  const address = await new Promise((done, failed) => {
    service.stdout.on("data", (piece) => {
      told += piece;
      const found = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(told);
      if (found) done(found[1]);
    });
    service.on("exit", () => failed(new Error(`the service ended: ${told}`)));
  });
  const stop = () => new Promise((done) => {
    service.removeAllListeners("exit").on("exit", () => { rmSync(place, { recursive: true }); done(); });
    service.kill();
  });
  return { address, stop, place, database: join(place, "seatledger.db") };
}

async function open(path, options = {}, from = address) {
  const context = await browser.newContext({ locale: "en-GB", viewport: WIDE, ...options });
  const page = await context.newPage();
  page.wrong = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) page.wrong.push(message.text()); });
  page.on("pageerror", (error) => page.wrong.push(error.message));
  page.on("requestfailed", (request) => {
    // Whoever leaves a page gives up what it has not fetched yet, as its icon.
    const { errorText } = request.failure();
    if (errorText !== "net::ERR_ABORTED") page.wrong.push(`${request.url()} failed: ${errorText}`);
  });
  page.on("response", (response) => { if (response.status() >= 400) page.wrong.push(`${response.url()}: ${response.status()}`); });
  page.on("request", (request) => { if (!request.url().startsWith(from)) page.wrong.push(`asks elsewhere: ${request.url()}`); });
  const answer = await page.goto(from + path, { waitUntil: "networkidle" });
  assert.equal(answer.status(), 200, path);
  return page;
}

const rows = async (path) => (await fetch(address + path)).json();
const figure = (page, name) => page.locator(`[data-figure="${name}"]`).first().getAttribute("data-value").then(Number);

for (const path of PAGES) {
  for (const [name, options] of [["light, wide", { colorScheme: "light" }], ["dark, narrow", { colorScheme: "dark", viewport: NARROW }]]) {
    test(`${path} in ${name}: no errors, nothing out of sight, and whoever cannot see it can use it`, async () => {
      const page = await open(path, options);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${wider} pixels too wide`);
      const far = await moved(page);
      assert.ok(far <= 0.05, `what was there moved by ${far}`);
      await page.evaluate(axe);
      const found = await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
        .map((violation) => `${violation.id}: ${violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`));
      assert.deepEqual(found, []);
      assert.deepEqual(page.wrong, []);
      await page.context().close();
    });
  }
  test(`${path} without scripts has something to read`, async () => {
    const page = await open(path, { javaScriptEnabled: false });
    assert.ok((await page.locator("main").innerText()).length > 40);
    for (const drawn of await page.locator("figure[data-chart]").all()) assert.ok(await drawn.locator("table").isVisible());
    await page.context().close();
  });
}

test("figures of Now are the API's", async () => {
  const page = await open("/");
  const open_sessions = await rows("/api/v1/sessions?open=true&format=json");
  assert.equal(await figure(page, "open-sessions"), open_sessions.length);
  assert.equal(await figure(page, "seats-in-use"), open_sessions.reduce((sum, row) => sum + row.seats, 0));
  await page.context().close();
});

test("history goes on to its beginning, each row once and as the API tells it", async () => {
  const period = "from=2025-03-03&until=2025-03-05";
  const told = (await rows(`/api/v1/history?${period}`)).map((row) => `${Date.parse(row.at)} ${row.action} ${row.feature}`).reverse();
  assert.ok(told.length > 500, `${told.length} rows are no listing of several pages`);
  const cells = (page) => page.locator("table.sheet tbody tr").evaluateAll((all) =>
    all.map((row) => [row.cells[0].innerText, row.cells[1].innerText, row.cells[2].innerText].join(" ")));
  const plain = await open(`/history?${period}`, { javaScriptEnabled: false });
  const seen = [];
  for (;;) {
    const [here, next] = [await cells(plain), plain.locator("a[data-more]")];
    assert.ok(here.length <= 100, `${here.length} rows`);
    seen.push(...here);
    if (await next.count() === 0) break;
    await plain.goto(await next.evaluate((link) => link.href));
  }
  assert.equal(seen.length, told.length);
  assert.deepEqual(seen.map((row) => row.split(" ").slice(-2).join(" ")), told.map((row) => row.split(" ").slice(-2).join(" ")));
  const live = await open(`/history?${period}`);
  while (await live.locator("a[data-more]").count() > 0) {
    const before = await live.locator("table.sheet tbody tr").count();
    await live.locator("a[data-more]").scrollIntoViewIfNeeded({ timeout: 2000 }).catch(() => {});
    await live.waitForFunction((before) => !document.querySelector("a[data-more]") || document.querySelectorAll("table.sheet tbody tr").length > before, before);
  }
  assert.deepEqual(await cells(live), seen);
  assert.deepEqual(live.wrong, []);
  await plain.context().close();
  await live.context().close();
});

test("figures of a feature are the API's", async () => {
  const period = "from=2025-11-01&until=2025-12-01";
  const page = await open(`${FEATURE}&${period}`);
  const [month] = await rows(`/api/v1/reports/utilization?feature=anshpc&${period}`);
  for (const name of ["seats_peak", "seats_average", "utilization_percent", "full_percent", "busy_percent"]) {
    assert.equal(await figure(page, name), month[name], name);
  }
  const [needed] = await rows(`/api/v1/reports/seats-needed?feature=anshpc&${period}`);
  assert.equal(await figure(page, "seats_needed_p95"), needed.seats_needed_p95);
  const denials = await rows(`/api/v1/reports/denials?feature=anshpc&${period}`);
  assert.equal(await figure(page, "raw"), denials.reduce((sum, row) => sum + row.raw, 0));
  await page.context().close();
});

test("downloads are the command line's, byte by byte", async () => {
  const page = await open("/reports/usage?by=organization,product&from=2025-03-01&until=2025-04-01");
  const link = await page.locator("a[download]", { hasText: "CSV" }).getAttribute("href");
  const downloaded = await (await fetch(address + link)).text();
  const printed = execFileSync(program, ["--db", database, "report", "usage", "--by", "organization,product", "--from", "2025-03-01",
    "--until", "2025-04-01", "--format", "csv"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  assert.equal(downloaded, printed);
  assert.equal(await page.locator("table.sheet tbody tr").count(), printed.trim().split("\n").length - 1);
  await page.context().close();
});

for (const path of ["/reports/concurrency?feature=anshpc&from=2025-11-01&until=2025-12-01", "/reports/heatmap?feature=anshpc",
  "/reports/seats-needed", "/reports/usage"]) {
  for (const [name, options] of [["light, wide", { colorScheme: "light" }], ["dark, narrow", { colorScheme: "dark", viewport: NARROW }]]) {
    test(`the page that ${path} gives to keep asks for nothing, has every figure, and can be used by everybody, in ${name}`, async () => {
      const shown = await open(path);
      const of = (format) => shown.locator(`a[download$=".${format}"]`).getAttribute("href");
      const kept = await (await fetch(address + await of("html"))).text();
      const json = await rows(await of("json"));
      await shown.context().close();
      const context = await browser.newContext({ locale: "en-GB", viewport: WIDE, ...options });
      const page = await context.newPage();
      const wrong = [];
      page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong.push(message.text()); });
      page.on("request", (request) => { if (!request.url().startsWith("data:")) wrong.push(`asks for ${request.url()}`); });
      await page.setContent(kept, { waitUntil: "load" });
      const found = await page.evaluate(() => [...document.querySelectorAll("#rows tbody tr")].map((row) => [...row.cells].map((cell) =>
        cell.querySelector("time")?.dateTime ?? cell.textContent)));
      assert.deepEqual(found, json.map((row) => Object.values(row).map((value) => value === null ? "" : String(value))));
      assert.ok(await page.locator("figure svg").count() > 0);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${wider} pixels too wide`);
      const far = await moved(page);
      assert.ok(far <= 0.05, `what was there moved by ${far}`);
      assert.deepEqual(wrong, []);
      await context.close();
      const checked = await browser.newContext({ bypassCSP: true, viewport: WIDE, ...options });
      const copy = await checked.newPage();
      await copy.setContent(kept, { waitUntil: "load" });
      await copy.evaluate(axe);
      assert.deepEqual(await copy.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
        .map((violation) => `${violation.id}: ${violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`)), []);
      await checked.close();
    });
  }
}

test("a long report goes on page by page, and is sorted as a whole", async () => {
  const path = "/reports/usage?by=person,month&from=2025-01-01&until=2025-03-01";
  const told = await rows(`/api/v1${path}`);
  assert.ok(told.length > 200 && told.length <= 500, `${told.length} rows`);
  const plain = await open(path, { javaScriptEnabled: false });
  const people = (page) => page.locator("table.sheet tbody tr td:first-child").allInnerTexts();
  const seen = [];
  for (;;) {
    const here = await people(plain);
    assert.ok(here.length <= 100, `${here.length} rows`);
    seen.push(...here);
    const next = plain.locator("a[data-more]");
    if (await next.count() === 0) break;
    await plain.goto(await next.evaluate((link) => link.href));
  }
  assert.deepEqual(seen, told.map((row) => row.person));
  const live = await open(path);
  const nth = await live.locator("table.sheet thead th").evaluateAll((all) => all.findIndex((head) => head.dataset.name === "usage_minutes"));
  await live.locator("table.sheet thead th").nth(nth).getByRole("button").click();
  await live.locator("th[aria-sort=descending]").waitFor();
  const sorted = await live.locator(`table.sheet tbody tr td:nth-child(${nth + 1})`).evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.v)));
  assert.deepEqual(sorted, told.map((row) => row.usage_minutes).toSorted((one, other) => other - one));
  assert.deepEqual(live.wrong, []);
  await plain.context().close();
  await live.context().close();
});

test("a report with other rows than when it was begun says so where it would go on, and is sorted as a whole", async () => {
  const own = await serveAlone();
  const path = "/reports/usage?by=person,month&from=2025-01-01&until=2025-03-01";
  const people = (page) => page.locator("table.sheet tbody tr td:first-child").allInnerTexts();
  const [reads, sorts] = [await open(path, {}, own.address), await open(path, {}, own.address)];
  const begun = await people(reads);
  assert.equal(begun.length, 100);
  const log = join(own.place, "more.log");
  const record = (what, minute) => `Jan  7 09:0${minute}:10 host1 LIC_ACC: meba ${what} 20250107-090${minute} aaron PID: 7\n`;
  writeFileSync(log, record("START", 0) + record("STOP", 1));
  execFileSync(program, ["--db", own.database, "import", "--timezone", "UTC", log], { stdio: "ignore" });
  const further = own.address + await reads.locator("a[data-more]").getAttribute("href");
  while (!(await (await fetch(further)).text()).includes("data-anew"));
  await reads.locator("a[data-more]").scrollIntoViewIfNeeded();
  await reads.locator("[data-anew]").waitFor();
  assert.match(await reads.locator("[data-anew]").innerText(), /other rows stand here/);
  assert.deepEqual(await people(reads), begun, "no row is put where it does not belong");
  assert.equal(await reads.locator("a[data-more]").isVisible(), false);
  await reads.evaluate(axe);
  assert.deepEqual(await reads.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map((found) => found.id)), []);
  const told = await (await fetch(`${own.address}/api/v1${path}`)).json();
  assert.equal(told[0].person, "aaron");
  for (const page of [sorts, reads]) {
    const nth = await page.locator("table.sheet thead th").evaluateAll((all) => all.findIndex((head) => head.dataset.name === "usage_minutes"));
    await page.locator("table.sheet thead th").nth(nth).getByRole("button").click();
    await page.locator("th[aria-sort=descending]").waitFor();
    const sorted = await page.locator(`table.sheet tbody tr td:nth-child(${nth + 1})`).evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.v)));
    assert.deepEqual(sorted, told.map((row) => row.usage_minutes).toSorted((one, other) => other - one));
    assert.equal(await page.locator("[data-anew], a[data-more]").count(), 0);
    assert.deepEqual(page.wrong, []);
  }
  const again = await open(new URL(further).pathname + new URL(further).search, { javaScriptEnabled: false }, own.address);
  await again.locator("[data-anew]").getByRole("link", { name: "From the beginning" }).click();
  assert.equal((await people(again))[0], "aaron");
  assert.equal(await again.locator("[data-anew]").count(), 0);
  for (const page of [reads, sorts, again]) await page.context().close();
  await own.stop();
});

test("typing filters, a click sorts, keys lead elsewhere", async () => {
  const page = await open("/features");
  const shown = () => page.locator("#features tbody tr:visible").count();
  const all = await shown();
  await page.keyboard.press("/");
  await page.keyboard.type("autocad 20");
  const few = await shown();
  assert.ok(few > 0 && few < all, `${few} of ${all}`);
  await page.locator("#filter").fill("");
  await page.locator("#features th", { hasText: "Peak" }).last().getByRole("button").click();
  const peaks = await page.locator("#features tbody tr td:nth-child(4)").evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.v)));
  assert.deepEqual(peaks, peaks.toSorted((one, other) => other - one));
  assert.equal(await page.locator("#features th[aria-sort]").getAttribute("aria-sort"), "descending");
  await page.locator("h1").click();
  await page.keyboard.press("g");
  await page.keyboard.press("n");
  await page.waitForURL(`${address}/`);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test("a drag over the chart shows the steps themselves", async () => {
  const page = await open(FEATURE);
  const box = await page.locator("figure[data-chart=seats] .drawing").boundingBox();
  const steps = page.waitForResponse((answer) => answer.url().includes("/feature/steps"));
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.35, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  const found = await (await steps).json();
  assert.ok(found.seats.length > 10 && found.issued.length > 0);
  assert.equal(await page.locator(".stretch:visible").count(), 0);
  await page.locator("figcaption .back").click();
  assert.equal(await page.locator("figcaption .back:visible").count(), 0);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test("on paper all charts are drawn, in sight or not", async () => {
  const page = await open(FEATURE, { viewport: NARROW });
  assert.equal(await page.locator("figure[data-chart=levels][data-drawn]").count(), 0, "it is not in sight yet");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  for (const drawn of await page.locator("figure[data-chart]").all()) assert.ok(await drawn.locator("canvas").count() > 0);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test("Now follows the ledger without a reload, and opens who holds seats in place", async () => {
  const page = await open("/");
  await page.evaluate(() => { window.here = true; });
  await page.locator('[data-key="anshpc"] a[data-swap]').click();
  await page.locator('[data-key="anshpc"] tr.holds').waitFor();
  const before = await figure(page, "open-sessions");
  const pinged = await fetch(`${address}/ping?username=visitor&domainname=corp&appcode=1&version=24.1`);
  assert.equal(pinged.status, 204);
  await page.waitForFunction((before) => Number(document.querySelector('[data-figure="open-sessions"]').dataset.value) === before + 1, before);
  assert.ok(await page.evaluate(() => window.here), "the page was not loaded anew");
  assert.ok(await page.locator('[data-key="anshpc"] tr.holds').isVisible());
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`a directory is shown with what it changes before it is taken in, ${javaScriptEnabled ? "with" : "without"} scripts`, async () => {
    const page = await open("/settings", { javaScriptEnabled });
    const name = javaScriptEnabled ? "visitor-one" : "visitor-two";
    const file = `login,organization,valid_from\n${name},Guests,2025-01-01\n`;
    const choose = () => page.locator('input[type="file"]').setInputFiles({ name: "guests.csv", mimeType: "text/csv", buffer: Buffer.from(file) });
    await choose();
    await page.getByRole("button", { name: "Show what changes" }).click();
    assert.match(await page.locator("main").innerText(), /1 added, 0 changed, 0 as they are/);
    assert.equal(await page.locator("table.sheet tbody tr").first().innerText(), `${name}\t2025-01-01\tnew\tGuests`);
    if (javaScriptEnabled) {
      await page.evaluate(axe);
      assert.deepEqual(await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map((found) => found.id)), []);
    }
    await page.getByRole("button", { name: "Apply" }).click();
    assert.match(await page.locator('[role="status"]').innerText(), /1 added, 0 changed/);
    await choose();
    await page.getByRole("button", { name: "Show what changes" }).click();
    assert.match(await page.locator("main").innerText(), /says all of this already/);
    assert.deepEqual(page.wrong, []);
    await page.context().close();
  });
}

test("the catalog is edited", async () => {
  const page = await open("/settings/catalog?q=anshpc");
  await page.locator("table.sheet tbody tr a").first().click();
  const form = page.locator('form[method="post"].row');
  await form.locator('[name="price"]').fill("77.50");
  await form.getByRole("button").click();
  assert.match(await page.locator('[role="status"]').innerText(), /Saved/);
  await page.goto(`${address}/settings/catalog?feature=anshpc`);
  assert.equal(await form.locator('[name="price"]').inputValue(), "77.50");
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`the ledger's own calendar is edited, ${javaScriptEnabled ? "with" : "without"} scripts`, async () => {
    const own = await serveAlone();
    const page = await open("/settings", { javaScriptEnabled }, own.address);
    const accessible = async () => {
      if (!javaScriptEnabled) return;
      await page.evaluate(axe);
      assert.deepEqual(await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map((found) => found.id)), []);
    };
    await page.getByRole("link", { name: "Edit the calendar" }).click();
    await accessible();
    const holidays = page.getByRole("textbox", { name: "Holidays" });
    await page.locator('[name="class0-hours"]').fill("00:00-07:00");
    await holidays.fill(`${await holidays.inputValue()}2025-11-03 Our day\n`);
    await page.getByRole("button", { name: "Show what changes" }).click();
    assert.match(await page.locator("#wrong-classes").innerText(), /^07:00-08:00 belongs to no time class/);
    assert.equal(await page.locator('[name="class0-hours"]').inputValue(), "00:00-07:00");
    await accessible();
    page.wrong.length = 0; // The browser logs an answer of 400.
    await page.locator('[name="class1-hours"]').fill("07:00-19:00");
    await page.getByRole("button", { name: "Show what changes" }).click();
    assert.deepEqual(await page.locator("table.sheet tbody th").allInnerTexts(), ["Time class regular-overnight", "Time class prime", "2025-11-03"]);
    await accessible();
    await page.getByRole("button", { name: "Back to the form" }).click();
    assert.equal(await page.locator('[name="class1-hours"]').inputValue(), "07:00-19:00");
    await page.getByRole("button", { name: "Show what changes" }).click();
    await page.getByRole("button", { name: "Apply" }).click();
    assert.match(await page.locator('[role="status"]').innerText(), /The calendar is in force/);
    assert.match(await page.locator("section[aria-labelledby=calendar] .facts").innerText(), /07:00-19:00/);
    assert.deepEqual(page.wrong, []);
    await page.context().close();
    await own.stop();
  });
}

const passed = await run(tests);
await browser.close();
process.exit(passed ? 0 : 1);
