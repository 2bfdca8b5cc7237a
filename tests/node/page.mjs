// Looks at the page of a contract in Chromium: as a file and as it is served, in both colour schemes, on a
// desk and on a phone, with and without its script, and on paper.
//
//   node page.mjs SCREENSHOTS URL|FILE..
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SIZES, browser, check, end, fail, open } from './look.mjs';

const [screenshots, ...pages] = process.argv.slice(2);
const urls = pages.map((page) => (page.includes('://') ? page : pathToFileURL(page).href));
if (!urls.length) {
  console.error('usage: page.mjs SCREENSHOTS URL|FILE..');
  process.exit(2);
}
await mkdir(screenshots, { recursive: true });
for (const url of urls) {
  const served = new URL(url).protocol === 'http:';
  const kind = served ? 'served' : basename(url, '.html');
  for (const scheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const where = `${kind}-${scheme}-${size}`;
      const page = await open(where, url, viewport, scheme);
      await check(where, page);
      await page.screenshot({ path: join(screenshots, `${where}.png`), fullPage: true });
      await page.close();
    }
  }
  await interact(kind, url, served);
  await without_script(kind, url);
  await print(kind, url);
}
await end();

// By keyboard alone: the first stop skips the contents, everything that acts can be reached, and what
// has the focus shows it. Copying copies.
async function interact(kind, url, served) {
  const where = `${kind}-keyboard`;
  const page = await open(where, url, SIZES.desk, 'light');
  const permissions = ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write'];
  if (served) await browser.defaultBrowserContext().overridePermissions(new URL(url).origin, permissions);
  await page.keyboard.press('Tab');
  const first = await page.evaluate(() => [document.activeElement.className, document.activeElement.getBoundingClientRect().left]);
  if (first[0] !== 'skip' || first[1] < 0) fail(where, `the first stop is ${first}`);
  await page.keyboard.press('Enter');
  // The browser follows a link after the key has been answered.
  await page
    .waitForFunction(() => location.hash === '#content', { timeout: 5000 })
    .catch(() => fail(where, 'the skip link does not skip'));
  const wanted = await page.evaluate(() => [...document.querySelectorAll('a, button, summary')].filter((e) => e.checkVisibility()).length);
  const seen = await page.evaluate(() => { window.seen = new Set(); document.activeElement.blur(); return 0; });
  await page.evaluate(() => scrollTo(0, 0));
  await page.goto(url);
  await page.evaluate(() => { window.reached = new Set(); });
  let hidden = '';
  for (let i = seen; i < wanted + 40; i += 1) {
    await page.keyboard.press('Tab');
    hidden ||= await page.evaluate(() => {
      const element = document.activeElement;
      if (element.matches('a, button, summary')) window.reached.add(element);
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const shows = element === document.body || (outlineStyle !== 'none' && outlineWidth !== '0px');
      return shows ? '' : element.outerHTML.slice(0, 80);
    });
  }
  const reached = await page.evaluate(() => window.reached.size);
  if (hidden) fail(where, `has the focus and does not show it: ${hidden}`);
  if (reached < wanted) fail(where, `${reached} of ${wanted} links and buttons are reached`);
  const button = await page.$('button[data-copy]');
  if (button && served) {
    await button.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((b) => b.textContent === 'Copied', { timeout: 5000 }, button);
    const [copied, shown] = await page.evaluate(async (b) => [await navigator.clipboard.readText(), b.parentElement.querySelector('code').textContent], button);
    if (copied !== shown) fail(where, 'what is copied is not what is shown');
    JSON.parse(copied);
  }
  await page.close();
}

// Everything is there to read without the script; the buttons are not.
async function without_script(kind, url) {
  const where = `${kind}-no-script`;
  const page = await open(where, url, SIZES.desk, 'light', { script: false });
  const [text, buttons] = await page.evaluate(() => [
    document.querySelector('main').innerText.length,
    [...document.querySelectorAll('button')].filter((b) => b.checkVisibility()).length,
  ]);
  if (text < 300) fail(where, `only ${text} letters to read`);
  if (buttons) fail(where, `${buttons} buttons that do nothing`);
  await page.close();
}

// On paper: no contents, no buttons, and the schemas unfolded.
async function print(kind, url) {
  const where = `${kind}-print`;
  const page = await open(where, url, { width: 794, height: 1123 }, 'dark');
  await page.emulateMediaType('print');
  const [shown, background] = await page.evaluate(() => [
    [...document.querySelectorAll('nav, button, .skip')].filter((e) => e.checkVisibility()).length,
    getComputedStyle(document.body).backgroundColor,
  ]);
  if (shown) fail(where, `${shown} things on paper that are of no use there`);
  if (background !== 'rgb(255, 255, 255)') fail(where, `the paper is ${background}`);
  await page.pdf({ path: join(screenshots, `${where}.pdf`), format: 'A4' });
  await page.screenshot({ path: join(screenshots, `${where}.png`), fullPage: true });
  await page.close();
}
