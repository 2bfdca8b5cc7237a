// Asks the official AsyncAPI parser.
//
//   npm ci --ignore-scripts
//   node validate.mjs FILE..          every file is valid, without a warning
//   node validate.mjs --broken        it finds what broken.json says that it finds, and no more
//
// Exit code 0: so it is; 1: it is not; 2: a file cannot be read.
import { readFile } from 'node:fs/promises';
import { Parser } from '@asyncapi/parser';

// Infos are no defects. The only one that comes is that 3.1.0 exists, which older viewers refuse and
// which says the same of Kafka.
const ERROR = 0;
const WARNING = 1;

async function diagnose(text, worst) {
  const { document, diagnostics } = await new Parser().parse(text);
  const found = diagnostics
    .filter((d) => d.severity <= worst)
    .map((d) => `${d.code} at /${d.path.join('/')}: ${d.message}`);
  if (!document && found.length === 0) found.push('it cannot be parsed');
  return found;
}

async function read(path) {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    console.error(`${path}: ${error.message}`);
    process.exit(2);
  }
}

async function validate(files) {
  let failed = 0;
  for (const file of files) {
    const found = await diagnose(await read(file), WARNING);
    console.log(`${found.length ? 'invalid' : 'valid  '} ${file}`);
    found.forEach((what) => console.log(`  ${what}`));
    failed += found.length ? 1 : 0;
  }
  return failed;
}

const tests = new URL('../../crates/fastkafka-asyncapi/tests/', import.meta.url);

async function broken() {
  const base = JSON.parse(await read(new URL('broken.base.json', tests)));
  const cases = JSON.parse(await read(new URL('broken.json', tests)));
  let failed = 0;
  for (const one of cases) {
    const found = await diagnose(JSON.stringify(breakAs(structuredClone(base), one)), ERROR);
    if ((found.length > 0) === one.official) continue;
    failed += 1;
    console.log(`${one.name}: the parser should ${one.official ? '' : 'not '}find it`);
    found.forEach((what) => console.log(`  ${what}`));
  }
  console.log(`${cases.length - failed} of ${cases.length} verdicts are as expected`);
  return failed;
}

// As src/tests/broken.rs does it.
function breakAs(document, one) {
  const at = (pointer) => {
    const names = pointer.split('/').slice(1);
    const last = names.pop();
    return [names.reduce((part, name) => part[name], document), last];
  };
  const get = (pointer) => {
    const [parent, name] = at(pointer);
    return parent[name];
  };
  const put = (pointer, value) => {
    const [parent, name] = at(pointer);
    parent[name] = value;
  };
  const copied = one.copy && structuredClone(get(one.copy));
  if (one.remove) {
    const [parent, name] = at(one.remove);
    delete parent[name];
  }
  if (one.set) put(one.set, copied ?? one.to);
  if (one.and) put(one.and, one.is);
  return document;
}

const args = process.argv.slice(2);
if (args.length === 0) {
  console.error('usage: validate.mjs FILE.. | validate.mjs --broken');
  process.exit(2);
}
process.exit((args[0] === '--broken' ? await broken() : await validate(args)) ? 1 : 0);
