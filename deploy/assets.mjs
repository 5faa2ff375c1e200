// Builds what pages and PDFs need from npm packages, into build/ (never committed):
//   build/assets/…  style sheets and the QR reader; Django serves them as static files
//   build/fonts/…   the fonts that PDF tickets embed
// Run by `make run` and `make test` when a source changed; by hand: `npm run build`.
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as sass from "sass";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const assets = join(root, "build", "assets");
const fonts = join(root, "build", "fonts");

// Sass source, and the style sheet made of it.
const sheets = [
  ["conference/assets/theme.scss", "conference/theme.css"],
  ["conference/assets/desk.scss", "conference/desk.css"],
  ["conference/assets/door.scss", "tickets/door.css"],
];

// The door's QR reader: a classic-worker script, and the WebAssembly that it fetches.
const reader = [
  "zxing-wasm/dist/iife/reader/index.js",
  "zxing-wasm/dist/reader/zxing_reader.wasm",
];

// Latin, Greek, Cyrillic and Devanagari; Arabic; Chinese and Japanese; emoji. Names are printed in
// bold, so the large fonts are copied in that weight only.
const families = [
  ["noto-sans", "NotoSans", ["400Regular", "700Bold"]],
  ["noto-sans-arabic", "NotoSansArabic", ["400Regular", "700Bold"]],
  ["noto-sans-sc", "NotoSansSC", ["700Bold"]],
  ["noto-emoji", "NotoEmoji", ["700Bold"]],
];

/** Copies one file, creating its folder. */
function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

rmSync(assets, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

for (const [source, target] of sheets) {
  if (!existsSync(join(root, source))) continue;
  const { css } = sass.compile(join(root, source), {
    style: "compressed",
    loadPaths: [modules],
    quietDeps: true,
    // Bootstrap 5 is still written with @import, and so is a theme that sets its variables.
    silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"],
  });
  mkdirSync(dirname(join(assets, target)), { recursive: true });
  writeFileSync(join(assets, target), css);
}

copy(join(modules, reader[0]), join(assets, "tickets/door/zxing_reader.js"));
copy(join(modules, reader[1]), join(assets, "tickets/door/zxing_reader.wasm"));

rmSync(fonts, { recursive: true, force: true });
for (const [folder, name, weights] of families) {
  for (const weight of weights) {
    const file = `${name}_${weight}.ttf`;
    copy(join(modules, "@expo-google-fonts", folder, weight, file), join(fonts, file));
  }
}
