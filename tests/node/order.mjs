// Orders drinks in Chromium at the order form of examples/web, in both colour schemes, on a desk and on
// a phone: what is wrong is said beside its field, and the consumer's answer comes to the page.
//
//   node order.mjs SCREENSHOTS URL
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SIZES, check, end, fail, open } from './look.mjs';

const [screenshots, url] = process.argv.slice(2);
if (!url) {
  console.error('usage: order.mjs SCREENSHOTS URL');
  process.exit(2);
}
await mkdir(screenshots, { recursive: true });
const own = {
  may: (asked) => asked.startsWith(url),
  // It is closed by who has what it waited for.
  drops: (asked) => asked.endsWith('/receipt'),
};

for (const scheme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const where = `order-${scheme}-${size}`;
    const page = await open(where, url, viewport, scheme, own);
    await look(where, 'form', page);
    await fill(page);
    await look(where, 'waits', page);
    await receipt(where, page);
    await look(where, 'receipt', page);
    await page.close();
    await mistakes(where, viewport, scheme);
  }
}
await by_keyboard('order-keyboard');
await without_script('order-no-script');
await end();

async function look(where, what, page) {
  await check(`${where}-${what}`, page);
  await page.screenshot({ path: join(screenshots, `${where}-${what}.png`), fullPage: true });
}

// Two cups of tea.
async function fill(page) {
  await page.click('input[value=tea]');
  await page.click('#cups', { count: 3 });
  await page.type('#cups', '2');
  await page.type('#name', 'Ada');
  await Promise.all([page.waitForNavigation(), page.click('button')]);
}

async function receipt(where, page) {
  await page.waitForSelector('.answer dl', { timeout: 30_000 });
  const text = await page.$eval('.answer', (answer) => answer.innerText);
  if (!/2 × Tea/.test(text) || !/Total\s+€5\.60/.test(text)) fail(where, `the receipt says ${text}`);
}

// What the browser would hold back reaches the server, and comes back with the words beside the fields.
async function mistakes(where, viewport, scheme) {
  const page = await open(`${where}-mistakes`, url, viewport, scheme, { ...own, status: 422 });
  await page.$eval('form', (form) => { form.noValidate = true; });
  await page.click('#cups', { count: 3 });
  await page.type('#cups', '99');
  const [answer] = await Promise.all([page.waitForNavigation(), page.click('button')]);
  if (answer.status() !== 422) fail(where, `mistakes are answered with ${answer.status()}`);
  const said = await page.$$eval('[aria-invalid]', (inputs) =>
    inputs.map((input) => [input.name, input.value, document.getElementById(input.getAttribute('aria-describedby')).innerText]));
  const expected = [['cups', '99', 'Must be a whole number from 1 to 20, not “99”'], ['name', '', 'Must not be empty']];
  if (JSON.stringify(said) !== JSON.stringify(expected)) fail(where, `mistakes: ${JSON.stringify(said)}`);
  await look(where, 'mistakes', page);
  await page.close();
}

// Tab, arrows and Enter are enough, and what has the focus shows it.
async function by_keyboard(where) {
  const page = await open(where, url, SIZES.desk, 'light', own);
  const shows = async (name) => {
    const [at, shown] = await page.evaluate(() => {
      const element = document.activeElement;
      const outlined = (e) => e && getComputedStyle(e).outlineStyle !== 'none';
      return [element.name || element.localName, outlined(element) || outlined(element.closest('label'))];
    });
    if (at !== name) fail(where, `the focus is on ${at}, not on ${name}`);
    if (!shown) fail(where, `${at} has the focus and does not show it`);
  };
  await page.keyboard.press('Tab');
  await shows('drink');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await shows('cups');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Tab');
  await shows('name');
  await page.keyboard.type('Ada');
  await page.keyboard.press('Tab');
  await shows('button');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await receipt(where, page);
  await page.close();
}

// The page asks again by itself until the receipt is there.
async function without_script(where) {
  const page = await open(where, url, SIZES.phone, 'dark', { ...own, script: false });
  await fill(page);
  await receipt(where, page);
  await page.close();
}
