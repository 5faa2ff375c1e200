// A classic worker that finds QR codes in camera pictures.
// First message: {reader, wasm}, the addresses of the reader's script and its WebAssembly.
// Then one {pixels, width, height} (RGBA) at a time, each answered by {text}: a code or "".
// {ready: true} says that it can begin, {broken: true} that it never will.

const OPTIONS = {
  formats: ["QRCode"],
  tryHarder: true,
  tryInvert: true, // a ticket on a phone that turns every page dark
  maxNumberOfSymbols: 1,
};

async function prepare({ reader, wasm }) {
  try {
    importScripts(reader);
    const overrides = { locateFile: () => wasm };
    await ZXingWASM.prepareZXingModule({ overrides, fireImmediately: true });
    postMessage({ ready: true });
  } catch {
    postMessage({ broken: true });
  }
}

async function look({ pixels, width, height }) {
  const picture = new ImageData(new Uint8ClampedArray(pixels), width, height);
  const found = await ZXingWASM.readBarcodes(picture, OPTIONS).catch(() => []);
  postMessage({ text: found[0]?.text ?? "" });
}

onmessage = ({ data }) => {
  if (data.reader) prepare(data);
  else look(data);
};
