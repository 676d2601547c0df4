// Draws all bundle icons from the two SVG files: `node icons/make.mjs` (needs rsvg-convert).
// Below 48 pixels the lines of the large drawing would blur, so the plain mark is used there.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));

function png(size) {
  const source = join(folder, size < 48 ? "small.svg" : "salesmirror.svg");
  return execFileSync("rsvg-convert", ["--width", size, "--height", size, source].map(String));
}

/** Windows icon: a directory of PNG images. */
function ico(sizes) {
  const images = sizes.map((size) => ({ size, data: png(size) }));
  const head = Buffer.alloc(6 + 16 * images.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(images.length, 4);
  let offset = head.length;
  images.forEach(({ size, data }, index) => {
    const entry = 6 + 16 * index;
    // 0 stands for 256.
    head.writeUInt8(size % 256, entry);
    head.writeUInt8(size % 256, entry + 1);
    head.writeUInt16LE(1, entry + 4);
    head.writeUInt16LE(32, entry + 6);
    head.writeUInt32LE(data.length, entry + 8);
    head.writeUInt32LE(offset, entry + 12);
    offset += data.length;
  });
  return Buffer.concat([head, ...images.map(({ data }) => data)]);
}

/** Apple icon: chunks of a type, a length and a PNG image. */
function icns(types) {
  const chunks = Object.entries(types).map(([type, size]) => {
    const data = png(size);
    const head = Buffer.alloc(8);
    head.write(type, 0, "latin1");
    head.writeUInt32BE(data.length + 8, 4);
    return Buffer.concat([head, data]);
  });
  const head = Buffer.alloc(8);
  head.write("icns", 0, "latin1");
  head.writeUInt32BE(8 + chunks.reduce((sum, chunk) => sum + chunk.length, 0), 4);
  return Buffer.concat([head, ...chunks]);
}

const files = {
  "32x32.png": png(32),
  "64x64.png": png(64),
  "128x128.png": png(128),
  "128x128@2x.png": png(256),
  "icon.png": png(512),
  "icon.ico": ico([16, 24, 32, 48, 64, 256]),
  "icon.icns": icns({ icp4: 16, icp5: 32, ic07: 128, ic08: 256, ic09: 512, ic10: 1024 }),
};
for (const [name, data] of Object.entries(files)) {
  writeFileSync(join(folder, name), data);
}
