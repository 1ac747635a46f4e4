// Copies the browser libraries, file by file, from frontend/node_modules (after `npm ci`) into frontend/vendor,
// records version, licence and hash of each in vendor.lock.json, and writes the hashes into index.html.
// With --check it changes nothing and fails when anything differs.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const frontend = join(
  dirname(fileURLToPath(import.meta.url)),
  "..",
  "frontend",
);
const check = process.argv.includes("--check");

/** Specifier in the import map (null: loaded by a tag), package, file in the package, file in vendor/. */
const files = [
  ["preact", "preact", "dist/preact.mjs", "preact.js"],
  ["preact/hooks", "preact", "hooks/dist/hooks.mjs", "preact-hooks.js"],
  [
    "@preact/signals-core",
    "@preact/signals-core",
    "dist/signals-core.mjs",
    "signals-core.js",
  ],
  ["@preact/signals", "@preact/signals", "dist/signals.mjs", "signals.js"],
  ["htm", "htm", "dist/htm.mjs", "htm.js"],
  [
    null,
    "plotly.js-cartesian-dist-min",
    "plotly-cartesian.min.js",
    "plotly-cartesian.min.js",
  ],
  [null, "swagger-ui-dist", "swagger-ui-bundle.js", "swagger-ui-bundle.js"],
  [null, "swagger-ui-dist", "swagger-ui.css", "swagger-ui.css"],
];

/** Write, or in --check mode compare. */
function settle(path, content) {
  const target = join(frontend, path);
  if (!check) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    return;
  }
  const present = readFileSync(target);
  if (!present.equals(Buffer.from(content))) {
    console.error(
      `${path} differs from what npm holds: run "npm ci && npm run vendor" in frontend/.`,
    );
    process.exitCode = 1;
  }
}

// Source maps are not shipped, so that a reference to one would be a 404 in the developer tools.
const withoutSourceMap = (text) =>
  text.replace(/\n?\/[/*]# sourceMappingURL=[^\n]*\n?/g, "\n");
const sha384 = (content) =>
  `sha384-${createHash("sha384").update(content).digest("base64")}`;

const lock = [];
const licences = new Map();
for (const [specifier, name, source, target] of files) {
  const folder = join(frontend, "node_modules", name);
  const { version, license } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  const content = withoutSourceMap(readFileSync(join(folder, source), "utf8"));
  settle(`vendor/${target}`, content);
  licences.set(name, readFileSync(join(folder, "LICENSE"), "utf8"));
  lock.push({
    specifier,
    name,
    version,
    licence: license,
    source,
    path: `vendor/${target}`,
    integrity: sha384(content),
  });
}
settle("vendor/vendor.lock.json", `${JSON.stringify(lock, null, 2)}\n`);
const texts = [...licences].map(
  ([name, text]) => `${name}\n${"=".repeat(name.length)}\n\n${text.trim()}\n`,
);
settle("vendor/LICENSES.txt", texts.join("\n\n"));

const mapped = lock.filter((entry) => entry.specifier);
const map = {
  imports: Object.fromEntries(
    mapped.map((entry) => [entry.specifier, `/${entry.path}`]),
  ),
  integrity: Object.fromEntries(
    mapped.map((entry) => [`/${entry.path}`, entry.integrity]),
  ),
};
let page = readFileSync(join(frontend, "index.html"), "utf8");
page = page.replace(
  /<script type="importmap">[^]*?<\/script>/,
  `<script type="importmap">\n${JSON.stringify(map, null, 2)}\n</script>`,
);
let reference = readFileSync(join(frontend, "api-docs.html"), "utf8");
for (const entry of lock.filter((each) => !each.specifier)) {
  const tag = new RegExp(
    `((?:href|src)="/${entry.path.replaceAll(".", "\\.")}" integrity=")[^"]*"`,
  );
  page = page.replace(tag, `$1${entry.integrity}"`);
  reference = reference.replace(tag, `$1${entry.integrity}"`);
}
settle("index.html", page);
settle("api-docs.html", reference);
