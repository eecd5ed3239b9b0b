// Logging in at a real provider of OpenID Connect, in a real browser, through the provider's own pages.
//
//   node openid.mjs PROGRAM DATABASE PLACE
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { launch, NARROW, run, WIDE } from "./browser.mjs";
import { start } from "./provider.mjs";

const [program, database, home] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SECRET = "a secret: with + / & and %41";
const place = join(home, "openid");
mkdirSync(place, { recursive: true });

const port = await new Promise((done) => {
  const server = createServer().listen(0, "127.0.0.1", () => { const { port } = server.address(); server.close(() => done(port)); });
});
const address = `http://127.0.0.1:${port}`;
const provider = await start(place, SECRET, `${address}/login/openid/back`);

const ask = (...rest) => execFileSync(program, ["--db", database, ...rest], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
const organization = JSON.parse(ask("report", "usage", "--by", "organization", "--format", "json"))
  .find((row) => row.organization).organization;

const settings = join(place, "seatledger.toml");
const configure = (more = "") => writeFileSync(settings, `
db = ${JSON.stringify(`sqlite:${database}`)}
[http]
listen = "127.0.0.1:${port}"
[log]
issues = ${JSON.stringify(join(place, "issues.log"))}
[login.openid]
issuer = "${provider.issuer}"
url = "${address}"
client_id = "seatledger"
client_secret_file = ${JSON.stringify(join(place, "secret"))}
ca_file = ${JSON.stringify(join(place, "ca.pem"))}
roles_claim = "realm_access.roles"
button = "Log in at Example Works"
[login.openid.roles]
it = "admin"
staff = "viewer"
lab = { organization = ${JSON.stringify(organization)} }
${more}`);
configure();
writeFileSync(join(place, "secret"), `${SECRET}\n`);
// Beside this process, in which the provider answers.
const check = (command) => new Promise((done) => {
  const ran = spawn(program, ["--config", settings, ...command], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [ran.stdout, ran.stderr]) stream.on("data", (piece) => { text += piece; });
  ran.on("close", (code) => done({ code, text }));
});

let service = null;
let told = "";
async function serve() {
  service = spawn(program, ["--config", settings, "serve"], { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [service.stdout, service.stderr]) stream.on("data", (text) => { told += text; });
  const before = told.length;
  while (!told.slice(before).includes("listening on")) {
    assert.equal(service.exitCode, null, `the service ended: ${told}`);
    await new Promise((done) => { service.stdout.once("data", done); service.once("exit", done); });
  }
}
async function stop() {
  const ended = new Promise((done) => service.once("exit", done));
  service.kill("SIGTERM");
  await ended;
}
await serve();

const browser = await launch();
const tests = [];
const test = (name, work) => tests.push([name, work]);

// A browser of somebody: a page that notes what goes wrong, and where it went.
async function fresh(options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: WIDE, ...options });
  const page = await context.newPage();
  page.wrong = [];
  // What the provider's own pages do is its business; nothing of it leaves this machine.
  const ours = (url) => url.startsWith(address);
  await context.route((url) => ![address, provider.issuer].includes(url.origin), (route) => route.abort());
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && ours(message.location().url)) page.wrong.push(message.text());
  });
  page.on("pageerror", (error) => { if (ours(page.url())) page.wrong.push(error.message); });
  page.on("requestfailed", (request) => { if (ours(request.url())) page.wrong.push(`${request.url()} failed`); });
  page.on("request", (request) => {
    if (ours(page.url()) && ![address, provider.issuer].some((known) => request.url().startsWith(known))) page.wrong.push(`asks elsewhere: ${request.url()}`);
  });
  return page;
}

const press = (page) => page.getByRole("link", { name: "Log in at Example Works" }).click();

// At the provider: who one is, and that this service may know.
async function authenticate(page, name) {
  await page.waitForURL((url) => url.href.startsWith(provider.issuer));
  await page.locator('[name="login"]').fill(name);
  await page.locator('[name="password"]').fill("any password");
  await page.locator('button[type="submit"]').click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL((url) => url.href.startsWith(address));
}

async function logIn(name, path = "/", options = {}) {
  const page = await fresh(options);
  await page.goto(address + path);
  await press(page);
  await authenticate(page, name);
  return page;
}

const entries = (page) => page.locator("nav a").allInnerTexts();
const heading = (page) => page.locator("h1").innerText();

async function accessible(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
    .map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`));
  assert.deepEqual(found, []);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `${wider} pixels too wide`);
}

test("the configuration and the provider are found to be right", async () => {
  const found = await check(["check", "--format", "json"]);
  const login = JSON.parse(found.text.slice(found.text.indexOf("["))).find((row) => row.of === "login");
  assert.equal(login.state, "ok", login.found);
  assert.match(login.found, /must know the address http.*\/login\/openid\/back$/);
  const config = await check(["config", "check"]);
  assert.equal(config.code, 0);
  assert.match(config.text, /role {7}it → admin/);
});

test("nobody comes in without a login, though nobody is a user yet", async () => {
  assert.equal((await fetch(`${address}/api/v1/sessions`)).status, 401);
  const page = await fresh();
  await page.goto(`${address}/features`);
  assert.equal(new URL(page.url()).pathname, "/login");
  assert.ok(!told.includes("first-admin"), "the provider has admins");
  await page.context().close();
});

for (const [name, options] of [["light, wide", { colorScheme: "light" }], ["dark, narrow", { colorScheme: "dark", viewport: NARROW }]]) {
  test(`the login page has the button, and the password behind it, in ${name}`, async () => {
    const page = await fresh(options);
    await page.goto(`${address}/login`);
    await accessible(page);
    assert.ok(!(await page.locator('[name="password"]').isVisible()));
    await page.getByText("With a name and a password").click();
    assert.ok(await page.locator('[name="password"]').isVisible());
    assert.deepEqual(page.wrong, []);
    await page.context().close();
  });
}

test("an admin comes to the page that was asked for, and may all", async () => {
  const page = await logIn("amara", "/features?from=2025-01-02&until=2025-01-03");
  assert.equal(page.url(), `${address}/features?from=2025-01-02&until=2025-01-03`);
  assert.equal(await page.locator("details.account summary").innerText(), "amara");
  assert.ok((await entries(page)).includes("Settings"));
  const cookies = await page.context().cookies(address);
  assert.deepEqual(cookies.map((cookie) => [cookie.name, cookie.httpOnly, cookie.sameSite]), [["seatledger", true, "Lax"]]);
  const hours = (cookies[0].expires - Date.now() / 1000) / 3600;
  assert.ok(hours > 11.9 && hours <= 12, `${hours} hours`);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test("a viewer sees everything and changes nothing", async () => {
  const page = await logIn("viktor");
  assert.ok(!(await entries(page)).includes("Settings"));
  assert.equal((await page.goto(`${address}/settings`)).status(), 403);
  assert.equal((await page.request.get(`${address}/api/v1/sessions?open=true`)).status(), 200);
  await page.context().close();
});

test("a viewer of one organization sees that one", async () => {
  const page = await logIn("sanna");
  const rows = await (await page.request.get(`${address}/api/v1/reports/usage?by=organization`)).json();
  assert.deepEqual([...new Set(rows.map((row) => row.organization))], [organization]);
  assert.equal((await page.request.get(`${address}/metrics`)).status(), 403);
  await page.context().close();
});

for (const [name, locale, words, options] of [
  ["noor", "en-GB", ["No access", "You are known as noor", "realm_access.roles: guests"], { colorScheme: "light" }],
  ["emil", "de-CH", ["Kein Zugang", "Sie sind bekannt als emil", "Ihrem Konto fehlt der Claim realm_access.roles"], { colorScheme: "dark", viewport: NARROW }],
]) {
  test(`${name} has no role and is told why, in ${locale}`, async () => {
    const page = await logIn(name, "/", { locale, ...options });
    const said = await page.locator("main").innerText();
    for (const word of words) assert.ok(said.includes(word), said);
    await accessible(page);
    assert.deepEqual(await page.context().cookies(address), [], "no cookie is left");
    await page.goto(`${address}/`);
    assert.equal(await heading(page), locale === "de-CH" ? "Anmelden" : "Log in");
    await page.context().close();
  });
}

test("who has no role logs in as somebody else, though the provider knows the first", async () => {
  const page = await logIn("noor");
  await page.getByRole("link", { name: "Log in as somebody else" }).click();
  await authenticate(page, "viktor");
  assert.equal(await page.locator("details.account summary").innerText(), "viktor");
  await page.context().close();
});

test("a login that is broken off says so", async () => {
  const page = await fresh();
  await page.goto(address);
  await press(page);
  await page.getByText("Cancel").click();
  await page.waitForURL((url) => url.href.startsWith(address));
  assert.match(await page.locator("main").innerText(), /The login was broken off/);
  assert.deepEqual(await page.context().cookies(address), []);
  await page.context().close();
});

test("what another browser has begun, or what has ended, logs nobody in", async () => {
  const page = await fresh();
  const back = [];
  page.on("request", (request) => { if (request.url().includes("/login/openid/back")) back.push(request.url()); });
  await page.goto(address);
  await press(page);
  await authenticate(page, "viktor");
  assert.equal(back.length, 1);
  const asked = provider.asked.length;
  const refused = async (url) => {
    const answer = await page.goto(url);
    assert.equal(answer.status(), 403, url);
    assert.match(await page.locator("main").innerText(), /another browser, or too long ago, or has ended/);
  };
  await refused(back[0]);
  const other = await fresh();
  assert.equal((await other.goto(back[0])).status(), 403);
  // A login of its own is under way there: the code of another one does not fit.
  await other.goto(address);
  await press(other);
  await other.waitForURL((url) => url.href.startsWith(provider.issuer));
  assert.equal((await other.goto(back[0])).status(), 403);
  assert.equal((await other.goto(`${address}/login/openid/back?error=%3Cb%3Ex&state=y`)).status(), 403);
  assert.ok(!provider.asked.slice(asked).some((url) => url.startsWith("/token")), "no code is tried");
  await page.context().close();
  await other.context().close();
});

test("a stolen code is of no use without the browser that began", async () => {
  const page = await fresh();
  await page.goto(address);
  await press(page);
  await page.waitForURL((url) => url.href.startsWith(provider.issuer));
  // Without its cookie the browser brings the code back, and it is not used.
  await page.context().clearCookies({ name: "seatledger-openid" });
  let stolen = "";
  page.on("request", (request) => { if (request.url().includes("/login/openid/back")) stolen = request.url(); });
  await authenticate(page, "viktor");
  assert.match(stolen, /code=/);
  const thief = await fresh();
  await thief.goto(address);
  await press(thief);
  await thief.waitForURL((url) => url.href.startsWith(provider.issuer));
  const cookie = (await thief.context().cookies(address)).find((cookie) => cookie.name === "seatledger-openid").value;
  // The thief knows how state is made of the own secret, and changes it in the address.
  const { createHash } = await import("node:crypto");
  const state = createHash("sha256").update(`openid state ${cookie.split(".")[0]}`).digest("hex");
  const url = new URL(stolen);
  url.searchParams.set("state", state);
  assert.equal((await thief.goto(url.href)).status(), 502, "PKCE's verifier is another one");
  assert.ok(told.includes("invalid_grant"), told);
  assert.equal((await thief.request.get(`${address}/api/v1/sessions`)).status(), 401);
  await page.context().close();
  await thief.context().close();
});

test("nobody is sent elsewhere after the login", async () => {
  const page = await fresh();
  await page.goto(`${address}/login?to=${encodeURIComponent("//example.com/x")}`);
  await press(page);
  await authenticate(page, "viktor");
  assert.equal(page.url(), `${address}/`);
  await page.context().close();
});

test("an admin sees who is logged in, and logs somebody out everywhere", async () => {
  const [amara, one, other] = [await logIn("amara", "/settings"), await logIn("viktor"), await logIn("viktor")];
  const row = amara.locator("section", { has: amara.locator("#provided") }).locator("tbody tr", { hasText: "viktor" });
  await amara.reload();
  assert.match(await row.innerText(), /viewer/);
  await accessible(amara);
  await row.getByRole("button").click();
  assert.match(await amara.locator('[role="status"]').innerText(), /logged out in all browsers/);
  assert.equal(await row.count(), 0);
  for (const page of [one, other]) {
    await page.goto(address);
    assert.equal(await heading(page), "Log in");
  }
  // Whoever logs out everywhere does so alone.
  const again = await logIn("amara");
  await again.locator("details.account summary").click();
  await again.getByRole("button", { name: "Log out everywhere" }).click();
  await amara.goto(address);
  assert.equal(await heading(amara), "Log in");
  assert.deepEqual(amara.wrong.concat(again.wrong), []);
  for (const page of [amara, one, other, again]) await page.context().close();
});

test("another admin cannot be taken out by who is called the same elsewhere", async () => {
  const run = spawnSync(program, ["--db", database, "user", "add", "amara", "--role", "admin", "--password-stdin"], { input: "correct horse battery" });
  assert.equal(run.status, 0, String(run.stderr));
  const page = await logIn("amara", "/settings");
  // A user of the ledger and somebody of the provider may be called the same: they are two.
  const users = page.locator("section", { has: page.locator("#users") });
  assert.equal(await users.locator("tbody tr").count(), 1);
  const local = await fresh();
  await local.goto(`${address}/login`);
  await local.getByText("With a name and a password").click();
  await local.locator('[name="name"]').fill("amara");
  await local.locator('[name="password"]').fill("correct horse battery");
  await local.getByRole("button", { name: "Log in", exact: true }).click();
  await local.locator("details.account summary").click();
  await local.getByRole("button", { name: "Log out everywhere" }).click();
  assert.equal((await page.goto(`${address}/settings`)).status(), 200, "the other one stays");
  ask("user", "remove", "amara");
  await page.context().close();
  await local.context().close();
});

test("the provider changes its keys, and people go on logging in", async () => {
  provider.changeKeys();
  const page = await logIn("viktor");
  assert.equal(await page.locator("details.account summary").innerText(), "viktor");
  await page.context().close();
});

test("a wrong secret of the client is found by whoever runs the service", async () => {
  writeFileSync(join(place, "secret"), "another\n");
  const page = await logIn("viktor");
  assert.match(await page.locator("main").innerText(), /does not do what it should/);
  assert.match(told, /invalid_client: correct client_id and client_secret in \[login\.openid\]/);
  writeFileSync(join(place, "secret"), `${SECRET}\n`);
  await page.context().close();
});

test("other rules for roles end the logins under the old ones", async () => {
  const page = await logIn("viktor");
  await stop();
  configure('guests = "viewer"\n');
  await serve();
  await page.goto(address);
  assert.equal(await heading(page), "Log in");
  await page.context().close();
  const noor = await logIn("noor");
  assert.equal(await noor.locator("details.account summary").innerText(), "noor");
  await noor.context().close();
});

test("a provider that is away is told of, and those who are logged in go on", async () => {
  const page = await logIn("viktor");
  await provider.go();
  assert.equal((await page.goto(`${address}/features`)).status(), 200);
  await stop();
  await serve();
  assert.equal((await page.goto(`${address}/features`)).status(), 200, "the service starts without the provider");
  const other = await fresh();
  await other.goto(address);
  await press(other);
  assert.match(await other.locator("main").innerText(), /does not do what it should/);
  await accessible(other);
  assert.match(told, /openid-configuration does not answer/);
  const found = await check(["check"]);
  assert.equal(found.code, 1);
  assert.match(found.text.replace(/\s+/g, " "), /login.*bad/);
  const config = await check(["config", "check"]);
  assert.equal(config.code, 0, "the configuration is right");
  assert.match(config.text, /nobody could log in now: .*does not answer/);
  await provider.comeBack();
  await page.context().close();
  await other.context().close();
  const back = await logIn("viktor");
  await back.context().close();
});

test("no log has told of a person or a secret", () => {
  for (const word of ["amara", "viktor", "sanna", "noor", "emil", SECRET, "code=", "eyJ"]) assert.ok(!told.includes(word), `${word}: ${told}`);
});

const passed = await run(tests);
await browser.close();
await stop();
process.exit(passed ? 0 : 1);
