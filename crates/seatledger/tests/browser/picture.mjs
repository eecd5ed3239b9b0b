// Takes the pictures of the manual: node picture.mjs ADDRESS FOLDER
import { launch } from "./browser.mjs";

const [address, folder] = process.argv.slice(2);
const PICTURES = [["dashboard-now", "/?open=cfd_solve_level3"], ["dashboard-feature", "/feature?code=anshpc"]];
const browser = await launch();
for (const colorScheme of ["light", "dark"]) {
  const page = await browser.newPage({ colorScheme, locale: "en-GB", viewport: { width: 1280, height: 800 } });
  for (const [name, path] of PICTURES) {
    await page.goto(address + path, { waitUntil: "networkidle" });
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
  }
}
await browser.close();
