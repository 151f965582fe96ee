// Reads what the example `forms` wrote, and reports.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The values of a file with one JSON value a line. */
export function read(folder, file) {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** The same without the `null`s that serenity writes for "not there", which Discord takes for the same. */
export function present(value) {
  if (Array.isArray(value)) return value.map(present);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, present(inner)]));
}

/** Runs a check for each value; tells the names of those that fail and ends the process if there are any. */
export function checkAll(what, values, check) {
  const wrong = [];
  let checks = 0;
  for (const value of values) {
    try {
      checks += check(value);
    } catch (error) {
      wrong.push(`${value.name}: ${String(error.message).split('\n').slice(0, 3).join(' ').slice(0, 400)}`);
    }
  }
  if (wrong.length > 0) {
    console.error(`${what}: ${wrong.length} of ${values.length} are wrong`);
    for (const line of wrong.slice(0, 20)) console.error(`  ${line}`);
    process.exit(1);
  }
  return checks;
}

/** Fails unless the check refuses each of these. */
export function mustRefuse(what, bad, check) {
  for (const [name, value] of Object.entries(bad)) {
    let refused = false;
    try {
      check(value);
    } catch {
      refused = true;
    }
    if (!refused) {
      console.error(`${what}: a bad sample passes: ${name}`);
      process.exit(1);
    }
  }
  return Object.keys(bad).length;
}
