// Bundles the page script into the Python package. The result is committed, so that a build of the wheel needs no
// Node; tests/widgets/test_static.py builds again into another folder and compares the bytes.
//
//   node build.mjs [OUTDIR]
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const outdir = process.argv[2] ?? here("../claude_nb/widgets/static");

await build({
  // boot.js is in the state of every widget, live.js is fetched once per page.
  entryPoints: { boot: here("src/boot.ts"), live: here("src/index.ts") },
  outdir,
  absWorkingDir: here("."),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  loader: { ".css": "text" },
  plugins: [
    {
      // The style sheet travels as a string in the script; minify it like the rest.
      name: "minified-css-text",
      setup({ onLoad }) {
        onLoad({ filter: /\.css$/ }, async ({ path }) => {
          const result = await build({ entryPoints: [path], minify: true, write: false, charset: "utf8" });
          return { contents: result.outputFiles[0].text, loader: "text" };
        });
      },
    },
  ],
  legalComments: "none",
  logLevel: "warning",
});
